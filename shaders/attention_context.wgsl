// attention_context: probabilities · v for every head.
//
//   probabilities [batch, heads, sequence, sequence]
//   value         batch · sequence rows, `value_stride` floats apart, with heads · head_size columns from `value_first` on
//   output        [batch · sequence, heads · head_size]
//
// Bindings of group 0: 0 parameters, 1 probabilities, 2 value, 3 output.
// Dispatch: 64 output elements per workgroup, over x and then y.

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> probabilities: array<f32>;
@group(0) @binding(2) var<storage, read> value: array<f32>;
@group(0) @binding(3) var<storage, read_write> output_values: array<f32>;

@compute @workgroup_size(64, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let features = parameters.heads * parameters.head_size;
    let index = (group.y * groups.x + group.x) * 64u + local;
    if index >= parameters.batch * parameters.sequence * features {
        return;
    }
    let row = index / features;
    let feature = index % features;
    let sequence = parameters.sequence;
    let head = feature / parameters.head_size;
    let batch = row / sequence;
    let probability_start = ((batch * parameters.heads + head) * sequence + row % sequence) * sequence;
    let value_start = batch * sequence * parameters.value_stride + parameters.value_first + feature;

    var sum = 0.0;
    for (var i = 0u; i < sequence; i++) {
        sum += probabilities[probability_start + i] * value[value_start + i * parameters.value_stride];
    }
    output_values[index] = sum;
}
