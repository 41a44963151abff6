//! Configuration and tensor names → modules with their parameters. NoNorm and the attention's scale are folded here.
//!
//! NoNorm `γ∘x + β` after a linear with residual: `γ∘(Wx + b + r) + β = (γ∘W)x + (γ∘b + β) + γ∘r`, so rows of `W` and
//! `b` are scaled, `β` joins the bias and `γ` stays on the residual. After the embedding's sum: `γ∘(Wx + b + p + t) + β
//! = (γ∘W)x + (γ∘b + β) + γ∘p + γ∘t`; without a linear, the word table takes `γ` and the position table `γ∘p + β`.
//! The query `Wx + b` takes `1/√head_size` on both.

use super::modules::{
    Dense, Embeddings, FeedForward, HeadModules, Layer, Modules, Norm, Pooler, Projection, Reads,
    WordPredictions,
};
use super::{Activation, Parameter, ParameterId, Recipe, Role, Source, check};
use crate::config::{Config, Family, Head, Normalization};
use crate::error::{Error, Result};

/// What torch's LayerNorm adds where `transformers` passes nothing.
const TORCH_EPSILON: f32 = 1e-5;

/// What does not depend on the length: the parameters that every plan of a model shares.
#[derive(Clone, Debug)]
pub struct Network {
    /// In the order in which steps first read them.
    pub parameters: Vec<Parameter>,
    /// The configuration it was made from.
    pub config: Config,
    pub(super) modules: Modules,
}

impl Network {
    /// Finds the tensors of `config`'s network among those a checkpoint has (`has(name)`), older names included.
    ///
    /// # Errors
    /// [`Error::Tensor`] with all that are missing, [`Error::Unsupported`] where one is longer than an allocation.
    pub fn new(config: &Config, has: &dyn Fn(&str) -> bool) -> Result<Network> {
        let mut declare = Declare::new(config, has);
        let embeddings = declare.embeddings();
        let layers = (0..config.num_hidden_layers).map(|index| declare.layer(index)).collect();
        let head = declare.head();
        declare.fail_if_missing()?;
        for parameter in &declare.parameters {
            check::parameter(&parameter.name, &parameter.shape)?;
        }
        let modules = Modules { embeddings, layers, head };
        Ok(Network { parameters: declare.parameters, config: config.clone(), modules })
    }

    /// The network as `transformers` saves it: current names, tied tensors once. For use without a checkpoint.
    pub fn of(config: &Config) -> Result<Network> {
        let tied =
            ["cls.predictions.decoder.weight", "cls.predictions.decoder.bias", "vocab_projector.weight"];
        let tie = config.tie_word_embeddings;
        Network::new(config, &|name| !(tie && tied.contains(&name)))
    }

    /// The parameter of an id.
    pub fn parameter(&self, id: ParameterId) -> &Parameter {
        &self.parameters[id.0]
    }
}

/// What a dense's parameters are made with besides its own tensors.
#[derive(Clone, Copy, Default)]
struct Folding<'a> {
    /// Module of a NoNorm that follows.
    no_norm: Option<&'a str>,
    /// Constant factor; 1 where absent.
    factor: Option<f32>,
}

struct Declare<'a> {
    config: &'a Config,
    has: &'a dyn Fn(&str) -> bool,
    /// `mobilebert.`, or nothing in a checkpoint of a bare encoder.
    prefix: String,
    parameters: Vec<Parameter>,
    missing: Vec<Source>,
}

impl<'a> Declare<'a> {
    fn new(config: &'a Config, has: &'a dyn Fn(&str) -> bool) -> Self {
        let prefixed = format!("{}.", config.family.model_type());
        let mut prefixes = [prefixed, String::new()];
        if config.head == Head::Encoder {
            prefixes.reverse();
        }
        let found = prefixes.iter().find(|prefix| has(&format!("{prefix}embeddings.word_embeddings.weight")));
        let prefix = found.unwrap_or(&prefixes[0]).clone();
        Declare { config, has, prefix, parameters: Vec::new(), missing: Vec::new() }
    }

    fn fail_if_missing(&mut self) -> Result<()> {
        let Some(first) = self.missing.first() else { return Ok(()) };
        let mut problem = format!("is missing; `config.json` asks for it with shape {:?}", first.shape);
        let others: Vec<&str> = self.missing.iter().skip(1).map(Source::name).collect();
        if !others.is_empty() {
            let listed = others.iter().take(5).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            problem += &format!(
                "; so are {} others ({listed}{})",
                others.len(),
                if others.len() > 5 { ", …" } else { "" }
            );
        }
        if self.missing.iter().all(|source| !source.name().starts_with(&self.prefix)) {
            problem +=
                &format!("; the checkpoint has the encoder but no head of {}", self.config.architecture());
        }
        Err(Error::tensor(first.name(), problem))
    }

    /// The first of `names` that the checkpoint has.
    fn source(&mut self, names: &[String], shape: &[usize]) -> Source {
        let found = names.iter().find(|name| (self.has)(name));
        let names = found.map_or_else(|| names.to_vec(), |name| vec![name.clone()]);
        let source = Source { names, shape: shape.to_vec() };
        if !(self.has)(source.name()) && !self.missing.contains(&source) {
            self.missing.push(source.clone());
        }
        source
    }

    fn push(&mut self, name: String, shape: &[usize], role: Role, recipe: Recipe) -> ParameterId {
        self.parameters.push(Parameter { name, shape: shape.to_vec(), role, recipe });
        ParameterId(self.parameters.len() - 1)
    }

    /// `weight` of a norm, `gamma` in old checkpoints.
    fn norm_weight(&mut self, module: &str, features: usize) -> Source {
        self.source(&[format!("{module}.weight"), format!("{module}.gamma")], &[features])
    }

    /// `bias` of a norm, `beta` in old checkpoints.
    fn norm_bias(&mut self, module: &str, features: usize) -> Source {
        self.source(&[format!("{module}.bias"), format!("{module}.beta")], &[features])
    }

    fn dense(&mut self, module: &str, in_features: usize, out_features: usize) -> Dense {
        self.folded_dense(module, in_features, out_features, Folding::default())
    }

    fn folded_dense(
        &mut self,
        module: &str,
        in_features: usize,
        out_features: usize,
        folding: Folding,
    ) -> Dense {
        let scale = folding.no_norm.map(|norm| self.norm_weight(norm, out_features));
        let shift = folding.no_norm.map(|norm| self.norm_bias(norm, out_features));
        let factor = folding.factor.unwrap_or(1.0);
        let weight_name = format!("{module}.weight");
        let shape = [out_features, in_features];
        let tensor = self.source(std::slice::from_ref(&weight_name), &shape);
        let recipe = Recipe::Fold { tensor, scale: scale.clone(), axis: 0, shift: None, factor };
        let weight = self.push(weight_name, &shape, Role::Matrix, recipe);
        let bias_name = format!("{module}.bias");
        let tensor = self.source(std::slice::from_ref(&bias_name), &[out_features]);
        let recipe = Recipe::Fold { tensor, scale, axis: 0, shift, factor };
        let bias = self.push(bias_name, &[out_features], Role::Vector, recipe);
        Dense { label: module.into(), weight, bias, in_features, out_features }
    }

    fn layer_norm(&mut self, module: &str, features: usize, epsilon: f32) -> Norm {
        let weight = self.norm_weight(module, features);
        let weight = self.push(format!("{module}.weight"), &[features], Role::Vector, Recipe::plain(weight));
        let bias = self.norm_bias(module, features);
        let bias = self.push(format!("{module}.bias"), &[features], Role::Vector, Recipe::plain(bias));
        Norm { label: module.into(), weight, bias, features, epsilon }
    }

    /// A dense and the norm after it; `residual` says whether something is added between the two.
    fn projection(
        &mut self,
        [dense, norm]: [&str; 2],
        in_features: usize,
        out_features: usize,
        residual: bool,
        epsilon: f32,
    ) -> Projection {
        if self.config.normalization == Normalization::LayerNorm {
            return Projection {
                dense: self.dense(dense, in_features, out_features),
                residual_scale: None,
                norm: Some(self.layer_norm(norm, out_features, epsilon)),
            };
        }
        let folding = Folding { no_norm: Some(norm), factor: None };
        let dense = self.folded_dense(dense, in_features, out_features, folding);
        let residual_scale = residual.then(|| {
            let weight = self.norm_weight(norm, out_features);
            self.push(format!("{norm}.weight"), &[out_features], Role::Vector, Recipe::plain(weight))
        });
        Projection { dense, residual_scale, norm: None }
    }

    fn table(
        &mut self,
        name: String,
        source: Source,
        no_norm: Option<&Source>,
        shift: Option<Source>,
    ) -> ParameterId {
        let shape = source.shape.clone();
        let recipe = Recipe::Fold { tensor: source, scale: no_norm.cloned(), axis: 1, shift, factor: 1.0 };
        self.push(name, &shape, Role::Table, recipe)
    }

    fn embeddings(&mut self) -> Embeddings {
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
            let folding = Folding { no_norm: folded.then_some(norm.as_str()), factor: None };
            self.folded_dense(&format!("{label}.embedding_transformation"), width, hidden, folding)
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

    /// `transformers` passes no epsilon to MobileBERT's embedding norm and to `output.LayerNorm`.
    fn unspecified_epsilon(&self) -> f32 {
        match self.config.family {
            Family::MobileBert => TORCH_EPSILON,
            Family::Bert | Family::DistilBert => self.config.layer_norm_eps,
        }
    }

    fn layer(&mut self, index: usize) -> Layer {
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
        let (mut query_key_read, mut value_reads) = (Reads::Hidden, Reads::Hidden);
        if let Some(bottleneck) = config.bottleneck {
            if bottleneck.attention {
                (query_key_read, value_reads) = (Reads::Bottleneck, Reads::Bottleneck);
            } else if bottleneck.key_query_shared {
                query_key_read = Reads::SharedBottleneck;
            }
        }
        let bottleneck = |declare: &mut Self, which: &str| {
            let module = format!("{layer}.bottleneck.{which}");
            let names = [format!("{module}.dense"), format!("{module}.LayerNorm")];
            declare.projection(names.each_ref().map(String::as_str), hidden, width, false, epsilon)
        };
        let input_bottleneck = config.bottleneck.map(|_| bottleneck(self, "input"));
        let shared_bottleneck =
            (query_key_read == Reads::SharedBottleneck).then(|| bottleneck(self, "attention"));
        let reads = |what| if what == Reads::Hidden { hidden } else { width };

        let attention = format!("{layer}.attention.self");
        let query = self.query(&format!("{attention}.query"), reads(query_key_read));
        let key = self.dense(&format!("{attention}.key"), reads(query_key_read), width);
        let value = self.dense(&format!("{attention}.value"), reads(value_reads), width);
        let output = |module: &str| [format!("{module}.dense"), format!("{module}.LayerNorm")];
        let names = output(&format!("{layer}.attention.output"));
        let attention_output =
            self.projection(names.each_ref().map(String::as_str), width, width, true, epsilon);

        let mut feed_forward = Vec::with_capacity(config.num_feedforward_networks);
        for index in 1..config.num_feedforward_networks {
            feed_forward.push(self.feed_forward(&format!("{layer}.ffn.{}", index - 1), epsilon));
        }
        let epsilon_of_last = self.unspecified_epsilon();
        feed_forward.push(self.feed_forward(layer, epsilon_of_last));

        let output_bottleneck = config.bottleneck.map(|_| {
            let names = output(&format!("{layer}.output.bottleneck"));
            self.projection(names.each_ref().map(String::as_str), width, hidden, true, epsilon)
        });
        Layer {
            bottleneck: input_bottleneck,
            shared_bottleneck,
            query_key_read,
            value_reads,
            attention,
            query,
            key,
            value,
            attention_output,
            feed_forward,
            output_bottleneck,
        }
    }

    fn query(&mut self, module: &str, in_features: usize) -> Dense {
        let factor = 1.0 / (self.config.head_size() as f64).sqrt();
        let folding = Folding { no_norm: None, factor: Some(factor as f32) };
        self.folded_dense(module, in_features, self.config.true_hidden_size(), folding)
    }

    fn feed_forward(&mut self, module: &str, epsilon: f32) -> FeedForward {
        let (width, inner) = (self.config.true_hidden_size(), self.config.intermediate_size);
        let intermediate = self.dense(&format!("{module}.intermediate.dense"), width, inner);
        let names = [format!("{module}.output.dense"), format!("{module}.output.LayerNorm")];
        let output = self.projection(names.each_ref().map(String::as_str), inner, width, true, epsilon);
        FeedForward { intermediate, output }
    }

    fn distilbert_layer(&mut self, layer: &str) -> Layer {
        let (hidden, inner, epsilon) =
            (self.config.hidden_size, self.config.intermediate_size, self.config.layer_norm_eps);
        let attention = format!("{layer}.attention");
        let query = self.query(&format!("{attention}.q_lin"), hidden);
        let key = self.dense(&format!("{attention}.k_lin"), hidden, hidden);
        let value = self.dense(&format!("{attention}.v_lin"), hidden, hidden);
        let names = [format!("{attention}.out_lin"), format!("{layer}.sa_layer_norm")];
        let attention_output =
            self.projection(names.each_ref().map(String::as_str), hidden, hidden, true, epsilon);
        let intermediate = self.dense(&format!("{layer}.ffn.lin1"), hidden, inner);
        let names = [format!("{layer}.ffn.lin2"), format!("{layer}.output_layer_norm")];
        let output = self.projection(names.each_ref().map(String::as_str), inner, hidden, true, epsilon);
        Layer {
            bottleneck: None,
            shared_bottleneck: None,
            query_key_read: Reads::Hidden,
            value_reads: Reads::Hidden,
            attention,
            query,
            key,
            value,
            attention_output,
            feed_forward: vec![FeedForward { intermediate, output }],
            output_bottleneck: None,
        }
    }

    fn head(&mut self) -> HeadModules {
        let (hidden, labels) = (self.config.hidden_size, self.config.num_labels());
        match self.config.head {
            Head::QuestionAnswering => {
                HeadModules::QuestionAnswering(self.dense("qa_outputs", hidden, labels))
            }
            Head::TokenClassification => {
                HeadModules::TokenClassification(self.dense("classifier", hidden, labels))
            }
            Head::SequenceClassification => {
                HeadModules::Sequence(self.pooler(), self.dense("classifier", hidden, labels))
            }
            Head::MultipleChoice => HeadModules::Sequence(self.pooler(), self.dense("classifier", hidden, 1)),
            Head::NextSentence => {
                HeadModules::Sequence(self.pooler(), self.dense("cls.seq_relationship", hidden, 2))
            }
            Head::MaskedLanguageModel => HeadModules::MaskedLanguageModel(self.word_predictions()),
            Head::PreTraining => {
                let predictions = self.word_predictions();
                let pooler = self.pooler();
                HeadModules::PreTraining(predictions, pooler, self.dense("cls.seq_relationship", hidden, 2))
            }
            Head::Encoder => HeadModules::Encoder(self.optional_pooler()),
        }
    }

    fn pooler(&mut self) -> Pooler {
        let hidden = self.config.hidden_size;
        match self.config.family {
            Family::DistilBert => Pooler {
                dense: Some(self.dense("pre_classifier", hidden, hidden)),
                activation: Activation::Relu,
            },
            Family::MobileBert | Family::Bert if self.config.classifier_activation => Pooler {
                dense: Some(self.dense(&format!("{}pooler.dense", self.prefix), hidden, hidden)),
                activation: Activation::Tanh,
            },
            Family::MobileBert | Family::Bert => Pooler { dense: None, activation: Activation::Identity },
        }
    }

    /// A bare encoder may come without one. Where it passes the first token on, that is written as a linear with the
    /// identity, since a plan's outputs are whole buffers.
    fn optional_pooler(&mut self) -> Option<Pooler> {
        let hidden = self.config.hidden_size;
        if self.config.family == Family::DistilBert {
            return None;
        }
        let label = format!("{}pooler", self.prefix);
        if self.config.classifier_activation {
            return (self.has)(&format!("{label}.dense.weight")).then(|| self.pooler());
        }
        let weight =
            self.push(format!("{label}.identity"), &[hidden, hidden], Role::Matrix, Recipe::Identity);
        let bias = self.push(format!("{label}.zeros"), &[hidden], Role::Vector, Recipe::Zeros);
        let dense = Dense { label, weight, bias, in_features: hidden, out_features: hidden };
        Some(Pooler { dense: Some(dense), activation: Activation::Identity })
    }

    fn decoder_module(&self) -> String {
        match self.config.family {
            Family::DistilBert => "vocab_projector".into(),
            Family::MobileBert | Family::Bert => "cls.predictions.decoder".into(),
        }
    }

    fn word_predictions(&mut self) -> WordPredictions {
        let (hidden, epsilon) = (self.config.hidden_size, self.config.layer_norm_eps);
        let [dense, norm] = match self.config.family {
            Family::DistilBert => ["vocab_transform", "vocab_layer_norm"],
            Family::MobileBert | Family::Bert => {
                ["cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"]
            }
        };
        let dense = self.dense(dense, hidden, hidden);
        let norm = self.layer_norm(norm, hidden, epsilon);
        WordPredictions { dense, norm, decoder: self.decoder() }
    }

    /// The decoder of masked words: tied to the word table unless the checkpoint has one of its own. MobileBERT's word
    /// vectors are narrower than the hidden state; `cls.predictions.dense` supplies the columns that they lack.
    fn decoder(&mut self) -> Dense {
        let config = self.config;
        let (hidden, width, vocab) = (config.hidden_size, config.embedding_size, config.vocab_size);
        let module = self.decoder_module();
        let mut names = vec![format!("{module}.weight")];
        if config.tie_word_embeddings {
            names.push(format!("{}embeddings.word_embeddings.weight", self.prefix));
        }
        let words = self.source(&names, &[vocab, width]);
        let recipe = if width == hidden {
            Recipe::plain(words)
        } else {
            let rest = self.source(&["cls.predictions.dense.weight".into()], &[hidden - width, vocab]);
            Recipe::Columns(vec![(words, false), (rest, true)])
        };
        let weight = self.push(format!("{module}.weight"), &[vocab, hidden], Role::Matrix, recipe);
        let bias = self.source(&[format!("{module}.bias"), "cls.predictions.bias".into()], &[vocab]);
        let bias = self.push(format!("{module}.bias"), &[vocab], Role::Vector, Recipe::plain(bias));
        Dense { label: module, weight, bias, in_features: hidden, out_features: vocab }
    }
}
