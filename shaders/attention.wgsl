// attention: softmax(q kᵀ + mask) · v of every head, the probabilities never in memory
//
//   attention_mask    [batch, sequence]                    0: not attended to
//   query, key, value [batch · sequence, heads · head_size], the query already scaled by 1/√head_size
//   output            [batch · sequence, heads · head_size]
//
// Bindings of group 0: 0 parameters, 1 attention_mask, 2 query, 3 key, 4 value, 5 output.
// Groups: x over tiles of 64 queries, y over slices of 32 of a head's features, z over batch · heads.
//
// An invocation has one query and walks over the keys by fours, keeping the largest score so far, the sum of
// exponentials and 32 weighted features, all rescaled whenever the maximum grows. The invocations of a group read the
// same keys and values at the same time. Masked keys weigh nothing; a query all of whose keys are masked gets zeros.
// No infinities are used: WGSL does not promise them.

struct Parameters {
    batch: u32,
    sequence: u32,
    heads: u32,
    head_size: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> attention_mask: array<u32>;
@group(0) @binding(2) var<storage, read> query: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> key: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> value: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> output_values: array<f32>;

const LOWEST: f32 = -3.0e38;

fn attended(batch: u32, token: u32) -> bool {
    if token >= parameters.sequence {
        return false;
    }
    return attention_mask[batch * parameters.sequence + token] != 0u;
}

// Single floats, for heads that do not start or end on a vector's boundary.
fn query_value(at: u32) -> f32 {
    return query[at / 4u][at % 4u];
}

fn key_value(at: u32) -> f32 {
    return key[at / 4u][at % 4u];
}

// Four values from `feature` of a head on, whose features start at `start`; zeros beyond the head.
fn value_vector(start: u32, feature: u32) -> vec4<f32> {
    let at = start + feature;
    if parameters.head_size % 4u == 0u {
        // Inside for every feature of a slice that is stored; beyond the head anything will do.
        return value[min(at / 4u, arrayLength(&value) - 1u)];
    }
    var vector = vec4<f32>();
    for (var i = 0u; i < 4u && feature + i < parameters.head_size; i++) {
        vector[i] = value[(at + i) / 4u][(at + i) % 4u];
    }
    return vector;
}

// The scores of one query against four keys, each given by where its head starts.
fn scores_of(query_start: u32, keys: vec4<u32>) -> vec4<f32> {
    var scores = vec4<f32>();
    let vectors = select(0u, parameters.head_size / 4u, parameters.head_size % 4u == 0u);
    for (var i = 0u; i < vectors; i++) {
        scores += query[query_start / 4u + i] * mat4x4<f32>(
            key[keys.x / 4u + i],
            key[keys.y / 4u + i],
            key[keys.z / 4u + i],
            key[keys.w / 4u + i],
        );
    }
    for (var i = 4u * vectors; i < parameters.head_size; i++) {
        scores += query_value(query_start + i) * vec4<f32>(
            key_value(keys.x + i),
            key_value(keys.y + i),
            key_value(keys.z + i),
            key_value(keys.w + i),
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
    let origin = batch * parameters.sequence * features + head * parameters.head_size;
    let slice = group.y * 32u;

    var maximum = LOWEST;
    var sum = 0.0;
    var weighted_0 = vec4<f32>();
    var weighted_1 = vec4<f32>();
    var weighted_2 = vec4<f32>();
    var weighted_3 = vec4<f32>();
    var weighted_4 = vec4<f32>();
    var weighted_5 = vec4<f32>();
    var weighted_6 = vec4<f32>();
    var weighted_7 = vec4<f32>();
    for (var first = 0u; first < parameters.sequence; first += 4u) {
        let keep = vec4<bool>(
            attended(batch, first),
            attended(batch, first + 1u),
            attended(batch, first + 2u),
            attended(batch, first + 3u),
        );
        if !any(keep) {
            continue;
        }
        // Keys beyond the last repeat it and are masked.
        let keys = min(vec4<u32>(first) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(parameters.sequence - 1u));
        let starts = vec4<u32>(origin) + keys * features;
        let scores = select(vec4<f32>(LOWEST), scores_of(origin + token * features, starts), keep);

        let largest = max(maximum, max(max(scores.x, scores.y), max(scores.z, scores.w)));
        let exponentials = exp(max(scores - largest, vec4<f32>(-200.0)));
        let weights = select(vec4<f32>(), exponentials, keep);
        let shrink = exp(max(maximum - largest, -200.0));
        maximum = largest;
        sum = sum * shrink + dot(weights, vec4<f32>(1.0));
        weighted_0 *= shrink;
        weighted_1 *= shrink;
        weighted_2 *= shrink;
        weighted_3 *= shrink;
        weighted_4 *= shrink;
        weighted_5 *= shrink;
        weighted_6 *= shrink;
        weighted_7 *= shrink;
        for (var j = 0u; j < 4u; j++) {
            let weight = weights[j];
            let start = starts[j];
            weighted_0 += weight * value_vector(start, slice);
            weighted_1 += weight * value_vector(start, slice + 4u);
            weighted_2 += weight * value_vector(start, slice + 8u);
            weighted_3 += weight * value_vector(start, slice + 12u);
            weighted_4 += weight * value_vector(start, slice + 16u);
            weighted_5 += weight * value_vector(start, slice + 20u);
            weighted_6 += weight * value_vector(start, slice + 24u);
            weighted_7 += weight * value_vector(start, slice + 28u);
        }
    }

    // The largest term is exp(0) = 1; a smaller sum means that every key is masked and every term zero.
    let factor = 1.0 / max(sum, 0.5);
    let start = origin + token * features;
    for (var i = 0u; i < 8u; i++) {
        store(start, slice + 4u * i, weighted_0 * factor);
        weighted_0 = weighted_1;
        weighted_1 = weighted_2;
        weighted_2 = weighted_3;
        weighted_3 = weighted_4;
        weighted_4 = weighted_5;
        weighted_5 = weighted_6;
        weighted_6 = weighted_7;
    }
}
