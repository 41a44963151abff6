//! Describes the choice in words.

use super::{Candidate, Choice, ChosenBy, Timing};
use crate::error::Error;
use crate::executor::DeviceKind;

/// An error as the one-line reason for ruling out a candidate, without its subject. Drivers' messages can be
/// long.
pub fn reason_of(error: &Error) -> String {
    let whole = match error {
        Error::Unsupported { instead, .. } => instead.split(';').next().unwrap_or_default().to_owned(),
        Error::DeviceLost { reason } => ["the GPU was lost: ", reason].concat(),
        other => other.to_string(),
    };
    whole.chars().map(|char| if char.is_control() { ' ' } else { char }).take(LONGEST_REASON).collect()
}

const LONGEST_REASON: usize = 160;

/// Describes what won, by how much, and what was ruled out.
pub fn describe(kind: DeviceKind, choice: &Choice) -> String {
    let winner = if kind == DeviceKind::Gpu { "the GPU" } else { "the CPU" };
    let mut text = match choice.lengths.as_slice() {
        [] => format!("only {winner} is left"),
        lengths => {
            let times: Vec<String> = lengths.iter().map(times).collect();
            format!("{winner} won a measurement on this device: {}", times.join(", "))
        }
    };
    if choice.by == ChosenBy::Memory {
        text += if cfg!(target_arch = "wasm32") {
            "; remembered from an earlier visit"
        } else {
            "; remembered from an earlier run"
        };
    }
    for out in &choice.ruled_out {
        text += &format!("; {} was ruled out: {}", name(out.candidate), out.reason);
    }
    text
}

/// `6.1 ms for 128 tokens (one kernel per layer; one kernel per operation takes 2.0 times as long, the CPU 6.9 times as
/// long)`
fn times(timing: &Timing) -> String {
    let winner = timing.winner.unwrap_or(Candidate::Cpu);
    let winner_ms = timing.of(winner).unwrap_or_default();
    let mut text = format!("{winner_ms:.1} ms for {} tokens ({}", timing.tokens, name(winner));
    let mut separator = "; ";
    for other in [Candidate::Chain, Candidate::Tiled, Candidate::Cpu] {
        if let Some(time) = timing.of(other).filter(|_| other != winner) {
            let takes = if separator == "; " { " takes" } else { "" };
            text += &format!("{separator}{}{takes} {:.1} times as long", name(other), time / winner_ms);
            separator = ", ";
        }
    }
    text + ")"
}

fn name(candidate: Candidate) -> &'static str {
    match candidate {
        Candidate::Chain => "one kernel per layer",
        Candidate::Tiled => "one kernel per operation",
        Candidate::Cpu => "the CPU",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::timing;
    use super::super::{RuledOut, decide};
    use super::*;

    #[test]
    fn the_sentence_says_what_won_by_how_much() {
        let mut lengths = vec![
            timing(128, [Some(6.1), Some(12.2), Some(42.0)]),
            timing(384, [Some(20.0), Some(15.0), Some(150.0)]),
        ];
        let (kind, _) = decide(&mut lengths);
        let choice = Choice { by: ChosenBy::Memory, lengths, ruled_out: vec![] };
        assert_eq!(
            describe(kind, &choice),
            "the GPU won a measurement on this device: 6.1 ms for 128 tokens (one kernel per layer; one kernel per \
             operation takes 2.0 times as long, the CPU 6.9 times as long), 15.0 ms for 384 tokens (one kernel per \
             operation; one kernel per layer takes 1.3 times as long, the CPU 10.0 times as long); remembered from an \
             earlier run"
        );
    }

    #[test]
    fn the_sentence_names_what_was_ruled_out() {
        let reason = "its results differ from the CPU's".to_owned();
        let ruled_out = vec![RuledOut { candidate: Candidate::Chain, reason }];
        let choice = Choice { by: ChosenBy::Measurement, lengths: vec![], ruled_out };
        assert_eq!(
            describe(DeviceKind::Cpu, &choice),
            "only the CPU is left; one kernel per layer was ruled out: its results differ from the CPU's"
        );
    }
}
