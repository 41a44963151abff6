//! What is remembered of a measurement.

use serde::{Deserialize, Serialize};

use super::{Candidate, Outcome, RuledOut, Timing};
use crate::config::Config;
use crate::weights::Storage;

/// A measurement, with everything that it depends on. Whatever it says, it is only used where all of that is the same.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    version: String,
    key: String,
    timings: Vec<Timing>,
    ruled_out: Vec<RuledOut>,
}

impl Record {
    /// Names a measurement by the device, and by shape and format of the network's layers.
    pub fn key(device: &str, config: &Config, storage: Storage) -> String {
        let (attention, shared) =
            config.bottleneck.map_or((false, false), |own| (own.attention, own.key_query_shared));
        let sizes = [
            config.num_hidden_layers,
            config.hidden_size,
            config.true_hidden_size(),
            config.embedding_size,
            config.intermediate_size,
            config.num_feedforward_networks,
            config.num_attention_heads,
            config.max_position_embeddings,
            config.normalization as usize,
            config.hidden_act as usize,
            usize::from(config.trigram_input),
            usize::from(attention),
            usize::from(shared),
        ];
        let sizes = sizes.map(|size| size.to_string()).join("-");
        format!("{device} | {} {sizes} {storage}", config.family.model_type())
    }

    /// What is to be remembered under a key.
    pub fn new(key: String, outcome: &Outcome) -> Self {
        let Outcome { timings, ruled_out } = outcome;
        Record { version: VERSION.into(), key, timings: timings.clone(), ruled_out: ruled_out.clone() }
    }

    /// The text to be stored.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The measurement in a stored text; none if it is damaged, of another version, device or network, or doesn't cover the
    /// candidates.
    pub fn read(text: &str, key: &str, candidates: &[Candidate], lengths: &[usize]) -> Option<Outcome> {
        let record: Record = serde_json::from_str(text).ok()?;
        let Record { version, key: own, timings, ruled_out } = record;
        let is_out = |candidate| ruled_out.iter().any(|out| out.candidate == candidate);
        let is_sound = |timing: &Timing| {
            candidates.iter().all(|&candidate| match timing.of(candidate) {
                Some(time) => time.is_finite() && time > 0.0 && !is_out(candidate),
                None => is_out(candidate),
            })
        };
        let same = version == VERSION && own == key;
        let whole = timings.iter().map(|timing| timing.tokens).eq(lengths.iter().copied());
        let sound = whole && timings.iter().all(is_sound);
        (same && sound).then_some(Outcome { timings, ruled_out })
    }
}

/// A release may change kernels, and so both times and results.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests {
    use super::super::tests::timing;
    use super::*;

    const ALL: [Candidate; 3] = [Candidate::Chain, Candidate::Tiled, Candidate::Cpu];

    fn outcome() -> Outcome {
        let ruled_out = vec![RuledOut { candidate: Candidate::Chain, reason: "wrong".into() }];
        let timings = [128, 384].map(|tokens| timing(tokens, [None, Some(4.0), Some(9.0)]));
        Outcome { timings: timings.to_vec(), ruled_out }
    }

    fn text() -> String {
        Record::new("a GPU".into(), &outcome()).to_text()
    }

    fn is_used(text: &str) -> bool {
        Record::read(text, "a GPU", &ALL, &[128, 384]).is_some()
    }

    #[test]
    fn a_record_gives_back_the_measurement() {
        let found = Record::read(&text(), "a GPU", &ALL, &[128, 384]).unwrap();
        assert_eq!((found.timings, found.ruled_out), (outcome().timings, outcome().ruled_out));
    }

    #[test]
    fn a_record_of_another_version_device_or_network_is_ignored() {
        assert!(!is_used(&text().replace(VERSION, "0.0.1")));
        assert!(Record::read(&text(), "another GPU", &ALL, &[128, 384]).is_none());
    }

    #[test]
    fn a_damaged_record_is_ignored() {
        let text = text();
        assert!(is_used(&text));
        for end in 0..text.len() {
            assert!(!is_used(&text[..end]), "cut at {end}");
        }
        for (right, wrong) in [
            ("4.0", "-4.0"),
            ("4.0", "0.0"),
            ("4.0", "1e999"),
            ("4.0", "null"),
            ("4.0", "\"fast\""),
            ("384", "385"),
            ("384", "128"),
            ("\"tiled\"", "\"tilted\""),
            ("\"candidate\":\"chain\"", "\"candidate\":\"tiled\""),
            ("\"version\"", "\"versions\""),
        ] {
            let damaged = text.replace(right, wrong);
            assert!(damaged != text && !is_used(&damaged), "{damaged}");
        }
        for other in ["", "null", "[]", "{}", "<html>", "\u{0}"] {
            assert!(!is_used(other), "{other}");
        }
    }

    #[test]
    fn a_record_without_the_cpu_does_not_decide_between_it_and_the_gpu() {
        let timings = [128, 384].map(|tokens| timing(tokens, [Some(2.0), Some(4.0), None])).to_vec();
        let text = Record::new("a GPU".into(), &Outcome { timings, ruled_out: vec![] }).to_text();
        assert!(!is_used(&text));
        assert!(Record::read(&text, "a GPU", &ALL[..2], &[128, 384]).is_some());
    }

    #[test]
    fn the_key_tells_networks_and_formats_apart() {
        let config = |layers: usize| {
            let fields = format!(r#"{{"model_type": "mobilebert", "num_hidden_layers": {layers}}}"#);
            Config::from_json(fields).unwrap()
        };
        let key = |layers, storage| Record::key("GPU", &config(layers), storage);
        assert_eq!(key(24, Storage::Q8), key(24, Storage::Q8));
        assert_ne!(key(24, Storage::Q8), key(12, Storage::Q8));
        assert_ne!(key(24, Storage::Q8), key(24, Storage::F32));
    }
}
