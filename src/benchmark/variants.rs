//! The paper's networks and their expected logits: two files that the latency page also reads.

use serde::Deserialize;

use super::Stored;
use crate::config::Config;
use crate::error::{Error, Result};

const VARIANTS: &str = include_str!("data/variants.json");
const LOGITS: &str = include_str!("data/logits.json");
/// Number of tokens in the paper's measurements.
const PAPER_SEQUENCE: usize = 128;

/// A network of the paper.
#[derive(Debug, Deserialize)]
pub struct Variant {
    /// Short name, for typing.
    pub name: String,
    /// Longer name, for display.
    pub title: String,
    /// Milliseconds on a Pixel 4, with TensorFlow Lite, four threads and 128 tokens.
    paper_ms: f64,
    config: serde_json::Value,
}

impl Variant {
    /// Its configuration.
    ///
    /// # Errors
    /// Same as [`Config::from_json`].
    pub fn config(&self) -> Result<Config> {
        Config::from_json(self.config.to_string())
    }

    /// Milliseconds measured in the paper; `None` if it didn't measure this length and batch.
    pub fn paper_ms(&self, sequence: usize, batch: usize) -> Option<f64> {
        (sequence == PAPER_SEQUENCE && batch == 1).then_some(self.paper_ms)
    }
}

/// All networks, in the page's order.
///
/// # Errors
/// [`Error::Internal`] if the embedded file doesn't match this version.
pub fn variants() -> Result<Vec<Variant>> {
    serde_json::from_str(VARIANTS).map_err(|error| Error::internal("variants.json", error.to_string()))
}

/// The logits of all networks, as `transformers` computes them in float64.
///
/// # Errors
/// Same as [`Stored::parse`].
pub fn stored() -> Result<Stored> {
    Stored::parse(LOGITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{ModelPart, Network};

    /// In millions, as in the paper's table of GLUE results; its BERT-BASE has a pooler, ours doesn't.
    #[test]
    fn the_networks_have_the_papers_sizes_and_every_length_has_its_logits() {
        let parameters = [25.3, 15.1, 25.3, 25.3, 25.3, 109.0];
        let variants = variants().unwrap();
        let stored = stored().unwrap();
        assert_eq!(variants.len(), parameters.len());
        for (variant, expected) in variants.iter().zip(parameters) {
            let network = Network::of(&variant.config().unwrap()).unwrap();
            let count: u64 = ModelPart::ALL.iter().map(|part| network.parameter_count(*part)).sum();
            let millions = count as f64 / 1e6;
            assert!((millions / expected - 1.0).abs() < 0.04, "{}: {millions} M", variant.name);
            for sequence in [64, 128, 256, 384] {
                assert!(stored.get(&variant.name, sequence).is_some(), "{} at {sequence}", variant.name);
            }
        }
    }
}
