//! Formats of weights files, distinguished by their first bytes.

mod pytorch;
mod safetensors;

use crate::error::{Error, Result};

pub(super) use pytorch::{Container, PyTorchReader};
pub(super) use safetensors::SafetensorsReader;

/// Number of bytes that identify a file's format.
pub(super) const START_BYTES: usize = 8;

/// Memory for tensors up to this size is allocated in advance. Larger ones grow as their bytes arrive, so that a wrong
/// header can't request memory that the file doesn't fill.
const MAX_PREALLOCATED: usize = 128 << 20;

/// A file being read.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Its name, for error messages.
    pub(super) file: String,
    /// Its length in bytes, if the caller knows it.
    pub(super) total: Option<u64>,
}

impl Source {
    fn corrupt(&self, problem: impl Into<String>) -> Error {
        Error::corrupt(&self.file, problem)
    }

    fn not_a_model(&self, problem: impl Into<String>) -> Error {
        Error::NotAModel { file: self.file.clone(), problem: problem.into() }
    }

    fn big_endian(&self) -> Error {
        Error::unsupported(
            format!("{}: big-endian data", self.file),
            "little-endian is; save it again with torch.save on another machine",
        )
    }

    fn tensor(&self, name: &str, problem: impl Into<String>) -> Error {
        Error::tensor(name, problem).in_file(&self.file)
    }
}

/// The format of a weights file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Safetensors,
    PyTorch(Container),
}

impl Format {
    /// The format identified by a file's first bytes. Anything unknown is left to the safetensors reader,
    /// whose error says what it is.
    pub(super) fn of(start: [u8; START_BYTES]) -> Format {
        if start.starts_with(b"PK\x03\x04") {
            return Format::PyTorch(Container::Zip);
        }
        if start == pytorch::LEGACY_START {
            return Format::PyTorch(Container::Legacy);
        }
        Format::Safetensors
    }
}

/// Allocates memory for the data of a tensor or storage of `len` bytes, up to [`MAX_PREALLOCATED`] in
/// advance.
fn reserve(buffer: &mut Vec<u8>, tensor: &str, len: usize) -> Result<()> {
    buffer
        .try_reserve_exact(len.min(MAX_PREALLOCATED))
        .map_err(|_| Error::OutOfMemory { what: format!("tensor `{tensor}`"), bytes: len as u64 })
}
