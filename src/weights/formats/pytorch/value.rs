//! The values of a pickle.

use safetensors::Dtype;

/// Index of a value. Values refer to each other by index, so cycles and deep nesting need no recursion.
pub(super) type Id = u32;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// `None`, and numbers that no tensor needs.
    Other,
    Bool(bool),
    Int(i64),
    Text(Box<str>),
    Tuple(Box<[Id]>),
    List(Vec<Id>),
    /// Keys and values, in the order of insertion.
    Dict(Vec<(Id, Id)>),
    Import(Import),
    Storage(Box<StorageValue>),
    Tensor(Box<TensorValue>),
}

/// The imports that tensors need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Import {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    /// The class of storages of this type.
    Storage(Dtype),
}

impl Import {
    /// The import with this module and name; `None` if tensors don't need it.
    pub(super) fn of(module: &str, name: &str) -> Option<Import> {
        match (module, name) {
            ("collections", "OrderedDict") => Some(Import::OrderedDict),
            ("torch._utils", "_rebuild_tensor_v2") => Some(Import::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Import::RebuildParameter),
            ("torch", name) => storage_dtype(name.strip_suffix("Storage")?).map(Import::Storage),
            _ => None,
        }
    }
}

fn storage_dtype(class: &str) -> Option<Dtype> {
    Some(match class {
        "Double" => Dtype::F64,
        "Float" => Dtype::F32,
        "Half" => Dtype::F16,
        "BFloat16" => Dtype::BF16,
        "Long" => Dtype::I64,
        "Int" => Dtype::I32,
        "Short" => Dtype::I16,
        "Char" => Dtype::I8,
        "Byte" => Dtype::U8,
        "Bool" => Dtype::BOOL,
        _ => return None,
    })
}

/// A storage: consecutive values, whose bytes follow the pickle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StorageValue {
    pub(super) key: Box<str>,
    pub(super) dtype: Dtype,
    /// Number of values, not checked.
    pub(super) len: i64,
}

/// A tensor: a view of a storage, not checked.
#[derive(Clone, Debug)]
pub(super) struct TensorValue {
    pub(super) storage: Id,
    pub(super) offset: i64,
    pub(super) shape: Vec<i64>,
    pub(super) strides: Vec<i64>,
}
