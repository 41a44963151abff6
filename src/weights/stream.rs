//! A weights file that arrives in chunks of any size → its tensors, one by one.

use crate::error::{Error, Result};

use super::formats::{Format, PyTorchReader, START_BYTES, SafetensorsReader, Source};
use super::header::Header;
use super::tensor::RawTensor;

/// Reads one safetensors or PyTorch file, distinguished by its first bytes, whatever its name. Holds only the
/// header and the tensor, or in PyTorch's format the storage, being received.
#[derive(Debug)]
pub struct Stream {
    source: Source,
    received: u64,
    reader: Reader,
}

#[derive(Debug)]
enum Reader {
    /// The first bytes, until they identify the format.
    Undecided(Vec<u8>),
    Safetensors(Box<SafetensorsReader>),
    PyTorch(Box<PyTorchReader>),
}

impl Stream {
    /// A stream of the file `file` (for error messages), with its length in bytes if known.
    pub fn new(file: impl Into<String>, total: Option<u64>) -> Self {
        let source = Source { file: file.into(), total };
        Stream { source, received: 0, reader: Reader::Undecided(Vec::new()) }
    }

    /// Name of the file.
    pub fn file(&self) -> &str {
        &self.source.file
    }

    /// The header, once its bytes have arrived, which is before the first tensor.
    pub fn header(&self) -> Option<&Header> {
        match &self.reader {
            Reader::Undecided(_) => None,
            Reader::Safetensors(reader) => reader.header(),
            Reader::PyTorch(reader) => reader.header(),
        }
    }

    /// Takes the next bytes of the file; returns the tensors that they complete.
    ///
    /// # Errors
    /// `NotAModel` for a file of another kind, `Corrupt` and `Tensor` for a damaged one.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<RawTensor>> {
        self.received += bytes.len() as u64;
        let mut complete = Vec::new();
        if let Reader::Undecided(start) = &mut self.reader {
            let (taken, rest) = bytes.split_at((START_BYTES - start.len()).min(bytes.len()));
            start.extend_from_slice(taken);
            bytes = rest;
            let Ok(start) = <[u8; START_BYTES]>::try_from(start.as_slice()) else { return Ok(complete) };
            let source = self.source.clone();
            self.reader = match Format::of(start) {
                Format::Safetensors => Reader::Safetensors(Box::new(SafetensorsReader::new(source))),
                Format::PyTorch(container) => {
                    Reader::PyTorch(Box::new(PyTorchReader::new(source, container)))
                }
            };
            self.pass_on(&start, &mut complete)?;
        }
        self.pass_on(bytes, &mut complete)?;
        Ok(complete)
    }

    fn pass_on(&mut self, bytes: &[u8], complete: &mut Vec<RawTensor>) -> Result<()> {
        match &mut self.reader {
            Reader::Undecided(_) => Ok(()),
            Reader::Safetensors(reader) => reader.push(bytes, complete),
            Reader::PyTorch(reader) => reader.push(bytes, complete),
        }
    }

    /// Checks that the file is complete.
    ///
    /// # Errors
    /// `NotAModel`, `Corrupt`, or `Tensor` if the data of a tensor is missing.
    pub fn finish(self) -> Result<Header> {
        match self.reader {
            Reader::Undecided(_) => Err(Error::NotAModel {
                problem: format!("it has only {} bytes", self.received),
                file: self.source.file,
            }),
            Reader::Safetensors(reader) => reader.finish(self.received),
            Reader::PyTorch(reader) => reader.finish(self.received),
        }
    }
}
