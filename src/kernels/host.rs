//! The operands of a CPU twin: parameters in the layout of their kernels, activations, the inputs of the run.

use super::{BufferId, Inputs, PackedMatrix, ParameterId, ParameterShape, Table, Workers};
use crate::error::{Error, Result};

/// A parameter in main memory, in the layout that its kernels read.
#[derive(Debug)]
pub enum HostParameter {
    /// Packed into panels for an instruction set.
    Matrix {
        /// The values.
        packed: PackedMatrix,
        /// `[out_features, in_features]`
        shape: [usize; 2],
    },
    /// Rows to be gathered.
    Table {
        /// The values.
        table: Table,
        /// `[rows, features]`
        shape: [usize; 2],
    },
    /// Floats.
    Vector {
        /// The values.
        values: Vec<f32>,
        /// `[features]`
        shape: [usize; 1],
    },
}

impl HostParameter {
    /// A packed matrix.
    pub fn matrix(packed: PackedMatrix) -> Self {
        let shape = [packed.out_features(), packed.in_features()];
        HostParameter::Matrix { packed, shape }
    }

    /// A table.
    pub fn table(table: Table) -> Self {
        let shape = [table.rows(), table.features()];
        HostParameter::Table { table, shape }
    }

    /// A vector.
    pub fn vector(values: Vec<f32>) -> Self {
        let shape = [values.len()];
        HostParameter::Vector { values, shape }
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        match self {
            HostParameter::Matrix { packed, .. } => packed.bytes(),
            HostParameter::Table { table, .. } => table.bytes(),
            HostParameter::Vector { values, .. } => size_of_val(values.as_slice()),
        }
    }

    /// Its shape. The format is always [`F32`](super::WeightFormat::F32): twins handle formats themselves.
    pub fn shape(&self) -> ParameterShape<'_> {
        let shape = match self {
            HostParameter::Matrix { shape, .. } | HostParameter::Table { shape, .. } => shape.as_slice(),
            HostParameter::Vector { shape, .. } => shape.as_slice(),
        };
        ParameterShape::of(shape)
    }
}

/// The operands of one step.
pub struct Host<'a> {
    /// Label of the step.
    pub label: &'a str,
    /// The inputs of the run.
    pub inputs: &'a Inputs,
    /// The parameters, by id.
    pub parameters: &'a [Option<HostParameter>],
    /// The values of an activation buffer; `None` for the one that is being written.
    pub buffer: &'a dyn Fn(BufferId) -> Option<&'a [f32]>,
    /// Instruction set and threads.
    pub workers: &'a Workers,
}

impl<'a> Host<'a> {
    /// The values of a buffer.
    pub fn buffer(&self, id: BufferId) -> Result<&'a [f32]> {
        (self.buffer)(id).ok_or_else(|| self.error(format!("buffer {} is missing or is the output", id.0)))
    }

    /// The values of an optional buffer; empty for `None`.
    pub fn optional_buffer(&self, id: Option<BufferId>) -> Result<&'a [f32]> {
        id.map_or(Ok(&[]), |id| self.buffer(id))
    }

    /// A parameter that is a matrix.
    pub fn matrix(&self, id: ParameterId) -> Result<&'a PackedMatrix> {
        match self.parameter(id)? {
            HostParameter::Matrix { packed, .. } => Ok(packed),
            _ => Err(self.error(format!("parameter {} isn't a matrix", id.0))),
        }
    }

    /// A parameter that is a table.
    pub fn table(&self, id: ParameterId) -> Result<&'a Table> {
        match self.parameter(id)? {
            HostParameter::Table { table, .. } => Ok(table),
            _ => Err(self.error(format!("parameter {} isn't a table", id.0))),
        }
    }

    /// A parameter that is a vector.
    pub fn vector(&self, id: ParameterId) -> Result<&'a [f32]> {
        match self.parameter(id)? {
            HostParameter::Vector { values, .. } => Ok(values),
            _ => Err(self.error(format!("parameter {} isn't a vector", id.0))),
        }
    }

    /// An optional vector; empty for `None`.
    pub fn optional_vector(&self, id: Option<ParameterId>) -> Result<&'a [f32]> {
        id.map_or(Ok(&[]), |id| self.vector(id))
    }

    fn parameter(&self, id: ParameterId) -> Result<&'a HostParameter> {
        let parameter = self.parameters.get(id.0).and_then(Option::as_ref);
        parameter.ok_or_else(|| self.error(format!("parameter {} was not loaded", id.0)))
    }

    fn error(&self, problem: String) -> Error {
        Error::internal(self.label, problem)
    }
}
