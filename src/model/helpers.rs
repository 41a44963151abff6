//! Other workers that have loaded the same model and run a part of a call's sequences.

use std::pin::Pin;

use crate::cpu::Exchange;
use crate::session::{Outputs, Sequence, SharedRun};

/// Results of finished jobs: the job's number, and its outputs, or `None` if the helper was lost and the job
/// has to be run elsewhere.
pub type Finished = Vec<(usize, Option<Vec<Outputs>>)>;

/// The helpers of one call. Without threads, a worker can't respond while it computes, so each helper has a
/// second job queued, and results are fetched between runs.
pub trait Helpers {
    /// Reports how many milliseconds the rest of the call would take without helpers, which may start some.
    fn expect(&mut self, milliseconds: f64);
    /// Offers a job. False if no helper has room for it.
    fn offer(&mut self, job: usize, sequences: &[Sequence]) -> bool;
    /// Takes back a job queued at a helper; its results won't be returned.
    fn reclaim(&mut self) -> Option<usize>;
    /// The results that have arrived since the last call. If there are none, waits for up to `milliseconds`.
    fn finished(&mut self, milliseconds: f64) -> Pin<Box<dyn Future<Output = Finished> + '_>>;
    /// Returns whether the helpers can share a run now: they are ready, idle, and share memory with this
    /// worker.
    fn can_share(&self) -> bool;
    /// Starts the helpers' parts of a run; `None` if they can't take part.
    fn share(&mut self, run: &SharedRun<'_>) -> Option<Box<dyn Exchange>>;
    /// Drops all helpers that have a job: they have stopped responding.
    fn give_up(&mut self);
}
