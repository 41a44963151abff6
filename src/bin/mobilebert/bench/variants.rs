//! The networks of the paper and the logits they must give; both files are the latency page's.

use mobilebert::benchmark::Stored;
use mobilebert::config::Config;
use mobilebert::error::{Error, Result};
use serde::Deserialize;

const VARIANTS: &str = include_str!("../../../../www/bench/variants.json");
const LOGITS: &str = include_str!("../../../../www/bench/logits.json");
/// Tokens of the paper's measurements.
const PAPER_SEQUENCE: usize = 128;

/// A network of the paper.
#[derive(Debug, Deserialize)]
pub struct Variant {
    /// What one types.
    pub name: String,
    /// What one reads.
    pub title: String,
    /// On a Pixel 4, by TensorFlow Lite with four threads, at 128 tokens.
    paper_ms: f64,
    config: serde_json::Value,
}

/// A name that was typed; it is one of the file's, or `all`.
#[derive(Clone, Debug)]
pub struct Named(String);

impl Variant {
    /// Its configuration.
    pub fn config(&self) -> Result<Config> {
        Config::from_json(self.config.to_string())
    }

    /// What the paper measured, where it did.
    pub fn paper_ms(&self, sequence: usize, batch: usize) -> Option<f64> {
        (sequence == PAPER_SEQUENCE && batch == 1).then_some(self.paper_ms)
    }
}

impl Named {
    /// Whether the name means this one.
    pub fn fits(&self, variant: &Variant) -> bool {
        self.0 == "all" || self.0 == variant.name
    }
}

/// All of them, in the page's order.
pub fn all() -> Result<Vec<Variant>> {
    serde_json::from_str(VARIANTS).map_err(|error| Error::internal("variants.json", error.to_string()))
}

/// The stored logits.
pub fn stored() -> Result<Stored> {
    Stored::parse(LOGITS)
}

/// A name of the command line.
pub fn parse(typed: &str) -> Result<Named, String> {
    let variants = all().map_err(|error| error.to_string())?;
    let named = Named(typed.to_owned());
    if variants.iter().any(|variant| named.fits(variant)) {
        return Ok(named);
    }
    let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
    Err(format!("none of {}, all", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In millions, as the paper's table of GLUE results prints them; that of BERT-BASE has a pooler, ours has none.
    #[test]
    fn the_networks_have_the_papers_sizes_and_every_length_has_its_logits() {
        let parameters = [25.3, 15.1, 25.3, 25.3, 25.3, 109.0];
        let variants = all().unwrap();
        let stored = stored().unwrap();
        assert_eq!(variants.len(), parameters.len());
        for (variant, expected) in variants.iter().zip(parameters) {
            let network = mobilebert::plan::Network::of(&variant.config().unwrap()).unwrap();
            let parts = mobilebert::plan::Part::ALL;
            let count: u64 = parts.iter().map(|part| network.parameter_count(*part)).sum();
            let millions = count as f64 / 1e6;
            assert!((millions / expected - 1.0).abs() < 0.04, "{}: {millions} M", variant.name);
            for sequence in [64, 128, 256, 384] {
                assert!(stored.get(&variant.name, sequence).is_some(), "{} at {sequence}", variant.name);
            }
        }
        assert_eq!(stored.seed, super::super::SEED);
    }
}
