//! The header of a safetensors file, checked before a byte of data is believed.

use std::collections::{BTreeMap, HashMap};

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use crate::error::{Error, Result};
use crate::plan::Parameter;

use super::{Q4_GROUP, SCALE_SUFFIX};

/// The length that precedes a header.
pub(super) const LENGTH_BYTES: usize = 8;
/// What the format allows a header to be.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The checkpoint's name.
    pub name: String,
    /// Type of the values as stored.
    pub dtype: Dtype,
    /// Sizes as stored.
    pub shape: Vec<usize>,
    /// First byte, counted from the start of the file.
    pub begin: u64,
    /// Length in bytes.
    pub len: usize,
}

/// A checked header: tensors follow each other without gap or overlap, each as long as its type and shape say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Name of the file, for messages.
    pub file: String,
    /// What `__metadata__` holds.
    pub metadata: BTreeMap<String, String>,
    /// In the order in which they stand in the file.
    pub tensors: Vec<Entry>,
    /// Length of the whole file in bytes, header included.
    pub file_len: u64,
    /// Places in [`Self::tensors`].
    by_name: HashMap<String, usize>,
}

impl Header {
    /// Length of the JSON from the first eight bytes of a file; says what the file is where it is no safetensors.
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
        let mut tensors = Vec::new();
        for name in metadata.offset_keys() {
            let Some(info) = metadata.info(&name) else { continue };
            let (begin, end) = info.data_offsets;
            tensors.push(Entry {
                name,
                dtype: info.dtype,
                shape: info.shape.clone(),
                begin: data + begin as u64,
                len: end - begin,
            });
        }
        let texts = metadata.metadata().clone().unwrap_or_default().into_iter().collect();
        let file_len = data + metadata.data_len() as u64;
        let by_name = tensors.iter().enumerate().map(|(at, entry)| (entry.name.clone(), at)).collect();
        Ok(Header { file: file.into(), metadata: texts, tensors, file_len, by_name })
    }

    /// The header of a file that is in memory as a whole.
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

    /// Compares the length that the header speaks of with the file's own.
    pub fn check_file_len(&self, found: u64) -> Result<()> {
        if found == self.file_len {
            return Ok(());
        }
        let problem = format!("has {found} bytes, its header speaks of {}; fetch it again", self.file_len);
        Err(Error::corrupt(&self.file, problem))
    }

    /// The tensor of a name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).map(|&at| &self.tensors[at])
    }

    /// Checks every tensor that `parameters` are made from, so that a wrong file fails before its data is fetched.
    pub fn check(&self, parameters: &[Parameter]) -> Result<()> {
        for source in parameters.iter().flat_map(|parameter| parameter.recipe.sources()) {
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
}

/// Whether a stored type and shape can hold values of the shape that the configuration asks for.
pub(super) fn check_stored(dtype: Dtype, stored: &[usize], name: &str, wanted: &[usize]) -> Result<()> {
    let expected = match dtype {
        Dtype::F32 | Dtype::F16 | Dtype::BF16 => wanted.to_vec(),
        Dtype::I8 if wanted.len() == 2 => wanted.to_vec(),
        Dtype::U8 => match wanted {
            [rows, columns] if columns.is_multiple_of(Q4_GROUP) => vec![*rows, columns / 2],
            _ => {
                return Err(Error::tensor(
                    name,
                    format!(
                        "is stored as U8 (q4), which shape {wanted:?} does not allow: columns come in groups of {Q4_GROUP}"
                    ),
                ));
            }
        },
        other => {
            return Err(Error::unsupported(
                format!("tensor `{name}` of dtype {other:?}"),
                "F32, F16, BF16, I8 matrices with scales (q8) and U8 matrices with scales (q4) are",
            ));
        }
    };
    if stored == expected {
        return Ok(());
    }
    Err(Error::tensor(name, format!("has shape {stored:?}, but `config.json` asks for {expected:?}")))
}

/// Whether scales fit the quantised matrix that they belong to.
pub(super) fn check_scale(
    quantised: Dtype,
    dtype: Dtype,
    stored: &[usize],
    name: &str,
    wanted: &[usize],
) -> Result<()> {
    let (expected_dtype, expected) = match (quantised, wanted) {
        (Dtype::I8, [rows, _]) => (Dtype::F32, vec![*rows]),
        (Dtype::U8, [rows, columns]) => (Dtype::F16, vec![*rows, columns / Q4_GROUP]),
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

/// What a file with an impossible header length probably is.
fn what_it_is(start: &[u8; LENGTH_BYTES], length: u64) -> String {
    if start.trim_ascii_start().starts_with(b"<") {
        return "it is an HTML page, probably a server's answer to a wrong address".into();
    }
    if start.starts_with(b"version ") {
        return "it is a Git LFS pointer; fetch the file that it stands for (git lfs pull)".into();
    }
    if start.starts_with(b"PK\x03\x04") {
        return "it is a zip archive, probably pytorch_model.bin; save the model as safetensors".into();
    }
    if start.trim_ascii_start().starts_with(b"{") {
        return "it is JSON, not safetensors".into();
    }
    format!("its first eight bytes state a header of {length} bytes; no safetensors file begins so")
}
