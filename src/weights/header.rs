//! The tensors of a weights file, checked before any data is read.

use std::collections::{BTreeMap, HashMap};

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use crate::error::{Error, Result};
use crate::plan::Parameter;
use crate::sorting::sort_by;

use super::{Q4_GROUP, SCALE_SUFFIX};

/// Size of the length field that precedes the header.
pub(super) const LENGTH_BYTES: usize = 8;
/// Maximum header length allowed by the format.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name in the checkpoint, without wrapper prefixes such as `module.`.
    pub name: String,
    /// Data type as stored.
    pub dtype: Dtype,
    /// Shape as stored.
    pub shape: Vec<usize>,
    /// Length of its values in bytes.
    pub len: usize,
}

/// A checked header: lengths match types and shapes. In safetensors, tensors are contiguous, without gaps or
/// overlaps; PyTorch's pickle lists them in the order of the model, which can differ from that of their data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Name of the file, for error messages.
    pub file: String,
    /// Content of `__metadata__`.
    pub metadata: BTreeMap<String, String>,
    /// In the order of the header.
    pub tensors: Vec<Entry>,
    /// Length of the whole file in bytes, including the header; `None` for PyTorch, whose pickle doesn't
    /// contain it.
    pub file_len: Option<u64>,
    /// Indices in [`Self::tensors`].
    by_name: HashMap<String, usize>,
}

impl Header {
    /// A header of these tensors, whose names may have wrapper prefixes.
    pub(super) fn new(file: &str, mut tensors: Vec<Entry>) -> Header {
        for entry in &mut tensors {
            entry.name = without_wrappers(&entry.name).to_owned();
        }
        let by_name = tensors.iter().enumerate().map(|(at, entry)| (entry.name.clone(), at)).collect();
        Header { file: file.into(), metadata: BTreeMap::new(), tensors, file_len: None, by_name }
    }

    /// Length of the JSON, from the first eight bytes of a file. If the file isn't safetensors, the error
    /// says what it probably is.
    pub(super) fn json_len(file: &str, start: [u8; LENGTH_BYTES]) -> Result<usize> {
        let length = u64::from_le_bytes(start);
        if (2..=MAX_HEADER_BYTES).contains(&length) {
            return usize::try_from(length).map_err(|_| not_a_model(file, "its header is too long"));
        }
        Err(not_a_model(file, &what_it_is(&start, length)))
    }

    /// Parses the JSON between the length and the data.
    pub fn parse(file: &str, json: &[u8]) -> Result<Header> {
        let metadata: Metadata = serde_json::from_slice(json).map_err(|error| {
            let first = json.trim_ascii_start().first();
            if first != Some(&b'{') {
                return not_a_model(file, &format!("its header is not JSON: {error}"));
            }
            Error::corrupt(file, format!("header: {error}"))
        })?;
        let data = (LENGTH_BYTES + json.len()) as u64;
        let mut infos: Vec<_> = metadata.tensors().into_iter().collect();
        sort_by(&mut infos, |a, b| (a.1.data_offsets, &a.0).cmp(&(b.1.data_offsets, &b.0)));
        let entry = |(name, info): (String, &TensorInfo)| {
            let (begin, end) = info.data_offsets;
            Entry { name, dtype: info.dtype, shape: info.shape.clone(), len: end - begin }
        };
        let tensors = infos.into_iter().map(entry).collect();
        let mut texts = BTreeMap::new();
        texts.extend(metadata.metadata().clone().unwrap_or_default());
        let file_len = Some(data + metadata.data_len() as u64);
        Ok(Header { metadata: texts, file_len, ..Header::new(file, tensors) })
    }

    /// The header of a file in memory.
    #[doc(hidden)] // For tests: files are read as streams.
    pub fn of_file(file: &str, bytes: &[u8]) -> Result<Header> {
        let Some((start, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
            return Err(not_a_model(file, &format!("it has only {} bytes", bytes.len())));
        };
        let length = Header::json_len(file, *start)?;
        let json = rest.get(..length).ok_or_else(|| {
            Error::corrupt(file, format!("its header of {length} bytes ends after {}", rest.len()))
        })?;
        let header = Header::parse(file, json)?;
        header.check_file_len(bytes.len() as u64)?;
        Ok(header)
    }

    /// Checks the length of the file against the header.
    pub fn check_file_len(&self, found: u64) -> Result<()> {
        let Some(expected) = self.file_len.filter(|expected| *expected != found) else { return Ok(()) };
        let problem = format!("has {found} bytes, but its header says {expected}; fetch it again");
        Err(Error::corrupt(&self.file, problem))
    }

    /// The tensor with this name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).map(|&at| &self.tensors[at])
    }

    /// Checks every tensor that `parameters` need, so that a wrong file fails before its data is fetched.
    pub fn check<'a>(&self, parameters: impl IntoIterator<Item = &'a Parameter>) -> Result<()> {
        for source in parameters.into_iter().flat_map(|parameter| parameter.recipe.sources()) {
            self.check_prefix(source.name())?;
            if let Some(entry) = self.get(source.name()) {
                check_stored(entry.dtype, &entry.shape, &entry.name, &source.shape)?;
            }
            let scale = format!("{}{SCALE_SUFFIX}", source.name());
            if let (Some(entry), Some(scale)) = (self.get(source.name()), self.get(&scale)) {
                check_scale(entry.dtype, scale.dtype, &scale.shape, &scale.name, &source.shape)?;
            }
        }
        Ok(())
    }

    /// Reports an unknown prefix of all names; otherwise, every tensor would just be reported as missing.
    fn check_prefix(&self, wanted: &str) -> Result<()> {
        if !wanted.ends_with(WORD_EMBEDDINGS) || self.get(wanted).is_some() {
            return Ok(());
        }
        let found = self.tensors.iter().find_map(|entry| entry.name.strip_suffix(WORD_EMBEDDINGS));
        let Some(prefix) = found.filter(|prefix| !prefix.is_empty()) else { return Ok(()) };
        let problem = format!(
            "is missing, but there is `{prefix}{WORD_EMBEDDINGS}`: save the tensors without the prefix `{prefix}`"
        );
        Err(Error::tensor(wanted, problem))
    }
}

/// The tensor by which a model is recognized inside another module.
const WORD_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";

/// Prefixes of modules that wrap a model: `DataParallel`, `torch.compile`, Lightning and other training
/// loops, and sentence-transformers. No tensor of these model families has such a prefix itself.
const WRAPPERS: [&str; 4] = ["module.", "_orig_mod.", "model.", "0.auto_model."];

/// The name of a tensor without wrapper prefixes, in any order and number.
pub(super) fn without_wrappers(mut name: &str) -> &str {
    while let Some(rest) = WRAPPERS.iter().find_map(|wrapper| name.strip_prefix(wrapper)) {
        name = rest;
    }
    name
}

/// Checks a stored type and shape against the shape required by the configuration.
pub(super) fn check_stored(dtype: Dtype, stored: &[usize], name: &str, wanted: &[usize]) -> Result<()> {
    let expected = match dtype {
        Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16 => wanted.to_vec(),
        Dtype::I8 if wanted.len() == 2 => wanted.to_vec(),
        Dtype::U8 => match wanted {
            [rows, columns] if columns.is_multiple_of(2) => vec![*rows, columns / 2],
            _ => {
                return Err(Error::tensor(
                    name,
                    format!(
                        "is stored as U8 (q4), which isn't possible for shape {wanted:?}: the number of columns must be even"
                    ),
                ));
            }
        },
        other => {
            return Err(Error::unsupported(
                format!("tensor `{name}` of dtype {other:?}"),
                "F64, F32, F16, BF16, I8 matrices with scales (q8) and U8 matrices with scales (q4) are",
            ));
        }
    };
    if stored == expected {
        return Ok(());
    }
    Err(Error::tensor(name, format!("has shape {stored:?}, but `config.json` requires {expected:?}")))
}

/// Checks the type and shape of scales against their quantized matrix.
pub(super) fn check_scale(
    quantized: Dtype,
    dtype: Dtype,
    stored: &[usize],
    name: &str,
    wanted: &[usize],
) -> Result<()> {
    let (expected_dtype, expected) = match (quantized, wanted) {
        (Dtype::I8, [rows, _]) => (Dtype::F32, vec![*rows]),
        (Dtype::U8, [rows, columns]) => (Dtype::F16, vec![*rows, columns.div_ceil(Q4_GROUP)]),
        _ => return Ok(()),
    };
    if dtype != expected_dtype {
        return Err(Error::tensor(name, format!("has dtype {dtype:?}, must be {expected_dtype:?}")));
    }
    if stored != expected {
        return Err(Error::tensor(name, format!("has shape {stored:?}, must be {expected:?}")));
    }
    Ok(())
}

fn not_a_model(file: &str, problem: &str) -> Error {
    Error::NotAModel { file: file.into(), problem: problem.into() }
}

/// Guesses what kind of file has an invalid header length.
fn what_it_is(start: &[u8; LENGTH_BYTES], length: u64) -> String {
    if start.trim_ascii_start().starts_with(b"<") {
        return "it is an HTML page, probably a server's answer to a wrong address".into();
    }
    if start.starts_with(b"version ") {
        return "it is a Git LFS pointer; fetch the actual file (git lfs pull)".into();
    }
    if start.starts_with(b"PK\x03\x04") {
        return "it is a zip archive, not safetensors".into();
    }
    if start.starts_with(b"\x80") {
        return "it is a pickle, but not one that torch.save wrote; save the model's state_dict with torch.save".into();
    }
    if start.trim_ascii_start().starts_with(b"{") {
        return "it is JSON, not weights".into();
    }
    format!(
        "it is neither safetensors nor written by torch.save: as safetensors, its first eight bytes would mean a header of {length} bytes"
    )
}
