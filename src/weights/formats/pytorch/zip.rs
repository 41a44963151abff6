//! A zip archive as written by `torch.save`: `NAME/data.pkl` first, then `NAME/data/KEY` for each storage,
//! uncompressed.
//!
//! It is read from its start, without the directory at its end. Most entries' headers don't contain their
//! size: the pickle is self-terminating, and contains the sizes of the storages.

use crate::error::{Error, Result};
use crate::weights::formats::{Source, reserve};
use crate::weights::header::Header;
use crate::weights::tensor::RawTensor;

use super::checkpoint::Checkpoint;
use super::records::{LocalHeader, Record, is_descriptor, record};
use super::unpickler::Unpickler;

const PICKLE: &str = "/data.pkl";
const BYTE_ORDER: &str = "byteorder";
/// Maximum length of the relevant content of an entry that is neither the pickle nor a storage.
const MAX_NOTE: usize = 16;

/// Reads one file.
#[derive(Debug)]
pub(in crate::weights) struct ZipReader {
    source: Source,
    state: State,
    /// Bytes of an incomplete record or descriptor.
    window: Vec<u8>,
    /// The folder of all entries, with a slash.
    folder: String,
    checkpoint: Option<Checkpoint>,
}

#[derive(Debug)]
enum State {
    Record,
    Pickle(LocalHeader, Box<Unpickler>),
    Storage {
        entry: LocalHeader,
        at: usize,
        len: u64,
        received: u64,
        data: Vec<u8>,
    },
    /// Another entry, with its first bytes.
    Other {
        entry: LocalHeader,
        received: u64,
        note: Vec<u8>,
    },
    /// The descriptor after `size` bytes of data.
    Descriptor {
        entry: LocalHeader,
        size: u64,
    },
    End,
}

impl ZipReader {
    pub(super) fn new(source: Source) -> Self {
        ZipReader {
            source,
            state: State::Record,
            window: Vec::new(),
            folder: String::new(),
            checkpoint: None,
        }
    }

    pub(super) fn header(&self) -> Option<&Header> {
        self.checkpoint.as_ref().map(|checkpoint| &checkpoint.header)
    }

    /// Takes the next bytes of the file; appends the tensors that they complete.
    pub(super) fn push(&mut self, mut bytes: &[u8], complete: &mut Vec<RawTensor>) -> Result<()> {
        loop {
            let state = std::mem::replace(&mut self.state, State::End);
            let (next, waits) = match state {
                State::Record => self.record(&mut bytes)?,
                State::Pickle(entry, unpickler) => self.pickle(entry, unpickler, &mut bytes)?,
                State::Storage { .. } => self.storage(state, &mut bytes, complete)?,
                State::Other { entry, received, note } => self.other(entry, received, note, &mut bytes)?,
                State::Descriptor { entry, size } => self.descriptor(entry, size, &mut bytes)?,
                State::End if bytes.is_empty() => (State::End, true),
                State::End => return Err(self.source.corrupt("has more bytes after the end of its archive")),
            };
            self.state = next;
            if waits {
                return Ok(());
            }
        }
    }

    /// Moves bytes to the window until it has `needed`; returns whether it does.
    fn fill(&mut self, bytes: &mut &[u8], needed: usize) -> bool {
        let (taken, rest) = bytes.split_at(needed.saturating_sub(self.window.len()).min(bytes.len()));
        self.window.extend_from_slice(taken);
        *bytes = rest;
        self.window.len() >= needed
    }

    fn record(&mut self, bytes: &mut &[u8]) -> Result<(State, bool)> {
        match record(&self.window).map_err(|problem| self.source.corrupt(problem))? {
            Err(needed) if self.fill(bytes, needed) => Ok((State::Record, false)),
            Err(_) => Ok((State::Record, true)),
            Ok((record, len)) => {
                self.window.drain(..len);
                match record {
                    Record::Local(entry) => Ok((self.begin(entry)?, false)),
                    Record::Directory => Ok((State::Record, false)),
                    Record::End => Ok((State::End, false)),
                }
            }
        }
    }

    /// Starts reading the data of an entry.
    fn begin(&mut self, entry: LocalHeader) -> Result<State> {
        let Some(checkpoint) = &self.checkpoint else {
            let Some(folder) = entry.name.strip_suffix(PICKLE) else {
                return Err(self.source.not_a_model(format!(
                    "it is a zip archive that begins with `{}`, but torch.save begins with `archive/data.pkl`",
                    entry.name
                )));
            };
            if !entry.is_plain {
                return Err(self.source.not_a_model(compressed(&entry.name)));
            }
            self.folder = format!("{folder}/");
            return Ok(State::Pickle(entry, Box::default()));
        };
        let key = entry.name.strip_prefix(&self.folder).and_then(|name| name.strip_prefix("data/"));
        let Some(at) = key.and_then(|key| checkpoint.expected(key)) else {
            return Ok(State::Other { entry, received: 0, note: Vec::new() });
        };
        let len = checkpoint.bytes(at);
        let problem = |problem: String| checkpoint.problem(&self.source, at, &problem);
        if !entry.is_plain {
            return Err(problem(compressed(&entry.name)));
        }
        if let Some(size) = entry.size.filter(|size| *size != len) {
            return Err(problem(format!("needs {len} bytes of `{}`, which has {size}", entry.name)));
        }
        let mut data = Vec::new();
        if checkpoint.is_used(at) {
            let len = usize::try_from(len)
                .map_err(|_| problem("needs a storage beyond this device's memory".into()))?;
            reserve(&mut data, checkpoint.tensor_in(at).unwrap_or_default(), len)?;
        }
        Ok(State::Storage { entry, at, len, received: 0, data })
    }

    fn pickle(
        &mut self,
        entry: LocalHeader,
        mut unpickler: Box<Unpickler>,
        bytes: &mut &[u8],
    ) -> Result<(State, bool)> {
        let read = unpickler.push(bytes).map_err(|problem| self.source.not_a_model(problem))?;
        let Some((pickled, rest)) = read else {
            return Ok((State::Pickle(entry, unpickler), true));
        };
        *bytes = rest;
        let size = pickled.len as u64;
        if entry.size.is_some_and(|found| found != size) {
            return Err(self.source.corrupt(format!("`{}` doesn't end with its pickle", entry.name)));
        }
        self.checkpoint = Some(Checkpoint::new(&self.source, &pickled)?);
        Ok((State::Descriptor { entry, size }, false))
    }

    fn storage(
        &mut self,
        state: State,
        bytes: &mut &[u8],
        complete: &mut Vec<RawTensor>,
    ) -> Result<(State, bool)> {
        let State::Storage { entry, at, len, mut received, mut data } = state else {
            return Ok((state, true));
        };
        let (Some(checkpoint), missing) = (&mut self.checkpoint, len - received) else {
            return Err(Error::internal("weights", "a storage before its pickle"));
        };
        let (taken, rest) =
            bytes.split_at(usize::try_from(missing).map_or(bytes.len(), |missing| missing.min(bytes.len())));
        *bytes = rest;
        received += taken.len() as u64;
        if checkpoint.is_used(at) {
            data.extend_from_slice(taken);
        }
        if received < len {
            return Ok((State::Storage { entry, at, len, received, data }, true));
        }
        if checkpoint.is_used(at) {
            checkpoint.cut(at, data, complete);
        }
        Ok((State::Descriptor { entry, size: len }, false))
    }

    /// Skips an entry. If its size isn't known, its descriptor is searched for.
    fn other(
        &mut self,
        entry: LocalHeader,
        mut received: u64,
        mut note: Vec<u8>,
        bytes: &mut &[u8],
    ) -> Result<(State, bool)> {
        let end = match entry.size {
            Some(size) => {
                let left = usize::try_from(size - received).unwrap_or(usize::MAX);
                let (taken, rest) = bytes.split_at(left.min(bytes.len()));
                note.extend(taken.iter().take(MAX_NOTE.saturating_sub(note.len())));
                *bytes = rest;
                received += taken.len() as u64;
                received == size
            }
            None => loop {
                if !self.fill(bytes, entry.descriptor_len) {
                    break false;
                }
                if is_descriptor(&self.window, entry.descriptor_len, received) {
                    break true;
                }
                let first = self.window.remove(0);
                if note.len() < MAX_NOTE {
                    note.push(first);
                }
                received += 1;
            },
        };
        if !end {
            return Ok((State::Other { entry, received, note }, true));
        }
        if entry.name.strip_prefix(&self.folder) == Some(BYTE_ORDER) && note == b"big" {
            return Err(self.source.big_endian());
        }
        Ok((State::Descriptor { entry, size: received }, false))
    }

    fn descriptor(&mut self, entry: LocalHeader, size: u64, bytes: &mut &[u8]) -> Result<(State, bool)> {
        let len = entry.descriptor_len;
        if len == 0 {
            return Ok((State::Record, false));
        }
        if !self.fill(bytes, len) {
            return Ok((State::Descriptor { entry, size }, true));
        }
        if !is_descriptor(&self.window, len, size) {
            let problem = format!("`{}` doesn't have the {size} bytes that the pickle says", entry.name);
            return Err(self.source.corrupt(problem));
        }
        self.window.drain(..len);
        Ok((State::Record, false))
    }

    /// Checks that the file is complete.
    pub(super) fn finish(self, received: u64) -> Result<Header> {
        let ends = format!("ends after {received} bytes");
        let Some(checkpoint) = self.checkpoint else {
            return Err(self.source.corrupt(format!("{ends}, inside its pickle; fetch it again")));
        };
        match self.state {
            State::End => {
                checkpoint.check_complete(&self.source)?;
                Ok(checkpoint.header)
            }
            State::Storage { at, .. } => {
                let problem = format!("is incomplete: the file {ends}; fetch it again");
                Err(checkpoint.problem(&self.source, at, &problem))
            }
            _ => Err(self.source.corrupt(format!("{ends}, before the end of its archive; fetch it again"))),
        }
    }
}

fn compressed(name: &str) -> String {
    format!("`{name}` is compressed or encrypted; save it again with torch.save")
}
