//! Memory assignment: two buffers share memory if the last reader of one comes before the writer of the other.

use super::{BufferId, Plan};
use crate::sorting::sort;

/// Assigns a slot to every buffer. Output buffers keep theirs until the end; a step's output never shares a
/// slot with its operands.
pub(super) fn assign(plan: &mut Plan) {
    let last_read = last_reads(plan);
    let mut slots: Vec<usize> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let len = plan.buffers[step.output.0].len;
        let slot = take(&mut free, &slots, len).unwrap_or_else(|| {
            slots.push(0);
            slots.len() - 1
        });
        slots[slot] = slots[slot].max(len);
        plan.buffers[step.output.0].slot = slot;
        let mut operands = step.operation.reads();
        operands.push(step.output);
        sort(&mut operands);
        operands.dedup();
        for BufferId(operand) in operands {
            if last_read[operand] == Some(index) {
                free.push(plan.buffers[operand].slot);
            }
        }
    }
    plan.slots = slots;
}

/// For each buffer, the last step that uses it, or `None` for outputs.
fn last_reads(plan: &Plan) -> Vec<Option<usize>> {
    let mut last = vec![None; plan.buffers.len()];
    for (index, step) in plan.steps.iter().enumerate() {
        last[step.output.0] = Some(index);
        for BufferId(operand) in step.operation.reads() {
            last[operand] = Some(index);
        }
    }
    for output in &plan.outputs {
        last[output.buffer.0] = None;
    }
    last
}

/// Takes the smallest free slot that is large enough or, failing that, the largest, which the caller then grows.
fn take(free: &mut Vec<usize>, slots: &[usize], len: usize) -> Option<usize> {
    let fitting =
        (0..free.len()).filter(|&index| slots[free[index]] >= len).min_by_key(|&index| slots[free[index]]);
    let index = fitting.or_else(|| (0..free.len()).max_by_key(|&index| slots[free[index]]))?;
    Some(free.swap_remove(index))
}
