//! The quantizer, for the package's command line: weights as they arrive → a smaller file, part by part.

use wasm_bindgen::prelude::*;

use super::convert::shard_index;
use crate::config::Config;
use crate::error::Error;
use crate::model::Checkpoint;
use crate::weights::{Quantizer, SafetensorsFile, Stream, WeightFormat};

/// Quantizes the weights of a model.
#[wasm_bindgen(js_name = Quantizer)]
pub struct WasmQuantizer {
    checkpoint: Checkpoint,
    stream: Option<Stream>,
    quantizer: Option<Quantizer>,
    file: Option<SafetensorsFile>,
}

#[wasm_bindgen(js_class = Quantizer)]
impl WasmQuantizer {
    /// A quantizer to `f16`, `q8` or `q4` for the model with this `config.json`, and with this index if it is
    /// sharded.
    pub fn create(config: &str, index: Option<String>, dtype: &str) -> Result<WasmQuantizer, JsValue> {
        let quantizer = Some(Quantizer::new(dtype.parse::<WeightFormat>()?));
        let checkpoint = Checkpoint::new(Config::from_json(config)?, shard_index(index.as_deref())?)?;
        Ok(WasmQuantizer { checkpoint, stream: None, quantizer, file: None })
    }

    /// Ends the previous weights file, if any, and starts the one with this name, and with this size in bytes
    /// if known.
    #[wasm_bindgen(js_name = beginFile)]
    pub fn begin_file(&mut self, name: &str, bytes: Option<f64>) -> Result<(), JsValue> {
        self.end_file()?;
        self.stream = Some(Stream::new(name, bytes.map(|bytes| bytes as u64)));
        Ok(())
    }

    /// Takes the file's next bytes.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), JsValue> {
        let (Some(stream), Some(quantizer)) = (&mut self.stream, &mut self.quantizer) else {
            return Err(Error::internal("quantize", "no file was started").into());
        };
        let file = stream.file().to_owned();
        let knew_header = stream.header().is_some();
        let complete = stream.push(chunk)?;
        if let Some(header) = stream.header().filter(|_| !knew_header) {
            self.checkpoint.take(header.clone()).map_err(|error| error.in_file(&file))?;
        }
        for tensor in complete {
            quantizer.push_unmeasured(tensor).map_err(|error| error.in_file(&file))?;
        }
        Ok(())
    }

    /// The next part of the quantized file, after all files have been pushed; `None` at its end.
    #[wasm_bindgen(js_name = nextPart)]
    pub fn next_part(&mut self) -> Result<Option<Vec<u8>>, JsValue> {
        self.end_file()?;
        if let Some(quantizer) = self.quantizer.take() {
            let mut file = quantizer.into_file()?;
            file.tensors.reverse();
            let header = std::mem::take(&mut file.header);
            self.file = Some(file);
            return Ok(Some(header));
        }
        Ok(self.file.as_mut().and_then(|file| file.tensors.pop()).map(|tensor| tensor.bytes))
    }

    fn end_file(&mut self) -> Result<(), Error> {
        self.stream.take().map_or(Ok(()), |stream| stream.finish().map(|_| ()))
    }
}
