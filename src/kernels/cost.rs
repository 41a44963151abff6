//! The cost of a step: arithmetic and memory traffic, independent of any device's speed.

use super::{BufferId, Operator, ParameterId, Shapes};
use crate::error::Result;

/// The arithmetic and the memory traffic of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point operations in matrix products, two per multiply-add. Element-wise work doesn't count.
    pub flops: u64,
    /// Bytes that have to be moved at least once: operands, inputs of the run, parameters, and the result. Of a table,
    /// the rows that are gathered.
    pub bytes: u64,
}

impl Cost {
    /// The cost of an operator that reads all of its buffers and parameters, and `ids` integers of the run's
    /// inputs.
    pub(super) fn of(
        operator: &impl Operator,
        shapes: &Shapes<'_>,
        stored: &dyn Fn(ParameterId) -> u64,
        ids: usize,
    ) -> Result<Cost> {
        let mut bytes = 4 * (shapes.output_len + ids) as u64;
        for buffer in operator.clone().reads_mut() {
            bytes += buffer_bytes(shapes, *buffer)?;
        }
        bytes += operator.parameters().into_iter().map(stored).sum::<u64>();
        Ok(Cost { flops: 0, bytes })
    }

    /// Subtracts the columns that an operator doesn't read: it reads `features` of each partially read
    /// operand.
    pub(super) fn without_other_columns(
        self,
        shapes: &Shapes<'_>,
        operator: &impl Operator,
        features: usize,
    ) -> Result<Cost> {
        let mut bytes = self.bytes;
        for columns in operator.clone().columns_mut() {
            bytes -= buffer_bytes(shapes, columns.buffer)? / columns.stride as u64
                * (columns.stride - features) as u64;
        }
        Ok(Cost { bytes, ..self })
    }

    /// Adds the operations of this many multiply-adds.
    pub(super) fn with_multiply_adds(self, count: usize) -> Cost {
        Cost { flops: 2 * count as u64, ..self }
    }
}

/// Bytes of a whole buffer.
pub(super) fn buffer_bytes(shapes: &Shapes<'_>, id: BufferId) -> Result<u64> {
    Ok(4 * shapes.len(id)? as u64)
}

/// Bytes of some rows of a table.
pub(super) fn gathered_bytes(
    shapes: &Shapes<'_>,
    stored: &dyn Fn(ParameterId) -> u64,
    table: ParameterId,
    rows: usize,
) -> Result<u64> {
    Ok(stored(table).saturating_mul(rows as u64) / shapes.matrix(table)?.rows as u64)
}
