//! Code shared by all tasks: constructors, the check of the model's head, and a timed call from text to
//! results.

use std::ops::ControlFlow;
use std::pin::Pin;

use serde::Serialize;

use super::Model;
use super::ahead::{Ahead, Batching, Job};
use crate::clock::now_ms;
use crate::config::Head;
use crate::error::{Error, Result};
use crate::session::{ExtraOutputs, MAX_ROWS, Outputs, Sequence};
use crate::text::Tokenizer;
use crate::text::sequence::Encoded;
use crate::weights::Tensor;

/// Declares the type of a task, a [`Model`] whose head fits, with `new`, `open`, `borrow`, `model` and `device`.
///
/// `$head` is the head that `open` looks for.
macro_rules! declare_task {
    ($(#[$documentation:meta])* $task:ident, $name:literal, $heads:pat, $head:expr) => {
        $(#[$documentation])*
        #[derive(bytemuck::TransparentWrapper)]
        #[repr(transparent)]
        pub struct $task(pub(super) $crate::model::Model);

        impl $task {
            /// Wraps a loaded model.
            ///
            /// # Errors
            /// [`Error::Unsupported`](crate::error::Error) if the model has another head,
            /// [`Error::NotFound`](crate::error::Error) if it has no tokenizer.
            pub fn new(model: $crate::model::Model) -> $crate::error::Result<Self> {
                model.check_task($name, |head| matches!(head, $heads))?;
                Ok($task(model))
            }

            /// Like `new`, for a caller that keeps the model.
            ///
            /// # Errors
            /// Same as `new`.
            pub fn borrow(model: &mut $crate::model::Model) -> $crate::error::Result<&mut Self> {
                model.check_task($name, |head| matches!(head, $heads))?;
                Ok(bytemuck::TransparentWrapper::wrap_mut(model))
            }

            /// Opens a model directory; see [`Model::open`](crate::model::Model::open).
            ///
            /// # Errors
            /// Same as `new`, and any missing or invalid part of the directory.
            #[cfg(not(target_arch = "wasm32"))]
            pub async fn open(
                directory: impl AsRef<std::path::Path>,
                options: &$crate::session::SessionOptions,
            ) -> $crate::error::Result<Self> {
                Self::new($crate::model::Model::open_for(directory, $head, options).await?)
            }

            /// The model.
            pub fn model(&mut self) -> &mut $crate::model::Model {
                &mut self.0
            }

            /// The device that the model runs on, and why.
            pub fn device(&self) -> &$crate::session::DeviceReport {
                self.0.device()
            }
        }
    };
}
pub(super) use declare_task;

/// A progress listener as a trait object, so that [`Model::run_many`] is compiled only once.
pub(super) trait Progress {
    /// Gets the number of finished inputs; may stop the call.
    fn note(&mut self, done: usize) -> Pin<Box<dyn Future<Output = ControlFlow<()>> + '_>>;
}

impl<F: AsyncFnMut(usize) -> ControlFlow<()>> Progress for F {
    fn note(&mut self, done: usize) -> Pin<Box<dyn Future<Output = ControlFlow<()>> + '_>> {
        Box::pin(self(done))
    }
}

/// Maximum number of inputs per chunk of [`Model::run_many`]; a call can be stopped between chunks.
const MAX_CHUNK: usize = 16;

/// Duration of each part of a call, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Timing {
    /// Text to token ids.
    pub tokenize: f64,
    /// The network, readback included.
    pub compute: f64,
    /// Logits to results.
    pub postprocess: f64,
    /// The whole call.
    pub total: f64,
}

/// Times the parts of one call: each method adds the time since the previous one was called.
pub(super) struct Stopwatch {
    start: f64,
    lap: f64,
    timing: Timing,
}

impl Stopwatch {
    pub fn start() -> Self {
        let now = now_ms();
        Stopwatch { start: now, lap: now, timing: Timing::default() }
    }

    pub fn tokenized(&mut self) {
        self.timing.tokenize += self.lap();
    }

    pub fn computed(&mut self) {
        self.timing.compute += self.lap();
    }

    /// Counts this many milliseconds of the time since the last part as tokenizing, and the rest as
    /// computing.
    pub fn computed_besides(&mut self, tokenizing: f64) {
        self.timing.tokenize += tokenizing;
        self.timing.compute += self.lap() - tokenizing;
    }

    pub fn postprocessed(&mut self) {
        self.timing.postprocess += self.lap();
    }

    /// Counts the time since the last part only in the total.
    pub fn skip(&mut self) {
        self.lap();
    }

    pub fn timing(&self) -> Timing {
        Timing { total: now_ms() - self.start, ..self.timing }
    }

    fn lap(&mut self) -> f64 {
        let now = now_ms();
        now - std::mem::replace(&mut self.lap, now)
    }
}

impl Model {
    /// Fails unless the head fits the task and there is a tokenizer.
    pub(super) fn check_task(&self, task: &str, fits: impl Fn(Head) -> bool) -> Result<()> {
        if !fits(self.config.head) {
            let what = format!("{task} with a {}", self.config.architecture());
            return Err(Error::unsupported(what, "load a model that was trained for this task"));
        }
        self.tokenizer().map(drop)
    }

    /// An input of the network, unless it has a token without an embedding.
    fn sequence(&self, encoded: &Encoded) -> Result<Sequence> {
        self.check_ids(&encoded.ids)?;
        Ok(Sequence::new(encoded.ids.clone(), encoded.type_ids.clone()))
    }

    /// One call of a task on a single input: `tokenize` gets the tokenizer and the model's maximum length, and
    /// `postprocess` turns the outputs into a result.
    pub(super) async fn run_once<T>(
        &mut self,
        tokenize: impl FnOnce(&Tokenizer, usize) -> Result<Encoded>,
        postprocess: impl Fn(&Model, &Encoded, &Outputs) -> Result<T>,
    ) -> Result<(T, Timing)> {
        let mut stopwatch = Stopwatch::start();
        let encoded = tokenize(self.tokenizer()?, self.max_length())?;
        let sequence = self.sequence(&encoded)?;
        stopwatch.tokenized();
        let outputs = self.session.run(&[sequence], ExtraOutputs::default()).await?;
        stopwatch.computed();
        let [outputs] = &outputs[..] else {
            return Err(Error::internal("run", "one sequence didn't give one result"));
        };
        let result = postprocess(self, &encoded, outputs)?;
        stopwatch.postprocessed();
        Ok((result, stopwatch.timing()))
    }

    /// Creates, runs and processes any number of inputs in chunks of about one run. After each chunk except
    /// the last, `progress` gets the number of finished inputs and may stop the call.
    pub(super) async fn run_many(
        &mut self,
        count: usize,
        encode: &dyn Fn(&Model, usize) -> Result<Encoded>,
        take: &mut dyn FnMut(&Encoded, &Outputs) -> Result<()>,
        progress: &mut dyn Progress,
        stopwatch: &mut Stopwatch,
    ) -> Result<()> {
        let (mut begun, mut done) = (0, 0);
        let mut next_inputs = |model: &Model| {
            if begun == count {
                return Ok(None);
            }
            let (mut chunk, mut tokens) = (Vec::new(), 0);
            while begun < count && chunk.len() < MAX_CHUNK && tokens < MAX_ROWS {
                let encoded = encode(model, begun)?;
                tokens += encoded.ids.len();
                chunk.push(encoded);
                begun += 1;
            }
            let sequences =
                chunk.iter().map(|encoded| model.sequence(encoded)).collect::<Result<Vec<_>>>()?;
            Ok(Some(Job { about: chunk, sequences, left: count - begun }))
        };
        let mut ahead = Ahead::new(self, Batching::ByLength, &mut next_inputs);
        while let Some((chunk, outputs)) = ahead.next(self).await? {
            stopwatch.computed_besides(ahead.making());
            chunk.iter().zip(&outputs).try_for_each(|(encoded, outputs)| take(encoded, outputs))?;
            done += chunk.len();
            stopwatch.postprocessed();
            if done < count && progress.note(done).await.is_break() {
                return Err(Error::Aborted);
            }
            stopwatch.skip();
        }
        Ok(())
    }
}

/// An output by name, or an internal error that names the missing one.
pub(super) fn output<'a>(outputs: &'a Outputs, name: &str) -> Result<&'a Tensor> {
    outputs.get(name).ok_or_else(|| Error::internal(name, "is not among the results of the plan"))
}
