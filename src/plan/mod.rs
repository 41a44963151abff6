//! Configuration, length and schedule → a plan: steps over named buffers. Pure: no GPU, files or browser.

mod build;
mod cache;
mod chain;
mod check;
mod declare;
mod identity;
mod inputs;
mod memory;
mod modules;
mod network;
mod parameter;
mod rehearsal;
mod request;
mod schedule;
mod side_by_side;
mod step;
mod summary;

pub use cache::PlanCache;
pub use check::{fits_gpu, limits};
pub use identity::{Identity, Liveness};
pub use inputs::{Inputs, PAD_ID};
pub use network::Network;
pub(crate) use network::TIED_TENSORS;
pub use parameter::{Group, Parameter, ParameterId, Recipe, Role, Source};
pub use rehearsal::Stretch;
pub use request::{Request, Schedule};
pub use step::{Activation, BufferId, Columns, Operation, Residual, Step};
pub use summary::ModelPart;

/// An activation buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// Label of the step that writes it.
    pub label: String,
    /// Length in floats.
    pub len: usize,
    /// The memory it shares with buffers that are never live at the same time; index into [`Plan::slots`].
    pub slot: usize,
}

/// A named result of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// `transformers`' name: `logits`, `start_logits`, `last_hidden_state`, `hidden_states.3`, ….
    pub name: String,
    /// The buffer that holds it.
    pub buffer: BufferId,
    /// Shape in the buffer, row-major, with the plan's batch and (padded) sequence.
    pub shape: Vec<usize>,
    /// The axes of `shape` that run over the padded sequence: cut to the real length when read back.
    pub sequence_axes: Vec<usize>,
    /// For a column of a wider matrix (`start_logits` is column 0 of `[rows, 2]`): the column and the width.
    pub column: Option<(usize, usize)>,
}

/// Steps in order, and the memory they need.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The request that it was made for.
    pub request: Request,
    /// In order of execution.
    pub steps: Vec<Step>,
    /// Activation buffers.
    pub buffers: Vec<Buffer>,
    /// Lengths in floats of the memory that the buffers share.
    pub slots: Vec<usize>,
    /// Results.
    pub outputs: Vec<Output>,
    /// Lets executors recognize the plan. Code that changes the plan has to replace it.
    pub identity: Identity,
}
