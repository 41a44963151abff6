//! The single step that replaces a segment.

use std::collections::HashMap;

use super::places::Places;
use super::segment::{Segment, Source, Value};
use super::{too_wide, unsupported};
use crate::error::Result;
use crate::kernels::chain::MAX_LINEARS;
use crate::kernels::{Attention, Chain, ChainLinear, ChainOperand, ChainResidual, ChainSource, Columns};
use crate::plan::{Buffer, BufferId, Residual, Step};

impl Segment {
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
            buffers.push(Buffer { label: label.clone(), len: self.rows.saturating_mul(width), slot: 0 });
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
    fn source(&self, columns: &HashMap<BufferId, Columns>) -> Result<(Columns, ChainSource)> {
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
    fn residual(
        &self,
        residual: Residual,
        index: usize,
        places: &Places,
        input: Columns,
        columns: &HashMap<BufferId, Columns>,
    ) -> Result<ChainResidual> {
        let in_segment = self.values().take(index + 1).any(|value| value.buffer == residual.from.buffer);
        let from = match (&self.source, columns.get(&residual.from.buffer)) {
            _ if in_segment => places.of(residual.from.buffer).map(ChainOperand::Place),
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
