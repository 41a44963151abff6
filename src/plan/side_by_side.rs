//! Joins linears with the same input and stacked weights: `[b | shared | v]` of a layer's input, `[q | k]` of
//! a bottleneck. A step that read one of them reads columns of the joint result, so nothing is copied.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::schedule::drop_unwritten_buffers;
use super::{Buffer, BufferId, Columns, Operation, Plan, Step};
use crate::kernels::Linear;
use crate::sorting::sort_by_key;

/// The columns of the joint result that replace a linear's result.
struct Moved {
    to: Columns,
    /// Width of the linear's own result.
    width: usize,
}

/// Joins linears wherever all readers of their results can read columns.
pub(super) fn join(plan: &mut Plan) {
    let mut moved = HashMap::new();
    let mut removed = HashSet::new();
    for mut members in same_input(plan) {
        sort_by_key(&mut members, |&index| outputs(&plan.steps[index]).start);
        let adjacent = |&left: &usize, &right: &usize| {
            outputs(&plan.steps[left]).end == outputs(&plan.steps[right]).start
        };
        let runs: Vec<Vec<usize>> = members.chunk_by(adjacent).map(<[usize]>::to_vec).collect();
        for run in runs.iter().filter(|run| run.len() > 1) {
            join_run(plan, run, &mut moved);
            // The first of them in the plan's order now computes all of them.
            removed.extend(run.iter().copied().filter(|index| run.iter().min() != Some(index)));
        }
    }
    let mut index = 0..;
    plan.steps.retain(|_| index.next().is_none_or(|index| !removed.contains(&index)));
    for columns in plan.steps.iter_mut().flat_map(|step| step.operation.columns_mut()) {
        if let Some(Moved { to, width }) = moved.get(&columns.buffer) {
            let rows = columns.stride / width;
            *columns = Columns { stride: rows * to.stride, first: to.first + columns.first, ..*to };
        }
    }
    drop_unwritten_buffers(plan);
}

/// Steps that can be joined if their weights are adjacent.
fn same_input(plan: &Plan) -> Vec<Vec<usize>> {
    let whole = read_as_a_whole(plan);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let Operation::Linear(linear @ Linear { residual: None, .. }) = &step.operation else { continue };
        if whole.contains(&step.output) {
            continue;
        }
        let joins = |other: &Step| {
            let same = Linear { outputs: linear.outputs.clone(), ..linear_of(other)?.clone() };
            Some(same == *linear)
        };
        match groups.iter_mut().find(|group| joins(&plan.steps[group[0]]) == Some(true)) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// Buffers that are results of the plan or that some step can't read in part.
fn read_as_a_whole(plan: &Plan) -> HashSet<BufferId> {
    let mut whole: HashSet<BufferId> = plan.outputs.iter().map(|output| output.buffer).collect();
    for step in &plan.steps {
        let mut operation = step.operation.clone();
        let in_part: Vec<BufferId> = operation.columns_mut().iter().map(|columns| columns.buffer).collect();
        let mut others = step.operation.reads();
        for buffer in in_part {
            if let Some(at) = others.iter().position(|other| *other == buffer) {
                others.swap_remove(at);
            }
        }
        whole.extend(others);
    }
    whole
}

/// Makes the first of several linears with adjacent weights compute all of them; the others remain, but their
/// results have moved.
fn join_run(plan: &mut Plan, run: &[usize], moved: &mut HashMap<BufferId, Moved>) {
    let parts: Vec<Range<usize>> = run.iter().map(|&index| outputs(&plan.steps[index])).collect();
    let all = parts[0].start..parts[parts.len() - 1].end;
    let buffer = BufferId(plan.buffers.len());
    for (&index, part) in run.iter().zip(&parts) {
        let to = Columns { buffer, stride: all.len(), first: part.start - all.start };
        moved.insert(plan.steps[index].output, Moved { to, width: part.len() });
    }
    let labels: Vec<&str> = run.iter().map(|&index| plan.steps[index].label.as_str()).collect();
    let label = common_label(&labels);
    let first = run.iter().copied().min().unwrap_or(run[0]);
    if let Operation::Linear(linear) = &mut plan.steps[first].operation {
        plan.buffers.push(Buffer {
            label: label.clone(),
            len: linear.rows.saturating_mul(all.len()),
            slot: 0,
        });
        linear.outputs = all;
    }
    plan.steps[first].label = label;
    plan.steps[first].output = buffer;
}

fn linear_of(step: &Step) -> Option<&Linear> {
    match &step.operation {
        Operation::Linear(linear) => Some(linear),
        _ => None,
    }
}

fn outputs(step: &Step) -> Range<usize> {
    linear_of(step).map_or(0..0, |linear| linear.outputs.clone())
}

/// Joins the labels, with their common prefix only once: `layer.0.attention.self.query | key`.
fn common_label(labels: &[&str]) -> String {
    let dots = labels[0].match_indices('.').map(|(dot, _)| &labels[0][..=dot]);
    let common = dots.take_while(|start| labels.iter().all(|label| label.starts_with(start))).last();
    let rest = labels[1..].iter().map(|label| &label[common.map_or(0, str::len)..]);
    std::iter::once(labels[0]).chain(rest).collect::<Vec<_>>().join(" | ")
}
