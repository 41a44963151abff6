//! The pickle interpreter. It builds values and calls nothing: the imports that it knows only describe
//! tensors.

use std::collections::HashMap;

use super::pickle::{Instruction, instruction};
use super::value::{Id, Import, StorageValue, TensorValue, Value};

/// A checkpoint of thousands of tensors has a pickle of a few hundred kilobytes.
const MAX_BYTES: usize = 4 << 20;
/// A tensor takes about twenty values.
const MAX_VALUES: usize = 1 << 18;
/// Maximum number of items, sizes and characters that values copy from others: a pickle can refer to a long
/// value many times. A tensor and its storage copy about ten.
const MAX_COPIED: usize = 1 << 19;
/// Number of characters of a rejected import shown in an error.
const MAX_SHOWN: usize = 100;

/// Reads one pickle that arrives in chunks.
#[derive(Debug, Default)]
pub(super) struct Unpickler {
    /// Bytes of an incomplete instruction.
    pending: Vec<u8>,
    /// Bytes of the executed instructions.
    consumed: usize,
    /// See [`MAX_COPIED`].
    copied: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

/// A pickle's values.
#[derive(Debug)]
pub(super) struct Pickled {
    pub(super) values: Vec<Value>,
    /// The value of the whole pickle.
    pub(super) root: Id,
    /// Length of the pickle in bytes.
    pub(super) len: usize,
}

impl Pickled {
    pub(super) fn get(&self, id: Id) -> &Value {
        &self.values[id as usize]
    }

    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Unpickler {
    /// Takes the next bytes. At the end of the pickle, returns its values and the bytes after it.
    ///
    /// # Errors
    /// A description of the problem, for the message.
    pub(super) fn push<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<(Pickled, &'a [u8])>, String> {
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut at = 0;
        while let Some((instruction, len)) = instruction(&pending[at..])? {
            at += len;
            self.consumed += len;
            if self.consumed > MAX_BYTES {
                return Err(format!("its pickle has more than {MAX_BYTES} bytes"));
            }
            if instruction == Instruction::Stop {
                let root = self.pop()?;
                let rest = &bytes[bytes.len() - (pending.len() - at)..];
                let values = std::mem::take(&mut self.values);
                return Ok(Some((Pickled { values, root, len: self.consumed }, rest)));
            }
            self.execute(instruction)?;
        }
        self.pending = pending[at..].to_vec();
        Ok(None)
    }

    fn execute(&mut self, instruction: Instruction<'_>) -> Result<(), String> {
        use Instruction as I;
        match instruction {
            I::Nothing | I::Stop => Ok(()),
            I::Mark => self.mark(),
            I::Pop => self.pop().map(|_| ()),
            I::PopMark => self.since_mark().map(|_| ()),
            I::None | I::Number => self.new_value(Value::Other),
            I::Bool(value) => self.new_value(Value::Bool(value)),
            I::Int(value) => self.new_value(Value::Int(value)),
            I::Text(text) => self.new_value(Value::Text(utf8(text)?.into())),
            I::EmptyDict => self.new_value(Value::Dict(Vec::new())),
            I::EmptyList => self.new_value(Value::List(Vec::new())),
            I::EmptyTuple => self.new_value(Value::Tuple(Box::default())),
            I::Append => self.last(1).and_then(|item| self.append(&item)),
            I::Appends => self.since_mark().and_then(|items| self.append(&items)),
            I::SetItem => self.last(2).and_then(|item| self.set_items(&item)),
            I::SetItems => self.since_mark().and_then(|items| self.set_items(&items)),
            I::Tuple => self.since_mark().and_then(|items| self.new_value(Value::Tuple(items.into()))),
            I::TupleOf(len) => self.last(len).and_then(|items| self.new_value(Value::Tuple(items.into()))),
            I::Get(place) => self.get(place),
            I::Put(place) => self.memoize(place),
            I::Memoize => self.memoize(self.memo.len() as u32),
            I::Import(module, name) => self.import(utf8(module)?, utf8(name)?),
            I::StackImport => {
                let (name, module) = (self.pop_text()?, self.pop_text()?);
                self.import(&module, &name)
            }
            I::Reduce => self.reduce(),
            I::Build => self.build(),
            I::PersistentId => self.storage(),
        }
    }

    /// The state of an `OrderedDict` is its `_metadata`: version numbers of modules.
    fn build(&mut self) -> Result<(), String> {
        self.pop()?;
        match self.top()? {
            Value::Dict(_) => Ok(()),
            _ => Err("its pickle sets the state of something other than a dictionary".into()),
        }
    }

    fn import(&mut self, module: &str, name: &str) -> Result<(), String> {
        match Import::of(module, name) {
            Some(import) => self.new_value(Value::Import(import)),
            None => {
                let name: String = format!("{module}.{name}").chars().take(MAX_SHOWN).collect();
                Err(format!("it imports `{name}`; only tensors are read, and nothing in the file was run"))
            }
        }
    }

    /// Calls an import with the arguments on the stack.
    fn reduce(&mut self) -> Result<(), String> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let Value::Import(callee) = self.values[callee as usize] else {
            return Err("its pickle calls something that isn't an import".into());
        };
        let Value::Tuple(arguments) = &self.values[arguments as usize] else {
            return Err("its pickle calls an import without a tuple of arguments".into());
        };
        let value = match (callee, &arguments[..]) {
            (Import::OrderedDict, []) => Value::Dict(Vec::new()),
            (Import::OrderedDict, [items]) => Value::Dict(self.pairs(*items)?),
            (Import::RebuildTensor, [storage, offset, shape, strides, ..]) => {
                Value::Tensor(Box::new(TensorValue {
                    storage: *storage,
                    offset: self.int(*offset)?,
                    shape: self.ints(*shape)?,
                    strides: self.ints(*strides)?,
                }))
            }
            (Import::RebuildParameter, [tensor, ..]) => {
                self.stack.push(*tensor);
                return Ok(());
            }
            _ => return Err(format!("its pickle calls {callee:?} with {} arguments", arguments.len())),
        };
        self.new_value(value)
    }

    /// `('storage', class, key, device, length)`, followed by `None` in the older format.
    fn storage(&mut self) -> Result<(), String> {
        let id = self.pop()?;
        let parts = match &self.values[id as usize] {
            Value::Tuple(parts) => parts.clone(),
            _ => Box::default(),
        };
        let (class, key, len) = match parts[..] {
            [_, class, key, _, len] => (class, key, len),
            [_, class, key, _, len, view] if matches!(self.values[view as usize], Value::Other) => {
                (class, key, len)
            }
            [_, _, _, _, _, _] => {
                return Err(
                    "its pickle has views of storages as written before PyTorch 0.4; save it again".into()
                );
            }
            _ => return Err("its pickle has an object other than a storage outside itself".into()),
        };
        let Value::Import(Import::Storage(dtype)) = self.values[class as usize] else {
            return Err("its pickle has a storage of an unknown class".into());
        };
        let Value::Text(key) = self.values[key as usize].clone() else {
            return Err("its pickle has a storage without a key".into());
        };
        let len = self.int(len)?;
        self.new_value(Value::Storage(Box::new(StorageValue { key, dtype, len })))
    }

    /// The items of a list of pairs, which Python 2 passes to an `OrderedDict`.
    fn pairs(&self, items: Id) -> Result<Vec<(Id, Id)>, String> {
        let problem = "its pickle makes a dictionary of something other than pairs";
        let Value::List(items) = &self.values[items as usize] else { return Err(problem.into()) };
        let pair = |id: &Id| match &self.values[*id as usize] {
            Value::Tuple(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
            Value::List(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
            _ => Err(problem.to_owned()),
        };
        items.iter().map(pair).collect()
    }

    fn int(&self, id: Id) -> Result<i64, String> {
        match self.values[id as usize] {
            Value::Int(value) => Ok(value),
            _ => Err("its pickle has another value in place of an integer".into()),
        }
    }

    fn ints(&self, id: Id) -> Result<Vec<i64>, String> {
        let Value::Tuple(items) = &self.values[id as usize] else {
            return Err("its pickle has another value in place of a shape".into());
        };
        items.iter().map(|item| self.int(*item)).collect()
    }

    fn append(&mut self, items: &[Id]) -> Result<(), String> {
        match self.top()? {
            Value::List(list) => {
                list.extend_from_slice(items);
                Ok(())
            }
            _ => Err("its pickle appends to something other than a list".into()),
        }
    }

    fn set_items(&mut self, items: &[Id]) -> Result<(), String> {
        match self.top()? {
            Value::Dict(dict) if items.len().is_multiple_of(2) => {
                dict.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
                Ok(())
            }
            _ => Err("its pickle sets items of something other than a dictionary".into()),
        }
    }

    fn new_value(&mut self, value: Value) -> Result<(), String> {
        if self.values.len() == MAX_VALUES {
            return Err(format!("its pickle has more than {MAX_VALUES} values"));
        }
        self.copied += match &value {
            Value::Dict(items) => items.len(),
            Value::Storage(storage) => storage.key.len(),
            Value::Tensor(tensor) => tensor.shape.len() + tensor.strides.len(),
            _ => 0,
        };
        if self.copied > MAX_COPIED {
            return Err("its pickle copies the same values again and again".into());
        }
        self.stack.push(self.values.len() as Id);
        self.values.push(value);
        Ok(())
    }

    fn get(&mut self, place: u32) -> Result<(), String> {
        let id = self.memo.get(&place).ok_or("its pickle refers to a value that it doesn't have")?;
        self.stack.push(*id);
        Ok(())
    }

    fn memoize(&mut self, place: u32) -> Result<(), String> {
        let id = self.stack.last().ok_or_else(underflow)?;
        self.memo.insert(place, *id);
        Ok(())
    }

    /// Index of the first value since the last mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id, String> {
        if self.stack.len() == self.floor() {
            return Err(underflow());
        }
        self.stack.pop().ok_or_else(underflow)
    }

    fn pop_text(&mut self) -> Result<Box<str>, String> {
        let id = self.pop()?;
        match &self.values[id as usize] {
            Value::Text(text) => Ok(text.clone()),
            _ => Err("its pickle has an import without a name".into()),
        }
    }

    fn top(&mut self) -> Result<&mut Value, String> {
        let id = self.stack.last().ok_or_else(underflow)?;
        Ok(&mut self.values[*id as usize])
    }

    fn mark(&mut self) -> Result<(), String> {
        self.marks.push(self.stack.len());
        Ok(())
    }

    /// The last `len` values since the last mark.
    fn last(&mut self, len: usize) -> Result<Vec<Id>, String> {
        let first = self.stack.len().checked_sub(len).filter(|first| *first >= self.floor());
        Ok(self.stack.split_off(first.ok_or_else(underflow)?))
    }

    fn since_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or_else(underflow)?;
        Ok(self.stack.split_off(mark))
    }
}

fn underflow() -> String {
    "its pickle takes more values than it has".into()
}

fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "its pickle has text that isn't UTF-8".into())
}
