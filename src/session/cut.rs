//! Extracts the results of one sequence from the padded buffers of a run.

use super::Outputs;
use super::sequence::{Group, Sequence};
use crate::plan::{Output, Plan};
use crate::weights::Tensor;

/// Puts the results of a run into those of its sequences, without their padding.
pub fn group(
    plan: &Plan,
    buffers: &[Vec<f32>],
    sequences: &[Sequence],
    group: &Group,
    results: &mut [Outputs],
) {
    for (item, &member) in group.members.iter().enumerate() {
        results[member] = Outputs(outputs(plan, buffers, item, sequences[member].input_ids.len()));
    }
}

/// The results of sequence `item` of a run, without its padding. `buffers` is parallel to the plan's outputs.
pub fn outputs(plan: &Plan, buffers: &[Vec<f32>], item: usize, length: usize) -> Vec<(String, Tensor)> {
    plan.outputs
        .iter()
        .zip(buffers)
        .map(|(output, buffer)| (output.name.clone(), cut(output, buffer, item, length)))
        .collect()
}

fn cut(output: &Output, buffer: &[f32], item: usize, length: usize) -> Tensor {
    let padded = &output.shape[1..];
    let shape: Vec<usize> = padded
        .iter()
        .enumerate()
        .map(|(axis, &size)| if output.sequence_axes.contains(&(axis + 1)) { length } else { size })
        .collect();
    let (column, width) = output.column.unwrap_or((0, 1));
    let start = item * padded.iter().product::<usize>();
    let mut data = Vec::with_capacity(shape.iter().product());
    copy(&shape, padded, start, &mut |index| data.push(buffer[index * width + column]));
    Tensor { shape, data }
}

/// Visits the elements in the corner of shape `shape` of a row-major array of shape `padded` that starts at
/// `start`.
fn copy(shape: &[usize], padded: &[usize], start: usize, visit: &mut impl FnMut(usize)) {
    match (shape, padded) {
        ([size, shape @ ..], [_, padded @ ..]) => {
            let stride: usize = padded.iter().product();
            for index in 0..*size {
                copy(shape, padded, start + index * stride, visit);
            }
        }
        _ => visit(start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::BufferId;

    fn output(shape: &[usize], sequence_axes: &[usize], column: Option<(usize, usize)>) -> Output {
        Output {
            name: "x".into(),
            buffer: BufferId(0),
            shape: shape.to_vec(),
            sequence_axes: sequence_axes.to_vec(),
            column,
        }
    }

    #[test]
    fn keeps_the_real_rows_of_the_second_sequence() {
        let buffer: Vec<f32> = (0..12).map(|value| value as f32).collect();
        let tensor = cut(&output(&[2, 3, 2], &[1], None), &buffer, 1, 2);
        assert_eq!(tensor.shape, [2, 2]);
        assert_eq!(tensor.data, [6.0, 7.0, 8.0, 9.0]);
    }

    #[test]
    fn reads_a_column_of_a_wider_matrix() {
        let buffer: Vec<f32> = (0..12).map(|value| value as f32).collect();
        let tensor = cut(&output(&[2, 3], &[1], Some((1, 2))), &buffer, 1, 2);
        assert_eq!((tensor.shape, tensor.data), (vec![2], vec![7.0, 9.0]));
    }

    #[test]
    fn cuts_both_axes_of_attentions() {
        let buffer: Vec<f32> = (0..18).map(|value| value as f32).collect();
        let tensor = cut(&output(&[1, 2, 3, 3], &[2, 3], None), &buffer, 0, 2);
        assert_eq!(tensor.shape, [2, 2, 2]);
        assert_eq!(tensor.data, [0.0, 1.0, 3.0, 4.0, 9.0, 10.0, 12.0, 13.0]);
    }

    #[test]
    fn a_pooled_result_has_no_sequence_axis() {
        let tensor = cut(&output(&[2, 3], &[], None), &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 1, 7);
        assert_eq!((tensor.shape, tensor.data), (vec![3], vec![3.0, 4.0, 5.0]));
    }
}
