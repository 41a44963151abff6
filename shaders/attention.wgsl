// attention: softmax(q kᵀ + mask) · v for every head, without storing the probabilities.
//
//   attention_mask    [batch, sequence], 0 = masked
//   query, key, value batch · sequence rows, `…_stride` floats apart, with heads · head_size columns from `…_first` on; the
//                     query is already scaled by 1/√head_size
//   output            [batch · sequence, heads · head_size]
//
// Bindings of group 0: 0 parameters, 1 attention_mask, 2 query, 3 key, 4 value, 5 output.
// Dispatch: x over tiles of 64 queries, y over slices of 32 features of a head, z over batch · heads.
//
// Online softmax, as in FlashAttention: each invocation handles one query and visits the keys four at a time.
// It keeps the running maximum of the scores, the sum of exponentials, and accumulators for 32 features, and
// rescales the sums whenever the maximum grows. The invocations of a workgroup read the same keys and values
// at the same time. Masked keys get a weight of zero; if every key is masked, the output is zero. WGSL
// doesn't guarantee infinities, so none are used.

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> attention_mask: array<u32>;
@group(0) @binding(2) var<storage, read> query: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> key: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> value: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> output_values: array<f32>;

const LOWEST: f32 = -3.0e38;

fn is_attended(batch: u32, token: u32) -> bool {
    if token >= parameters.sequence {
        return false;
    }
    return attention_mask[batch * parameters.sequence + token] != 0u;
}

// Scalar loads, for heads that aren't aligned to vec4.
fn load_query(at: u32) -> f32 {
    return query[at / 4u][at % 4u];
}

fn load_key(at: u32) -> f32 {
    return key[at / 4u][at % 4u];
}

// Features `feature` to `feature + 3` of the head that starts at `start`; zeros past the end of the head.
fn load_value(start: u32, feature: u32) -> vec4<f32> {
    let at = start + feature;
    if parameters.aligned != 0u {
        // Past the end of the head the value is never stored, so any in-bounds read will do.
        return value[min(at / 4u, arrayLength(&value) - 1u)];
    }
    var vector = vec4<f32>();
    for (var i = 0u; i < 4u && feature + i < parameters.head_size; i++) {
        vector[i] = value[(at + i) / 4u][(at + i) % 4u];
    }
    return vector;
}

// Scores of one query against four keys, given by the offsets of their heads.
fn query_key_scores(query_start: u32, keys: vec4<u32>) -> vec4<f32> {
    var scores = vec4<f32>();
    let vectors = select(0u, parameters.head_size / 4u, parameters.aligned != 0u);
    for (var i = 0u; i < vectors; i++) {
        scores += query[query_start / 4u + i] * mat4x4<f32>(
            key[keys.x / 4u + i],
            key[keys.y / 4u + i],
            key[keys.z / 4u + i],
            key[keys.w / 4u + i],
        );
    }
    for (var i = 4u * vectors; i < parameters.head_size; i++) {
        scores += load_query(query_start + i) * vec4<f32>(
            load_key(keys.x + i),
            load_key(keys.y + i),
            load_key(keys.z + i),
            load_key(keys.w + i),
        );
    }
    return scores;
}

fn store(start: u32, feature: u32, values: vec4<f32>) {
    for (var i = 0u; i < 4u && feature + i < parameters.head_size; i++) {
        output_values[start + feature + i] = values[i];
    }
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let token = group.x * 64u + local;
    if token >= parameters.sequence {
        return;
    }
    let batch = group.z / parameters.heads;
    let head = group.z % parameters.heads;
    let features = parameters.heads * parameters.head_size;
    let head_start = head * parameters.head_size;
    let first_row = batch * parameters.sequence;
    let query_start = (first_row + token) * parameters.query_stride + parameters.query_first + head_start;
    let key_start = first_row * parameters.key_stride + parameters.key_first + head_start;
    let value_start = first_row * parameters.value_stride + parameters.value_first + head_start;
    let slice = group.y * 32u;

    var maximum = LOWEST;
    var sum = 0.0;
    var accumulator_0 = vec4<f32>();
    var accumulator_1 = vec4<f32>();
    var accumulator_2 = vec4<f32>();
    var accumulator_3 = vec4<f32>();
    var accumulator_4 = vec4<f32>();
    var accumulator_5 = vec4<f32>();
    var accumulator_6 = vec4<f32>();
    var accumulator_7 = vec4<f32>();
    for (var first = 0u; first < parameters.sequence; first += 4u) {
        let attended = vec4<bool>(
            is_attended(batch, first),
            is_attended(batch, first + 1u),
            is_attended(batch, first + 2u),
            is_attended(batch, first + 3u),
        );
        if !any(attended) {
            continue;
        }
        // Past the last key, repeat it; those lanes are masked.
        let keys = min(vec4<u32>(first) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(parameters.sequence - 1u));
        let of_keys = key_start + keys * parameters.key_stride;
        let of_values = value_start + keys * parameters.value_stride;
        let scores = select(vec4<f32>(LOWEST), query_key_scores(query_start, of_keys), attended);

        let largest = max(maximum, max(max(scores.x, scores.y), max(scores.z, scores.w)));
        let exponentials = exp(max(scores - largest, vec4<f32>(-200.0)));
        let weights = select(vec4<f32>(), exponentials, attended);
        let rescale = exp(max(maximum - largest, -200.0));
        maximum = largest;
        sum = sum * rescale + dot(weights, vec4<f32>(1.0));
        accumulator_0 *= rescale;
        accumulator_1 *= rescale;
        accumulator_2 *= rescale;
        accumulator_3 *= rescale;
        accumulator_4 *= rescale;
        accumulator_5 *= rescale;
        accumulator_6 *= rescale;
        accumulator_7 *= rescale;
        for (var j = 0u; j < 4u; j++) {
            let weight = weights[j];
            let start = of_values[j];
            accumulator_0 += weight * load_value(start, slice);
            accumulator_1 += weight * load_value(start, slice + 4u);
            accumulator_2 += weight * load_value(start, slice + 8u);
            accumulator_3 += weight * load_value(start, slice + 12u);
            accumulator_4 += weight * load_value(start, slice + 16u);
            accumulator_5 += weight * load_value(start, slice + 20u);
            accumulator_6 += weight * load_value(start, slice + 24u);
            accumulator_7 += weight * load_value(start, slice + 28u);
        }
    }

    // The largest term is exp(0) = 1, so a smaller sum means that every key is masked and every term is zero.
    let factor = 1.0 / max(sum, 0.5);
    let start = (first_row + token) * features + head_start;
    for (var i = 0u; i < 8u; i++) {
        store(start, slice + 4u * i, accumulator_0 * factor);
        accumulator_0 = accumulator_1;
        accumulator_1 = accumulator_2;
        accumulator_2 = accumulator_3;
        accumulator_3 = accumulator_4;
        accumulator_4 = accumulator_5;
        accumulator_5 = accumulator_6;
        accumulator_6 = accumulator_7;
    }
}
