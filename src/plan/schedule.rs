//! Fuses a plan's operations into fewer kernels. Results change only by rounding.

use std::collections::HashMap;

use super::{Activation, Buffer, BufferId, Operation, Plan, Step};
use crate::kernels::{Activate, Add, Attention, AttentionContext, AttentionProbabilities, Linear};

/// Fuses activations and residuals into the linear before them, and the two halves of attention, if the intermediate
/// result is read only once and isn't an output of the plan.
pub(super) fn fuse(plan: &mut Plan) {
    let mut readers: HashMap<BufferId, usize> = HashMap::new();
    for buffer in plan.steps.iter().flat_map(|step| step.operation.reads()) {
        *readers.entry(buffer).or_default() += 1;
    }
    for output in &plan.outputs {
        *readers.entry(output.buffer).or_default() += 2;
    }
    let mut fused: Vec<Option<Step>> = Vec::with_capacity(plan.steps.len());
    let mut producer: HashMap<BufferId, usize> = HashMap::new();
    for step in plan.steps.drain(..) {
        let before = first_operand(&step.operation)
            .filter(|operand| readers.get(operand) == Some(&1))
            .and_then(|operand| producer.get(&operand).copied());
        let merged = before.and_then(|index| {
            fused[index].as_ref().and_then(|before| merge(&before.operation, &step.operation))
        });
        let step = match (merged, before) {
            (Some(operation), Some(index)) => {
                fused[index] = None;
                Step { operation, ..step }
            }
            _ => step,
        };
        producer.insert(step.output, fused.len());
        fused.push(Some(step));
    }
    plan.steps = fused.into_iter().flatten().collect();
    drop_unwritten_buffers(plan);
}

/// The operand whose producer an operation may be merged with.
fn first_operand(operation: &Operation) -> Option<BufferId> {
    match operation {
        Operation::Activate(Activate { input, .. }) | Operation::Add(Add { input, .. }) => Some(*input),
        Operation::AttentionContext(AttentionContext { probabilities, .. }) => Some(*probabilities),
        _ => None,
    }
}

/// `second ∘ first` as one operation, if there is a kernel for it.
fn merge(first: &Operation, second: &Operation) -> Option<Operation> {
    match (first, second) {
        (
            Operation::Linear(linear @ Linear { activation: Activation::Identity, residual: None, .. }),
            Operation::Activate(Activate { activation, .. }),
        ) => Some(Linear { activation: *activation, ..linear.clone() }.into()),
        (Operation::Linear(linear @ Linear { residual: None, .. }), Operation::Add(Add { residual, .. })) => {
            Some(Linear { residual: Some(*residual), ..linear.clone() }.into())
        }
        (
            Operation::AttentionProbabilities(AttentionProbabilities { query, key, heads, head_size }),
            Operation::AttentionContext(AttentionContext { value, .. }),
        ) => Some(
            Attention { query: *query, key: *key, value: *value, heads: *heads, head_size: *head_size }
                .into(),
        ),
        _ => None,
    }
}

/// Removes buffers that no step writes, and renumbers the others.
pub(super) fn drop_unwritten_buffers(plan: &mut Plan) {
    let mut renumbered: HashMap<BufferId, BufferId> = HashMap::new();
    let mut buffers: Vec<Buffer> = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        renumbered.insert(step.output, BufferId(buffers.len()));
        buffers.push(plan.buffers[step.output.0].clone());
    }
    let rename = |buffer: &mut BufferId| {
        if let Some(new) = renumbered.get(buffer) {
            *buffer = *new;
        }
    };
    for step in &mut plan.steps {
        step.operation.reads_mut().into_iter().for_each(rename);
        rename(&mut step.output);
    }
    for output in &mut plan.outputs {
        rename(&mut output.buffer);
    }
    plan.buffers = buffers;
}
