//! A safetensors file that arrives in chunks of any size → its tensors, one after another.

use std::collections::VecDeque;

use crate::error::{Error, Result};

use super::header::{Entry, Header, LENGTH_BYTES};
use super::tensor::RawTensor;

/// Memory for tensors up to this size is allocated in advance. Larger ones grow as their bytes arrive, so that a wrong
/// header can't request memory that the file doesn't fill.
const MAX_PREALLOCATED: usize = 128 << 20;

/// Reads one file. Holds only the header and the tensor being received.
#[derive(Debug)]
pub struct Stream {
    file: String,
    /// Length of the file, if the caller knows it.
    total: Option<u64>,
    received: u64,
    /// Bytes of the header until it is complete.
    start: Vec<u8>,
    header: Option<Header>,
    pending: VecDeque<Entry>,
    current: Vec<u8>,
}

impl Stream {
    /// A stream of the file `file` (for error messages), with its length in bytes if known.
    pub fn new(file: impl Into<String>, total: Option<u64>) -> Self {
        Stream {
            file: file.into(),
            total,
            received: 0,
            start: Vec::new(),
            header: None,
            pending: VecDeque::new(),
            current: Vec::new(),
        }
    }

    /// Name of the file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The header, once its bytes have arrived; that is before the first tensor.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Number of bytes received.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Takes the next bytes of the file; returns the tensors they complete.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<RawTensor>> {
        self.received += bytes.len() as u64;
        let mut complete = Vec::new();
        if self.header.is_none() {
            bytes = self.push_header(bytes)?;
        }
        if self.header.is_none() {
            return Ok(complete);
        }
        while let Some(entry) = self.pending.front() {
            let missing = entry.len - self.current.len();
            if self.current.is_empty() && missing > 0 && !bytes.is_empty() {
                reserve(&mut self.current, entry)?;
            }
            let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
            self.current.extend_from_slice(taken);
            bytes = rest;
            if self.current.len() < entry.len {
                break;
            }
            if let Some(Entry { name, dtype, shape, .. }) = self.pending.pop_front() {
                complete.push(RawTensor { name, dtype, shape, bytes: std::mem::take(&mut self.current) });
            }
        }
        if bytes.is_empty() {
            return Ok(complete);
        }
        let problem = format!("has {} extra bytes after its last tensor", bytes.len());
        Err(Error::corrupt(&self.file, problem))
    }

    /// Collects the header; returns the bytes after it.
    fn push_header<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let mut rest = bytes;
        let mut needed = LENGTH_BYTES;
        loop {
            let missing = needed - self.start.len().min(needed);
            let (taken, behind) = rest.split_at(missing.min(rest.len()));
            self.start.extend_from_slice(taken);
            rest = behind;
            if self.start.len() < needed {
                return Ok(rest);
            }
            let Some((length, json)) = self.start.split_first_chunk::<LENGTH_BYTES>() else {
                return Ok(rest);
            };
            let json_len = Header::json_len(&self.file, *length)?;
            if json.len() == json_len {
                let header = Header::parse(&self.file, json)?;
                if let Some(total) = self.total {
                    header.check_file_len(total)?;
                }
                self.pending = header.tensors.iter().cloned().collect();
                self.header = Some(header);
                self.start = Vec::new();
                return Ok(rest);
            }
            needed = LENGTH_BYTES + json_len;
            if let Some(total) = self.total.filter(|total| (needed as u64) > *total) {
                let problem =
                    format!("has {total} bytes, but its header alone needs {needed}; fetch it again");
                return Err(Error::corrupt(&self.file, problem));
            }
        }
    }

    /// Checks that the file is complete.
    pub fn finish(self) -> Result<Header> {
        match (self.header, self.pending.front()) {
            (Some(header), None) => Ok(header),
            (Some(header), Some(entry)) => Err(Error::corrupt(
                self.file,
                format!(
                    "ends after {} of {} bytes, in tensor `{}`; fetch it again",
                    self.received, header.file_len, entry.name
                ),
            )),
            (None, _) if self.received < LENGTH_BYTES as u64 => Err(Error::NotAModel {
                file: self.file,
                problem: format!("it has only {} bytes", self.received),
            }),
            (None, _) => Err(Error::corrupt(
                self.file,
                format!("ends after {} bytes, inside its header; fetch it again", self.received),
            )),
        }
    }
}

fn reserve(buffer: &mut Vec<u8>, entry: &Entry) -> Result<()> {
    buffer
        .try_reserve_exact(entry.len.min(MAX_PREALLOCATED))
        .map_err(|_| Error::OutOfMemory { what: format!("tensor `{}`", entry.name), bytes: entry.len as u64 })
}
