//! The request for a plan.

use std::str::FromStr;

use crate::error::{Error, Result};

/// The grouping of a plan's operations into kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// One kernel per operation, nothing fused. The reference for testing the other schedules.
    Operations,
    /// Linears with fused activation and residual, and attention as one kernel.
    #[default]
    Tiled,
    /// A kernel per layer, for networks with NoNorm whose rows fit in a workgroup's memory: MobileBERT and
    /// its TINY variant.
    Chain,
}

impl Schedule {
    /// All schedules.
    pub const ALL: [Schedule; 3] = [Schedule::Tiled, Schedule::Chain, Schedule::Operations];

    /// Name in options and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Schedule::Operations => "operations",
            Schedule::Tiled => "tiled",
            Schedule::Chain => "chain",
        }
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Schedule::ALL.into_iter().find(|schedule| schedule.as_str() == name);
        found.ok_or_else(|| {
            let known = Schedule::ALL.map(Schedule::as_str).join(", ");
            Error::invalid_input("schedule", format!("`{name}` isn't one of {known}"))
        })
    }
}

/// The size of a run and the outputs to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Request {
    /// Number of sequences.
    pub batch: usize,
    /// Tokens per sequence, including padding.
    pub sequence: usize,
    /// The grouping of operations into kernels.
    pub schedule: Schedule,
    /// Output the embeddings and every layer's hidden state.
    pub hidden_states: bool,
    /// Output every layer's attention probabilities (which disables fused attention).
    pub attentions: bool,
    /// The layer whose attention probabilities are the only output; nothing that comes after them is computed.
    pub attention_of: Option<usize>,
}

impl Request {
    /// Returns whether it requests more than the head's results.
    pub fn keeps_more(&self) -> bool {
        self.hidden_states || self.attentions || self.attention_of.is_some()
    }
}
