//! The CPU twin: the twins of attention and linears, over rows as wide as a workgroup's memory.

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

/// Copies columns of a row-major matrix into a matrix of their own.
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
        match self.source {
            ChainSource::Rows { column, .. } => columns(input, self.input_width, column, features),
            ChainSource::Attention { .. } => {
                let mut context = vec![0.0; input.len() / self.input_width * features];
                let parameters = AttentionParameters {
                    batch: (input.len() / self.input_width) as u32 / block.sequence,
                    sequence: block.sequence,
                    heads: block.heads,
                    head_size: block.head_size,
                    query_stride: block.input_width,
                    query_first: block.query,
                    key_stride: block.input_width,
                    key_first: block.key,
                    value_stride: block.input_width,
                    value_first: block.value,
                    aligned: 1,
                };
                let attention_mask = &host.inputs.attention_mask;
                let operands = AttentionOperands { attention_mask, query: input, key: input, value: input };
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
        let features = linear.outputs.len();
        let residual = linear.residual.map(|residual| match residual.from {
            ChainOperand::Place(place) => (&*memory.values, memory.width, place),
            ChainOperand::Column(column) => (input, self.input_width, column),
        });
        let (residual, residual_stride, residual_first) = residual.unwrap_or_default();
        let scale = linear.residual.and_then(|residual| residual.scale);
        let operands = LinearOperands {
            input_values: &memory.values[linear.input..],
            weight,
            bias: host.vector(linear.bias)?,
            residual,
            scale: host.optional_vector(scale)?,
        };
        let rows = input.len() / self.input_width;
        let parameters = LinearParameters {
            rows: rows as u32,
            in_features: weight.in_features() as u32,
            out_features: features as u32,
            row_stride: memory.width as u32,
            input_first: 0,
            weight_rows: weight.out_features() as u32,
            weight_first: linear.outputs.start as u32,
            activation: linear.activation as u32,
            has_residual: linear.residual.is_some().into(),
            has_scale: scale.is_some().into(),
            residual_stride: residual_stride as u32,
            residual_first: residual_first as u32,
        };
        let mut output = vec![0.0; rows * features];
        linear::run(&parameters, &operands, &mut output, host.workers);
        Ok((output, features))
    }
}
