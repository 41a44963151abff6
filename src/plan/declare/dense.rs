//! Dense modules and the operations folded into them.

use super::NetworkBuilder;
use crate::config::Normalization;
use crate::kernels::COLUMN_MULTIPLE;
use crate::plan::modules::{Dense, Projection};
use crate::plan::{ParameterId, Recipe, Role};

/// A dense module to declare.
#[derive(Clone)]
pub(super) struct DenseSpec {
    /// Name of the module.
    pub module: String,
    /// Length of its input.
    pub in_features: usize,
    /// Length of its result.
    pub out_features: usize,
    /// Name of the NoNorm module that follows, to fold into its parameters.
    pub no_norm: Option<String>,
    /// Constant factor to fold.
    pub factor: f32,
    /// The module that computes its input, if the two are to be merged.
    pub after: Option<Box<DenseSpec>>,
}

impl DenseSpec {
    pub fn new(module: String, in_features: usize, out_features: usize) -> Self {
        DenseSpec { module, in_features, out_features, no_norm: None, factor: 1.0, after: None }
    }

    /// Name of its weight.
    pub fn weight(&self) -> String {
        format!("{}.weight", self.module)
    }

    /// Merges the module with the one before it.
    pub fn composed(self, before: &DenseSpec) -> Self {
        DenseSpec { in_features: before.in_features, after: Some(Box::new(before.clone())), ..self }
    }
}

impl NetworkBuilder<'_> {
    /// A dense module with its own parameters.
    pub(super) fn dense(&mut self, module: &str, in_features: usize, out_features: usize) -> Dense {
        self.next_to(&mut None, &DenseSpec::new(module.into(), in_features, out_features))
    }

    /// A dense module whose parameters are appended to those of others with the same input, if there are any.
    /// The combined parameters are named after the first module. No module starts in the middle of an
    /// instruction set's panel.
    pub(super) fn next_to(&mut self, others: &mut Option<[ParameterId; 2]>, spec: &DenseSpec) -> Dense {
        let DenseSpec { module, in_features, out_features, .. } = spec;
        let recipes = self.recipes(spec);
        let rows = |id: ParameterId| self.parameters[id.0].shape[0];
        let ids = match others.filter(|[weight, _]| rows(*weight).is_multiple_of(COLUMN_MULTIPLE)) {
            Some(ids) => {
                for (id, recipe) in ids.into_iter().zip(recipes) {
                    self.parameters[id.0].append(*out_features, recipe);
                }
                ids
            }
            None => {
                let [weight, bias] = recipes;
                let shape = [*out_features, *in_features];
                let weight = self.push(spec.weight(), &shape, Role::Matrix, weight);
                [weight, self.push(format!("{module}.bias"), &[*out_features], Role::Vector, bias)]
            }
        };
        *others = Some(ids);
        let [weight, bias] = ids;
        let end = self.parameters[weight.0].shape[0];
        Dense {
            label: module.clone(),
            weight,
            bias,
            outputs: end - out_features..end,
            in_features: *in_features,
        }
    }

    /// The recipes of weight and bias.
    fn recipes(&mut self, spec: &DenseSpec) -> [Recipe; 2] {
        let DenseSpec { module, out_features, no_norm, factor, .. } = spec;
        let scale = no_norm.as_ref().map(|norm| self.norm_weight(norm, *out_features));
        let shift = no_norm.as_ref().map(|norm| self.norm_bias(norm, *out_features));
        let in_features = spec.after.as_ref().map_or(spec.in_features, |before| before.out_features);
        let tensor = self.source(&[spec.weight()], &[*out_features, in_features]);
        let weight = Recipe::Fold { tensor, scale: scale.clone(), axis: 0, shift: None, factor: *factor };
        let tensor = self.source(&[format!("{module}.bias")], &[*out_features]);
        let bias = Recipe::Fold { tensor, scale, axis: 0, shift, factor: *factor };
        let Some(before) = &spec.after else { return [weight, bias] };
        let [right, right_bias] = self.recipes(before).map(Box::new);
        let left = Box::new(weight);
        let added = Some(Box::new(bias));
        [
            Recipe::Product { left: left.clone(), right, added: None },
            Recipe::Product { left, right: right_bias, added },
        ]
    }

    /// A module followed by a norm, which is folded in if it is a NoNorm.
    pub(super) fn before_norm(&self, spec: DenseSpec, norm: &str) -> DenseSpec {
        let folds = self.config.normalization == Normalization::NoNorm;
        DenseSpec { no_norm: folds.then(|| norm.into()), ..spec }
    }

    /// A dense module and the norm after it, with a residual added in between.
    pub(super) fn projection(
        &mut self,
        [dense, norm]: [String; 2],
        in_features: usize,
        out_features: usize,
        epsilon: f32,
    ) -> Projection {
        let spec = self.before_norm(DenseSpec::new(dense, in_features, out_features), &norm);
        let dense = self.next_to(&mut None, &spec);
        if spec.no_norm.is_none() {
            let norm = Some(self.layer_norm(&norm, out_features, epsilon));
            return Projection { dense, residual_scale: None, norm };
        }
        let weight = self.norm_weight(&norm, out_features);
        let name = format!("{norm}.weight");
        let residual_scale = Some(self.push(name, &[out_features], Role::Vector, Recipe::plain(weight)));
        Projection { dense, residual_scale, norm: None }
    }
}
