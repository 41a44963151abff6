//! Builds the modules of a network and their parameters from a configuration and the names of the checkpoint's tensors.
//! NoNorm and the attention scale are folded into the parameters here.
//!
//! - NoNorm `γ∘x + β` after a linear with a residual: `γ∘(Wx + b + r) + β = (γ∘W)x + (γ∘b + β) + γ∘r`. The rows of `W`
//!   and `b` are scaled, `β` is added to the bias, and `γ` remains as the scale of the residual.
//! - NoNorm after the sum of the embeddings: `γ∘(Wx + b + p + t) + β = (γ∘W)x + (γ∘b + β) + γ∘p + γ∘t`. Without a linear,
//!   the word table is scaled by `γ` and the position table becomes `γ∘p + β`.
//! - Attention scale: the query's `W` and `b` are both multiplied by `1/√head_size`.
//! - Modules with the same input: their weights are stacked, so that one linear can compute all of them.
//! - Query and key after a bottleneck: `W(Vx + c) + b = (WV)x + (Wc + b)`, in a folded network.

mod dense;
mod encoder;
mod head;

use std::collections::HashSet;

use super::modules::Norm;
use super::{Parameter, ParameterId, Recipe, Role, Source};
use crate::config::{Config, Head};
use crate::error::{Error, Result};

/// Collects the parameters of a network while its modules are built, and the tensors missing from the
/// checkpoint.
pub(super) struct NetworkBuilder<'a> {
    config: &'a Config,
    has: &'a dyn Fn(&str) -> bool,
    /// Whether consecutive linears are merged by multiplying their weights.
    folds: bool,
    /// `mobilebert.`, or empty for a checkpoint of a bare encoder.
    prefix: String,
    /// In the order in which the steps first read them.
    pub(super) parameters: Vec<Parameter>,
    missing: Vec<Source>,
    missing_names: HashSet<String>,
}

impl<'a> NetworkBuilder<'a> {
    pub(super) fn new(config: &'a Config, has: &'a dyn Fn(&str) -> bool, folds: bool) -> Self {
        let prefixed = format!("{}.", config.family.model_type());
        let mut prefixes = [prefixed, String::new()];
        if config.head == Head::Encoder {
            prefixes.reverse();
        }
        let found = prefixes.iter().find(|prefix| has(&format!("{prefix}embeddings.word_embeddings.weight")));
        let prefix = found.unwrap_or(&prefixes[0]).clone();
        NetworkBuilder {
            config,
            has,
            folds,
            prefix,
            parameters: Vec::new(),
            missing: Vec::new(),
            missing_names: HashSet::new(),
        }
    }

    /// Fails if any tensor is missing. The error names the first few.
    pub(super) fn fail_if_missing(&mut self) -> Result<()> {
        let Some(first) = self.missing.first() else { return Ok(()) };
        let mut problem = format!("is missing; `config.json` requires it with shape {:?}", first.shape);
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

    /// The tensor under the first of `names` that the checkpoint has.
    fn source(&mut self, names: &[String], shape: &[usize]) -> Source {
        let found = names.iter().find(|name| (self.has)(name)).cloned();
        let names = found.clone().map_or_else(|| names.to_vec(), |name| vec![name]);
        let source = Source { names, shape: shape.to_vec() };
        if found.is_none() && self.missing_names.insert(source.name().to_owned()) {
            self.missing.push(source.clone());
        }
        source
    }

    fn push(&mut self, name: String, shape: &[usize], role: Role, recipe: Recipe) -> ParameterId {
        self.parameters.push(Parameter { name, shape: shape.to_vec(), role, recipe, group: None });
        ParameterId(self.parameters.len() - 1)
    }

    /// `weight` of a norm, called `gamma` in old checkpoints.
    fn norm_weight(&mut self, module: &str, features: usize) -> Source {
        self.source(&[format!("{module}.weight"), format!("{module}.gamma")], &[features])
    }

    /// `bias` of a norm, called `beta` in old checkpoints.
    fn norm_bias(&mut self, module: &str, features: usize) -> Source {
        self.source(&[format!("{module}.bias"), format!("{module}.beta")], &[features])
    }

    fn layer_norm(&mut self, module: &str, features: usize, epsilon: f32) -> Norm {
        let weight = self.norm_weight(module, features);
        let weight = self.push(format!("{module}.weight"), &[features], Role::Vector, Recipe::plain(weight));
        let bias = self.norm_bias(module, features);
        let bias = self.push(format!("{module}.bias"), &[features], Role::Vector, Recipe::plain(bias));
        Norm { label: module.into(), weight, bias, features, epsilon }
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
}
