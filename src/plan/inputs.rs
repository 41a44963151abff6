//! What a run is given: ids, types and mask, padded to a plan's batch and sequence.

use crate::error::{Error, Result};

use super::{Operation, ParameterId, Plan};

/// An id that stands past the end of a text: its word vector is zeros, as beyond the edge of a sequence, so that a
/// result does not depend on the length a plan was padded to. (Padding of the caller's own is an ordinary token.)
pub const PAST_THE_END: u32 = u32::MAX;

/// Inputs of one run, each row-major `[batch, sequence]` of the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Token ids, [`PAST_THE_END`] beyond each text.
    pub input_ids: Vec<u32>,
    /// Token types; 0 beyond each text.
    pub token_type_ids: Vec<u32>,
    /// 1 where a token may be attended to, 0 elsewhere and beyond each text.
    pub attention_mask: Vec<u32>,
}

impl Inputs {
    /// Whether they fit `plan`; `rows_of` tells how many rows a table has.
    ///
    /// # Errors
    /// `InvalidInput` with the array's name: another length than the plan's, an id beyond its table.
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
        for step in &plan.steps {
            let (field, ids, table) = match step.operation {
                Operation::Embedding { table, .. } => ("input_ids", &self.input_ids, table),
                Operation::Position { token_type: Some(table), .. } => {
                    ("token_type_ids", &self.token_type_ids, table)
                }
                _ => continue,
            };
            let Some(rows) = rows_of(table) else { continue };
            let may_end = field == "input_ids";
            let beyond = |&&id: &&u32| id as usize >= rows && !(may_end && id == PAST_THE_END);
            if let Some(id) = ids.iter().find(beyond) {
                return Err(Error::invalid_input(field, format!("holds {id}; ids are below {rows}")));
            }
        }
        Ok(())
    }
}
