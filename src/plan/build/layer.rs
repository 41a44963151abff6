//! The steps of an encoder layer.

use super::PlanBuilder;
use crate::kernels::{AttentionContext, AttentionProbabilities};
use crate::plan::modules::{AttentionInput, FeedForward, Layer};
use crate::plan::{BufferId, Columns, Request};

impl PlanBuilder<'_> {
    pub(super) fn layer(&mut self, index: usize, layer: &Layer, hidden: BufferId) -> BufferId {
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

    /// The separate input of a layer's query and key.
    pub(super) fn query_key_input(&mut self, layer: &Layer, hidden: BufferId) -> BufferId {
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
        let value = Columns::all(value, heads * head_size);
        let operation = AttentionContext { probabilities, value, heads, head_size };
        self.step(format!("{}.context", layer.attention), &[self.rows, heads, head_size], operation)
    }

    pub(super) fn probabilities(&mut self, index: usize, layer: &Layer, query_key: BufferId) -> BufferId {
        let Request { batch, sequence, attentions, attention_of, .. } = self.plan.request;
        let config = &self.network.config;
        let (heads, head_size) = (config.num_attention_heads, config.head_size());
        let [query, key] = [&layer.query, &layer.key]
            .map(|dense| Columns::all(self.tokens_linear(dense, query_key), dense.out_features()));
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
}
