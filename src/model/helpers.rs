//! Other workers that have loaded the same model and run some of a call's sequences.

use std::pin::Pin;

use crate::cpu::Exchange;
use crate::session::{Outputs, Sequence, SharedRun};

/// Results of the jobs that helpers have finished: the job's number, and its outputs, or `None` if the helper was lost
/// and the job has to be run elsewhere.
pub type Finished = Vec<(usize, Option<Vec<Outputs>>)>;

/// The helpers of one call. Without threads, whoever runs a model can't answer while it computes; so a helper has a second
/// job waiting, and results are fetched between two runs.
pub trait Helpers {
    /// Notes the time that the rest of the call would take alone, in milliseconds. Helpers may be started because of it.
    fn expect(&mut self, milliseconds: f64);
    /// Offers a job. False if no helper has room for it.
    fn offer(&mut self, job: usize, sequences: &[Sequence]) -> bool;
    /// Takes back a job that waits at a helper; its results won't be returned.
    fn reclaim(&mut self) -> Option<usize>;
    /// The results that have arrived since the last call. If there are none, waits for some at most `milliseconds`.
    fn finished(&mut self, milliseconds: f64) -> Pin<Box<dyn Future<Output = Finished> + '_>>;
    /// Returns whether the helpers can share a run now: they are ready, idle, and have memory in common with this worker.
    fn can_share(&self) -> bool;
    /// Has the helpers begin their parts of a run; `None` if they can't.
    fn share(&mut self, run: &SharedRun<'_>) -> Option<Box<dyn Exchange>>;
    /// Gives up all helpers that have a job: they have stopped responding.
    fn give_up(&mut self);
}
