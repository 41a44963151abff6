//! A segment of a plan's steps, and the single step that replaces it.

use std::collections::HashMap;

use super::places::Places;
use super::{too_wide, unsupported};
use crate::error::Result;
use crate::kernels::chain::MAX_LINEARS;
use crate::kernels::{
    Attention, Chain, ChainLinear, ChainOperand, ChainResidual, ChainSource, Columns, Linear,
};
use crate::plan::{Buffer, BufferId, Group, Network, Residual, Step};

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

    /// The step that computes the segment. `columns` maps earlier values to their columns; this segment's are
    /// added.
    pub(super) fn step(
        &self,
        buffers: &mut Vec<Buffer>,
        columns: &mut HashMap<BufferId, Columns>,
        results: &[&Value],
    ) -> Result<Step> {
        let (input, source) = self.source(columns)?;
        let width: usize = results.iter().map(|value| value.features).sum();
        // A single value is the whole buffer, which steps other than chains can also read.
        let (output, label) = match results {
            [value] => (value.buffer, self.label.clone()),
            _ => (BufferId(buffers.len()), format!("{}.rows", self.label)),
        };
        if output.0 == buffers.len() {
            buffers.push(Buffer { label: label.clone(), len: self.rows * width, slot: 0 });
        }
        let mut column = 0;
        let mut stored = HashMap::new();
        for value in results {
            stored.insert(value.buffer, column);
            columns.insert(value.buffer, Columns { buffer: output, stride: width, first: column });
            column += value.features;
        }
        let places = Places::assign(self)?;
        let mut linears = Vec::with_capacity(self.linears.len());
        for (index, (linear, value)) in self.linears.iter().enumerate() {
            let residual =
                linear.residual.map(|residual| self.residual(residual, index, &places, input, columns));
            linears.push(ChainLinear {
                input: places.of(linear.input.buffer).ok_or_else(too_wide)?,
                weight: linear.weight,
                bias: linear.bias,
                outputs: linear.outputs.clone(),
                activation: linear.activation,
                residual: residual.transpose()?,
                place: places.of(value.buffer),
                column: stored.get(&value.buffer).copied(),
            });
        }
        let too_many = format!("a layer has {} linears; it supports {MAX_LINEARS}", linears.len());
        if linears.len() > MAX_LINEARS || linears.is_empty() {
            return Err(unsupported(too_many));
        }
        let chain = Chain {
            input: input.buffer,
            input_width: input.stride,
            source,
            source_place: 0,
            source_column: stored.get(&self.value.buffer).copied(),
            linears,
            scratch: places.end,
            width,
        };
        Ok(Step { label, operation: chain.into(), output })
    }

    /// The buffer that the segment reads, and the location of its source in it.
    pub(super) fn source(&self, columns: &HashMap<BufferId, Columns>) -> Result<(Columns, ChainSource)> {
        let features = self.value.features;
        match &self.source {
            Source::Attention(Attention { query, key, value, heads, head_size }) => {
                let found = [query, key, value].map(|from| columns.get(&from.buffer).copied());
                let [Some(query), Some(key), Some(value)] = found else {
                    return Err(too_wide());
                };
                if query.buffer != key.buffer || key.buffer != value.buffer {
                    return Err(too_wide());
                }
                let columns = [query.first, key.first, value.first];
                let source = ChainSource::Attention { columns, heads: *heads, head_size: *head_size };
                Ok((query, source))
            }
            Source::Rows => {
                let input = Columns::all(self.value.buffer, self.stride);
                Ok((input, ChainSource::Rows { column: 0, features }))
            }
            Source::Gathered { input, positions } => {
                let input = Columns::all(*input, features + positions.features);
                Ok((input, ChainSource::Rows { column: 0, features }))
            }
        }
    }

    /// The place or column where linear `index` finds its residual.
    pub(super) fn residual(
        &self,
        residual: Residual,
        index: usize,
        places: &Places,
        input: Columns,
        columns: &HashMap<BufferId, Columns>,
    ) -> Result<ChainResidual> {
        let own = self.values().take(index + 1).any(|value| value.buffer == residual.from.buffer);
        let from = match (&self.source, columns.get(&residual.from.buffer)) {
            _ if own => places.of(residual.from.buffer).map(ChainOperand::Place),
            (Source::Gathered { positions, .. }, _) if positions.buffer == residual.from.buffer => {
                Some(ChainOperand::Column(self.value.features))
            }
            (_, Some(columns)) if columns.buffer == input.buffer => Some(ChainOperand::Column(columns.first)),
            _ => None,
        };
        let from = from.ok_or_else(too_wide)?;
        Ok(ChainResidual { from, scale: residual.scale })
    }
}

/// Returns whether a linear reads a buffer as its input or its residual.
pub(super) fn reads(linear: &Linear, buffer: BufferId) -> bool {
    linear.input.buffer == buffer || linear.residual.is_some_and(|residual| residual.from.buffer == buffer)
}
