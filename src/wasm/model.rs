//! A loaded model. Runs one call at a time: the queue is in the npm package.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::convert::object;
use crate::config::Head;
use crate::error::Result;
use crate::gpu;
use crate::model::Model;
use crate::session::{Choice, DeviceKind, DeviceReport, Session};

/// A loaded model. Each task adds its own method in `tasks/`, which fails if the model has another head.
#[wasm_bindgen(js_name = Model)]
pub struct WasmModel(pub(super) Model);

impl WasmModel {
    /// Wraps a loaded model.
    ///
    /// # Errors
    /// [`crate::error::Error::NotFound`] if there is a task for its head and it has no tokenizer.
    pub fn new(model: Model) -> Result<Self> {
        if !matches!(model.config().head, Head::NextSentence | Head::MultipleChoice) {
            model.tokenizer()?;
        }
        Ok(WasmModel(model))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    wasm_bytes: usize,
    gpu_buffers: usize,
    gpu_bytes: u64,
}

#[derive(Serialize)]
struct Device<'a> {
    kind: &'static str,
    /// Empty without an adapter.
    adapter: &'a str,
    fallback: bool,
    reason: &'a str,
    chosen: &'a Choice,
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// `{ kind: "webgpu" | "wasm", adapter, fallback, reason, chosen }`.
    pub fn device(&self) -> Result<JsValue, JsValue> {
        Ok(device_object(self.0.device())?)
    }

    /// The head's task, named as in `pipeline()`.
    pub fn task(&self) -> String {
        match self.0.config().head {
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

    /// The labels by class; empty for heads without labels.
    pub fn labels(&self) -> Vec<String> {
        self.0.config().labels.clone()
    }

    /// `{ wasmBytes, gpuBuffers, gpuBytes }`.
    pub fn memory(&mut self) -> Result<JsValue, JsValue> {
        Ok(memory_object(self.0.session())?)
    }
}

/// The head needed by a task, named as in `pipeline()`; `None` for an unknown task.
pub fn head_of(task: &str) -> Option<Head> {
    Some(match task {
        "question-answering" => Head::QuestionAnswering,
        "text-classification" | "zero-shot-classification" | "text-ranking" => Head::SequenceClassification,
        "token-classification" => Head::TokenClassification,
        "fill-mask" => Head::MaskedLanguageModel,
        "feature-extraction" => Head::Encoder,
        _ => return None,
    })
}

/// `{ wasmBytes, gpuBuffers, gpuBytes }`.
pub fn memory_object(session: &Session) -> Result<JsValue> {
    let gpu::Memory { buffers: gpu_buffers, bytes: gpu_bytes } = session.memory();
    // In pages of 64 KiB.
    let wasm_bytes = core::arch::wasm32::memory_size(0) << 16;
    object(&Memory { wasm_bytes, gpu_buffers, gpu_bytes })
}

/// `{ kind, adapter, fallback, reason, chosen }`.
pub fn device_object(device: &DeviceReport) -> Result<JsValue> {
    let kind = match device.kind {
        DeviceKind::Gpu => "webgpu",
        DeviceKind::Cpu => "wasm",
    };
    object(&Device {
        kind,
        adapter: device.adapter.as_deref().unwrap_or_default(),
        fallback: device.fallback,
        reason: &device.reason,
        chosen: &device.chosen,
    })
}
