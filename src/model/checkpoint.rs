//! The tensors of a checkpoint, known before their data → the network that they make.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::plan::Network;
use crate::weights::{Header, ShardIndex};

/// The tensor whose rows say how many labels a classifier has.
const CLASSIFIER: &str = "classifier.weight";

/// A checkpoint whose headers arrive one by one. Each is checked, so that a wrong file fails before its data is fetched.
pub struct Checkpoint {
    /// Fits the checkpoint once there is a network.
    config: Config,
    /// The names of all tensors; none if the only file has all of them.
    index: Option<ShardIndex>,
    headers: Vec<Header>,
    network: Option<Network>,
}

impl Checkpoint {
    /// A checkpoint for this configuration, with the index of its files if it has several.
    ///
    /// # Errors
    /// [`Error::Config`] for a configuration that contradicts the index.
    pub fn new(config: Config, index: Option<ShardIndex>) -> Result<Self> {
        let mut checkpoint = Checkpoint { config, index, headers: Vec::new(), network: None };
        if checkpoint.index.is_some() {
            checkpoint.fit()?;
        }
        Ok(checkpoint)
    }

    /// Takes the header of the next file.
    ///
    /// # Errors
    /// [`Error::Config`] and [`Error::Tensor`] for tensors that contradict the configuration, [`Error::Unsupported`].
    pub fn take(&mut self, header: Header) -> Result<()> {
        self.headers.push(header);
        let mut unchecked = self.headers.len() - 1;
        if self.network.is_none() {
            self.fit()?;
            unchecked = 0;
        }
        let Some(network) = &self.network else { return Ok(()) };
        for header in &self.headers[unchecked..] {
            network.check_depth(header.tensors.iter().map(|entry| entry.name.as_str()))?;
            header.check(&network.parameters).map_err(|error| error.in_file(&header.file))?;
        }
        Ok(())
    }

    /// The headers that have arrived.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The network, once it is known: at once from an index, unless the number of labels is only in a later header.
    pub(super) fn take_network(&mut self) -> Option<Network> {
        self.network.take()
    }

    /// The network of all headers, with the configuration that fits them.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the header with the number of labels hasn't arrived.
    pub fn into_network(self) -> Result<Network> {
        self.network.ok_or_else(missing)
    }

    /// Makes the network, unless the number of labels is still to come.
    fn fit(&mut self) -> Result<()> {
        let Checkpoint { config, index, headers, network } = self;
        let index = index.as_ref();
        let has = |name: &str| match index {
            Some(index) => index.has(name),
            None => headers.iter().any(|header| header.get(name).is_some()),
        };
        let classifier = headers.iter().find_map(|header| header.get(CLASSIFIER));
        if let Some([outputs, _]) = classifier.map(|entry| &entry.shape[..]) {
            config.fit_labels(*outputs);
        } else if classifier.is_none() && has(CLASSIFIER) && config.may_have_fewer_labels() {
            return Ok(());
        }
        config.fit_head(&has)?;
        let made = Network::new(config, &has)?;
        if let Some(index) = index {
            made.check_depth(index.weight_map.keys().map(String::as_str))?;
        }
        *network = Some(made);
        Ok(())
    }
}

/// The error for a classifier that its index only promises.
pub(super) fn missing() -> Error {
    Error::tensor(CLASSIFIER, "is missing from the checkpoint")
}
