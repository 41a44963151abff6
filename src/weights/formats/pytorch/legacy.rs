//! The format before PyTorch 1.6: pickles one after another (a magic number, a version, facts about the machine, the
//! object, the keys of its storages), then each storage: its length in 8 bytes, and its values.

use std::collections::VecDeque;

use crate::error::Result;
use crate::sorting::sort;
use crate::weights::formats::{START_BYTES, Source, reserve};
use crate::weights::header::Header;
use crate::weights::tensor::RawTensor;

use super::checkpoint::Checkpoint;
use super::unpickler::{Pickled, Unpickler};
use super::value::Value;

/// The start of the magic number's pickle.
pub(in crate::weights::formats) const START: [u8; START_BYTES] = *b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46";
const VERSION: i64 = 1001;

/// Reads one file.
#[derive(Debug)]
pub(in crate::weights) struct LegacyReader {
    source: Source,
    state: State,
    checkpoint: Option<Checkpoint>,
    /// Storages whose bytes haven't arrived yet, in the order of the file.
    order: VecDeque<usize>,
}

#[derive(Debug)]
enum State {
    Pickle(Part, Unpickler),
    /// The length of the first storage in `order`.
    Length(Vec<u8>),
    /// The values of the first storage in `order`.
    Storage(Vec<u8>, usize),
    End,
}

/// A pickle of the file.
#[derive(Clone, Copy, Debug)]
enum Part {
    Magic,
    Version,
    Machine,
    Object,
    Keys,
}

impl LegacyReader {
    pub(super) fn new(source: Source) -> Self {
        let state = State::Pickle(Part::Magic, Unpickler::default());
        LegacyReader { source, state, checkpoint: None, order: VecDeque::new() }
    }

    pub(super) fn header(&self) -> Option<&Header> {
        self.checkpoint.as_ref().map(|checkpoint| &checkpoint.header)
    }

    /// Takes the next bytes of the file; appends the tensors that they complete.
    pub(super) fn push(&mut self, mut bytes: &[u8], complete: &mut Vec<RawTensor>) -> Result<()> {
        loop {
            match &mut self.state {
                State::Pickle(part, unpickler) => {
                    let result = unpickler.push(bytes);
                    let read = result.map_err(|problem| self.source.not_a_model(problem))?;
                    let Some((pickled, rest)) = read else { return Ok(()) };
                    bytes = rest;
                    let part = *part;
                    self.state = self.after(part, &pickled)?;
                }
                State::Length(length) => {
                    let (taken, rest) = bytes.split_at((8 - length.len()).min(bytes.len()));
                    length.extend_from_slice(taken);
                    bytes = rest;
                    let Ok(length) = <[u8; 8]>::try_from(length.as_slice()) else { return Ok(()) };
                    self.state = self.storage(u64::from_le_bytes(length))?;
                }
                State::Storage(data, len) => {
                    let (taken, rest) = bytes.split_at((*len - data.len()).min(bytes.len()));
                    data.extend_from_slice(taken);
                    bytes = rest;
                    if data.len() < *len {
                        return Ok(());
                    }
                    let data = std::mem::take(data);
                    if let (Some(checkpoint), Some(at)) = (&mut self.checkpoint, self.order.pop_front()) {
                        checkpoint.cut(at, data, complete);
                    }
                    self.state = self.next_storage();
                }
                State::End if bytes.is_empty() => return Ok(()),
                State::End => {
                    let problem = format!("has {} extra bytes after its last storage", bytes.len());
                    return Err(self.source.corrupt(problem));
                }
            }
        }
    }

    /// The state after a pickle.
    fn after(&mut self, part: Part, pickled: &Pickled) -> Result<State> {
        let next = |part| State::Pickle(part, Unpickler::default());
        Ok(match part {
            Part::Magic => next(Part::Version),
            Part::Version => match pickled.get(pickled.root) {
                Value::Int(VERSION) => next(Part::Machine),
                _ => {
                    return Err(self.source.not_a_model(format!("its format's version isn't {VERSION}")));
                }
            },
            Part::Machine => {
                if is_big_endian(pickled) {
                    return Err(self.source.big_endian());
                }
                next(Part::Object)
            }
            Part::Object => {
                self.checkpoint = Some(Checkpoint::new(&self.source, pickled)?);
                next(Part::Keys)
            }
            Part::Keys => {
                self.order = self.keys(pickled)?;
                self.next_storage()
            }
        })
    }

    /// The storages in the order of the file.
    fn keys(&self, pickled: &Pickled) -> Result<VecDeque<usize>> {
        let problem =
            || self.source.corrupt("its list of storages doesn't match its tensors; fetch it again");
        let Value::List(keys) = pickled.get(pickled.root) else { return Err(problem()) };
        let expected = |key: &str| self.checkpoint.as_ref().and_then(|checkpoint| checkpoint.expected(key));
        let order: Option<VecDeque<usize>> = keys.iter().map(|key| expected(pickled.text(*key)?)).collect();
        let order = order.ok_or_else(problem)?;
        let mut seen: Vec<usize> = order.iter().copied().collect();
        sort(&mut seen);
        if seen.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(problem());
        }
        Ok(order)
    }

    fn next_storage(&self) -> State {
        if self.order.is_empty() { State::End } else { State::Length(Vec::new()) }
    }

    /// The first storage in `order`, which has `found` values according to the file.
    fn storage(&self, found: u64) -> Result<State> {
        let (Some(checkpoint), Some(&at)) = (&self.checkpoint, self.order.front()) else {
            return Ok(State::End);
        };
        let (width, bytes) = (checkpoint.width(at), checkpoint.bytes(at));
        if found.checked_mul(width) != Some(bytes) {
            let problem = format!("needs a storage of {} values, found one of {found}", bytes / width);
            return Err(checkpoint.problem(&self.source, at, &problem));
        }
        let len = usize::try_from(bytes).map_err(|_| {
            checkpoint.problem(&self.source, at, "needs a storage beyond this device's memory")
        })?;
        let mut data = Vec::new();
        reserve(&mut data, checkpoint.tensor_in(at).unwrap_or("(unused)"), len)?;
        Ok(State::Storage(data, len))
    }

    /// Checks that the file is complete.
    pub(super) fn finish(self, received: u64) -> Result<Header> {
        let ends = format!("ends after {received} bytes");
        let Some(checkpoint) = self.checkpoint else {
            return Err(self.source.corrupt(format!("{ends}, inside its pickle; fetch it again")));
        };
        match (&self.state, self.order.front()) {
            (State::End, _) => {
                checkpoint.check_complete(&self.source)?;
                Ok(checkpoint.header)
            }
            (_, Some(at)) => {
                let problem = format!("is incomplete: the file {ends}; fetch it again");
                Err(checkpoint.problem(&self.source, *at, &problem))
            }
            _ => Err(self.source.corrupt(format!("{ends}, inside its list of storages; fetch it again"))),
        }
    }
}

fn is_big_endian(pickled: &Pickled) -> bool {
    let Value::Dict(items) = pickled.get(pickled.root) else { return false };
    items.iter().any(|(key, value)| {
        pickled.text(*key) == Some("little_endian") && matches!(pickled.get(*value), Value::Bool(false))
    })
}
