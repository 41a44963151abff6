//! The embeddings and the encoder layers.

use super::NetworkBuilder;
use super::dense::DenseSpec;
use crate::config::{Family, Normalization};
use crate::plan::modules::{AttentionInput, Embeddings, FeedForward, Layer, Projection};

/// PyTorch's default epsilon for LayerNorm.
const TORCH_EPSILON: f32 = 1e-5;

/// The linears of query and key, and the bottleneck before them if they have one of their own.
struct QueryKey {
    query: DenseSpec,
    key: DenseSpec,
    input: AttentionInput,
    shared: Option<(DenseSpec, String)>,
}

impl NetworkBuilder<'_> {
    /// The embedding tables, transformation, and norm.
    pub(in crate::plan) fn embeddings(&mut self) -> Embeddings {
        let config = self.config;
        let label = format!("{}embeddings", self.prefix);
        let norm = format!("{label}.LayerNorm");
        let hidden = config.hidden_size;
        let folded = config.normalization == Normalization::NoNorm;
        let scale = folded.then(|| self.norm_weight(&norm, hidden));
        let has_transformation = config.trigram_input || config.embedding_size != hidden;

        let mut words = vec![format!("{label}.word_embeddings.weight")];
        if config.tie_word_embeddings {
            words.push(self.decoder_module() + ".weight");
        }
        let word_source = self.source(&words, &[config.vocab_size, config.embedding_size]);
        let word_scale = if has_transformation { None } else { scale.as_ref() };
        let table = self.table(words[0].clone(), word_source, word_scale, None);

        let transformation = has_transformation.then(|| {
            let width = if config.trigram_input { 3 } else { 1 } * config.embedding_size;
            let spec = DenseSpec::new(format!("{label}.embedding_transformation"), width, hidden);
            let spec = self.before_norm(spec, &norm);
            self.next_to(&mut None, &spec)
        });

        let name = format!("{label}.position_embeddings.weight");
        let source = self.source(std::slice::from_ref(&name), &[config.max_position_embeddings, hidden]);
        let shift = (folded && !has_transformation).then(|| self.norm_bias(&norm, hidden));
        let position = self.table(name, source, scale.as_ref(), shift);

        let token_type = (config.type_vocab_size > 0).then(|| {
            let name = format!("{label}.token_type_embeddings.weight");
            let source = self.source(std::slice::from_ref(&name), &[config.type_vocab_size, hidden]);
            self.table(name, source, scale.as_ref(), None)
        });

        let epsilon = self.unspecified_epsilon();
        let norm = (!folded).then(|| self.layer_norm(&norm, hidden, epsilon));
        Embeddings { label, table, position, token_type, transformation, norm }
    }

    /// Epsilon of the embedding norm and `output.LayerNorm`: in MobileBERT, `transformers` doesn't pass one
    /// to them.
    fn unspecified_epsilon(&self) -> f32 {
        match self.config.family {
            Family::MobileBert => TORCH_EPSILON,
            Family::Bert | Family::DistilBert => self.config.layer_norm_eps,
        }
    }

    /// The encoder layer `index`.
    pub(in crate::plan) fn layer(&mut self, index: usize) -> Layer {
        match self.config.family {
            Family::DistilBert => self.distilbert_layer(&format!("{}transformer.layer.{index}", self.prefix)),
            Family::MobileBert | Family::Bert => {
                self.bert_layer(&format!("{}encoder.layer.{index}", self.prefix))
            }
        }
    }

    fn bert_layer(&mut self, layer: &str) -> Layer {
        let config = self.config;
        let (hidden, width, epsilon) = (config.hidden_size, config.true_hidden_size(), config.layer_norm_eps);
        let attention = format!("{layer}.attention.self");
        let QueryKey { query, key, input: query_key_input, shared } = self.query_key(layer, &attention);
        let (_, value_input) = self.attention_inputs();
        let value = self.attention_linear(&attention, "value", value_input);

        let mut same_input = [None; 3];
        let mut bottleneck = |builder: &mut Self, (spec, norm): (DenseSpec, String)| {
            let spec = builder.before_norm(spec, &norm);
            let dense = builder.next_to(&mut same_input[AttentionInput::Hidden as usize], &spec);
            let norm = spec.no_norm.is_none().then(|| builder.layer_norm(&norm, width, epsilon));
            Projection { dense, residual_scale: None, norm }
        };
        let input_bottleneck = config.bottleneck.map(|_| {
            let spec = self.bottleneck(layer, "input");
            bottleneck(self, spec)
        });
        let shared_bottleneck = shared.map(|shared| bottleneck(self, shared));
        let query = self.next_to(&mut same_input[query_key_input as usize], &query);
        let key = self.next_to(&mut same_input[query_key_input as usize], &key);
        let value = self.next_to(&mut same_input[value_input as usize], &value);

        let output = |module: &str| [format!("{module}.dense"), format!("{module}.LayerNorm")];
        let names = output(&format!("{layer}.attention.output"));
        let attention_output = self.projection(names, width, width, epsilon);

        let feed_forward = self.feed_forwards(layer);
        let output_bottleneck = config.bottleneck.map(|_| {
            let names = output(&format!("{layer}.output.bottleneck"));
            self.projection(names, width, hidden, epsilon)
        });
        Layer {
            bottleneck: input_bottleneck,
            shared_bottleneck,
            query_key_input,
            value_input,
            attention,
            query,
            key,
            value,
            attention_output,
            feed_forward,
            output_bottleneck,
        }
    }

    /// The linears of query and key. If the network folds, they are multiplied by the shared bottleneck before them.
    fn query_key(&self, layer: &str, attention: &str) -> QueryKey {
        let (input, _) = self.attention_inputs();
        let factor = self.query_factor();
        let query = DenseSpec { factor, ..self.attention_linear(attention, "query", input) };
        let key = self.attention_linear(attention, "key", input);
        let shared = (input == AttentionInput::SharedBottleneck).then(|| self.bottleneck(layer, "attention"));
        if let Some((before, norm)) = &shared {
            let before = self.before_norm(before.clone(), norm);
            if self.folds && before.no_norm.is_some() {
                let (query, key) = (query.composed(&before), key.composed(&before));
                return QueryKey { query, key, input: AttentionInput::Hidden, shared: None };
            }
        }
        QueryKey { query, key, input, shared }
    }

    fn attention_linear(&self, attention: &str, name: &str, input: AttentionInput) -> DenseSpec {
        let width = self.config.true_hidden_size();
        let input_size = if input == AttentionInput::Hidden { self.config.hidden_size } else { width };
        DenseSpec::new(format!("{attention}.{name}"), input_size, width)
    }

    /// A bottleneck's linear, and the name of its norm.
    fn bottleneck(&self, layer: &str, which: &str) -> (DenseSpec, String) {
        let module = format!("{layer}.bottleneck.{which}");
        let dense = DenseSpec::new(
            format!("{module}.dense"),
            self.config.hidden_size,
            self.config.true_hidden_size(),
        );
        (dense, format!("{module}.LayerNorm"))
    }

    /// The inputs of query and key, and of the value.
    fn attention_inputs(&self) -> (AttentionInput, AttentionInput) {
        match self.config.bottleneck {
            Some(bottleneck) if bottleneck.attention => {
                (AttentionInput::Bottleneck, AttentionInput::Bottleneck)
            }
            Some(bottleneck) if bottleneck.key_query_shared => {
                (AttentionInput::SharedBottleneck, AttentionInput::Hidden)
            }
            _ => (AttentionInput::Hidden, AttentionInput::Hidden),
        }
    }

    /// 1/√head_size
    fn query_factor(&self) -> f32 {
        (1.0 / (self.config.head_size() as f64).sqrt()) as f32
    }

    /// The feed-forward networks in order: MobileBERT's `ffn.0`, `ffn.1`, …, then the one that BERT also has.
    fn feed_forwards(&mut self, layer: &str) -> Vec<FeedForward> {
        let more = 0..self.config.num_feedforward_networks - 1;
        let epsilon = self.config.layer_norm_eps;
        let mut networks: Vec<FeedForward> =
            more.map(|index| self.feed_forward(&format!("{layer}.ffn.{index}"), epsilon)).collect();
        let epsilon = self.unspecified_epsilon();
        networks.push(self.feed_forward(layer, epsilon));
        networks
    }

    fn feed_forward(&mut self, module: &str, epsilon: f32) -> FeedForward {
        let (width, inner) = (self.config.true_hidden_size(), self.config.intermediate_size);
        let intermediate = self.dense(&format!("{module}.intermediate.dense"), width, inner);
        let names = [format!("{module}.output.dense"), format!("{module}.output.LayerNorm")];
        let output = self.projection(names, inner, width, epsilon);
        FeedForward { intermediate, output }
    }

    fn distilbert_layer(&mut self, layer: &str) -> Layer {
        let (hidden, inner, epsilon) =
            (self.config.hidden_size, self.config.intermediate_size, self.config.layer_norm_eps);
        let attention = format!("{layer}.attention");
        let module = |name: &str| DenseSpec::new(format!("{attention}.{name}"), hidden, hidden);
        let mut same_input = None;
        let query = DenseSpec { factor: self.query_factor(), ..module("q_lin") };
        let query = self.next_to(&mut same_input, &query);
        let key = self.next_to(&mut same_input, &module("k_lin"));
        let value = self.next_to(&mut same_input, &module("v_lin"));
        let names = [format!("{attention}.out_lin"), format!("{layer}.sa_layer_norm")];
        let attention_output = self.projection(names, hidden, hidden, epsilon);
        let intermediate = self.dense(&format!("{layer}.ffn.lin1"), hidden, inner);
        let names = [format!("{layer}.ffn.lin2"), format!("{layer}.output_layer_norm")];
        let output = self.projection(names, inner, hidden, epsilon);
        Layer {
            bottleneck: None,
            shared_bottleneck: None,
            query_key_input: AttentionInput::Hidden,
            value_input: AttentionInput::Hidden,
            attention,
            query,
            key,
            value,
            attention_output,
            feed_forward: vec![FeedForward { intermediate, output }],
            output_bottleneck: None,
        }
    }
}
