//! A run shared by several workers, each with its own executor and parameters. Rows are computed as in a run
//! by one worker, so the results are bit-identical.

use std::ops::Range;

use super::Executor;
use super::division::{Division, Gathered, Share};
use crate::error::Result;
use crate::plan::{Inputs, Plan};

/// Memory that all workers of a run share.
pub trait Exchange {
    /// This worker's part.
    fn share(&self) -> Share;
    /// Writes values to the memory, starting at index `offset`.
    fn put(&mut self, offset: usize, values: &[f32]);
    /// Waits until every worker has reached this point. Returns false if one was lost; the run then has no
    /// result.
    fn wait(&mut self) -> bool;
    /// Reads values written before the last wait.
    fn get(&mut self, offset: usize, values: &mut [f32]);
}

impl Executor {
    /// Computes one worker's part of a run, and its results like [`Executor::run`]; `None` if another worker was lost.
    ///
    /// # Errors
    /// Same as [`Executor::run`].
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

    /// Completes columns of which each worker has computed the rows of its own tokens, out of `count`. In the
    /// exchange, the rows of a gather's columns are contiguous.
    fn gather(
        &mut self,
        plan: &Plan,
        gathered: &[Gathered],
        count: usize,
        tokens: &Range<usize>,
        exchange: &mut dyn Exchange,
    ) -> bool {
        if gathered.is_empty() {
            return true;
        }
        let mut part = Vec::new();
        let mut offset = 0;
        for columns in gathered {
            part.clear();
            self.rows_of(plan, columns, count, tokens.clone()).for_each(|row| part.extend_from_slice(row));
            exchange.put(offset + tokens.start * columns.width, &part);
            offset += count * columns.width;
        }
        if !exchange.wait() {
            return false;
        }
        offset = 0;
        for columns in gathered {
            for others in [0..tokens.start, tokens.end..count] {
                part.resize(others.len() * columns.width, 0.0);
                exchange.get(offset + others.start * columns.width, &mut part);
                let rows = self.rows_of(plan, columns, count, others);
                rows.zip(part.chunks(columns.width)).for_each(|(row, from)| row.copy_from_slice(from));
            }
            offset += count * columns.width;
        }
        true
    }

    /// Columns of some rows of a buffer that has `count` rows.
    fn rows_of(
        &mut self,
        plan: &Plan,
        columns: &Gathered,
        count: usize,
        rows: Range<usize>,
    ) -> impl Iterator<Item = &mut [f32]> {
        let Gathered { buffer, first, width } = *columns;
        let buffer = &plan.buffers[buffer.0];
        let stride = buffer.len / count;
        let values = &mut self.slots[buffer.slot][rows.start * stride..rows.end * stride];
        values.chunks_exact_mut(stride).map(move |row| &mut row[first..first + width])
    }
}
