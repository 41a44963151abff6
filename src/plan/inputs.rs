//! Checks that the inputs of a run fit a plan.

use super::{ParameterId, Plan};
use crate::error::{Error, Result};
use crate::kernels::RunInput;
pub use crate::kernels::{Inputs, PAD_ID};

impl Inputs {
    /// Checks that the inputs fit `plan`. `rows_of` returns the number of rows of a table.
    ///
    /// # Errors
    /// `InvalidInput` with the name of the array, if its length doesn't match the plan or an id is out of range.
    pub fn check(&self, plan: &Plan, rows_of: impl Fn(ParameterId) -> Option<usize>) -> Result<()> {
        let (batch, sequence) = (plan.request.batch, plan.request.sequence);
        let fields = [
            ("input_ids", &self.input_ids),
            ("token_type_ids", &self.token_type_ids),
            ("attention_mask", &self.attention_mask),
        ];
        for (field, values) in fields {
            if values.len() != batch * sequence {
                let problem = format!("{} values for a plan of {batch} x {sequence} tokens", values.len());
                return Err(Error::invalid_input(field, problem));
            }
        }
        for (input, table) in plan.steps.iter().flat_map(|step| step.operation.operator().gathers()) {
            let Some(rows) = rows_of(table) else { continue };
            let (field, ids, pads) = match input {
                RunInput::InputIds => ("input_ids", &self.input_ids, true),
                RunInput::TokenTypeIds => ("token_type_ids", &self.token_type_ids, false),
            };
            let beyond = |&&id: &&u32| id as usize >= rows && !(pads && id == PAD_ID);
            if let Some(id) = ids.iter().find(beyond) {
                return Err(Error::invalid_input(field, format!("holds {id}; ids are below {rows}")));
            }
        }
        Ok(())
    }
}
