// attention_probabilities: softmax(q kᵀ + mask) for every head.
//
//   attention_mask [batch, sequence], 0 = masked
//   query, key     batch · sequence rows, `…_stride` floats apart, with heads · head_size columns from `…_first` on; the
//                  query is already scaled by 1/√head_size
//   output         [batch, heads, sequence, sequence]
//
// Bindings of group 0: 0 parameters, 1 attention_mask, 2 query, 3 key, 4 output.
// Dispatch: one workgroup per output row; x over queries, y over heads, z over the batch.
//
// Masked keys get zero; if every key is masked, the whole row is zero. No barrier is needed between the passes over the
// output: each invocation reads back only the elements that it wrote.

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> attention_mask: array<u32>;
@group(0) @binding(2) var<storage, read> query: array<f32>;
@group(0) @binding(3) var<storage, read> key: array<f32>;
@group(0) @binding(4) var<storage, read_write> output_values: array<f32>;

const LOWEST: f32 = -3.0e38;

fn score(query_start: u32, key_start: u32) -> f32 {
    var sum = 0.0;
    for (var i = 0u; i < parameters.head_size; i++) {
        sum += query[query_start + i] * key[key_start + i];
    }
    return sum;
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let first_token = group.z * parameters.sequence;
    let head_start = group.y * parameters.head_size;
    let query_start = (first_token + group.x) * parameters.query_stride + parameters.query_first + head_start;
    let key_start = parameters.key_first + head_start;
    let output_start = ((group.z * parameters.heads + group.y) * parameters.sequence + group.x) * parameters.sequence;

    var maximum = LOWEST;
    for (var i = local; i < parameters.sequence; i += INVOCATIONS) {
        if attention_mask[first_token + i] != 0u {
            let value = score(query_start, (first_token + i) * parameters.key_stride + key_start);
            output_values[output_start + i] = value;
            maximum = max(maximum, value);
        }
    }
    maximum = workgroup_max(local, maximum);

    var sum = 0.0;
    for (var i = local; i < parameters.sequence; i += INVOCATIONS) {
        var value = 0.0;
        if attention_mask[first_token + i] != 0u {
            value = exp(max(output_values[output_start + i] - maximum, -200.0));
        }
        output_values[output_start + i] = value;
        sum += value;
    }
    sum = workgroup_sum(local, sum);

    // The largest term is exp(0) = 1, so a smaller sum means that every key is masked and every term is zero.
    let factor = 1.0 / max(sum, 0.5);
    for (var i = local; i < parameters.sequence; i += INVOCATIONS) {
        output_values[output_start + i] *= factor;
    }
}
