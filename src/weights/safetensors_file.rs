//! Tensors → a safetensors file, without a second copy of their data.

use std::collections::BTreeMap;

use safetensors::tensor::TensorInfo;

use crate::error::{Error, Result};
use crate::sorting::sort_by;

use super::tensor::RawTensor;

/// A file in its parts: the header with its length, then the data of each tensor.
#[derive(Clone, Debug)]
pub struct SafetensorsFile {
    /// The start of the file: the header's length and the header.
    pub header: Vec<u8>,
    /// In the order of the file: wider types first, so that all values are aligned, then by name.
    pub tensors: Vec<RawTensor>,
}

impl SafetensorsFile {
    /// A file with these tensors and this `__metadata__`. Deterministic.
    ///
    /// # Errors
    /// [`Error::Internal`] if the header can't be written.
    pub fn new(mut tensors: Vec<RawTensor>, metadata: &BTreeMap<&str, &str>) -> Result<Self> {
        sort_by(&mut tensors, |left, right| {
            right.dtype.cmp(&left.dtype).then_with(|| left.name.cmp(&right.name))
        });
        let fail = |error: serde_json::Error| Error::internal("model.safetensors", error.to_string());
        let mut json = format!("{{\"__metadata__\":{}", serde_json::to_string(metadata).map_err(fail)?);
        let mut begin = 0;
        for RawTensor { name, dtype, shape, bytes } in &tensors {
            let end = begin + bytes.len();
            let info = TensorInfo { dtype: *dtype, shape: shape.clone(), data_offsets: (begin, end) };
            let [name, info] = [serde_json::to_string(name), serde_json::to_string(&info)];
            json += &format!(",{}:{}", name.map_err(fail)?, info.map_err(fail)?);
            begin = end;
        }
        json.push('}');
        let padded = json.len().next_multiple_of(8);
        let mut header = (padded as u64).to_le_bytes().to_vec();
        header.extend(json.bytes());
        header.resize(8 + padded, b' ');
        Ok(SafetensorsFile { header, tensors })
    }

    /// The whole file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let data = self.tensors.iter().map(|tensor| tensor.bytes.as_slice());
        let parts: Vec<&[u8]> = std::iter::once(self.header.as_slice()).chain(data).collect();
        parts.concat()
    }
}
