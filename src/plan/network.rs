//! What does not depend on the length: a model's modules and the parameters that every plan of it shares.

use super::declare::Declare;
use super::modules::Modules;
use super::{Parameter, ParameterId, check};
use crate::config::Config;
use crate::error::{Error, Result};

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
    /// [`crate::error::Error::Tensor`] with all that are missing, [`crate::error::Error::Unsupported`] where one is longer
    /// than an allocation.
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

    /// Whether a checkpoint of these tensors is of a deeper network: one that would be run in part.
    ///
    /// # Errors
    /// [`crate::error::Error::Config`] with both counts.
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
                    // The last feed-forward network stands beside the list.
                    let (stated, found) = match field {
                        "num_hidden_layers" => (count, number + 1),
                        _ => (count + 1, number + 2),
                    };
                    let problem = format!("is {stated}, but the checkpoint has `{name}`: {found} at least");
                    return Err(Error::config(field, problem));
                }
            }
        }
        Ok(())
    }

    /// The parameter of an id.
    pub fn parameter(&self, id: ParameterId) -> &Parameter {
        &self.parameters[id.0]
    }
}
