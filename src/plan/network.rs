//! The network of a model, from its configuration and the tensors of its checkpoint.

use std::collections::HashSet;

use super::declare::NetworkBuilder;
use super::modules::Modules;
use super::{Group, Operation, Parameter, ParameterId, Request, Schedule, check};
use crate::config::Config;
use crate::error::{Error, Result};

/// A model's modules and parameters, shared by all of its plans, whatever their sequence length.
#[derive(Clone, Debug)]
pub struct Network {
    /// In the order in which the steps first read them.
    pub parameters: Vec<Parameter>,
    /// The configuration that the network was built from.
    pub config: Config,
    pub(super) modules: Modules,
}

/// Tensors that `transformers` ties to others and stores only once.
pub(crate) const TIED_TENSORS: [&str; 3] =
    ["cls.predictions.decoder.weight", "cls.predictions.decoder.bias", "vocab_projector.weight"];

impl Network {
    /// Builds the network of `config` from the tensors that a checkpoint has (`has(name)`), including under older names.
    ///
    /// # Errors
    /// [`crate::error::Error::Tensor`] if tensors are missing, [`crate::error::Error::Unsupported`] if one exceeds the
    /// maximum allocation size.
    pub fn new(config: &Config, has: &dyn Fn(&str) -> bool) -> Result<Network> {
        Network::build(config, has, false)
    }

    /// The same network with fewer steps per layer: the query and key weights are multiplied by that of their
    /// shared bottleneck, if there is one and it is followed by a NoNorm. The product is stored in floats,
    /// and takes a little more memory and arithmetic than the factors: worth it on a GPU, for tensors that
    /// aren't stored in fewer bits.
    ///
    /// # Errors
    /// Same as [`Network::new`].
    pub fn folded(&self) -> Result<Network> {
        let tensors: HashSet<&str> = self.tensors().into_iter().map(|(name, _)| name).collect();
        Network::build(&self.config, &|name| tensors.contains(name), true)
    }

    fn build(config: &Config, has: &dyn Fn(&str) -> bool, folds: bool) -> Result<Network> {
        let mut builder = NetworkBuilder::new(config, has, folds);
        let embeddings = builder.embeddings();
        let layers = (0..config.num_hidden_layers).map(|index| builder.layer(index)).collect();
        let head = builder.head();
        builder.fail_if_missing()?;
        for parameter in &builder.parameters {
            check::size(&parameter.name, &parameter.shape)?;
        }
        let modules = Modules { embeddings, layers, head };
        let mut network = Network { parameters: builder.parameters, config: config.clone(), modules };
        network.group();
        Ok(network)
    }

    /// Puts the parameters of each chain into one group, if the network can be computed in chains.
    fn group(&mut self) {
        let request = Request { batch: 1, sequence: 2, schedule: Schedule::Chain, ..Request::default() };
        let Ok(plan) = self.plan(request) else { return };
        let chains = plan.steps.iter().filter_map(|step| match &step.operation {
            Operation::Chain(_) => Some(step.operation.parameters()),
            _ => None,
        });
        for (index, parameters) in chains.enumerate() {
            let group = Some(Group { index, members: parameters.len() });
            parameters.into_iter().for_each(|id| self.parameters[id.0].group = group);
        }
    }

    /// The network of a checkpoint saved by current `transformers`: current names, tied tensors stored once.
    /// For use without a checkpoint.
    pub fn of(config: &Config) -> Result<Network> {
        let tie = config.tie_word_embeddings;
        Network::new(config, &|name| !(tie && TIED_TENSORS.contains(&name)))
    }

    /// Checks that the checkpoint has no more layers than the configuration, so that none is ignored.
    ///
    /// # Errors
    /// [`crate::error::Error::Config`], with both counts.
    pub fn check_depth<'a>(&self, tensors: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let counts = [
            ("num_hidden_layers", ".layer.", self.config.num_hidden_layers),
            ("num_feedforward_networks", ".ffn.", self.config.num_feedforward_networks - 1),
        ];
        for name in tensors {
            for (field, list, count) in counts {
                let number =
                    name.rsplit_once(list).and_then(|(_, rest)| rest.split('.').next()?.parse().ok());
                if let Some(number) = number.filter(|number: &usize| *number >= count) {
                    // `ffn.*` excludes the last feed-forward network.
                    let (stated, found) = match field {
                        "num_hidden_layers" => (count, number + 1),
                        _ => (count + 1, number + 2),
                    };
                    let problem = format!("is {stated}, but the checkpoint has `{name}`: at least {found}");
                    return Err(Error::config(field, problem));
                }
            }
        }
        Ok(())
    }

    /// The parameter with the given id.
    pub fn parameter(&self, id: ParameterId) -> &Parameter {
        &self.parameters[id.0]
    }
}
