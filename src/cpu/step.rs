//! One step of a plan: its operands found, then the kernel's twin called.

use super::operands::Operands;
use crate::error::{Error, Result};
use crate::kernels::activate::{self, ActivateParameters};
use crate::kernels::add::{self, AddOperands, AddParameters};
use crate::kernels::attention::{self, AttentionOperands, AttentionParameters};
use crate::kernels::attention_context::{self, AttentionContextParameters};
use crate::kernels::attention_probabilities::{
    self, AttentionProbabilitiesOperands, AttentionProbabilitiesParameters,
};
use crate::kernels::embedding::{self, EmbeddingParameters};
use crate::kernels::layer_norm::{self, LayerNormOperands, LayerNormParameters};
use crate::kernels::linear::{self, LinearOperands, LinearParameters};
use crate::kernels::position::{self, PositionOperands, PositionParameters};
use crate::kernels::{Scratch, Workers};
use crate::plan::{BufferId, Inputs, Operation, PAST_THE_END};

impl<'a> Operands<'a> {
    /// Computes the step into `output`.
    pub fn compute(
        &self,
        operation: &Operation,
        inputs: &Inputs,
        output: &mut [f32],
        scratch: &mut Scratch,
        workers: &Workers,
    ) -> Result<()> {
        match operation {
            Operation::Embedding { .. } => self.embedding(operation, inputs, output, workers),
            Operation::Position { .. } => self.position(operation, inputs, output, workers),
            Operation::Linear { .. } => self.linear(operation, output, workers),
            Operation::Activate { .. } | Operation::Add { .. } | Operation::LayerNorm { .. } => {
                self.element_wise(operation, output, workers)
            }
            Operation::AttentionProbabilities { .. }
            | Operation::AttentionContext { .. }
            | Operation::Attention { .. } => self.attention(operation, inputs, output, scratch, workers),
        }
    }

    fn embedding(
        &self,
        operation: &Operation,
        inputs: &Inputs,
        output: &mut [f32],
        workers: &Workers,
    ) -> Result<()> {
        let &Operation::Embedding { table, trigram } = operation else { return Ok(()) };
        let table = self.table(table)?;
        let (vocabulary, size) = (table.rows(), table.features());
        let width = if trigram { 3 * size } else { size };
        self.expect("the output", output.len(), self.batch() * self.sequence() * width)?;
        if let Some(id) = inputs.input_ids.iter().find(|&&id| id != PAST_THE_END && id as usize >= vocabulary)
        {
            return Err(Error::invalid_input(
                "input_ids",
                format!("holds {id}; the vocabulary has {vocabulary} tokens"),
            ));
        }
        let parameters = EmbeddingParameters {
            batch: self.u32(self.batch())?,
            sequence: self.u32(self.sequence())?,
            embedding_size: self.u32(size)?,
            trigram: u32::from(trigram),
            ..Default::default()
        };
        embedding::run(&parameters, &inputs.input_ids, table, output, workers);
        Ok(())
    }

    fn position(
        &self,
        operation: &Operation,
        inputs: &Inputs,
        output: &mut [f32],
        workers: &Workers,
    ) -> Result<()> {
        let &Operation::Position { input, position, token_type } = operation else { return Ok(()) };
        let position = self.table(position)?;
        let size = position.features();
        self.expect("the output", output.len(), self.batch() * self.sequence() * size)?;
        if position.rows() < self.sequence() {
            let problem = format!("{} tokens, {} positions", self.sequence(), position.rows());
            return Err(Error::invalid_input("sequence", problem));
        }
        let input_values = input.map(|input| self.buffer(input)).transpose()?;
        if let Some(values) = input_values {
            self.expect("the input", values.len(), output.len())?;
        }
        let types = token_type.map(|types| self.table(types)).transpose()?;
        if let Some(types) = types {
            self.expect("a token type", types.features(), size)?;
            let count = types.rows();
            if let Some(id) = inputs.token_type_ids.iter().find(|&&id| id as usize >= count) {
                let problem = format!("holds {id}; there are {count} token types");
                return Err(Error::invalid_input("token_type_ids", problem));
            }
        }
        let parameters = PositionParameters {
            batch: self.u32(self.batch())?,
            sequence: self.u32(self.sequence())?,
            hidden_size: self.u32(size)?,
            has_input: u32::from(input_values.is_some()),
            has_token_type: u32::from(types.is_some()),
            ..Default::default()
        };
        let operands = PositionOperands {
            token_type_ids: &inputs.token_type_ids,
            input_values: input_values.unwrap_or_default(),
            position,
            token_type: types,
        };
        position::run(&parameters, &operands, output, workers);
        Ok(())
    }

    fn linear(&self, operation: &Operation, output: &mut [f32], workers: &Workers) -> Result<()> {
        let &Operation::Linear { input, rows, row_stride, weight, bias, activation, residual } = operation
        else {
            return Ok(());
        };
        let weight = self.matrix(weight)?;
        let (in_features, out_features) = (weight.in_features(), weight.out_features());
        let input_values = self.buffer(input)?;
        self.expect("the output", output.len(), rows * out_features)?;
        if rows == 0 || row_stride < in_features || input_values.len() < (rows - 1) * row_stride + in_features
        {
            let problem = format!(
                "{rows} rows of {in_features}, {row_stride} apart, do not fit into an input of {}",
                input_values.len()
            );
            return Err(self.internal(problem));
        }
        let (residual_values, scale) = match residual {
            Some(residual) => self.residual(residual, output.len(), out_features)?,
            None => Default::default(),
        };
        let parameters = LinearParameters {
            rows: self.u32(rows)?,
            in_features: self.u32(in_features)?,
            out_features: self.u32(out_features)?,
            row_stride: self.u32(row_stride)?,
            activation: activation as u32,
            has_residual: u32::from(residual.is_some()),
            has_scale: u32::from(residual.is_some_and(|residual| residual.scale.is_some())),
        };
        let bias = self.vector(bias, out_features)?;
        let operands = LinearOperands { input_values, weight, bias, residual: residual_values, scale };
        linear::run(&parameters, &operands, output, workers);
        Ok(())
    }

    fn element_wise(&self, operation: &Operation, output: &mut [f32], workers: &Workers) -> Result<()> {
        let len = self.u32(output.len())?;
        match *operation {
            Operation::Activate { input, activation } => {
                let input = self.buffer(input)?;
                self.expect("the output", output.len(), input.len())?;
                let parameters = ActivateParameters { len, activation: activation as u32 };
                activate::run(&parameters, input, output, workers);
            }
            Operation::Add { input, residual, features } => {
                let input_values = self.rows(input, output, features)?;
                let (residual_values, scale) = self.residual(residual, output.len(), features)?;
                let has_scale = u32::from(residual.scale.is_some());
                let parameters = AddParameters { len, features: self.u32(features)?, has_scale };
                let operands = AddOperands { input_values, residual: residual_values, scale };
                add::run(&parameters, &operands, output, workers);
            }
            Operation::LayerNorm { input, weight, bias, features, epsilon } => {
                let input_values = self.rows(input, output, features)?;
                let (weight, bias) = (self.vector(weight, features)?, self.vector(bias, features)?);
                let features = self.u32(features)?;
                let parameters = LayerNormParameters { rows: len / features, features, epsilon };
                let operands = LayerNormOperands { input_values, weight, bias };
                layer_norm::run(&parameters, &operands, output, workers);
            }
            _ => {}
        }
        Ok(())
    }

    fn attention(
        &self,
        operation: &Operation,
        inputs: &Inputs,
        output: &mut [f32],
        scratch: &mut Scratch,
        workers: &Workers,
    ) -> Result<()> {
        let (batch, sequence) = (self.batch(), self.sequence());
        let rows = batch * sequence;
        let matrix = |id: BufferId, len: usize| -> Result<&'a [f32]> {
            let values = self.buffer(id)?;
            self.expect("an operand of the attention", values.len(), len)?;
            Ok(values)
        };
        let attention_mask = &inputs.attention_mask;
        let [batch_size, tokens] = [self.u32(batch)?, self.u32(sequence)?];
        match *operation {
            Operation::AttentionProbabilities { query, key, heads, head_size } => {
                let [query, key] =
                    [matrix(query, rows * heads * head_size)?, matrix(key, rows * heads * head_size)?];
                self.expect("the output", output.len(), rows * heads * sequence)?;
                let parameters = AttentionProbabilitiesParameters {
                    batch: batch_size,
                    sequence: tokens,
                    heads: self.u32(heads)?,
                    head_size: self.u32(head_size)?,
                };
                let operands = AttentionProbabilitiesOperands { attention_mask, query, key };
                attention_probabilities::run(&parameters, &operands, output, scratch, workers);
            }
            Operation::AttentionContext { probabilities, value, heads, head_size } => {
                let probabilities = matrix(probabilities, rows * heads * sequence)?;
                let value = matrix(value, rows * heads * head_size)?;
                self.expect("the output", output.len(), value.len())?;
                let parameters = AttentionContextParameters {
                    batch: batch_size,
                    sequence: tokens,
                    heads: self.u32(heads)?,
                    head_size: self.u32(head_size)?,
                };
                attention_context::run(&parameters, probabilities, value, output, scratch, workers);
            }
            Operation::Attention { query, key, value, heads, head_size } => {
                let len = rows * heads * head_size;
                let [query, key, value] = [matrix(query, len)?, matrix(key, len)?, matrix(value, len)?];
                self.expect("the output", output.len(), len)?;
                let parameters = AttentionParameters {
                    batch: batch_size,
                    sequence: tokens,
                    heads: self.u32(heads)?,
                    head_size: self.u32(head_size)?,
                };
                let operands = AttentionOperands { attention_mask, query, key, value };
                attention::run(&parameters, &operands, output, scratch, workers);
            }
            _ => {}
        }
        Ok(())
    }
}
