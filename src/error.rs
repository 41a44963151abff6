//! One error type for the whole crate. An error names the file, tensor, field or step at fault, if any, and
//! its message ends with what to do about it, if anything can be done.

use std::fmt;

use thiserror::Error;

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Anything that can go wrong from reading a model's files to answering.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A required file doesn't exist.
    #[error("{file}: not found; {hint}")]
    NotFound {
        /// Path or name of the missing file.
        file: String,
        /// What to do about it.
        hint: String,
    },
    /// A file exists but couldn't be read or written.
    #[cfg(not(target_arch = "wasm32"))]
    #[error("{file}: {source}")]
    Io {
        /// Path of the file.
        file: String,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// A file that isn't part of a model: an HTML page in place of a file, JSON that isn't a configuration.
    #[error("{file}: not a model file: {problem}")]
    NotAModel {
        /// Path or name of the file.
        file: String,
        /// A description of what was found instead.
        problem: String,
    },
    /// `config.json` has an invalid value, or contradictory ones.
    #[error("config.json: `{field}`: {problem}")]
    Config {
        /// The field at fault.
        field: String,
        /// The problem; names both sizes if two disagree.
        problem: String,
    },
    /// A file of the right kind with damaged content.
    #[error("{file}: damaged: {problem}")]
    Corrupt {
        /// Path or name of the file.
        file: String,
        /// The problem.
        problem: String,
    },
    /// A tensor is missing, has a different shape than the configuration requires, or contains NaN.
    #[error("{}tensor `{tensor}`: {problem}", prefix(.file))]
    Tensor {
        /// Name of the file with the tensor, if known.
        file: Option<String>,
        /// Name of the tensor in the checkpoint.
        tensor: String,
        /// The problem; names both shapes if two disagree.
        problem: String,
    },
    /// A file's size or hash differs from the one in `files.json`.
    #[error("{file}: {problem}; fetch the file again")]
    Integrity {
        /// Path or name of the file.
        file: String,
        /// Expected and actual value.
        problem: String,
    },
    /// Something valid that this crate or this device can't run.
    #[error("{what} is not supported: {instead}")]
    Unsupported {
        /// The feature requested.
        what: String,
        /// The supported alternatives, or advice on what to do instead.
        instead: String,
    },
    /// An argument of a call.
    #[error("`{field}`: {problem}")]
    InvalidInput {
        /// The argument.
        field: String,
        /// The problem, and the allowed values.
        problem: String,
    },
    /// Not enough memory on the device.
    #[error(
        "out of memory: {what} needs {bytes} bytes; use a smaller batch, a shorter length or a smaller dtype"
    )]
    OutOfMemory {
        /// The purpose of the memory.
        what: String,
        /// The amount requested.
        bytes: u64,
    },
    /// The GPU device was lost, for example to a driver reset or a suspended tab.
    #[error("the GPU device was lost: {reason}; load the model again")]
    DeviceLost {
        /// The platform's reason.
        reason: String,
    },
    /// The caller stopped the call.
    #[error("stopped by the caller")]
    Aborted,
    /// A broken invariant. Always a bug in this crate.
    #[error("step `{step}`: {problem} (a bug in mobilebert; please report it)")]
    Internal {
        /// Label of the step, or name of the component.
        step: String,
        /// The problem.
        problem: String,
    },
}

/// Stable code of an [`enum@Error`], for programs to branch on. The npm package has the same codes, except
/// for `io`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// `aborted`
    Aborted,
    /// `not-found`
    NotFound,
    /// `not-a-model`
    NotAModel,
    /// `io`
    #[cfg(not(target_arch = "wasm32"))]
    Io,
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
    /// The code as a string, as in the npm package.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Aborted => "aborted",
            Code::NotFound => "not-found",
            Code::NotAModel => "not-a-model",
            #[cfg(not(target_arch = "wasm32"))]
            Code::Io => "io",
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

/// A file's name as a message prefix.
fn prefix(file: &Option<String>) -> String {
    file.as_ref().map_or_else(String::new, |file| format!("{file}: "))
}

impl Error {
    /// An [`Error::Config`].
    pub fn config(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::Config { field: field.into(), problem: problem.into() }
    }

    /// An [`Error::Tensor`].
    pub fn tensor(tensor: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::Tensor { file: None, tensor: tensor.into(), problem: problem.into() }
    }

    /// Adds the file to an [`Error::Tensor`] that has none.
    #[must_use]
    pub fn in_file(self, name: &str) -> Self {
        match self {
            Error::Tensor { file: None, tensor, problem } => {
                Error::Tensor { file: Some(name.to_owned()), tensor, problem }
            }
            other => other,
        }
    }

    /// An [`Error::Corrupt`].
    pub fn corrupt(file: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::Corrupt { file: file.into(), problem: problem.into() }
    }

    /// An [`Error::InvalidInput`].
    pub fn invalid_input(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::InvalidInput { field: field.into(), problem: problem.into() }
    }

    /// An [`Error::Unsupported`].
    pub fn unsupported(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Error::Unsupported { what: what.into(), instead: instead.into() }
    }

    /// An [`Error::Internal`].
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
            Error::Io { .. } => Code::Io,
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

    /// The culprit as `(kind, name)`: kind is `file`, `tensor`, `field`, `step` or, for a lost device, `reason`.
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
