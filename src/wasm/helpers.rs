//! Other workers with the same model, provided by JavaScript: jobs and results as plain arrays.

use std::pin::Pin;

use js_sys::{Array, Float32Array, Promise, Uint32Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::WasmModel;
use crate::cpu::{Exchange, Share};
use crate::error::{Error, Result};
use crate::model::{Finished, Helpers};
use crate::plan::Inputs;
use crate::session::{ExtraOutputs, Outputs, Sequence, SharedRun};
use crate::weights::Tensor;

#[wasm_bindgen]
extern "C" {
    /// The helpers of one call; for the methods, see [`Helpers`].
    pub type CallHelpers;
    #[wasm_bindgen(method)]
    fn expect(this: &CallHelpers, milliseconds: f64);
    #[wasm_bindgen(method)]
    fn offer(this: &CallHelpers, job: usize, sequences: &Array) -> bool;
    #[wasm_bindgen(method)]
    fn reclaim(this: &CallHelpers) -> Option<usize>;
    /// An array of `[job, outputs?]`.
    #[wasm_bindgen(method)]
    fn finished(this: &CallHelpers, milliseconds: f64) -> Promise;
    #[wasm_bindgen(method, js_name = giveUp)]
    fn give_up(this: &CallHelpers);
    #[wasm_bindgen(method, js_name = canShare)]
    fn can_share(this: &CallHelpers) -> bool;
    /// `inputs` contains the ids, types and mask of all padded sequences.
    #[wasm_bindgen(method)]
    fn share(this: &CallHelpers, inputs: &Array, batch: usize, floats: usize) -> Option<SharedMemory>;

    /// Memory shared by the workers of a run; for the methods, see [`Exchange`].
    pub type SharedMemory;
    #[wasm_bindgen(method, getter)]
    fn part(this: &SharedMemory) -> usize;
    #[wasm_bindgen(method, getter)]
    fn parts(this: &SharedMemory) -> usize;
    #[wasm_bindgen(method)]
    fn put(this: &SharedMemory, offset: usize, values: &[f32]);
    #[wasm_bindgen(method)]
    fn wait(this: &SharedMemory) -> bool;
    #[wasm_bindgen(method)]
    fn get(this: &SharedMemory, offset: usize, values: &mut [f32]);
}

impl Exchange for SharedMemory {
    fn share(&self) -> Share {
        Share { part: self.part(), parts: self.parts() }
    }

    fn put(&mut self, offset: usize, values: &[f32]) {
        SharedMemory::put(self, offset, values);
    }

    fn wait(&mut self) -> bool {
        SharedMemory::wait(self)
    }

    fn get(&mut self, offset: usize, values: &mut [f32]) {
        SharedMemory::get(self, offset, values);
    }
}

impl Helpers for CallHelpers {
    fn expect(&mut self, milliseconds: f64) {
        CallHelpers::expect(self, milliseconds);
    }

    fn offer(&mut self, job: usize, sequences: &[Sequence]) -> bool {
        let plain = |sequence: &Sequence| {
            let arrays = [&sequence.input_ids, &sequence.token_type_ids];
            arrays.map(|values| Uint32Array::from(&values[..])).into_iter().collect::<Array>()
        };
        CallHelpers::offer(self, job, &sequences.iter().map(plain).collect())
    }

    fn reclaim(&mut self) -> Option<usize> {
        CallHelpers::reclaim(self)
    }

    fn finished(&mut self, milliseconds: f64) -> Pin<Box<dyn Future<Output = Finished> + '_>> {
        let finished = JsFuture::from(CallHelpers::finished(self, milliseconds));
        Box::pin(async { finished.await.map(|all| read_finished(&all)).unwrap_or_default() })
    }

    fn can_share(&self) -> bool {
        CallHelpers::can_share(self)
    }

    fn share(&mut self, run: &SharedRun<'_>) -> Option<Box<dyn Exchange>> {
        let Inputs { input_ids, token_type_ids, attention_mask } = run.inputs;
        let inputs = [input_ids, token_type_ids, attention_mask].map(|values| Uint32Array::from(&values[..]));
        let memory = CallHelpers::share(self, &inputs.into_iter().collect(), run.batch, run.floats)?;
        Some(Box::new(memory))
    }

    fn give_up(&mut self) {
        CallHelpers::give_up(self);
    }
}

fn read_finished(all: &JsValue) -> Finished {
    let read = |pair: JsValue| {
        let pair = Array::from(&pair);
        let outputs = Some(pair.get(1)).filter(|outputs| !outputs.is_undefined());
        let outputs = outputs.map(|outputs| Array::from(&outputs).iter().map(read_outputs).collect());
        (pair.get(0).as_f64().unwrap_or_default() as usize, outputs)
    };
    Array::from(all).iter().map(read).collect()
}

/// Outputs from an array of `[name, shape, values]`.
fn read_outputs(outputs: JsValue) -> Outputs {
    let tensor = |tensor: JsValue| {
        let tensor = Array::from(&tensor);
        let shape = Uint32Array::new(&tensor.get(1)).to_vec().into_iter().map(|size| size as usize).collect();
        let data = Float32Array::new(&tensor.get(2)).to_vec();
        (tensor.get(0).as_string().unwrap_or_default(), Tensor { shape, data })
    };
    Array::from(&outputs).iter().map(tensor).collect()
}

fn write_outputs(outputs: &Outputs) -> Array {
    let tensor = |(name, tensor): (&str, &Tensor)| {
        let shape: Vec<u32> = tensor.shape.iter().map(|&size| size as u32).collect();
        Array::of3(
            &name.into(),
            &Uint32Array::from(&shape[..]).into(),
            &Float32Array::from(&tensor.data[..]).into(),
        )
    };
    outputs.iter().map(tensor).collect()
}

fn read_sequence(sequence: JsValue) -> Sequence {
    let arrays = Array::from(&sequence);
    let values = |index| Uint32Array::new(&arrays.get(index)).to_vec();
    Sequence::new(values(0), values(1))
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// Sets the helpers of the next call, an object with the methods of [`CallHelpers`], or removes them.
    #[wasm_bindgen(js_name = setHelpers)]
    pub fn set_helpers(&mut self, helpers: Option<CallHelpers>) {
        self.0.set_helpers(helpers.map(|helpers| Box::new(helpers) as Box<dyn Helpers>));
    }

    /// Runs sequences offered by a call in another worker; the results are for its `finished`.
    pub async fn run(&mut self, sequences: Array) -> Result<Array, JsValue> {
        let sequences: Vec<Sequence> = sequences.iter().map(read_sequence).collect();
        if sequences.is_empty() {
            return Err(Error::invalid_input("sequences", "is empty").into());
        }
        let outputs = self.0.run(&sequences, ExtraOutputs::default()).await?;
        Ok(outputs.iter().map(write_outputs).collect())
    }

    /// Computes a part of a run shared by a call in another worker. Returns false if a worker was lost.
    #[wasm_bindgen(js_name = takePart)]
    pub fn take_part(
        &mut self,
        inputs: Array,
        batch: usize,
        mut memory: SharedMemory,
    ) -> Result<bool, JsValue> {
        let values = |index| Uint32Array::new(&inputs.get(index)).to_vec();
        let inputs = Inputs { input_ids: values(0), token_type_ids: values(1), attention_mask: values(2) };
        Ok(self.0.session().take_part(&inputs, batch, &mut memory)?)
    }
}
