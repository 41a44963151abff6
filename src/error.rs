//! One error type for the whole crate. Every variant names what is at fault (a file, a tensor, a field or a step)
//! and its message ends with what to do about it where something can be done.

use std::fmt;

use thiserror::Error;

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between a model's files and an answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that is needed does not exist.
    #[error("{file}: not found; {hint}")]
    NotFound {
        /// Path or name of the missing file.
        file: String,
        /// What to do about it.
        hint: String,
    },
    /// A file exists and could not be read or written.
    #[cfg(not(target_arch = "wasm32"))]
    #[error("{file}: {source}")]
    Io {
        /// Path of the file.
        file: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The files are not those of a model: an HTML page in place of a file, JSON that is no configuration.
    #[error("{file}: not a model file: {problem}")]
    NotAModel {
        /// Path or name of the file.
        file: String,
        /// What was found instead.
        problem: String,
    },
    /// `config.json` holds a value that makes no sense, alone or beside another.
    #[error("config.json: `{field}`: {problem}")]
    Config {
        /// The field at fault.
        field: String,
        /// What is wrong with it; names both sizes where two disagree.
        problem: String,
    },
    /// A file of the right kind whose content is damaged.
    #[error("{file}: damaged: {problem}")]
    Corrupt {
        /// Path or name of the file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A tensor that is missing, has another shape than the configuration asks for, or holds NaN.
    #[error("{}tensor `{tensor}`: {problem}", before(.file))]
    Tensor {
        /// Name of the file that holds it, where it is known.
        file: Option<String>,
        /// The checkpoint's name of the tensor.
        tensor: String,
        /// What is wrong with it; names both shapes where two disagree.
        problem: String,
    },
    /// A file's size or hash differs from what `files.json` states.
    #[error("{file}: {problem}; fetch the file again")]
    Integrity {
        /// Path or name of the file.
        file: String,
        /// Stated and found value.
        problem: String,
    },
    /// Something well-formed that this crate or this device cannot run.
    #[error("{what} is not supported: {instead}")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What is supported, or what to do instead.
        instead: String,
    },
    /// An argument of a call.
    #[error("`{field}`: {problem}")]
    InvalidInput {
        /// The argument.
        field: String,
        /// What is wrong with it and what is allowed.
        problem: String,
    },
    /// The device's memory does not suffice.
    #[error(
        "out of memory: {what} needs {bytes} bytes; use a smaller batch, a shorter length or a smaller dtype"
    )]
    OutOfMemory {
        /// What the memory was for.
        what: String,
        /// How much was asked for.
        bytes: u64,
    },
    /// The GPU went away: a driver reset, a suspended tab.
    #[error("the GPU device was lost: {reason}; load the model again")]
    DeviceLost {
        /// What the platform said.
        reason: String,
    },
    /// The caller stopped the work.
    #[error("stopped by the caller")]
    Aborted,
    /// A step of a plan that breaks its own contract. Always a bug of this crate.
    #[error("step `{step}`: {problem} (a bug in mobilebert; please report it)")]
    Internal {
        /// Label of the step or part.
        step: String,
        /// What was found.
        problem: String,
    },
}

/// Stable code of an [`enum@Error`]: what programs branch on. The strings are those of the npm package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// `aborted`
    Aborted,
    /// `not-found`
    NotFound,
    /// `not-a-model`
    NotAModel,
    /// `corrupt`
    Corrupt,
    /// `integrity`
    Integrity,
    /// `unsupported`
    Unsupported,
    /// `invalid-input`
    InvalidInput,
    /// `out-of-memory`
    OutOfMemory,
    /// `device-lost`
    DeviceLost,
    /// `internal`
    Internal,
}

impl Code {
    /// The code as the npm package spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Aborted => "aborted",
            Code::NotFound => "not-found",
            Code::NotAModel => "not-a-model",
            Code::Corrupt => "corrupt",
            Code::Integrity => "integrity",
            Code::Unsupported => "unsupported",
            Code::InvalidInput => "invalid-input",
            Code::OutOfMemory => "out-of-memory",
            Code::DeviceLost => "device-lost",
            Code::Internal => "internal",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A file's name as a message begins with it.
fn before(file: &Option<String>) -> String {
    file.as_ref().map_or_else(String::new, |file| format!("{file}: "))
}

impl Error {
    /// A [`Error::Config`].
    pub fn config(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::Config { field: field.into(), problem: problem.into() }
    }

    /// A [`Error::Tensor`].
    pub fn tensor(tensor: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::Tensor { file: None, tensor: tensor.into(), problem: problem.into() }
    }

    /// The same, where it is about a tensor, with the file that holds it.
    #[must_use]
    pub fn in_file(self, name: &str) -> Self {
        match self {
            Error::Tensor { file: None, tensor, problem } => {
                Error::Tensor { file: Some(name.to_owned()), tensor, problem }
            }
            other => other,
        }
    }

    /// A [`Error::Corrupt`].
    pub fn corrupt(file: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::Corrupt { file: file.into(), problem: problem.into() }
    }

    /// A [`Error::InvalidInput`].
    pub fn invalid_input(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::InvalidInput { field: field.into(), problem: problem.into() }
    }

    /// A [`Error::Unsupported`].
    pub fn unsupported(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Error::Unsupported { what: what.into(), instead: instead.into() }
    }

    /// A [`Error::Internal`].
    pub fn internal(step: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::Internal { step: step.into(), problem: problem.into() }
    }

    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Error::NotFound { .. } => Code::NotFound,
            #[cfg(not(target_arch = "wasm32"))]
            Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Code::NotFound,
            #[cfg(not(target_arch = "wasm32"))]
            Error::Io { .. } => Code::Corrupt,
            Error::NotAModel { .. } => Code::NotAModel,
            Error::Config { .. } | Error::Corrupt { .. } | Error::Tensor { .. } => Code::Corrupt,
            Error::Integrity { .. } => Code::Integrity,
            Error::Unsupported { .. } => Code::Unsupported,
            Error::InvalidInput { .. } => Code::InvalidInput,
            Error::OutOfMemory { .. } => Code::OutOfMemory,
            Error::DeviceLost { .. } => Code::DeviceLost,
            Error::Aborted => Code::Aborted,
            Error::Internal { .. } => Code::Internal,
        }
    }

    /// What is at fault as `(kind, name)`, where kind is `file`, `tensor`, `field`, `step` or, for a lost device,
    /// `reason`.
    pub fn culprit(&self) -> Option<(&'static str, &str)> {
        match self {
            Error::NotFound { file, .. }
            | Error::NotAModel { file, .. }
            | Error::Corrupt { file, .. }
            | Error::Integrity { file, .. } => Some(("file", file)),
            #[cfg(not(target_arch = "wasm32"))]
            Error::Io { file, .. } => Some(("file", file)),
            Error::Tensor { tensor, .. } => Some(("tensor", tensor)),
            Error::Config { field, .. } | Error::InvalidInput { field, .. } => Some(("field", field)),
            Error::Internal { step, .. } => Some(("step", step)),
            Error::DeviceLost { reason } => Some(("reason", reason)),
            Error::Unsupported { .. } | Error::OutOfMemory { .. } | Error::Aborted => None,
        }
    }
}
