//! A checkpoint's tensors, known from its headers before their data → the network that they form.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::plan::Network;
use crate::weights::{Header, ShardIndex};

/// The tensor whose number of rows is a classifier's number of labels.
const CLASSIFIER: &str = "classifier.weight";

/// A checkpoint whose headers arrive one by one. Each is checked, so a wrong file fails before its data is
/// fetched.
pub struct Checkpoint {
    /// Matches the checkpoint once there is a network.
    config: Config,
    /// The names of all tensors; `None` if there is only one file, which has all of them.
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

    /// Adds the header of the next file.
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

    /// The headers that have arrived so far.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The network, once it is known: with an index, immediately, unless the number of labels is in a later
    /// header.
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

    /// Creates the network, unless the number of labels isn't known yet.
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
        let fitted = Network::new(config, &has)?;
        if let Some(index) = index {
            fitted.check_depth(index.weight_map.keys().map(String::as_str))?;
        }
        *network = Some(fitted);
        Ok(())
    }
}

/// The error for a classifier that is in the index but in no file.
pub(super) fn missing() -> Error {
    Error::tensor(CLASSIFIER, "is missing from the checkpoint")
}
