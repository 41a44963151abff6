//! A reference implementation of the models in f64, directly from a checkpoint's tensors, without folding or
//! plans. It follows the modules of `transformers` one by one.

use std::collections::BTreeMap;

use mobilebert::config::{Activation, Config, Family, Head, Normalization};
use mobilebert::plan::Inputs;

use super::interpreter::{layer_norm, linear, softmax};
use super::reference::activate;

/// Tensors of a checkpoint by name, each with its shape and values.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

/// Outputs by their names in `transformers`.
pub type Outputs = BTreeMap<String, Vec<f64>>;

/// One forward pass over `[batch, sequence]`.
pub struct ReferenceModel<'a> {
    pub config: &'a Config,
    pub tensors: &'a Tensors,
    pub inputs: &'a Inputs,
    pub batch: usize,
    pub sequence: usize,
}

impl ReferenceModel<'_> {
    pub fn run(&self) -> Outputs {
        let mut outputs = Outputs::new();
        let mut hidden = self.embeddings();
        outputs.insert("hidden_states.0".into(), hidden.clone());
        for layer in 0..self.config.num_hidden_layers {
            let (next, attention) = match self.config.family {
                Family::DistilBert => self.distilbert_layer(layer, &hidden),
                _ => self.bert_layer(layer, &hidden),
            };
            hidden = next;
            outputs.insert(format!("attentions.{layer}"), attention);
            outputs.insert(format!("hidden_states.{}", layer + 1), hidden.clone());
        }
        self.head(&hidden, &mut outputs);
        outputs
    }

    fn rows(&self) -> usize {
        self.batch * self.sequence
    }

    fn prefix(&self) -> String {
        match self.config.head {
            Head::Encoder => String::new(),
            _ => format!("{}.", self.config.family.model_type()),
        }
    }

    fn tensor(&self, name: &str) -> &[f64] {
        &self.tensors.get(name).unwrap_or_else(|| panic!("no tensor {name}")).1
    }

    fn dense(&self, module: &str, input: &[f64]) -> Vec<f64> {
        let (shape, weight) = &self.tensors[&format!("{module}.weight")];
        let rows = input.len() / shape[1];
        linear(input, rows, shape[1], weight, self.tensor(&format!("{module}.bias")), shape[1], shape[0])
    }

    fn layer_norm(&self, module: &str, input: &[f64], epsilon: f64) -> Vec<f64> {
        let weight = self.tensor(&format!("{module}.weight"));
        layer_norm(input, weight, self.tensor(&format!("{module}.bias")), weight.len(), epsilon)
    }

    /// The norm given by `normalization_type`.
    fn norm(&self, module: &str, input: &[f64], epsilon: f64) -> Vec<f64> {
        if self.config.normalization == Normalization::LayerNorm {
            return self.layer_norm(module, input, epsilon);
        }
        let weight = self.tensor(&format!("{module}.weight"));
        let bias = self.tensor(&format!("{module}.bias"));
        let features = weight.len();
        input.iter().enumerate().map(|(i, x)| x * weight[i % features] + bias[i % features]).collect()
    }

    fn config_epsilon(&self) -> f64 {
        f64::from(self.config.layer_norm_eps)
    }

    /// MobileBERT's embedding norm and `output.LayerNorm` use PyTorch's default.
    fn default_epsilon(&self) -> f64 {
        if self.config.family == Family::MobileBert { f64::from(1e-5f32) } else { self.config_epsilon() }
    }

    fn embeddings(&self) -> Vec<f64> {
        let embeddings = format!("{}embeddings", self.prefix());
        let table = self.tensor(&format!("{embeddings}.word_embeddings.weight"));
        let (words, hidden) = (self.config.embedding_size, self.config.hidden_size);
        let word = |row: usize| &table[self.inputs.input_ids[row] as usize * words..][..words];
        let mut values = Vec::new();
        for row in 0..self.rows() {
            let at = row % self.sequence;
            let zeros = vec![0.0; words];
            if self.config.trigram_input {
                values.extend_from_slice(if at + 1 < self.sequence { word(row + 1) } else { &zeros });
                values.extend_from_slice(word(row));
                values.extend_from_slice(if at > 0 { word(row - 1) } else { &zeros });
            } else {
                values.extend_from_slice(word(row));
            }
        }
        if self.config.trigram_input || words != hidden {
            values = self.dense(&format!("{embeddings}.embedding_transformation"), &values);
        }
        let position = self.tensor(&format!("{embeddings}.position_embeddings.weight"));
        for (row, values) in values.chunks_mut(hidden).enumerate() {
            let at = row % self.sequence;
            for (column, value) in values.iter_mut().enumerate() {
                *value += position[at * hidden + column];
                if self.config.type_vocab_size > 0 {
                    let types = self.tensor(&format!("{embeddings}.token_type_embeddings.weight"));
                    *value += types[self.inputs.token_type_ids[row] as usize * hidden + column];
                }
            }
        }
        self.norm(&format!("{embeddings}.LayerNorm"), &values, self.default_epsilon())
    }

    fn bert_layer(&self, index: usize, hidden: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let layer = format!("{}encoder.layer.{index}", self.prefix());
        let epsilon = self.config_epsilon();
        let bottleneck = |which: &str| {
            let module = format!("{layer}.bottleneck.{which}");
            let narrow = self.dense(&format!("{module}.dense"), hidden);
            self.norm(&format!("{module}.LayerNorm"), &narrow, epsilon)
        };
        let keep = || hidden.to_vec();
        let [query, key, value, residual] = match self.config.bottleneck {
            None => [keep(), keep(), keep(), keep()],
            Some(b) if b.attention => std::array::from_fn(|_| bottleneck("input")),
            Some(b) if b.key_query_shared => {
                [bottleneck("attention"), bottleneck("attention"), keep(), bottleneck("input")]
            }
            Some(_) => [keep(), keep(), keep(), bottleneck("input")],
        };
        let attention = format!("{layer}.attention.self");
        let (context, probabilities) = self.attention(
            &self.dense(&format!("{attention}.query"), &query),
            &self.dense(&format!("{attention}.key"), &key),
            &self.dense(&format!("{attention}.value"), &value),
        );
        let project = |module: &str, input: &[f64], residual: &[f64], epsilon: f64| {
            let sum = add(&self.dense(&format!("{module}.dense"), input), residual);
            self.norm(&format!("{module}.LayerNorm"), &sum, epsilon)
        };
        let mut state = project(&format!("{layer}.attention.output"), &context, &residual, epsilon);
        for ffn in 0..self.config.num_feedforward_networks - 1 {
            let inner = self.inner(&format!("{layer}.ffn.{ffn}.intermediate.dense"), &state);
            state = project(&format!("{layer}.ffn.{ffn}.output"), &inner, &state, epsilon);
        }
        let inner = self.inner(&format!("{layer}.intermediate.dense"), &state);
        state = project(&format!("{layer}.output"), &inner, &state, self.default_epsilon());
        if self.config.bottleneck.is_some() {
            state = project(&format!("{layer}.output.bottleneck"), &state, hidden, epsilon);
        }
        (state, probabilities)
    }

    fn distilbert_layer(&self, index: usize, hidden: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let layer = format!("{}transformer.layer.{index}", self.prefix());
        let epsilon = self.config_epsilon();
        let (context, probabilities) = self.attention(
            &self.dense(&format!("{layer}.attention.q_lin"), hidden),
            &self.dense(&format!("{layer}.attention.k_lin"), hidden),
            &self.dense(&format!("{layer}.attention.v_lin"), hidden),
        );
        let sum = add(&self.dense(&format!("{layer}.attention.out_lin"), &context), hidden);
        let state = self.layer_norm(&format!("{layer}.sa_layer_norm"), &sum, epsilon);
        let inner = self.inner(&format!("{layer}.ffn.lin1"), &state);
        let sum = add(&self.dense(&format!("{layer}.ffn.lin2"), &inner), &state);
        (self.layer_norm(&format!("{layer}.output_layer_norm"), &sum, epsilon), probabilities)
    }

    fn inner(&self, module: &str, input: &[f64]) -> Vec<f64> {
        activated(self.dense(module, input), self.config.hidden_act)
    }

    fn attention(&self, query: &[f64], key: &[f64], value: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (heads, size, width) =
            (self.config.num_attention_heads, self.config.head_size(), self.config.true_hidden_size());
        let mut context = vec![0.0; self.rows() * width];
        let mut probabilities = Vec::new();
        for b in 0..self.batch {
            for head in 0..heads {
                let at = |t: usize, d: usize| (b * self.sequence + t) * width + head * size + d;
                for t in 0..self.sequence {
                    let score = |s: usize| {
                        let product: f64 = (0..size).map(|d| query[at(t, d)] * key[at(s, d)]).sum();
                        let visible = self.inputs.attention_mask[b * self.sequence + s] != 0;
                        if visible { product / (size as f64).sqrt() } else { f64::NEG_INFINITY }
                    };
                    let row = softmax(&(0..self.sequence).map(score).collect::<Vec<_>>());
                    for (s, p) in row.iter().enumerate() {
                        (0..size).for_each(|d| context[at(t, d)] += p * value[at(s, d)]);
                    }
                    probabilities.extend(row);
                }
            }
        }
        (context, probabilities)
    }

    fn head(&self, hidden: &[f64], outputs: &mut Outputs) {
        let mut put = |name: &str, values: Vec<f64>| outputs.insert(name.into(), values);
        match self.config.head {
            Head::QuestionAnswering => {
                let logits = self.dense("qa_outputs", hidden);
                put("start_logits", logits.iter().step_by(2).copied().collect());
                put("end_logits", logits.iter().skip(1).step_by(2).copied().collect());
            }
            Head::SequenceClassification | Head::MultipleChoice => {
                put("logits", self.dense("classifier", &self.pooled(hidden)));
            }
            Head::NextSentence => {
                put("logits", self.dense("cls.seq_relationship", &self.pooled(hidden)));
            }
            Head::TokenClassification => {
                put("logits", self.dense("classifier", hidden));
            }
            Head::MaskedLanguageModel => {
                put("logits", self.words(hidden));
            }
            Head::PreTraining => {
                put("prediction_logits", self.words(hidden));
                put("seq_relationship_logits", self.dense("cls.seq_relationship", &self.pooled(hidden)));
            }
            Head::Encoder => {
                put("last_hidden_state", hidden.to_vec());
                if self.config.family != Family::DistilBert {
                    put("pooler_output", self.pooled(hidden));
                }
            }
        }
    }

    fn pooled(&self, hidden: &[f64]) -> Vec<f64> {
        let width = self.config.hidden_size;
        let first: Vec<f64> =
            hidden.chunks(self.sequence * width).flat_map(|rows| rows[..width].to_vec()).collect();
        match self.config.family {
            Family::DistilBert => activated(self.dense("pre_classifier", &first), Activation::Relu),
            _ if !self.config.classifier_activation => first,
            _ => activated(self.dense(&format!("{}pooler.dense", self.prefix()), &first), Activation::Tanh),
        }
    }

    fn words(&self, hidden: &[f64]) -> Vec<f64> {
        let (transform, norm, bias) = match self.config.family {
            Family::DistilBert => ("vocab_transform", "vocab_layer_norm", "vocab_projector.bias"),
            _ => (
                "cls.predictions.transform.dense",
                "cls.predictions.transform.LayerNorm",
                "cls.predictions.bias",
            ),
        };
        let inner = self.inner(transform, hidden);
        let inner = self.layer_norm(norm, &inner, self.config_epsilon());
        let (vocab, words, width) =
            (self.config.vocab_size, self.config.embedding_size, self.config.hidden_size);
        let table = self.tensor(&format!("{}embeddings.word_embeddings.weight", self.prefix()));
        let mut logits = Vec::new();
        for row in inner.chunks(width) {
            for word in 0..vocab {
                let mut logit = self.tensor(bias)[word];
                for (column, value) in row.iter().enumerate() {
                    logit += value
                        * match column.checked_sub(words) {
                            None => table[word * words + column],
                            Some(rest) => self.tensor("cls.predictions.dense.weight")[rest * vocab + word],
                        };
                }
                logits.push(logit);
            }
        }
        logits
    }
}

fn add(left: &[f64], right: &[f64]) -> Vec<f64> {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(left, right)| left + right).collect()
}

fn activated(mut values: Vec<f64>, activation: Activation) -> Vec<f64> {
    values.iter_mut().for_each(|value| *value = activate(activation, *value));
    values
}
