//! Loads the golden files written by `tests/goldens/make.py`: models (as a configuration and a seed), their inputs, and
//! the outputs of `transformers` in float64.

use std::collections::HashSet;
use std::path::Path;

use mobilebert::config::Config;
use mobilebert::plan::Network;
use mobilebert::weights::{Generator, RawTensor};
use safetensors::SafeTensors;
use serde_json::Value;

/// Allowed max |Δ| / rms, unless twice the error of `transformers` in float32 is larger.
const TOLERANCE: f64 = 1e-4;

/// A model and its runs.
pub struct Golden {
    pub name: String,
    pub config: Config,
    pub runs: Vec<Run>,
    seed: u64,
    /// Names and shapes of the tensors that `save_pretrained` would write.
    tensors: Vec<(String, Vec<usize>)>,
}

/// The inputs of a run, `[batch, sequence]` flattened, and its outputs.
pub struct Run {
    pub name: String,
    pub batch: usize,
    pub sequence: usize,
    pub input_ids: Vec<u32>,
    pub token_type_ids: Vec<u32>,
    pub attention_mask: Vec<u32>,
    pub hidden_states: bool,
    pub attentions: bool,
    pub outputs: Vec<Expected>,
}

/// An expected output. A row is a slice along the last axis.
pub struct Expected {
    pub name: String,
    pub shape: Vec<usize>,
    allowed: f64,
    /// The sampled rows and columns, and their values, row-major.
    rows: Vec<usize>,
    columns: Vec<usize>,
    values: Vec<f64>,
    /// Root mean square of each row.
    rms: Vec<f64>,
}

impl Expected {
    /// Returns whether this is an output of the head rather than a hidden state or attention.
    pub fn is_of_the_head(&self) -> bool {
        !self.name.starts_with("hidden_states") && !self.name.starts_with("attentions")
    }

    /// Returns the largest max |Δ| / rms of any row, or an error. Values that weren't sampled are compared by
    /// the rms of their row.
    pub fn compare(&self, found: &[f32]) -> Result<f64, String> {
        let width = *self.shape.last().ok_or("a scalar")?;
        let count = self.rms.len() * width;
        if found.len() != count || count == 0 || self.values.len() != self.rows.len() * self.columns.len() {
            return Err(format!("{count} values expected, {} found", found.len()));
        }
        if let Some(place) = found.iter().position(|value| !value.is_finite()) {
            return Err(format!("value {place} is {}", found[place]));
        }
        let mut worst = 0f64;
        let mut note = |row: usize, difference: f64| {
            let ratio = difference / self.rms[row];
            worst = worst.max(ratio);
            // Written so that NaN fails.
            if ratio <= self.allowed {
                Ok(())
            } else {
                Err(format!("row {row}: max|Δ|/rms is {ratio:.2e}, {:.2e} allowed", self.allowed))
            }
        };
        for (&row, values) in self.rows.iter().zip(self.values.chunks(self.columns.len())) {
            for (&column, &value) in self.columns.iter().zip(values) {
                note(row, (f64::from(found[row * width + column]) - value).abs())?;
            }
        }
        for (row, values) in found.chunks(width).enumerate() {
            let squares: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
            note(row, ((squares / width as f64).sqrt() - self.rms[row]).abs())?;
        }
        Ok(worst)
    }
}

impl Golden {
    /// The network, and an iterator over its tensors in the order of `transformers`.
    pub fn network(&self) -> (Network, impl Iterator<Item = RawTensor> + '_) {
        let names: HashSet<&str> = self.tensors.iter().map(|(name, _)| name.as_str()).collect();
        let network = Network::new(&self.config, &|name| names.contains(name)).unwrap();
        let generator = Generator::new(self.seed);
        (network, self.tensors.iter().map(move |(name, shape)| generator.raw(name, shape)))
    }
}

/// Loads all goldens in the order of the file.
pub fn load() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    let index = std::fs::read(folder.join("goldens.json")).unwrap();
    let index: Vec<Value> = serde_json::from_slice(&index).unwrap();
    let bytes = std::fs::read(folder.join("goldens.safetensors")).unwrap();
    let values = SafeTensors::deserialize(&bytes).unwrap();
    index.iter().map(|entry| golden(entry, &values)).collect()
}

fn golden(entry: &Value, values: &SafeTensors) -> Golden {
    let name = text(&entry["name"]);
    let runs = entry["runs"].as_array().unwrap().iter().map(|entry| run(&name, entry, values)).collect();
    let tensors = entry["tensors"].as_array().unwrap().iter().flat_map(expand).collect();
    let config = Config::from_json(entry["config"].to_string())
        .unwrap_or_else(|error| panic!("{name}: the configuration is rejected: {error}"));
    Golden { config, runs, seed: entry["seed"].as_u64().unwrap(), tensors, name }
}

/// Names and shapes of an entry. `layer.*.` is expanded to the number of layers in the third field.
fn expand(entry: &Value) -> Vec<(String, Vec<usize>)> {
    let (name, shape) = (text(&entry[0]), sizes(&entry[1]));
    match entry[2].as_u64() {
        None => vec![(name, shape)],
        Some(layers) => (0..layers)
            .map(|layer| (name.replace(".layer.*.", &format!(".layer.{layer}.")), shape.clone()))
            .collect(),
    }
}

fn run(model: &str, entry: &Value, values: &SafeTensors) -> Run {
    let name = text(&entry["name"]);
    let mut sequences = Vec::new();
    flatten(&entry["input_ids"], &mut sequences);
    let numbers = |field: &str| {
        let mut rows = Vec::new();
        flatten(&entry[field], &mut rows);
        rows.concat()
    };
    let outputs = entry["outputs"].as_array().unwrap();
    let outputs = outputs.iter().map(|entry| expected(&format!("{model}/{name}"), entry, values)).collect();
    Run {
        batch: sequences.len(),
        sequence: sequences[0].len(),
        input_ids: numbers("input_ids"),
        token_type_ids: numbers("token_type_ids"),
        attention_mask: numbers("attention_mask"),
        hidden_states: entry["hidden_states"].as_bool().unwrap(),
        attentions: entry["attentions"].as_bool().unwrap(),
        outputs,
        name,
    }
}

fn expected(run: &str, entry: &Value, values: &SafeTensors) -> Expected {
    let name = text(&entry["name"]);
    let bits = |part: &str| -> Vec<u32> {
        let tensor = values.tensor(&format!("{run}/{name}/{part}")).unwrap();
        tensor.data().chunks(4).map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    let indices = |part: &str| bits(part).into_iter().map(|bits| bits as usize).collect();
    let floats = |part: &str| bits(part).into_iter().map(|bits| f64::from(f32::from_bits(bits))).collect();
    let float32_error = entry["float32_error"].as_f64().unwrap();
    Expected {
        shape: sizes(&entry["shape"]),
        allowed: TOLERANCE.max(2.0 * float32_error),
        rows: indices("rows"),
        columns: indices("columns"),
        values: floats("values"),
        rms: floats("rms"),
        name,
    }
}

/// Flattens nested lists of any depth to a list of the innermost lists.
fn flatten(value: &Value, rows: &mut Vec<Vec<u32>>) {
    let items = value.as_array().unwrap();
    if items.iter().all(Value::is_u64) {
        rows.push(items.iter().map(|item| u32::try_from(item.as_u64().unwrap()).unwrap()).collect());
    } else {
        items.iter().for_each(|item| flatten(item, rows));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().into()
}

fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|size| usize::try_from(size.as_u64().unwrap()).unwrap()).collect()
}
