//! The CPU twin: the twins of attention and linears, over rows that are as wide as a workgroup's memory.

use super::{Chain, ChainLinear, ChainOperand, ChainParameters, ChainSource};
use crate::error::Result;
use crate::kernels::Scratch;
use crate::kernels::attention::{self, AttentionOperands, AttentionParameters};
use crate::kernels::host::Host;
use crate::kernels::linear::{self, LinearOperands, LinearParameters};
use crate::kernels::operator::Twin;

/// A row-major matrix, `width` wide.
struct Rows<'a> {
    values: &'a mut [f32],
    width: usize,
}

impl Rows<'_> {
    fn copy_from(&mut self, column: usize, from: &[f32], features: usize) {
        for (row, from) in self.values.chunks_exact_mut(self.width).zip(from.chunks_exact(features)) {
            row[column..column + features].copy_from_slice(from);
        }
    }
}

/// Columns of a row-major matrix as a matrix of their own.
fn columns(values: &[f32], width: usize, column: usize, features: usize) -> Vec<f32> {
    values.chunks_exact(width).flat_map(|row| &row[column..column + features]).copied().collect()
}

impl Twin for Chain {
    fn compute(
        &self,
        block: &ChainParameters,
        host: &Host<'_>,
        output: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let input = host.buffer(self.input)?;
        let width = self.scratch;
        let mut memory = vec![0.0; input.len() / self.input_width * width];
        let mut memory = Rows { values: &mut memory, width };
        let mut output = Rows { values: output, width: self.width };

        let source = self.source(block, host, input, scratch);
        memory.copy_from(self.source_place, &source, self.source.features());
        if let Some(column) = self.source_column {
            output.copy_from(column, &source, self.source.features());
        }
        for linear in &self.linears {
            let (values, features) = self.linear(linear, host, input, &memory)?;
            if let Some(place) = linear.place {
                memory.copy_from(place, &values, features);
            }
            if let Some(column) = linear.column {
                output.copy_from(column, &values, features);
            }
        }
        Ok(())
    }
}

impl Chain {
    fn source(
        &self,
        block: &ChainParameters,
        host: &Host<'_>,
        input: &[f32],
        scratch: &mut Scratch,
    ) -> Vec<f32> {
        let features = self.source.features();
        let columns = |column| columns(input, self.input_width, column, features);
        match self.source {
            ChainSource::Rows { column, .. } => columns(column),
            ChainSource::Attention { columns: [query, key, value], .. } => {
                let mut context = vec![0.0; input.len() / self.input_width * features];
                let parameters = AttentionParameters {
                    batch: (input.len() / self.input_width) as u32 / block.sequence,
                    sequence: block.sequence,
                    heads: block.heads,
                    head_size: block.head_size,
                };
                let operands = AttentionOperands {
                    attention_mask: &host.inputs.attention_mask,
                    query: &columns(query),
                    key: &columns(key),
                    value: &columns(value),
                };
                attention::run(&parameters, &operands, &mut context, scratch, host.workers);
                context
            }
        }
    }

    fn linear(
        &self,
        linear: &ChainLinear,
        host: &Host<'_>,
        input: &[f32],
        memory: &Rows<'_>,
    ) -> Result<(Vec<f32>, usize)> {
        let weight = host.matrix(linear.weight)?;
        let features = weight.out_features();
        let residual = linear.residual.map(|residual| match residual.from {
            ChainOperand::Place(place) => columns(memory.values, memory.width, place, features),
            ChainOperand::Column(column) => columns(input, self.input_width, column, features),
        });
        let scale = linear.residual.and_then(|residual| residual.scale);
        let operands = LinearOperands {
            input_values: &memory.values[linear.input..],
            weight,
            bias: host.vector(linear.bias)?,
            residual: residual.as_deref().unwrap_or(&[]),
            scale: host.optional_vector(scale)?,
        };
        let rows = input.len() / self.input_width;
        let parameters = LinearParameters {
            rows: rows as u32,
            in_features: weight.in_features() as u32,
            out_features: features as u32,
            row_stride: memory.width as u32,
            activation: linear.activation as u32,
            has_residual: residual.is_some().into(),
            has_scale: scale.is_some().into(),
        };
        let mut output = vec![0.0; rows * features];
        linear::run(&parameters, &operands, &mut output, host.workers);
        Ok((output, features))
    }
}
