//! Builds a plan from a network's modules and a request: one step per operation, not yet fused.
//!
//! The label of a step starts with its module's name in the checkpoint: `….dense` for a linear, then
//! `….dense.activation`, `….dense.residual`, `….LayerNorm`. A fused step keeps the label of its last
//! operation, so that a label refers to the same tensor in every schedule.

mod head;
mod layer;

use super::modules::{Dense, Embeddings, Modules, Norm, Projection};
use super::{
    Activation, Buffer, BufferId, Columns, Network, Operation, Output, Plan, Request, Residual, Schedule,
    Step, chain, check, memory, schedule, side_by_side,
};
use crate::error::Result;
use crate::kernels::{Activate, Add, Embedding, LayerNorm, Linear, Position};

impl Network {
    /// The plan for a request: steps grouped according to the schedule, checked, and with memory assigned.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidInput`] if `batch` or `sequence` is out of range,
    /// [`crate::error::Error::Unsupported`] if a buffer would exceed the limits that WebGPU guarantees, or if the schedule
    /// can't compute this network.
    pub fn plan(&self, request: Request) -> Result<Plan> {
        check::request(self, &request)?;
        let mut plan = PlanBuilder::new(self, request).run(&self.modules);
        if request.schedule != Schedule::Operations {
            schedule::fuse(&mut plan);
        }
        match request.schedule {
            Schedule::Operations => {}
            Schedule::Tiled => side_by_side::join(&mut plan),
            Schedule::Chain => chain::chain(self, &mut plan)?,
        }
        check::plan(self, &plan)?;
        memory::assign(&mut plan);
        check::memory(&plan)?;
        Ok(plan)
    }
}

struct PlanBuilder<'a> {
    network: &'a Network,
    plan: Plan,
    /// Tokens in all sequences: `batch · sequence`.
    rows: usize,
}

/// A view of a buffer as a matrix: all tokens, or the first token of each sequence.
#[derive(Clone, Copy)]
struct TokenRows {
    buffer: BufferId,
    count: usize,
    stride: usize,
}

impl<'a> PlanBuilder<'a> {
    fn new(network: &'a Network, request: Request) -> Self {
        let plan = Plan {
            request,
            steps: Vec::new(),
            buffers: Vec::new(),
            slots: Vec::new(),
            outputs: Vec::new(),
            identity: Default::default(),
        };
        PlanBuilder { network, plan, rows: request.batch * request.sequence }
    }

    fn run(mut self, modules: &Modules) -> Plan {
        let keep = self.plan.request.hidden_states;
        let mut hidden = self.embeddings(&modules.embeddings);
        if keep {
            self.output_hidden("hidden_states.0", hidden);
        }
        for (index, layer) in modules.layers.iter().enumerate() {
            if self.plan.request.attention_of == Some(index) {
                let input = self.query_key_input(layer, hidden);
                self.probabilities(index, layer, input);
                return self.plan;
            }
            hidden = self.layer(index, layer, hidden);
            if keep {
                self.output_hidden(&format!("hidden_states.{}", index + 1), hidden);
            }
        }
        self.head(&modules.head, hidden);
        self.plan
    }

    /// Adds a step whose output has the given shape. The length saturates on overflow; the check then rejects it.
    fn step(
        &mut self,
        label: impl Into<String>,
        shape: &[usize],
        operation: impl Into<Operation>,
    ) -> BufferId {
        self.push(label.into(), shape, operation.into())
    }

    /// Not generic, so that it is compiled only once.
    #[inline(never)]
    fn push(&mut self, label: String, shape: &[usize], operation: Operation) -> BufferId {
        let len = shape.iter().fold(1usize, |len, size| len.saturating_mul(*size));
        let output = BufferId(self.plan.buffers.len());
        self.plan.buffers.push(Buffer { label: label.clone(), len, slot: 0 });
        self.plan.steps.push(Step { label, operation, output });
        output
    }

    fn output(&mut self, name: &str, buffer: BufferId, shape: &[usize], sequence_axes: &[usize]) {
        self.plan.outputs.push(Output {
            name: name.into(),
            buffer,
            shape: shape.to_vec(),
            sequence_axes: sequence_axes.to_vec(),
            column: None,
        });
    }

    /// An output `[batch, sequence, features]`.
    fn output_tokens(&mut self, name: &str, buffer: BufferId, features: usize) {
        let Request { batch, sequence, .. } = self.plan.request;
        self.output(name, buffer, &[batch, sequence, features], &[1]);
    }

    fn output_hidden(&mut self, name: &str, buffer: BufferId) {
        self.output_tokens(name, buffer, self.network.config.hidden_size);
    }

    fn all(&self, buffer: BufferId, features: usize) -> TokenRows {
        TokenRows { buffer, count: self.rows, stride: features }
    }

    fn first_tokens(&self, buffer: BufferId, features: usize) -> TokenRows {
        let Request { batch, sequence, .. } = self.plan.request;
        TokenRows { buffer, count: batch, stride: sequence * features }
    }

    fn linear(&mut self, dense: &Dense, input: TokenRows) -> BufferId {
        let operation = Linear {
            input: Columns::all(input.buffer, input.stride),
            rows: input.count,
            weight: dense.weight,
            bias: dense.bias,
            outputs: dense.outputs.clone(),
            activation: Activation::Identity,
            residual: None,
        };
        self.step(&dense.label, &[input.count, dense.out_features()], operation)
    }

    fn tokens_linear(&mut self, dense: &Dense, input: BufferId) -> BufferId {
        let rows = self.all(input, dense.in_features);
        self.linear(dense, rows)
    }

    fn activate(&mut self, dense: &Dense, input: BufferId, activation: Activation) -> BufferId {
        if activation == Activation::Identity {
            return input;
        }
        let len = [self.plan.buffers[input.0].len];
        self.step(format!("{}.activation", dense.label), &len, Activate { input, activation })
    }

    fn norm(&mut self, norm: &Norm, input: BufferId) -> BufferId {
        let operation = LayerNorm {
            input: Columns::all(input, norm.features),
            weight: norm.weight,
            bias: norm.bias,
            features: norm.features,
            epsilon: norm.epsilon,
        };
        let len = [self.plan.buffers[input.0].len];
        self.step(&norm.label, &len, operation)
    }

    /// `Norm(dense(input) + residual)`.
    fn project(&mut self, projection: &Projection, input: BufferId, residual: Option<BufferId>) -> BufferId {
        let dense = &projection.dense;
        let mut output = self.tokens_linear(dense, input);
        if let Some(buffer) = residual {
            let residual = Residual {
                from: Columns::all(buffer, dense.out_features()),
                scale: projection.residual_scale,
            };
            let operation = Add { input: output, residual, features: dense.out_features() };
            let len = [self.plan.buffers[output.0].len];
            output = self.step(format!("{}.residual", dense.label), &len, operation);
        }
        match &projection.norm {
            Some(norm) => self.norm(norm, output),
            None => output,
        }
    }

    fn embeddings(&mut self, embeddings: &Embeddings) -> BufferId {
        let config = &self.network.config;
        let (trigram, hidden) = (config.trigram_input, config.hidden_size);
        let width = if trigram { 3 } else { 1 } * config.embedding_size;
        let operation = Embedding { table: embeddings.table, trigram };
        let label = &embeddings.label;
        let mut output = self.step(format!("{label}.word_embeddings"), &[self.rows, width], operation);
        if let Some(transformation) = &embeddings.transformation {
            output = self.tokens_linear(transformation, output);
        }
        let operation = Position {
            input: Some(output),
            position: embeddings.position,
            token_type: embeddings.token_type,
        };
        output = self.step(format!("{label}.position_embeddings"), &[self.rows, hidden], operation);
        match &embeddings.norm {
            Some(norm) => self.norm(norm, output),
            None => output,
        }
    }
}
