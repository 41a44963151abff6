//! How the steps of a plan divide between workers by token: everything is computed row by row, except that attention reads
//! the keys and values of all tokens, and a pooled result those of some.

use std::ops::Range;

use crate::plan::{BufferId, Operation, Plan};

/// A worker's part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Index of the part.
    pub part: usize,
    /// Number of parts.
    pub parts: usize,
}

impl Share {
    /// The part's tokens, out of `tokens`. Tiles have whole rows if possible.
    pub(super) fn of(self, tokens: usize) -> Range<usize> {
        let size = tokens.div_ceil(self.parts).next_multiple_of(8);
        let at = |part: usize| (part * size).min(tokens);
        at(self.part)..at(self.part + 1)
    }
}

/// The division of a plan.
pub struct Division {
    /// By buffer: whether it has the same number of values for each token, and is computed in parts.
    pub(super) by_token: Vec<bool>,
    /// The buffers that a worker needs whole before each step; the last ones before it reads the results.
    pub(super) gathers: Vec<Vec<BufferId>>,
}

impl Division {
    /// The division of a plan; `None` for one with steps that don't divide, such as attention in two halves, or with several steps in one.
    pub fn of(plan: &Plan) -> Option<Division> {
        let tokens = plan.request.batch * plan.request.sequence;
        let mut by_token = vec![false; plan.buffers.len()];
        let mut whole = vec![false; plan.buffers.len()];
        let mut gathers = Vec::with_capacity(plan.steps.len() + 1);
        let mut gather = |wanted: Vec<BufferId>, by_token: &[bool]| {
            let missing = |id: &BufferId| by_token[id.0] && !std::mem::replace(&mut whole[id.0], true);
            gathers.push(wanted.into_iter().filter(missing).collect::<Vec<_>>());
        };
        for step in &plan.steps {
            let reads = step.operation.reads();
            let is_by_token = match &step.operation {
                Operation::Embedding(_) | Operation::Position(_) | Operation::Attention(_) => true,
                Operation::Linear(linear) => linear.rows == tokens,
                Operation::Activate(_) | Operation::Add(_) | Operation::LayerNorm(_) => {
                    reads.iter().all(|id| by_token[id.0])
                }
                Operation::AttentionProbabilities(_)
                | Operation::AttentionContext(_)
                | Operation::EmbeddingPosition(_)
                | Operation::Chain(_) => return None,
            };
            let wanted = match &step.operation {
                Operation::Attention(attention) => vec![attention.key, attention.value],
                _ if is_by_token => Vec::new(),
                _ => reads,
            };
            gather(wanted, &by_token);
            by_token[step.output.0] = is_by_token;
        }
        gather(plan.outputs.iter().map(|output| output.buffer).collect(), &by_token);
        Some(Division { by_token, gathers })
    }

    /// Maximum number of values that are exchanged at a time.
    pub fn floats(&self, plan: &Plan) -> usize {
        let of = |buffers: &Vec<BufferId>| buffers.iter().map(|id| plan.buffers[id.0].len).sum();
        self.gathers.iter().map(of).max().unwrap_or(0)
    }
}
