//! A segment of a plan's steps.

use crate::kernels::{Attention, Linear};
use crate::plan::{BufferId, Group, Network};

/// A matrix that a segment computes or starts with: one row per token.
pub(super) struct Value {
    pub buffer: BufferId,
    /// Length of a row.
    pub features: usize,
}

/// An attention, or the rows read by the first linears, and the linears that follow.
pub(super) struct Segment {
    pub source: Source,
    pub value: Value,
    pub linears: Vec<(Linear, Value)>,
    pub label: String,
    pub rows: usize,
    /// Distance between the rows in floats, if they are loaded.
    pub stride: usize,
    /// The group of its parameters, once the network has groups.
    pub group: Option<Group>,
}

pub(super) enum Source {
    Attention(Attention),
    Rows,
    /// The columns of [`EmbeddingPosition`]: word vectors, then the residual of the first linear.
    Gathered {
        input: BufferId,
        positions: Value,
    },
}

impl Segment {
    /// A segment that starts with the rows of a linear, and has no linears yet.
    pub(super) fn of_rows(network: &Network, linear: &Linear, group: Option<Group>) -> Segment {
        let features = network.parameter(linear.weight).shape[1];
        Segment {
            source: Source::Rows,
            value: Value { buffer: linear.input.buffer, features },
            linears: vec![],
            label: String::new(),
            rows: linear.rows,
            stride: linear.input.stride,
            group,
        }
    }

    pub(super) fn attends(&self) -> bool {
        matches!(self.source, Source::Attention(_))
    }

    /// Returns whether a linear continues the segment: it has the same rows, reads values of the segment or
    /// its input, and isn't in another group. (If a sequence has only one token, its first token is its only
    /// row, and only groups differ.)
    pub(super) fn takes(&self, linear: &Linear, group: Option<Group>) -> bool {
        let same_group = self.group.is_none() || group == self.group;
        let here = self.values().find(|value| value.buffer == linear.input.buffer);
        let whole = here.is_some_and(|value| {
            linear.input.stride == value.features
                || (self.linears.is_empty() && linear.input.stride == self.stride)
        });
        same_group && whole && linear.rows == self.rows
    }

    /// Its values in order: the source and the linears' results.
    pub(super) fn values(&self) -> impl Iterator<Item = &Value> {
        std::iter::once(&self.value).chain(self.linears.iter().map(|(_, value)| value))
    }

    pub(super) fn reads(&self, buffer: BufferId) -> bool {
        let source = match &self.source {
            Source::Attention(attention) => {
                [attention.query, attention.key, attention.value].iter().any(|from| from.buffer == buffer)
            }
            Source::Rows | Source::Gathered { .. } => self.value.buffer == buffer,
        };
        source || self.linears.iter().any(|(linear, _)| reads(linear, buffer))
    }

    /// The values read by later steps. Rows that the segment starts with are already in a buffer.
    pub(super) fn results(&self, read_later: impl Fn(BufferId) -> bool) -> Vec<&Value> {
        let computed = self.values().skip(usize::from(!self.attends()));
        computed.filter(|value| read_later(value.buffer)).collect()
    }
}

/// Returns whether a linear reads a buffer as its input or its residual.
pub(super) fn reads(linear: &Linear, buffer: BufferId) -> bool {
    linear.input.buffer == buffer || linear.residual.is_some_and(|residual| residual.from.buffer == buffer)
}
