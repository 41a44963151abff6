//! A loaded model and its task. One call at a time: the package keeps the queue.

use std::ops::ControlFlow;

use js_sys::{Array, Float32Array, Function, Promise};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::options::{
    EmbedOptions, FillOptions, LabelOptions, NoOptions, QuestionOptions, TextOrPair, object, parse,
};
use super::view;
use crate::config::Head;
use crate::error::{Error, Result};
use crate::gpu;

use crate::model::{
    Encoder, FillMask, Model, Pooling, Progress, QuestionAnswering, Text, TextClassification,
    TokenClassification,
};
use crate::session::{DeviceKind, DeviceReport, Session};

/// A model by what its head does.
enum Task {
    QuestionAnswering(QuestionAnswering),
    TextClassification(TextClassification),
    TokenClassification(TokenClassification),
    FillMask(FillMask),
    Encoder(Encoder),
    Other(Model),
}

/// A loaded model; each method says which task it needs.
#[wasm_bindgen(js_name = Model)]
pub struct WasmModel(Task);

impl WasmModel {
    /// Takes a loaded model.
    ///
    /// # Errors
    /// Where the model has no tokenizer.
    pub fn new(model: Model) -> Result<Self> {
        Ok(WasmModel(match model.config().head {
            Head::QuestionAnswering => Task::QuestionAnswering(QuestionAnswering::new(model)?),
            Head::SequenceClassification => Task::TextClassification(TextClassification::new(model)?),
            Head::TokenClassification => Task::TokenClassification(TokenClassification::new(model)?),
            Head::MaskedLanguageModel | Head::PreTraining => Task::FillMask(FillMask::new(model)?),
            Head::Encoder => Task::Encoder(Encoder::new(model)?),
            Head::NextSentence | Head::MultipleChoice => Task::Other(model),
        }))
    }

    fn model(&mut self) -> &mut Model {
        match &mut self.0 {
            Task::QuestionAnswering(task) => task.model(),
            Task::TextClassification(task) => task.model(),
            Task::TokenClassification(task) => task.model(),
            Task::FillMask(task) => task.model(),
            Task::Encoder(task) => task.model(),
            Task::Other(model) => model,
        }
    }
}

/// What the model occupies.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    wasm_bytes: usize,
    gpu_buffers: usize,
    gpu_bytes: u64,
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// `{ kind: "webgpu" | "wasm", adapter, fallback, reason }`.
    pub fn device(&mut self) -> Result<JsValue, JsValue> {
        Ok(device_object(self.model().device())?)
    }

    /// What the head does, by the names that `pipeline()` takes.
    pub fn task(&mut self) -> String {
        match self.model().config().head {
            Head::QuestionAnswering => "question-answering",
            Head::SequenceClassification => "text-classification",
            Head::TokenClassification => "token-classification",
            Head::MaskedLanguageModel | Head::PreTraining => "fill-mask",
            Head::NextSentence => "next-sentence",
            Head::MultipleChoice => "multiple-choice",
            Head::Encoder => "feature-extraction",
        }
        .to_string()
    }

    /// Labels by class; none for heads without.
    pub fn labels(&mut self) -> Vec<String> {
        self.model().config().labels.clone()
    }

    /// Answers a question. `on_partial(progress)` is awaited between windows; `false` stops the reading.
    pub async fn ask(
        &mut self,
        question: String,
        context: String,
        options: JsValue,
        on_partial: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let options = parse::<QuestionOptions>("options", &options)?.ask();
        let Task::QuestionAnswering(task) = &mut self.0 else {
            return Err(wrong_task("question answering").into());
        };
        let mut thrown = None;
        let progress = async |progress: Progress| match report(on_partial.as_ref(), &progress).await {
            Ok(flow) => flow,
            Err(error) => {
                thrown = Some(error);
                ControlFlow::Break(())
            }
        };
        let reply = task.ask_with(&question, &context, &options, progress).await?;
        match thrown {
            Some(error) => Err(error),
            None => Ok(object(&view::Reply::from(reply))?),
        }
    }

    /// Labels of each of `texts`, an array of strings and pairs of strings.
    pub async fn classify(&mut self, texts: JsValue, options: JsValue) -> Result<JsValue, JsValue> {
        parse::<NoOptions>("options", &options)?;
        let texts: Vec<TextOrPair> = parse("texts", &texts)?;
        let Task::TextClassification(task) = &mut self.0 else {
            return Err(wrong_task("text classification").into());
        };
        let texts: Vec<Text<'_>> = texts.iter().map(TextOrPair::as_text).collect();
        Ok(object(&task.classify(&texts).await?)?)
    }

    /// The labelled parts of a text.
    #[wasm_bindgen(js_name = labelTokens)]
    pub async fn label_tokens(&mut self, text: String, options: JsValue) -> Result<JsValue, JsValue> {
        let options: LabelOptions = parse("options", &options)?;
        let Task::TokenClassification(task) = &mut self.0 else {
            return Err(wrong_task("token classification").into());
        };
        let labelled = task.label(&text).await?;
        let tokenizer = task.model().tokenizer()?;
        Ok(object(&view::Labelled::new(&text, &labelled, options.aggregation, tokenizer))?)
    }

    /// The likeliest pieces for every mask of a text.
    #[wasm_bindgen(js_name = fillMask)]
    pub async fn fill_mask(&mut self, text: String, options: JsValue) -> Result<JsValue, JsValue> {
        let options: FillOptions = parse("options", &options)?;
        let Task::FillMask(task) = &mut self.0 else {
            return Err(wrong_task("fill-mask").into());
        };
        let filled = task.fill(&text, options.top_k.unwrap_or(5)).await?;
        Ok(object(&view::Filled::from(filled))?)
    }

    /// A `Float32Array` a text; without pooling an array of them, one a token.
    pub async fn encode(&mut self, texts: JsValue, options: JsValue) -> Result<Array, JsValue> {
        let options: EmbedOptions = parse("options", &options)?;
        let texts: Vec<String> = parse("texts", &texts)?;
        let Task::Encoder(task) = &mut self.0 else {
            return Err(wrong_task("encoding").into());
        };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let options = options.encode();
        let embeddings = task.encode(&texts, options).await?;
        let width = task.model().config().hidden_size;
        let floats = |values: &[f32]| JsValue::from(Float32Array::from(values));
        let vectors = embeddings.iter().map(|embedding| match options.pooling {
            Pooling::None => embedding.vector.chunks_exact(width).map(floats).collect::<Array>().into(),
            Pooling::Mean | Pooling::First => floats(&embedding.vector),
        });
        Ok(vectors.collect())
    }

    /// `{ wasmBytes, gpuBuffers, gpuBytes }`.
    pub fn memory(&mut self) -> Result<JsValue, JsValue> {
        Ok(memory_object(self.model().session())?)
    }
}

async fn report(
    on_partial: Option<&Function>,
    progress: &Progress,
) -> std::result::Result<ControlFlow<()>, JsValue> {
    let Some(on_partial) = on_partial else { return Ok(ControlFlow::Continue(())) };
    let argument = object(&view::Partial::from(progress))?;
    let said = on_partial.call1(&JsValue::UNDEFINED, &argument)?;
    let said = JsFuture::from(Promise::resolve(&said)).await?;
    Ok(if said == JsValue::FALSE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
}

fn wrong_task(wanted: &str) -> Error {
    Error::unsupported(format!("{wanted} with this model"), "its head does something else; see task()")
}

/// `{ wasmBytes, gpuBuffers, gpuBytes }`.
pub fn memory_object(session: &Session) -> Result<JsValue> {
    let gpu::Memory { buffers: gpu_buffers, bytes: gpu_bytes } = session.memory();
    // Pages of 64 KiB.
    let wasm_bytes = core::arch::wasm32::memory_size(0) << 16;
    object(&Memory { wasm_bytes, gpu_buffers, gpu_bytes })
}

/// `{ kind, adapter, fallback, reason }`.
pub fn device_object(device: &DeviceReport) -> Result<JsValue> {
    let kind = match device.kind {
        DeviceKind::Gpu => "webgpu",
        DeviceKind::Cpu => "wasm",
    };
    object(&view::Device {
        kind,
        adapter: device.adapter.as_deref().unwrap_or_default(),
        fallback: device.fallback,
        reason: &device.reason,
    })
}
