//! A run that several workers share, each with its own executor and parameters. Rows are computed as in a run of one
//! worker, so the results are the same bit for bit.

use std::ops::Range;

use super::Executor;
use super::division::{Division, Share};
use crate::error::Result;
use crate::plan::{BufferId, Inputs, Plan};

/// Memory that all workers of a run share.
pub trait Exchange {
    /// This worker's part.
    fn share(&self) -> Share;
    /// Writes values to the memory, from the `offset`-th on.
    fn put(&mut self, offset: usize, values: &[f32]);
    /// Waits until every worker has come here. False if one is lost; the run is then without a result.
    fn wait(&mut self) -> bool;
    /// Reads values that were written before the last wait.
    fn get(&mut self, offset: usize, values: &mut [f32]);
}

impl Executor {
    /// Computes one worker's part of a run, and its results like [`Executor::run`]; `None` if another worker was lost.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub fn run_shared(
        &mut self,
        plan: &Plan,
        division: &Division,
        inputs: &Inputs,
        exchange: &mut dyn Exchange,
    ) -> Result<Option<Vec<Vec<f32>>>> {
        self.prepare(plan, inputs)?;
        let count = plan.request.batch * plan.request.sequence;
        let tokens = exchange.share().of(count);
        for (step, gathered) in plan.steps.iter().zip(&division.gathers) {
            if !self.gather(plan, gathered, count, &tokens, exchange) {
                return Ok(None);
            }
            let rows = division.by_token[step.output.0].then(|| (tokens.clone(), count));
            self.workers.restrict(rows);
            let computed = self.step(plan, inputs, step);
            self.workers.restrict(None);
            computed?;
        }
        let last = division.gathers.last().map_or(&[][..], Vec::as_slice);
        if !self.gather(plan, last, count, &tokens, exchange) {
            return Ok(None);
        }
        let results = plan.outputs.iter().map(|output| self.read(plan, output.buffer, &output.name));
        results.collect::<Result<_>>().map(Some)
    }

    /// Completes buffers of which each worker has computed the rows of its tokens, out of `count`.
    fn gather(
        &mut self,
        plan: &Plan,
        buffers: &[BufferId],
        count: usize,
        tokens: &Range<usize>,
        exchange: &mut dyn Exchange,
    ) -> bool {
        if buffers.is_empty() {
            return true;
        }
        let place = |id: &BufferId| {
            let buffer = &plan.buffers[id.0];
            let width = buffer.len / count;
            (buffer.slot, buffer.len, tokens.start * width..tokens.end * width)
        };
        let mut offset = 0;
        for (slot, len, own) in buffers.iter().map(place) {
            exchange.put(offset + own.start, &self.slots[slot][own]);
            offset += len;
        }
        if !exchange.wait() {
            return false;
        }
        offset = 0;
        for (slot, len, own) in buffers.iter().map(place) {
            let values = &mut self.slots[slot][..len];
            exchange.get(offset, &mut values[..own.start]);
            exchange.get(offset + own.end, &mut values[own.end..]);
            offset += len;
        }
        true
    }
}
