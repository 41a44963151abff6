//! The measurements of `mobilebert bench` and of the latency page: a network on a device, run over fixed ids, with its
//! results compared with stored ones.

mod adapter;
mod profile;
mod seeding;
mod stored;
mod variants;

pub use adapter::{AdapterLimits, DispatchOverhead};
pub use profile::{KernelProfile, KernelTime, OfLimit, Parts, StepProfile};
pub use seeding::{Seeding, SeedingTimes};
pub use stored::{Check, Logits, Sample, Stored};
pub use variants::{Variant, stored, variants};

use crate::clock::now_ms;
use crate::cpu::{Division, Exchange};
use crate::error::Result;
use crate::executor::Executor;
use crate::model::Model;
use crate::plan::{ModelPart, ParameterId, Plan, Request};
use crate::session::{DeviceReport, Outputs, Schedules, Sequence, Session};

/// A network on its device, ready to be timed.
pub struct Benchmark {
    session: Session,
}

/// One run of a batch.
pub struct Run {
    /// Wall-clock time from token ids to results in memory: padding, upload of the ids, the network, readback.
    pub milliseconds: f64,
    /// The results of the first sequence.
    pub outputs: Outputs,
}

impl Benchmark {
    /// Benchmarks a loaded model. Its tokenizer isn't used.
    pub fn new(model: Model) -> Self {
        Benchmark { session: model.into_session() }
    }

    /// The name of the model's class in `transformers`.
    pub fn architecture(&self) -> String {
        self.session.network().config.architecture()
    }

    /// Number of trained values.
    pub fn parameters(&self) -> u64 {
        ModelPart::ALL.iter().map(|part| self.session.network().parameter_count(*part)).sum()
    }

    /// The grouping of operations into kernels, by the size of a run.
    pub fn schedules(&self) -> Schedules {
        self.session.schedules()
    }

    /// The device in use, and why.
    pub fn device(&self) -> &DeviceReport {
        self.session.device()
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Number of CPU threads that compute; `None` on a GPU.
    pub fn threads(&self) -> Option<usize> {
        match self.session.executor() {
            Executor::Cpu(executor) => Some(executor.threads()),
            Executor::Gpu(_) => None,
        }
    }

    /// Number of dispatches in a run over `batch` sequences of this length.
    ///
    /// # Errors
    /// If the length or batch size is out of range.
    pub fn dispatches(&self, sequence: usize, batch: usize) -> Result<usize> {
        Ok(self.padded_plan(sequence, batch)?.steps.len())
    }

    /// Bytes of a run's activations, padding included.
    ///
    /// # Errors
    /// If the length or batch size is out of range.
    pub fn activation_bytes(&self, sequence: usize, batch: usize) -> Result<u64> {
        Ok(self.padded_plan(sequence, batch)?.activation_bytes())
    }

    /// Maximum number of values that workers exchange at a time when they share a run over one sequence;
    /// `None` if its steps can't be divided.
    ///
    /// # Errors
    /// If the length is out of range.
    pub fn exchanged(&self, sequence: usize) -> Result<Option<usize>> {
        let plan = self.padded_plan(sequence, 1)?;
        Ok(Division::of(&plan).map(|division| division.floats(&plan)))
    }

    /// The plan of a run, padded as in a session.
    fn padded_plan(&self, sequence: usize, batch: usize) -> Result<Plan> {
        let sequence = sequence.next_multiple_of(self.session.executor().bucket());
        let sequence = sequence.min(self.session.limits().max_sequence);
        let schedule = self.schedules().of(batch * sequence);
        self.session.network().plan(Request { batch, sequence, schedule, ..Request::default() })
    }

    /// Bytes of all parameters on the device.
    pub fn weight_bytes(&self) -> u64 {
        let parameters = 0..self.session.network().parameters.len();
        parameters.map(|id| self.session.parameter_bytes(ParameterId(id))).sum()
    }

    /// Runs `batch` sequences of `sequence` tokens each, at once where the batch is a power of two.
    ///
    /// # Errors
    /// Same as [`Session::run`].
    pub async fn run(&mut self, sequence: usize, batch: usize) -> Result<Run> {
        let sequences = vec![self.fixed(sequence); batch];
        let before = now_ms();
        let outputs = self.session.run_together(&sequences).await?;
        let milliseconds = now_ms() - before;
        Ok(Run { milliseconds, outputs: outputs.into_iter().next().unwrap_or_default() })
    }

    /// Computes this worker's part of a run over one sequence while the other workers compute theirs; each of
    /// them gets the results. `None` if a worker was lost, or if the run can't be divided.
    ///
    /// # Errors
    /// Same as [`Session::run_shared`].
    pub fn run_part(&mut self, sequence: usize, exchange: Box<dyn Exchange>) -> Result<Option<Run>> {
        let sequences = [self.fixed(sequence)];
        let before = now_ms();
        let mut exchange = Some(exchange);
        let outputs = self.session.run_shared(&sequences, sequence, &mut |_| exchange.take())?;
        let milliseconds = now_ms() - before;
        let first = |outputs: Vec<Outputs>| outputs.into_iter().next().unwrap_or_default();
        Ok(outputs.map(|outputs| Run { milliseconds, outputs: first(outputs) }))
    }

    fn fixed(&self, sequence: usize) -> Sequence {
        let limits = self.session.limits();
        fixed(sequence, limits.vocab_size, limits.type_vocab_size)
    }
}

/// The fixed tokens for a length, the same in every run and in `tests/goldens/bench_logits.py`. If there are
/// token types, the second half has the second one, like a question's context.
fn fixed(length: usize, vocabulary: usize, types: usize) -> Sequence {
    // Ids repeat every `vocabulary` positions and fit in 32 bits.
    let ids = (1..=length).map(|place| ((7919 * (place as u64)) % vocabulary.max(1) as u64) as u32).collect();
    let kind = |place: usize| (2 * place / length).min(types.saturating_sub(1)) as u32;
    Sequence::new(ids, (0..length).map(kind).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_are_those_of_the_stored_logits() {
        let sequence = fixed(5, 30522, 2);
        assert_eq!(sequence.input_ids, [7919, 15838, 23757, 1154, 9073]);
        assert_eq!(sequence.token_type_ids, [0, 0, 0, 1, 1]);
        assert_eq!(fixed(4, 10, 0).token_type_ids, [0; 4]);
    }
}
