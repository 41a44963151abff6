//! What a plan is asked for.

use std::str::FromStr;

use crate::error::{Error, Result};

/// How the operations of a plan are grouped into kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// A kernel an operation, nothing fused: the reference that others are held against.
    Operations,
    /// Linears with fused activation and residual, attention in one kernel.
    #[default]
    Tiled,
}

impl Schedule {
    /// All of them.
    pub const ALL: [Schedule; 2] = [Schedule::Tiled, Schedule::Operations];

    /// Its name in options and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Schedule::Operations => "operations",
            Schedule::Tiled => "tiled",
        }
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Schedule::ALL.into_iter().find(|schedule| schedule.as_str() == name);
        found.ok_or_else(|| {
            let known = Schedule::ALL.map(Schedule::as_str).join(", ");
            Error::invalid_input("schedule", format!("`{name}` is none of {known}"))
        })
    }
}

/// The size of a run and what is wanted of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Request {
    /// Sequences side by side.
    pub batch: usize,
    /// Tokens a sequence, padding included.
    pub sequence: usize,
    /// How operations are grouped.
    pub schedule: Schedule,
    /// Keep the embedding's output and every layer's.
    pub hidden_states: bool,
    /// Keep every layer's attention probabilities (uses the unfused attention).
    pub attentions: bool,
}
