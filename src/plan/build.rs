//! Builds a plan from a network's modules and a request: one step per operation, not yet fused.
//!
//! The label of a step starts with the checkpoint's name of its module: `….dense` for a linear, then `….dense.activation`,
//! `….dense.residual`, `….LayerNorm`. A fused step keeps the label of its last operation, so that a label refers to the
//! same tensor in every schedule.

use super::modules::{
    AttentionInput, Dense, Embeddings, FeedForward, HeadModules, Layer, Modules, Norm, Pooler, Projection,
    WordPredictions,
};
use super::{
    Activation, Buffer, BufferId, Network, Operation, Output, Plan, Request, Residual, Schedule, Step, chain,
    check, memory, schedule,
};
use crate::error::Result;
use crate::kernels::{
    Activate, Add, AttentionContext, AttentionProbabilities, Embedding, LayerNorm, Linear, Position,
};

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
        if request.schedule == Schedule::Chain {
            chain::chain(self, &mut plan)?;
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
        let label = label.into();
        let len = shape.iter().fold(1usize, |len, size| len.saturating_mul(*size));
        let output = BufferId(self.plan.buffers.len());
        self.plan.buffers.push(Buffer { label: label.clone(), len, slot: 0 });
        self.plan.steps.push(Step { label, operation: operation.into(), output });
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
            input: input.buffer,
            rows: input.count,
            row_stride: input.stride,
            weight: dense.weight,
            bias: dense.bias,
            activation: Activation::Identity,
            residual: None,
        };
        self.step(&dense.label, &[input.count, dense.out_features], operation)
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
            input,
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
            let residual = Residual { buffer, scale: projection.residual_scale };
            let operation = Add { input: output, residual, features: dense.out_features };
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

    fn layer(&mut self, index: usize, layer: &Layer, hidden: BufferId) -> BufferId {
        let bottleneck = layer.bottleneck.as_ref().map(|input| self.project(input, hidden, None));
        let shared = layer.shared_bottleneck.as_ref().map(|shared| self.project(shared, hidden, None));
        let input = |input| match input {
            AttentionInput::Hidden => hidden,
            AttentionInput::Bottleneck => bottleneck.unwrap_or(hidden),
            AttentionInput::SharedBottleneck => shared.unwrap_or(hidden),
        };
        let context = self.attention(index, layer, input(layer.query_key_input), input(layer.value_input));
        let residual = bottleneck.unwrap_or(hidden);
        let mut state = self.project(&layer.attention_output, context, Some(residual));
        for network in &layer.feed_forward {
            state = self.feed_forward(network, state);
        }
        match &layer.output_bottleneck {
            Some(output) => self.project(output, state, Some(hidden)),
            None => state,
        }
    }

    /// The input of a layer's query and key alone.
    fn query_key_input(&mut self, layer: &Layer, hidden: BufferId) -> BufferId {
        let projection = match layer.query_key_input {
            AttentionInput::Hidden => None,
            AttentionInput::Bottleneck => layer.bottleneck.as_ref(),
            AttentionInput::SharedBottleneck => layer.shared_bottleneck.as_ref(),
        };
        projection.map_or(hidden, |projection| self.project(projection, hidden, None))
    }

    fn attention(&mut self, index: usize, layer: &Layer, query_key: BufferId, value: BufferId) -> BufferId {
        let config = &self.network.config;
        let (heads, head_size) = (config.num_attention_heads, config.head_size());
        let probabilities = self.probabilities(index, layer, query_key);
        let value = self.tokens_linear(&layer.value, value);
        let operation = AttentionContext { probabilities, value, heads, head_size };
        self.step(format!("{}.context", layer.attention), &[self.rows, heads, head_size], operation)
    }

    fn probabilities(&mut self, index: usize, layer: &Layer, query_key: BufferId) -> BufferId {
        let Request { batch, sequence, attentions, attention_of, .. } = self.plan.request;
        let config = &self.network.config;
        let (heads, head_size) = (config.num_attention_heads, config.head_size());
        let query = self.tokens_linear(&layer.query, query_key);
        let key = self.tokens_linear(&layer.key, query_key);
        let operation = AttentionProbabilities { query, key, heads, head_size };
        let label = format!("{}.probabilities", layer.attention);
        let shape = [batch, heads, sequence, sequence];
        let probabilities = self.step(label, &shape, operation);
        if attentions || attention_of == Some(index) {
            self.output(&format!("attentions.{index}"), probabilities, &shape, &[2, 3]);
        }
        probabilities
    }

    fn feed_forward(&mut self, network: &FeedForward, input: BufferId) -> BufferId {
        let inner = self.tokens_linear(&network.intermediate, input);
        let inner = self.activate(&network.intermediate, inner, self.network.config.hidden_act);
        self.project(&network.output, inner, Some(input))
    }

    fn head(&mut self, head: &HeadModules, hidden: BufferId) {
        let batch = self.plan.request.batch;
        match head {
            HeadModules::QuestionAnswering(dense) => self.question_answering(dense, hidden),
            HeadModules::Sequence(pooler, classifier) => {
                let pooled = self.pool(pooler, hidden);
                let logits = self.linear(classifier, pooled);
                self.output("logits", logits, &[batch, classifier.out_features], &[]);
            }
            HeadModules::TokenClassification(classifier) => {
                let logits = self.tokens_linear(classifier, hidden);
                self.output_tokens("logits", logits, classifier.out_features);
            }
            HeadModules::MaskedLanguageModel(predictions) => {
                let logits = self.word_predictions(predictions, hidden);
                self.output_tokens("logits", logits, predictions.decoder.out_features);
            }
            HeadModules::PreTraining(predictions, pooler, next_sentence) => {
                let logits = self.word_predictions(predictions, hidden);
                self.output_tokens("prediction_logits", logits, predictions.decoder.out_features);
                let pooled = self.pool(pooler, hidden);
                let logits = self.linear(next_sentence, pooled);
                self.output("seq_relationship_logits", logits, &[batch, next_sentence.out_features], &[]);
            }
            HeadModules::Encoder(pooler) => {
                self.output_hidden("last_hidden_state", hidden);
                if let Some(pooler) = pooler {
                    let pooled = self.pool(pooler, hidden);
                    self.output("pooler_output", pooled.buffer, &[batch, pooled.stride], &[]);
                }
            }
        }
    }

    /// The linear computes two logits per token; its columns are the two outputs.
    fn question_answering(&mut self, dense: &Dense, hidden: BufferId) {
        let Request { batch, sequence, .. } = self.plan.request;
        let logits = self.tokens_linear(dense, hidden);
        for (column, name) in ["start_logits", "end_logits"].into_iter().enumerate() {
            self.plan.outputs.push(Output {
                name: name.into(),
                buffer: logits,
                shape: vec![batch, sequence],
                sequence_axes: vec![1],
                column: Some((column, dense.out_features)),
            });
        }
    }

    /// The pooled vector of each sequence. Without a dense module, a view of the first tokens' hidden states.
    fn pool(&mut self, pooler: &Pooler, hidden: BufferId) -> TokenRows {
        let first = self.first_tokens(hidden, self.network.config.hidden_size);
        let Some(dense) = &pooler.dense else { return first };
        let pooled = self.linear(dense, first);
        let pooled = self.activate(dense, pooled, pooler.activation);
        TokenRows { buffer: pooled, count: first.count, stride: dense.out_features }
    }

    fn word_predictions(&mut self, predictions: &WordPredictions, hidden: BufferId) -> BufferId {
        let transformed = self.tokens_linear(&predictions.dense, hidden);
        let transformed = self.activate(&predictions.dense, transformed, self.network.config.hidden_act);
        let transformed = self.norm(&predictions.norm, transformed);
        self.tokens_linear(&predictions.decoder, transformed)
    }
}
