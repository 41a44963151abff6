//! Runs the jobs of a long call and returns their results in order. Meanwhile, helpers run later jobs.

use std::collections::VecDeque;

use super::{Helpers, Model};
use crate::clock::now_ms;
use crate::error::Result;
use crate::session::{ExtraOutputs, MAX_ROWS, Outputs, Sequence};
use crate::trial::{Order, Trial};

/// Minimum time to wait for a helper's last job, in milliseconds, before running it again here.
const PATIENCE: f64 = 2_000.0;
/// Or this many times the longest run here, whichever is longer.
const PATIENCE_RUNS: f64 = 4.0;

/// Some of a call's sequences, to be run together.
pub(super) struct Job<T> {
    /// The caller's data about the job, returned with the results.
    pub about: T,
    /// The sequences; at least one.
    pub sequences: Vec<Sequence>,
    /// Number of the call's sequences that aren't part of a job yet.
    pub left: usize,
}

/// How the sequences of a job are run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Batching {
    /// In batches of similar lengths.
    ByLength,
    /// In one batch, if possible; its time is recorded for choosing the batch size.
    Together,
}

/// The state of a job.
enum State {
    /// Not started.
    Waiting,
    /// Handed to a helper.
    Away,
    /// Done.
    Done(Vec<Outputs>),
}

struct Begun<T> {
    job: Job<T>,
    state: State,
}

/// Creates the next job; `None` after the last.
pub(super) type MakeJob<'a, T> = dyn FnMut(&Model) -> Result<Option<Job<T>>> + 'a;

/// A call's jobs.
pub(super) struct Ahead<'a, T> {
    make: &'a mut MakeJob<'a, T>,
    batching: Batching,
    helpers: Option<Box<dyn Helpers>>,
    /// Jobs that have been created but whose results haven't been returned, in order.
    begun: VecDeque<Begun<T>>,
    /// Number of the first of these jobs.
    first: usize,
    /// Milliseconds spent in `make` since the last call of [`Ahead::making`].
    making: f64,
    /// The longest run here, in milliseconds.
    longest: f64,
}

impl<'a, T> Ahead<'a, T> {
    /// Uses the model's helpers, if any.
    pub fn new(model: &mut Model, batching: Batching, make: &'a mut MakeJob<'a, T>) -> Self {
        let helpers = model.helpers.take();
        Ahead { make, batching, helpers, begun: VecDeque::new(), first: 0, making: 0.0, longest: 0.0 }
    }

    /// Milliseconds spent on making jobs since the last call.
    pub fn making(&mut self) -> f64 {
        std::mem::take(&mut self.making)
    }

    /// The next job's results; `None` after the last.
    ///
    /// # Errors
    /// The error of `make`, or same as [`crate::session::Session::run`]. If a helper fails, its job is run
    /// here instead.
    pub async fn next(&mut self, model: &mut Model) -> Result<Option<(T, Vec<Outputs>)>> {
        loop {
            if let Some(done) = self.take_first() {
                return Ok(Some(done));
            }
            let local = self.waiting(0, model)?;
            if local.is_none() && self.begun.is_empty() {
                return Ok(None);
            }
            self.hand_out(local, model)?;
            let is_idle = match local {
                Some(local) => self.run(local, model).await.map(|()| false)?,
                None => !self.take_back(),
            };
            self.collect(is_idle).await;
        }
    }

    fn take_first(&mut self) -> Option<(T, Vec<Outputs>)> {
        let State::Done(outputs) = &mut self.begun.front_mut()?.state else { return None };
        let outputs = std::mem::take(outputs);
        self.first += 1;
        self.begun.pop_front().map(|begun| (begun.job.about, outputs))
    }

    /// Index of the first job from index `from` on that hasn't been started: an existing one, otherwise a new
    /// one.
    fn waiting(&mut self, from: usize, model: &Model) -> Result<Option<usize>> {
        let waits = |begun: &Begun<T>| matches!(begun.state, State::Waiting);
        if let Some(offset) = self.begun.iter().skip(from).position(waits) {
            return Ok(Some(from + offset));
        }
        let before = now_ms();
        let job = (self.make)(model)?;
        self.making += now_ms() - before;
        Ok(job.map(|job| {
            self.begun.push_back(Begun { job, state: State::Waiting });
            self.begun.len() - 1
        }))
    }

    /// Offers jobs to the helpers, except the one run here, until their queues are full.
    fn hand_out(&mut self, local: Option<usize>, model: &Model) -> Result<()> {
        let Some(local) = local.filter(|_| self.helpers.is_some()) else { return Ok(()) };
        let mut from = local + 1;
        while let Some(index) = self.waiting(from, model)? {
            let Begun { job, state } = &mut self.begun[index];
            let number = self.first + index;
            if !self.helpers.as_mut().is_some_and(|helpers| helpers.offer(number, &job.sequences)) {
                break;
            }
            *state = State::Away;
            from = index + 1;
        }
        Ok(())
    }

    async fn run(&mut self, index: usize, model: &mut Model) -> Result<()> {
        let is_only = self.begun.len() == 1 && self.begun[index].job.left == 0;
        let Begun { job, state } = &mut self.begun[index];
        let before = now_ms();
        let helpers = self.helpers.as_deref_mut().filter(|_| is_only);
        let outputs = model.run_job(&job.sequences, self.batching, helpers).await?;
        *state = State::Done(outputs);
        let time = now_ms() - before;
        self.longest = self.longest.max(time);
        let per_sequence = time / job.sequences.len() as f64;
        let left = self.begun.back().map_or(0, |last| last.job.left);
        if let Some(helpers) = &mut self.helpers {
            helpers.expect(per_sequence * left as f64);
        }
        Ok(())
    }

    /// Takes back a job that a helper hasn't started, if there is one: once no jobs are left, it is faster to
    /// run it here.
    fn take_back(&mut self) -> bool {
        let job = self.helpers.as_mut().and_then(|helpers| helpers.reclaim());
        let Some(begun) = job.and_then(|job| self.begun.get_mut(job.checked_sub(self.first)?)) else {
            return false;
        };
        begun.state = State::Waiting;
        true
    }

    /// Fetches the helpers' finished results; waits for some if there is nothing to do here.
    async fn collect(&mut self, is_idle: bool) {
        let Some(helpers) = &mut self.helpers else { return };
        let is_away = |begun: &Begun<T>| matches!(begun.state, State::Away);
        let patience = if is_idle { PATIENCE.max(PATIENCE_RUNS * self.longest) } else { 0.0 };
        let finished = helpers.finished(patience).await;
        if is_idle && finished.is_empty() {
            helpers.give_up();
            for begun in self.begun.iter_mut().filter(|begun| is_away(begun)) {
                begun.state = State::Waiting;
            }
        }
        for (job, outputs) in finished {
            let begun = job.checked_sub(self.first).and_then(|index| self.begun.get_mut(index));
            let Some(begun) = begun.filter(|begun| is_away(begun)) else { continue };
            begun.state = outputs.map_or(State::Waiting, State::Done);
        }
    }
}

/// Whether to share a call's only job with all workers or to run it here. Measured, because a core may be
/// slow or busy.
pub(super) fn sharing() -> Trial<bool> {
    Trial::new([false, true], Order::Alternating, 0.95)
}

impl Model {
    /// Runs a job; together with the helpers, if they are given and that is faster.
    async fn run_job(
        &mut self,
        sequences: &[Sequence],
        batching: Batching,
        helpers: Option<&mut (dyn Helpers + 'static)>,
    ) -> Result<Vec<Outputs>> {
        let Some(helpers) = helpers.filter(|helpers| helpers.can_share()) else {
            return self.run_alone(sequences, batching).await;
        };
        let tokens: usize = sequences.iter().map(|sequence| sequence.input_ids.len()).sum();
        let is_shared = self.sharing.next(|_| true);
        let before = now_ms();
        let mut outputs = None;
        if is_shared {
            let rows = match batching {
                Batching::ByLength => MAX_ROWS,
                Batching::Together => sequences.len() * self.session.limits().max_sequence,
            };
            outputs = self.session.run_shared(sequences, rows, &mut |run| helpers.share(run))?;
            if outputs.is_none() {
                helpers.give_up();
            }
        }
        let outputs = match outputs {
            Some(outputs) => outputs,
            None => self.run_alone(sequences, batching).await?,
        };
        self.sharing.note(is_shared, (now_ms() - before) / tokens.max(1) as f64);
        Ok(outputs)
    }

    async fn run_alone(&mut self, sequences: &[Sequence], batching: Batching) -> Result<Vec<Outputs>> {
        match batching {
            Batching::ByLength => self.session.run(sequences, ExtraOutputs::default()).await,
            Batching::Together => self.run_together(sequences).await,
        }
    }
}
