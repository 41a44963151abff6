//! The division of a plan's steps between workers, by token: everything is computed row by row, except that
//! attention reads the keys and values of all tokens, and pooling reads the rows of some.

use std::collections::HashSet;
use std::ops::Range;

use crate::kernels::Attention;
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
    /// The part's range of `tokens` tokens. Parts consist of whole tiles of rows if possible.
    pub(super) fn of(self, tokens: usize) -> Range<usize> {
        let size = tokens.div_ceil(self.parts).next_multiple_of(8);
        let at = |part: usize| (part * size).min(tokens);
        at(self.part)..at(self.part + 1)
    }
}

/// Columns of a buffer of which each worker has the rows of its own tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Gathered {
    pub buffer: BufferId,
    pub first: usize,
    pub width: usize,
}

/// The division of a plan.
pub struct Division {
    /// Per buffer: whether it has the same number of values for each token, and is thus computed in parts.
    pub(super) by_token: Vec<bool>,
    /// Per step, the columns that a worker needs for all tokens before it; the last entry is for reading the
    /// results.
    pub(super) gathers: Vec<Vec<Gathered>>,
}

impl Division {
    /// The division of a plan; `None` if it has steps that can't be divided, such as attention in two halves
    /// or several steps fused into one.
    pub fn of(plan: &Plan) -> Option<Division> {
        let tokens = plan.request.batch * plan.request.sequence;
        let mut by_token = vec![false; plan.buffers.len()];
        let mut known: HashSet<Gathered> = HashSet::new();
        let mut gathers = Vec::with_capacity(plan.steps.len() + 1);
        let mut gather = |wanted: Vec<Gathered>, by_token: &[bool]| {
            let missing = |columns: &Gathered| by_token[columns.buffer.0] && known.insert(*columns);
            gathers.push(wanted.into_iter().filter(missing).collect::<Vec<_>>());
        };
        let whole =
            |buffer: BufferId| Gathered { buffer, first: 0, width: plan.buffers[buffer.0].len / tokens };
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
                Operation::Attention(Attention { key, value, heads, head_size, .. }) => [key, value]
                    .map(|from| Gathered { buffer: from.buffer, first: from.first, width: heads * head_size })
                    .to_vec(),
                _ if is_by_token => Vec::new(),
                _ => reads.into_iter().map(whole).collect(),
            };
            gather(wanted, &by_token);
            by_token[step.output.0] = is_by_token;
        }
        gather(plan.outputs.iter().map(|output| whole(output.buffer)).collect(), &by_token);
        Some(Division { by_token, gathers })
    }

    /// Maximum number of values that are exchanged at a time.
    pub fn floats(&self, plan: &Plan) -> usize {
        let widths = |gathered: &Vec<Gathered>| gathered.iter().map(|columns| columns.width).sum::<usize>();
        let widest = self.gathers.iter().map(widths).max().unwrap_or(0);
        widest * plan.request.batch * plan.request.sequence
    }
}
