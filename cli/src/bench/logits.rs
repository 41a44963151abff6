//! The engine's logits in the format of the stored ones, for comparison with other programs.

use std::collections::BTreeMap;

use mobilebert::benchmark::{Logits, Sample};
use mobilebert::error::{Error, Result};
use mobilebert::session::Outputs;

/// Complete outputs by variant and sequence length.
#[derive(Default, serde::Serialize)]
pub struct LogitsFile(BTreeMap<String, BTreeMap<usize, Logits>>);

impl LogitsFile {
    /// Adds the outputs of one sequence.
    pub fn take(&mut self, variant: &str, sequence: usize, outputs: &Outputs) {
        let rows = outputs.iter().map(|(name, tensor)| (name.to_owned(), Sample::whole(&tensor.data)));
        self.0.entry(variant.to_owned()).or_default().insert(sequence, rows.collect());
    }

    /// The file.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::internal("logits", error.to_string()))
    }
}
