// layer_norm: output = (x − mean) / √(variance + epsilon) ∘ weight + bias for each row.
//
//   input         [rows, features], rows `row_stride` floats apart, from column `input_first` on
//   output        [rows, features]
//   weight, bias  [features]
//
// Bindings of group 0: 0 parameters, 1 input, 2 weight, 3 bias, 4 output.
// Dispatch: one workgroup per row, over x and then y.
//
// Two passes with f32 sums: squaring differences from the mean avoids cancellation when the values are large.

struct Parameters {
    rows: u32,
    features: u32,
    epsilon: f32,
    row_stride: u32,
    input_first: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> input_values: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> output_values: array<f32>;

@compute @workgroup_size(64, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = group.y * groups.x + group.x;
    if row >= parameters.rows {
        return;
    }
    let input_start = parameters.input_first + row * parameters.row_stride;
    let start = row * parameters.features;

    var sum = 0.0;
    for (var i = local; i < parameters.features; i += INVOCATIONS) {
        sum += input_values[input_start + i];
    }
    let mean = workgroup_sum(local, sum) / f32(parameters.features);

    var squares = 0.0;
    for (var i = local; i < parameters.features; i += INVOCATIONS) {
        let difference = input_values[input_start + i] - mean;
        squares += difference * difference;
    }
    let variance = workgroup_sum(local, squares) / f32(parameters.features);
    let factor = 1.0 / sqrt(variance + parameters.epsilon);

    for (var i = local; i < parameters.features; i += INVOCATIONS) {
        output_values[start + i] = (input_values[input_start + i] - mean) * factor * weight[i] + bias[i];
    }
}
