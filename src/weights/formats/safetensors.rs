//! safetensors: the length of a JSON header, the header, and the tensors' data in sequence.

use std::collections::VecDeque;

use crate::error::{Error, Result};
use crate::weights::header::{Entry, Header, LENGTH_BYTES};
use crate::weights::tensor::RawTensor;

use super::{Source, reserve};

/// Reads one file.
#[derive(Debug)]
pub(in crate::weights) struct SafetensorsReader {
    source: Source,
    /// Bytes of the header until it is complete.
    start: Vec<u8>,
    header: Option<Header>,
    pending: VecDeque<Entry>,
    current: Vec<u8>,
}

impl SafetensorsReader {
    pub(in crate::weights) fn new(source: Source) -> Self {
        SafetensorsReader {
            source,
            start: Vec::new(),
            header: None,
            pending: VecDeque::new(),
            current: Vec::new(),
        }
    }

    pub(in crate::weights) fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Takes the next bytes of the file; appends the tensors that they complete.
    pub(in crate::weights) fn push(&mut self, mut bytes: &[u8], complete: &mut Vec<RawTensor>) -> Result<()> {
        if self.header.is_none() {
            bytes = self.push_header(bytes)?;
        }
        if self.header.is_none() {
            return Ok(());
        }
        while let Some(entry) = self.pending.front() {
            let missing = entry.len - self.current.len();
            if self.current.is_empty() && missing > 0 && !bytes.is_empty() {
                reserve(&mut self.current, &entry.name, entry.len)?;
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
            return Ok(());
        }
        Err(self.source.corrupt(format!("has {} extra bytes after its last tensor", bytes.len())))
    }

    /// Collects the header; returns the bytes after it.
    fn push_header<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let file = &self.source.file;
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
            let json_len = Header::json_len(file, *length)?;
            if json.len() == json_len {
                let header = Header::parse(file, json)?;
                if let Some(total) = self.source.total {
                    header.check_file_len(total)?;
                }
                self.pending = header.tensors.iter().cloned().collect();
                self.header = Some(header);
                self.start = Vec::new();
                return Ok(rest);
            }
            needed = LENGTH_BYTES + json_len;
            if let Some(total) = self.source.total.filter(|total| (needed as u64) > *total) {
                let problem =
                    format!("has {total} bytes, but its header alone needs {needed}; fetch it again");
                return Err(Error::corrupt(file, problem));
            }
        }
    }

    /// Checks that the file is complete.
    pub(in crate::weights) fn finish(self, received: u64) -> Result<Header> {
        match (self.header, self.pending.front()) {
            (Some(header), None) => Ok(header),
            (Some(header), Some(entry)) => {
                let expected = header.file_len.unwrap_or(received);
                let problem = format!(
                    "ends after {received} of {expected} bytes, in tensor `{}`; fetch it again",
                    entry.name
                );
                Err(self.source.corrupt(problem))
            }
            (None, _) => Err(self
                .source
                .corrupt(format!("ends after {received} bytes, inside its header; fetch it again"))),
        }
    }
}
