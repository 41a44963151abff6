//! One step of a plan: its operands found, then the kernel's twin called.

use super::operands::Operands;
use crate::error::Result;
use crate::kernels::activate::{self, ActivateParameters};
use crate::kernels::add::{self, AddOperands, AddParameters};
use crate::kernels::attention::{self, AttentionOperands, AttentionParameters};
use crate::kernels::attention_context;
use crate::kernels::attention_probabilities::{self, AttentionProbabilitiesOperands};
use crate::kernels::embedding::{self, EmbeddingParameters};
use crate::kernels::layer_norm::{self, LayerNormOperands, LayerNormParameters};
use crate::kernels::linear::{self, LinearOperands, LinearParameters};
use crate::kernels::position::{self, PositionOperands, PositionParameters};
use crate::kernels::{Scratch, Workers};
use crate::plan::{Activation, BufferId, Inputs, Operation, ParameterId, Residual};

/// What a step works with besides its operands.
pub(super) struct Run<'a> {
    pub inputs: &'a Inputs,
    pub output: &'a mut [f32],
    pub scratch: &'a mut Scratch,
    pub workers: &'a Workers,
}

impl<'a> Operands<'a> {
    /// Computes the step into its output.
    pub fn compute(&self, operation: &Operation, run: Run<'_>) -> Result<()> {
        match *operation {
            Operation::Embedding { table, trigram } => self.embedding(table, trigram, run),
            Operation::Position { input, position, token_type } => {
                self.position(input, position, token_type, run)
            }
            Operation::Linear { input, rows, row_stride, weight, bias, activation, residual } => {
                let weights = Linear { weight, bias, activation, residual };
                self.linear(input, rows, row_stride, weights, run)
            }
            Operation::Activate { input, activation } => self.activate(input, activation, run),
            Operation::Add { input, residual, features } => self.add(input, residual, features, run),
            Operation::LayerNorm { input, weight, bias, features, epsilon } => {
                self.layer_norm(input, [weight, bias], features, epsilon, run)
            }
            Operation::AttentionProbabilities { query, key, heads, head_size } => {
                self.attention_probabilities([query, key], heads, head_size, run)
            }
            Operation::AttentionContext { probabilities, value, heads, head_size } => {
                self.attention_context(probabilities, value, heads, head_size, run)
            }
            Operation::Attention { query, key, value, heads, head_size } => {
                self.attention([query, key, value], heads, head_size, run)
            }
        }
    }

    fn embedding(&self, table: ParameterId, trigram: bool, run: Run<'_>) -> Result<()> {
        let table = self.table(table)?;
        let size = table.features();
        let width = if trigram { 3 * size } else { size };
        self.expect("the output", run.output.len(), self.batch() * self.sequence() * width)?;
        let parameters = EmbeddingParameters {
            batch: self.u32(self.batch())?,
            sequence: self.u32(self.sequence())?,
            embedding_size: self.u32(size)?,
            trigram: u32::from(trigram),
            ..Default::default()
        };
        embedding::run(&parameters, &run.inputs.input_ids, table, run.output, run.workers);
        Ok(())
    }

    fn position(
        &self,
        input: Option<BufferId>,
        position: ParameterId,
        token_type: Option<ParameterId>,
        run: Run<'_>,
    ) -> Result<()> {
        let position = self.table(position)?;
        let size = position.features();
        self.expect("the output", run.output.len(), self.batch() * self.sequence() * size)?;
        if position.rows() < self.sequence() {
            return Err(self.internal(format!("{} tokens, {} positions", self.sequence(), position.rows())));
        }
        let input_values = input.map(|input| self.buffer(input)).transpose()?;
        if let Some(values) = input_values {
            self.expect("the input", values.len(), run.output.len())?;
        }
        let token_type = token_type.map(|types| self.table(types)).transpose()?;
        if let Some(types) = token_type {
            self.expect("a token type", types.features(), size)?;
        }
        let parameters = PositionParameters {
            batch: self.u32(self.batch())?,
            sequence: self.u32(self.sequence())?,
            hidden_size: self.u32(size)?,
            has_input: u32::from(input_values.is_some()),
            has_token_type: u32::from(token_type.is_some()),
            ..Default::default()
        };
        let operands = PositionOperands {
            token_type_ids: &run.inputs.token_type_ids,
            input_values: input_values.unwrap_or_default(),
            position,
            token_type,
        };
        position::run(&parameters, &operands, run.output, run.workers);
        Ok(())
    }

    fn linear(
        &self,
        input: BufferId,
        rows: usize,
        row_stride: usize,
        weights: Linear,
        run: Run<'_>,
    ) -> Result<()> {
        let weight = self.matrix(weights.weight)?;
        let (in_features, out_features) = (weight.in_features(), weight.out_features());
        let input_values = self.buffer(input)?;
        self.expect("the output", run.output.len(), rows * out_features)?;
        if rows == 0 || row_stride < in_features || input_values.len() < (rows - 1) * row_stride + in_features
        {
            let problem = format!(
                "{rows} rows of {in_features}, {row_stride} apart, do not fit into an input of {}",
                input_values.len()
            );
            return Err(self.internal(problem));
        }
        let (residual, scale) = match weights.residual {
            Some(residual) => self.residual(residual, run.output.len(), out_features)?,
            None => Default::default(),
        };
        let parameters = LinearParameters {
            rows: self.u32(rows)?,
            in_features: self.u32(in_features)?,
            out_features: self.u32(out_features)?,
            row_stride: self.u32(row_stride)?,
            activation: weights.activation as u32,
            has_residual: u32::from(weights.residual.is_some()),
            has_scale: u32::from(weights.residual.is_some_and(|residual| residual.scale.is_some())),
        };
        let bias = self.vector(weights.bias, out_features)?;
        let operands = LinearOperands { input_values, weight, bias, residual, scale };
        linear::run(&parameters, &operands, run.output, run.workers);
        Ok(())
    }

    fn activate(&self, input: BufferId, activation: Activation, run: Run<'_>) -> Result<()> {
        let input = self.buffer(input)?;
        self.expect("the output", run.output.len(), input.len())?;
        let parameters = ActivateParameters { len: self.u32(input.len())?, activation: activation as u32 };
        activate::run(&parameters, input, run.output, run.workers);
        Ok(())
    }

    fn add(&self, input: BufferId, residual: Residual, features: usize, run: Run<'_>) -> Result<()> {
        let input_values = self.rows(input, run.output, features)?;
        let (residual_values, scale) = self.residual(residual, run.output.len(), features)?;
        let parameters = AddParameters {
            len: self.u32(run.output.len())?,
            features: self.u32(features)?,
            has_scale: u32::from(residual.scale.is_some()),
        };
        let operands = AddOperands { input_values, residual: residual_values, scale };
        add::run(&parameters, &operands, run.output, run.workers);
        Ok(())
    }

    fn layer_norm(
        &self,
        input: BufferId,
        [weight, bias]: [ParameterId; 2],
        features: usize,
        epsilon: f32,
        run: Run<'_>,
    ) -> Result<()> {
        let input_values = self.rows(input, run.output, features)?;
        let (weight, bias) = (self.vector(weight, features)?, self.vector(bias, features)?);
        let parameters = LayerNormParameters {
            rows: self.u32(run.output.len() / features)?,
            features: self.u32(features)?,
            epsilon,
        };
        let operands = LayerNormOperands { input_values, weight, bias };
        layer_norm::run(&parameters, &operands, run.output, run.workers);
        Ok(())
    }

    fn attention_probabilities(
        &self,
        matrices: [BufferId; 2],
        heads: usize,
        head_size: usize,
        run: Run<'_>,
    ) -> Result<()> {
        let parameters = self.attention_parameters(heads, head_size)?;
        let [query, key] = self.matrices(matrices, heads * head_size)?;
        let tokens = self.batch() * self.sequence();
        self.expect("the output", run.output.len(), tokens * heads * self.sequence())?;
        let operands =
            AttentionProbabilitiesOperands { attention_mask: &run.inputs.attention_mask, query, key };
        attention_probabilities::run(&parameters, &operands, run.output, run.scratch, run.workers);
        Ok(())
    }

    fn attention_context(
        &self,
        probabilities: BufferId,
        value: BufferId,
        heads: usize,
        head_size: usize,
        run: Run<'_>,
    ) -> Result<()> {
        let parameters = self.attention_parameters(heads, head_size)?;
        let [value] = self.matrices([value], heads * head_size)?;
        let [probabilities] = self.matrices([probabilities], heads * self.sequence())?;
        self.expect("the output", run.output.len(), value.len())?;
        attention_context::run(&parameters, probabilities, value, run.output, run.scratch, run.workers);
        Ok(())
    }

    fn attention(&self, matrices: [BufferId; 3], heads: usize, head_size: usize, run: Run<'_>) -> Result<()> {
        let parameters = self.attention_parameters(heads, head_size)?;
        let [query, key, value] = self.matrices(matrices, heads * head_size)?;
        self.expect("the output", run.output.len(), value.len())?;
        let operands = AttentionOperands { attention_mask: &run.inputs.attention_mask, query, key, value };
        attention::run(&parameters, &operands, run.output, run.scratch, run.workers);
        Ok(())
    }

    fn attention_parameters(&self, heads: usize, head_size: usize) -> Result<AttentionParameters> {
        Ok(AttentionParameters {
            batch: self.u32(self.batch())?,
            sequence: self.u32(self.sequence())?,
            heads: self.u32(heads)?,
            head_size: self.u32(head_size)?,
        })
    }

    /// Buffers of a row of `width` a token.
    fn matrices<const N: usize>(&self, ids: [BufferId; N], width: usize) -> Result<[&'a [f32]; N]> {
        let mut found = [Default::default(); N];
        for (found, id) in found.iter_mut().zip(ids) {
            *found = self.buffer(id)?;
            let len = self.batch() * self.sequence() * width;
            self.expect("an operand of the attention", found.len(), len)?;
        }
        Ok(found)
    }
}

/// What makes a linear of its input.
struct Linear {
    weight: ParameterId,
    bias: ParameterId,
    activation: Activation,
    residual: Option<Residual>,
}
