//! A pickle's values → the tensors of a checkpoint, by storage.

use std::collections::{HashMap, HashSet};

use safetensors::Dtype;

use crate::error::Result;
use crate::plan::TIED_TENSORS;
use crate::weights::formats::Source;
use crate::weights::header::{Entry, Header, without_wrappers};
use crate::weights::tensor::RawTensor;

use super::layout::Layout;
use super::unpickler::Pickled;
use super::value::{Id, StorageValue, TensorValue, Value};

/// Keys under which training loops save the model's state next to the optimizer's.
const WRAPPED_AS: [&str; 3] = ["state_dict", "model_state_dict", "model"];
/// Number of a storage's tensors among which the twin of a tied tensor is searched for.
const MAX_TWINS: usize = 64;
/// Tensors that share a storage may together have at most this multiple of its bytes.
const MAX_SHARING: u64 = 8;

/// The tensors described by a pickle, and the storages whose bytes haven't arrived yet.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub(super) header: Header,
    storages: Vec<Storage>,
    by_key: HashMap<Box<str>, usize>,
}

#[derive(Debug)]
struct Storage {
    dtype: Dtype,
    /// Number of values.
    len: u64,
    /// Its tensors, by their index in the header.
    views: Vec<(usize, Layout)>,
    has_arrived: bool,
}

impl Checkpoint {
    /// Checks every tensor against its storage.
    ///
    /// # Errors
    /// `NotAModel` if there are no tensors; `Tensor`, `Corrupt`.
    pub(super) fn new(source: &Source, pickled: &Pickled) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint {
            header: Header::new(&source.file, Vec::new()),
            storages: Vec::new(),
            by_key: HashMap::new(),
        };
        checkpoint.add_storages(source, pickled)?;
        let mut entries = Vec::new();
        let mut names = HashSet::new();
        for (name, tensor) in state_dict(source, pickled)? {
            if !names.insert(name) {
                return Err(source.tensor(name, "is in the pickle twice"));
            }
            entries.extend(checkpoint.view(source, pickled, name, tensor, entries.len())?);
        }
        checkpoint.header = Header::new(&source.file, entries);
        checkpoint.check_sizes(source)?;
        Ok(checkpoint)
    }

    /// Adds all storages, including those of values that aren't part of the state.
    fn add_storages(&mut self, source: &Source, pickled: &Pickled) -> Result<()> {
        for value in &pickled.values {
            let Value::Storage(value) = value else { continue };
            let StorageValue { key, dtype, len } = &**value;
            let Ok(len) = u64::try_from(*len) else {
                return Err(source.corrupt(format!("storage `{key}` has length {len}")));
            };
            match self.by_key.get(key).map(|at| &self.storages[*at]) {
                Some(other) if (other.dtype, other.len) != (*dtype, len) => {
                    return Err(source.corrupt(format!("storage `{key}` has two types or lengths")));
                }
                Some(_) => {}
                None => {
                    self.by_key.insert(key.clone(), self.storages.len());
                    self.storages.push(Storage { dtype: *dtype, len, views: Vec::new(), has_arrived: false });
                }
            }
        }
        Ok(())
    }

    /// Adds a tensor to its storage. A decoder tied to the word embeddings is stored once: readers tie it again.
    fn view(
        &mut self,
        source: &Source,
        pickled: &Pickled,
        name: &str,
        tensor: &TensorValue,
        index: usize,
    ) -> Result<Option<Entry>> {
        let Value::Storage(storage) = pickled.get(tensor.storage) else {
            return Err(source.tensor(name, "has no storage"));
        };
        let Some(storage) = self.by_key.get(&storage.key).map(|at| &mut self.storages[*at]) else {
            return Err(source.tensor(name, "has no storage"));
        };
        let layout = Layout::new(tensor.offset, &tensor.shape, &tensor.strides, storage.len)
            .map_err(|problem| source.tensor(name, problem))?;
        let is_tied = TIED_TENSORS.contains(&without_wrappers(name));
        if is_tied && storage.views.iter().take(MAX_TWINS).any(|(_, other)| *other == layout) {
            return Ok(None);
        }
        let dtype = storage.dtype;
        let len =
            layout.len().checked_mul(width(dtype)).ok_or_else(|| source.tensor(name, "is too large"))?;
        let shape = layout.shape().to_vec();
        storage.views.push((index, layout));
        Ok(Some(Entry { name: name.to_owned(), dtype, shape, len }))
    }

    /// Rejects storages that the file can't contain, and tensors that copy the same storage again and again.
    fn check_sizes(&self, source: &Source) -> Result<()> {
        let mut stored = 0u64;
        for (at, storage) in self.storages.iter().enumerate() {
            stored = stored.saturating_add(storage.bytes());
            if let Some(total) = source.total.filter(|total| stored > *total) {
                let problem =
                    format!("needs {stored} bytes up to here, but the file has {total}; fetch it again");
                return Err(self.problem(source, at, &problem));
            }
        }
        self.storages.iter().try_for_each(|storage| self.check_sharing(source, storage))
    }

    fn check_sharing(&self, source: &Source, storage: &Storage) -> Result<()> {
        let mut used = 0u64;
        for (index, _) in &storage.views {
            let entry = &self.header.tensors[*index];
            used = used.saturating_add(entry.len as u64);
            if used > storage.bytes().saturating_mul(MAX_SHARING) {
                return Err(source.tensor(&entry.name, "shares its storage with too many tensors"));
            }
        }
        Ok(())
    }

    /// The storage with this key, if it is in the pickle and its bytes haven't arrived.
    pub(super) fn expected(&self, key: &str) -> Option<usize> {
        self.by_key.get(key).copied().filter(|at| !self.storages[*at].has_arrived)
    }

    /// Size of a storage in bytes.
    pub(super) fn bytes(&self, at: usize) -> u64 {
        self.storages[at].bytes()
    }

    /// Bytes per value of a storage.
    pub(super) fn width(&self, at: usize) -> u64 {
        width(self.storages[at].dtype) as u64
    }

    /// Returns whether any tensor needs a storage.
    pub(super) fn is_used(&self, at: usize) -> bool {
        !self.storages[at].views.is_empty()
    }

    /// Name of the first tensor in a storage.
    pub(super) fn tensor_in(&self, at: usize) -> Option<&str> {
        let (first, _) = self.storages[at].views.first()?;
        self.header.tensors.get(*first).map(|entry| entry.name.as_str())
    }

    /// An error about a storage that names its first tensor.
    pub(super) fn problem(&self, source: &Source, at: usize, problem: &str) -> crate::error::Error {
        match self.tensor_in(at) {
            Some(name) => source.tensor(name, problem),
            None => source.corrupt(format!("a storage that no tensor uses {problem}")),
        }
    }

    /// Cuts the bytes of a storage into its tensors.
    pub(super) fn cut(&mut self, at: usize, bytes: Vec<u8>, complete: &mut Vec<RawTensor>) {
        let Storage { dtype, len, views, has_arrived } = &mut self.storages[at];
        *has_arrived = true;
        let raw = |index: &usize, bytes| {
            let Entry { name, dtype, shape, .. } = self.header.tensors[*index].clone();
            RawTensor { name, dtype, shape, bytes }
        };
        match &views[..] {
            [(index, layout)] if layout.is_whole(*len as usize) => complete.push(raw(index, bytes)),
            views => {
                let width = width(*dtype);
                complete.extend(views.iter().map(|(index, layout)| raw(index, layout.gather(&bytes, width))));
            }
        }
    }

    /// Checks that the bytes of every tensor have arrived.
    pub(super) fn check_complete(&self, source: &Source) -> Result<()> {
        let missing =
            (0..self.storages.len()).find(|at| self.is_used(*at) && !self.storages[*at].has_arrived);
        match missing {
            Some(at) => Err(self.problem(source, at, "has no data in the file; fetch it again")),
            None => Ok(()),
        }
    }
}

impl Storage {
    fn bytes(&self) -> u64 {
        self.len.saturating_mul(width(self.dtype) as u64)
    }
}

/// Bytes per value.
fn width(dtype: Dtype) -> usize {
    dtype.bitsize() / 8
}

/// The named tensors: the pickled dictionary, or the nested one in which a training loop saved the model.
/// Other values, such as step counts, are ignored.
fn state_dict<'a>(source: &Source, pickled: &'a Pickled) -> Result<Vec<(&'a str, &'a TensorValue)>> {
    let Value::Dict(items) = pickled.get(pickled.root) else {
        return Err(
            source.not_a_model("its pickle isn't a dictionary of tensors; save the model's state_dict")
        );
    };
    let tensors = named_tensors(pickled, items);
    if !tensors.is_empty() {
        return Ok(tensors);
    }
    let inner = |key: &str| {
        let (_, value) = items.iter().rev().find(|(found, _)| pickled.text(*found) == Some(key))?;
        match pickled.get(*value) {
            Value::Dict(items) => Some(named_tensors(pickled, items)).filter(|tensors| !tensors.is_empty()),
            _ => None,
        }
    };
    WRAPPED_AS.iter().find_map(|key| inner(key)).ok_or_else(|| {
        let keys: Vec<&str> = items.iter().filter_map(|(key, _)| pickled.text(*key)).take(5).collect();
        source.not_a_model(format!(
            "its pickle has no tensors (keys: {}); save the model's state_dict",
            keys.join(", ")
        ))
    })
}

fn named_tensors<'a>(pickled: &'a Pickled, items: &[(Id, Id)]) -> Vec<(&'a str, &'a TensorValue)> {
    let named = |(key, value): &(Id, Id)| match (pickled.get(*key), pickled.get(*value)) {
        (Value::Text(name), Value::Tensor(tensor)) => Some((&**name, &**tensor)),
        _ => None,
    };
    items.iter().filter_map(named).collect()
}
