//! Runs shared by several workers.

use super::{Outputs, Sequence, Session, cut};
use crate::cpu::{Division, Exchange};
use crate::error::{Error, Result};
use crate::plan::{Inputs, Request};

/// A run, as passed to the other workers.
pub struct SharedRun<'a> {
    /// The padded sequences.
    pub inputs: &'a Inputs,
    /// Number of sequences.
    pub batch: usize,
    /// Maximum number of values that the workers exchange at a time.
    pub floats: usize,
}

/// Starts the other workers' parts of a run; `None` if there are no other workers.
pub type BeginRun<'a> = dyn FnMut(&SharedRun<'_>) -> Option<Box<dyn Exchange>> + 'a;

impl Session {
    /// Results of every sequence, in order, with each run shared with other workers. `None` if that isn't
    /// possible, or if a worker was lost.
    ///
    /// # Errors
    /// Same as [`Session::run`].
    pub fn run_shared(
        &mut self,
        sequences: &[Sequence],
        rows: usize,
        begin: &mut BeginRun<'_>,
    ) -> Result<Option<Vec<Outputs>>> {
        let mut results = vec![Outputs::default(); sequences.len()];
        for group in self.groups(sequences, rows)? {
            let (plan, inputs) = self.prepare(sequences, &group, Request::default())?;
            let Some(division) = Division::of(&plan) else { return Ok(None) };
            let run =
                SharedRun { inputs: &inputs, batch: group.members.len(), floats: division.floats(&plan) };
            let Some(mut exchange) = begin(&run) else { return Ok(None) };
            let buffers = self.executor.run_shared(&plan, &division, &inputs, exchange.as_mut())?;
            let Some(buffers) = buffers else { return Ok(None) };
            cut::group(&plan, &buffers, sequences, &group, &mut results);
        }
        Ok(Some(results))
    }

    /// Computes a part of another worker's run. Returns false if a worker was lost.
    ///
    /// # Errors
    /// Same as [`Session::run`].
    pub fn take_part(&mut self, inputs: &Inputs, batch: usize, exchange: &mut dyn Exchange) -> Result<bool> {
        let sequence = inputs.input_ids.len() / batch.max(1);
        let plan = self.plan(batch, sequence, Request::default())?;
        let division = Division::of(&plan);
        let division = division.ok_or_else(|| Error::internal("run", "its steps don't divide"))?;
        let results = self.executor.run_shared(&plan, &division, inputs, exchange)?;
        Ok(results.is_some())
    }
}
