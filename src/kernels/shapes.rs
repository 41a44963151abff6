//! The sizes of an operation's operands, and the checks common to all kernels.

use super::{BufferId, Columns, ParameterId, Residual, WeightFormat};
use crate::error::{Error, Result};

/// Shape and storage of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterShape<'a> {
    /// Sizes, outermost first.
    pub shape: &'a [usize],
    /// Format of its values on a GPU; CPU twins handle formats themselves.
    pub format: WeightFormat,
    /// Offset in its buffer on a GPU, in bytes.
    pub offset: usize,
    /// The group whose parameters share that buffer, if any.
    pub group: Option<usize>,
}

impl<'a> ParameterShape<'a> {
    /// The shape of a parameter that isn't on a GPU.
    pub fn of(shape: &'a [usize]) -> Self {
        ParameterShape { shape, format: WeightFormat::F32, offset: 0, group: None }
    }
}

/// Shapes and parameters of the step, for a kernel to look up. Lookups fail with the step's label.
pub struct Shapes<'a> {
    /// Label of the step.
    pub label: &'a str,
    /// Sequences per run.
    pub batch: usize,
    /// Tokens per sequence, padding included.
    pub sequence: usize,
    /// Length of the result in floats.
    pub output_len: usize,
    /// Length of a buffer in floats.
    pub buffer_len: &'a dyn Fn(BufferId) -> Option<usize>,
    /// Shape and storage of a parameter.
    pub parameter: &'a dyn Fn(ParameterId) -> Option<ParameterShape<'a>>,
}

impl<'a> Shapes<'a> {
    /// Tokens per run.
    pub fn rows(&self) -> usize {
        self.batch * self.sequence
    }

    /// An [`Error::Internal`] of this step: the plan is wrong.
    pub fn error(&self, problem: impl Into<String>) -> Error {
        Error::internal(self.label, problem)
    }

    /// Fails unless two sizes agree.
    pub fn equal(&self, what: &str, found: usize, expected: usize) -> Result<()> {
        if found == expected {
            Ok(())
        } else {
            Err(self.error(format!("{what}: {found} and {expected} disagree")))
        }
    }

    /// Converts a size or count for a parameter block.
    pub fn u32(&self, value: usize) -> Result<u32> {
        u32::try_from(value).map_err(|_| self.error(format!("{value} does not fit 32 bits")))
    }

    /// Length of a buffer in floats.
    pub fn len(&self, id: BufferId) -> Result<usize> {
        let len = (self.buffer_len)(id).filter(|len| *len > 0);
        len.ok_or_else(|| self.error(format!("buffer {} does not exist or is empty", id.0)))
    }

    /// Fails unless a buffer has this length.
    pub fn buffer(&self, id: BufferId, expected: usize) -> Result<()> {
        self.equal("operand", self.len(id)?, expected)
    }

    /// Fails unless a buffer has this many rows, each with this many columns from the first one on.
    pub fn columns(&self, columns: &Columns, rows: usize, features: usize) -> Result<()> {
        if columns.first + features > columns.stride {
            let end = columns.first + features;
            return Err(self.error(format!("columns {}..{end} of {}", columns.first, columns.stride)));
        }
        self.buffer(columns.buffer, rows * columns.stride)
    }

    /// Fails unless the result has this length.
    pub fn result(&self, expected: usize) -> Result<()> {
        self.equal("result", self.output_len, expected)
    }

    /// The number of rows of `features` floats in a buffer that is as long as the result.
    pub fn rows_of(&self, id: BufferId, features: usize) -> Result<usize> {
        let len = self.len(id)?;
        self.result(len)?;
        if features == 0 || !len.is_multiple_of(features) {
            return Err(self.error(format!("{len} floats in rows of {features}")));
        }
        Ok(len / features)
    }

    /// Shape and storage of a parameter.
    pub fn parameter(&self, id: ParameterId) -> Result<ParameterShape<'a>> {
        (self.parameter)(id).ok_or_else(|| self.error(format!("parameter {} does not exist", id.0)))
    }

    /// Rows, columns and storage of a non-empty matrix or table.
    pub fn matrix(&self, id: ParameterId) -> Result<Matrix> {
        match self.parameter(id)? {
            ParameterShape { shape: &[rows, columns], format, .. } if rows > 0 && columns > 0 => {
                Ok(Matrix { rows, columns, format })
            }
            ParameterShape { shape, .. } => {
                Err(self.error(format!("parameter {} of shape {shape:?} isn't a matrix", id.0)))
            }
        }
    }

    /// Fails unless a parameter is a vector of this length.
    pub fn vector(&self, id: ParameterId, expected: usize) -> Result<()> {
        let ParameterShape { shape, .. } = self.parameter(id)?;
        if shape == [expected] {
            Ok(())
        } else {
            Err(self.error(format!("vector {shape:?}, expected [{expected}]")))
        }
    }

    /// Fails unless a residual is `[rows, features]` and its scale `[features]`.
    pub fn residual(&self, residual: &Residual, rows: usize, features: usize) -> Result<()> {
        self.columns(&residual.from, rows, features)?;
        residual.scale.map_or(Ok(()), |scale| self.vector(scale, features))
    }
}

/// A two-dimensional parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Number of rows.
    pub rows: usize,
    /// Length of a row.
    pub columns: usize,
    /// Format of its values on a GPU.
    pub format: WeightFormat,
}
