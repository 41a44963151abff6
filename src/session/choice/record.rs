//! The record of a measurement: a few lines of text.
//!
//! ```text
//! 0.1.0                        the version of this crate
//! the key
//! 128 6100 12200 42000         tokens, and microseconds of each candidate; 0 if ruled out
//! 384 0 15000 150000
//! chain the reason             a candidate that was ruled out
//! end
//! ```

use super::{Candidate, Outcome, RuledOut, Timing};
use crate::config::Config;
use crate::kernels::Simd;
use crate::weights::WeightFormat;

/// The key of a measurement: the devices, and the shape and format of the network's layers.
pub fn key(gpu: &str, cpu: Simd, config: &Config, storage: WeightFormat) -> String {
    let (attention, shared) = config
        .bottleneck
        .map_or((false, false), |bottleneck| (bottleneck.attention, bottleneck.key_query_shared));
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
    let mut key = format!("{gpu} | {} | {} {storage}", cpu.name(), config.family.model_type());
    for size in sizes {
        key += "-";
        key += &size.to_string();
    }
    key
}

/// The text to store under a key.
pub fn write(key: &str, Outcome { timings, ruled_out }: &Outcome) -> String {
    let mut lines = vec![VERSION.to_owned(), key.to_owned()];
    for timing in timings {
        let mut line = timing.tokens.to_string();
        for candidate in Candidate::ALL {
            let microseconds = timing.of(candidate).map_or(0, |time| (1e3 * time).round() as u64);
            line += " ";
            line += &microseconds.to_string();
        }
        lines.push(line);
    }
    lines.extend(ruled_out.iter().map(|out| [out.candidate.as_str(), &out.reason].join(" ")));
    lines.push(END.to_owned());
    lines.join("\n")
}

/// The measurement in a stored text. `None` if the text is damaged, belongs to another version, device or
/// network, or doesn't cover the candidates and lengths.
pub fn read(text: &str, key: &str, candidates: &[Candidate], lengths: &[usize]) -> Option<Outcome> {
    let mut lines = text.lines();
    if lines.next()? != VERSION || lines.next()? != key {
        return None;
    }
    let mut outcome = Outcome::default();
    for &tokens in lengths {
        let mut fields = lines.next()?.split(' ').map(|field| field.parse::<u64>().ok());
        let mut timing = Timing { tokens, ..Timing::default() };
        if fields.next()?? != tokens as u64 {
            return None;
        }
        for candidate in Candidate::ALL {
            let microseconds = fields.next()??;
            if microseconds > 0 {
                timing.set(candidate, microseconds as f64 / 1e3);
            }
        }
        outcome.timings.push(timing);
    }
    loop {
        let line = lines.next()?;
        if line == END {
            break;
        }
        let (name, reason) = line.split_once(' ')?;
        let candidate = Candidate::ALL.into_iter().find(|candidate| candidate.as_str() == name)?;
        outcome.ruled_out.push(RuledOut { candidate, reason: reason.to_owned() });
    }
    let covers = |candidate: &Candidate| {
        let is_out = outcome.ruled_out.iter().any(|out| out.candidate == *candidate);
        outcome.timings.iter().all(|timing| timing.of(*candidate).is_some() != is_out)
    };
    candidates.iter().all(covers).then_some(outcome)
}

/// The last line; without it, the record is incomplete.
const END: &str = "end";

/// A release may change kernels, and thus both times and results.
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
        write("a GPU", &outcome())
    }

    fn is_used(text: &str) -> bool {
        read(text, "a GPU", &ALL, &[128, 384]).is_some()
    }

    #[test]
    fn a_record_gives_back_the_measurement() {
        let found = read(&text(), "a GPU", &ALL, &[128, 384]).unwrap();
        assert_eq!((found.timings, found.ruled_out), (outcome().timings, outcome().ruled_out));
    }

    #[test]
    fn a_record_of_another_version_device_or_network_is_ignored() {
        assert!(!is_used(&text().replace(VERSION, "0.0.1")));
        assert!(read(&text(), "another GPU", &ALL, &[128, 384]).is_none());
    }

    #[test]
    fn a_damaged_record_is_ignored() {
        let text = text();
        assert!(is_used(&text));
        for end in 0..text.len() {
            assert!(!is_used(&text[..end]), "cut at {end}");
        }
        for (right, wrong) in [
            ("4000", "-4000"),
            ("4000", "0"),
            ("4000", "4e3"),
            ("4000", "99999999999999999999"),
            ("4000", "fast"),
            ("384", "385"),
            ("384", "128"),
            (" 9000", ""),
            ("chain", "tiled"),
            ("chain", "train"),
            ("\nend", ""),
        ] {
            let damaged = text.replace(right, wrong);
            assert!(damaged != text && !is_used(&damaged), "{damaged}");
        }
        for other in ["", "null", "{}", "<html>", "\u{0}", "\n\n\n"] {
            assert!(!is_used(other), "{other}");
        }
    }

    #[test]
    fn a_record_without_the_cpu_does_not_decide_between_it_and_the_gpu() {
        let timings = [128, 384].map(|tokens| timing(tokens, [Some(2.0), Some(4.0), None])).to_vec();
        let text = write("a GPU", &Outcome { timings, ruled_out: vec![] });
        assert!(!is_used(&text));
        assert!(read(&text, "a GPU", &ALL[..2], &[128, 384]).is_some());
    }

    #[test]
    fn the_key_tells_instruction_sets_networks_and_formats_apart() {
        let config = |layers: usize| {
            let fields = format!(r#"{{"model_type": "mobilebert", "num_hidden_layers": {layers}}}"#);
            Config::from_json(fields).unwrap()
        };
        let on = |cpu, layers, storage| key("GPU", cpu, &config(layers), storage);
        let key = |layers, storage| on(Simd::best(), layers, storage);
        assert_eq!(key(24, WeightFormat::Q8), key(24, WeightFormat::Q8));
        assert_ne!(key(24, WeightFormat::Q8), key(12, WeightFormat::Q8));
        assert_ne!(key(24, WeightFormat::Q8), key(24, WeightFormat::F32));
        let mut keys: Vec<String> =
            Simd::available().into_iter().map(|cpu| on(cpu, 24, WeightFormat::Q8)).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), Simd::available().len());
    }
}
