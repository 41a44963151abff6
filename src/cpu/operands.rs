//! What a step reads, found by its ids and held against the sizes that the plan promises.

use super::Loaded;
use crate::error::{Error, Result};
use crate::kernels::{PackedMatrix, Table};
use crate::plan::{BufferId, ParameterId, Plan, Residual};

/// What a step reads.
pub(super) struct Operands<'a> {
    pub parameters: &'a [Option<Loaded>],
    pub slots: &'a [Vec<f32>],
    pub plan: &'a Plan,
    pub label: &'a str,
}

impl<'a> Operands<'a> {
    pub(super) fn internal(&self, problem: impl Into<String>) -> Error {
        Error::internal(self.label, problem)
    }

    /// The values of a buffer.
    pub fn buffer(&self, id: BufferId) -> Result<&'a [f32]> {
        let slice =
            self.plan.buffers.get(id.0).and_then(|buffer| self.slots.get(buffer.slot)?.get(..buffer.len));
        slice.ok_or_else(|| self.internal(format!("buffer {} is not there or is the output", id.0)))
    }

    fn loaded(&self, id: ParameterId) -> Result<&'a Loaded> {
        let loaded = self.parameters.get(id.0).and_then(Option::as_ref);
        loaded.ok_or_else(|| self.internal(format!("parameter {} was not loaded", id.0)))
    }

    pub(super) fn matrix(&self, id: ParameterId) -> Result<&'a PackedMatrix> {
        match self.loaded(id)? {
            Loaded::Matrix(matrix) => Ok(matrix),
            _ => Err(self.internal(format!("parameter {} is no matrix", id.0))),
        }
    }

    pub(super) fn table(&self, id: ParameterId) -> Result<&'a Table> {
        match self.loaded(id)? {
            Loaded::Table(table) => Ok(table),
            _ => Err(self.internal(format!("parameter {} is no table", id.0))),
        }
    }

    pub(super) fn vector(&self, id: ParameterId, len: usize) -> Result<&'a [f32]> {
        let Loaded::Vector(data) = self.loaded(id)? else {
            return Err(self.internal(format!("parameter {} is no vector", id.0)));
        };
        self.expect("a vector", data.len(), len)?;
        Ok(data)
    }

    pub(super) fn expect(&self, what: &str, found: usize, expected: usize) -> Result<()> {
        if found == expected {
            Ok(())
        } else {
            Err(self.internal(format!("{what} has {found} values, not {expected}")))
        }
    }

    pub(super) fn residual(
        &self,
        residual: Residual,
        len: usize,
        features: usize,
    ) -> Result<(&'a [f32], &'a [f32])> {
        let values = self.buffer(residual.buffer)?;
        self.expect("the residual", values.len(), len)?;
        let scale = residual.scale.map(|scale| self.vector(scale, features)).transpose()?;
        Ok((values, scale.unwrap_or_default()))
    }

    pub(super) fn u32(&self, value: usize) -> Result<u32> {
        u32::try_from(value).map_err(|_| self.internal(format!("{value} is beyond 32 bits")))
    }

    pub(super) fn batch(&self) -> usize {
        self.plan.request.batch
    }

    pub(super) fn sequence(&self) -> usize {
        self.plan.request.sequence
    }

    /// An input of whole rows of `features`, as long as the output.
    pub(super) fn rows(&self, input: BufferId, output: &[f32], features: usize) -> Result<&'a [f32]> {
        let input = self.buffer(input)?;
        self.expect("the output", output.len(), input.len())?;
        if features == 0 || !output.len().is_multiple_of(features) {
            return Err(self.internal(format!("{} values are not rows of {features}", output.len())));
        }
        Ok(input)
    }
}
