//! The task heads.

use super::NetworkBuilder;
use crate::config::{Family, Head};
use crate::plan::modules::{Dense, HeadModules, Pooler, WordPredictions};
use crate::plan::{Activation, Recipe, Role};

impl NetworkBuilder<'_> {
    /// The head of the configuration.
    pub(in crate::plan) fn head(&mut self) -> HeadModules {
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

    /// The pooler of a bare encoder, if it has one. A pooler that returns the first token's hidden state is
    /// expressed as a linear with the identity matrix, because a plan's output is a whole buffer.
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
        let dense = Dense { label, weight, bias, outputs: 0..hidden, in_features: hidden };
        Some(Pooler { dense: Some(dense), activation: Activation::Identity })
    }

    /// Module name of the language modeling decoder, whose weight may be tied to the word embeddings.
    pub(super) fn decoder_module(&self) -> String {
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

    /// The language modeling decoder, tied to the word embeddings unless the checkpoint has a separate one. MobileBERT's
    /// word vectors are narrower than the hidden state; `cls.predictions.dense` supplies the remaining columns.
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
        Dense { label: module, weight, bias, outputs: 0..vocab, in_features: hidden }
    }
}
