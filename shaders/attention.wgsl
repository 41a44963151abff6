// attention: softmax(q kᵀ + mask) · v of every head, the probabilities kept in workgroup memory
//
//   attention_mask    [batch, sequence]                    0: not attended to
//   query, key, value [batch · sequence, heads · head_size], the query already scaled by 1/√head_size
//   output            [batch · sequence, heads · head_size]
//
// Bindings of group 0: 0 parameters, 1 attention_mask, 2 query, 3 key, 4 value, 5 output.
// Groups: x over tiles of 32 queries, y over slices of 32 of a head's features, z over batch · heads.
//
// A group of 64 invocations holds 32 queries and walks over the keys in tiles of 32, keeping per query the largest
// score so far, the sum of exponentials and the weighted values, all rescaled whenever the maximum grows. Masked keys
// weigh nothing; a query all of whose keys are masked gets zeros. No infinities are used: WGSL does not promise them.

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

const TILE: u32 = 32u;
const DEPTH: u32 = 8u; // vectors of four a row of a tile
const PITCH: u32 = 9u; // one more than DEPTH spreads the rows over the memory banks
const LOWEST: f32 = -3.0e38;

var<workgroup> query_tile: array<vec4<f32>, 288>;
var<workgroup> key_tile: array<vec4<f32>, 288>; // keys, then values
var<workgroup> weights: array<vec4<f32>, 288>; // scores, then their exponentials: [query, key / 4]
var<workgroup> rescale: array<f32, 32>;
var<workgroup> sums: array<f32, 64>;

// How many of the four features from `feature` on exist for this token; 0 outside.
fn present(token: u32, feature: u32) -> u32 {
    if token >= parameters.sequence || feature >= parameters.head_size {
        return 0u;
    }
    return min(4u, parameters.head_size - feature);
}

fn query_vector(start: u32, count: u32) -> vec4<f32> {
    var vector = vec4<f32>();
    if count == 4u && start % 4u == 0u {
        vector = query[start / 4u];
    } else {
        for (var i = 0u; i < count; i++) {
            vector[i] = query[(start + i) / 4u][(start + i) % 4u];
        }
    }
    return vector;
}

fn key_vector(start: u32, count: u32) -> vec4<f32> {
    var vector = vec4<f32>();
    if count == 4u && start % 4u == 0u {
        vector = key[start / 4u];
    } else {
        for (var i = 0u; i < count; i++) {
            vector[i] = key[(start + i) / 4u][(start + i) % 4u];
        }
    }
    return vector;
}

fn value_vector(start: u32, count: u32) -> vec4<f32> {
    var vector = vec4<f32>();
    if count == 4u && start % 4u == 0u {
        vector = value[start / 4u];
    } else {
        for (var i = 0u; i < count; i++) {
            vector[i] = value[(start + i) / 4u][(start + i) % 4u];
        }
    }
    return vector;
}

fn attended(batch: u32, token: u32) -> bool {
    if token >= parameters.sequence {
        return false;
    }
    return attention_mask[batch * parameters.sequence + token] != 0u;
}

fn largest(v: vec4<f32>) -> f32 {
    return max(max(v.x, v.y), max(v.z, v.w));
}

// Exponentials of scores relative to the maximum; what is masked stands at LOWEST and weighs nothing.
fn exponentials(scores: vec4<f32>, maximum: f32) -> vec4<f32> {
    let terms = exp(max(scores - maximum, vec4<f32>(-200.0)));
    return select(terms, vec4<f32>(), scores <= vec4<f32>(LOWEST));
}

fn store(token: u32, start: u32, feature: u32, sum: f32, weighted: vec4<f32>) {
    // The largest term is exp(0) = 1; a smaller sum means that every key is masked and every term zero.
    let values = weighted / max(sum, 0.5);
    let count = present(token, feature);
    for (var i = 0u; i < count; i++) {
        output_values[start + i] = values[i];
    }
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let batch = group.z / parameters.heads;
    let head = group.z % parameters.heads;
    let features = parameters.heads * parameters.head_size;
    let origin = batch * parameters.sequence * features + head * parameters.head_size;
    let first_query = group.x * TILE;
    let first_feature = group.y * TILE;
    let x = index % 8u;
    let y = index / 8u;

    // Of the softmax each invocation has one half of one query's keys: query index / 2, keys 16 · (index % 2) on.
    let softmax_row = index / 2u * PITCH;
    let softmax_half = index % 2u * 4u;
    var maximum = LOWEST;
    var sum = 0.0;
    var weighted_0 = vec4<f32>();
    var weighted_1 = vec4<f32>();
    var weighted_2 = vec4<f32>();
    var weighted_3 = vec4<f32>();

    for (var first_key = 0u; first_key < parameters.sequence; first_key += TILE) {
        // Scores: queries y, y + 8, y + 16, y + 24 against keys 4x .. 4x + 3.
        var scores_0 = vec4<f32>();
        var scores_1 = vec4<f32>();
        var scores_2 = vec4<f32>();
        var scores_3 = vec4<f32>();
        for (var feature = 0u; feature < parameters.head_size; feature += TILE) {
            for (var i = index; i < TILE * DEPTH; i += 64u) {
                let row = i / DEPTH;
                let column = feature + 4u * (i % DEPTH);
                let query_token = first_query + row;
                let key_token = first_key + row;
                let at = row * PITCH + i % DEPTH;
                query_tile[at] =
                    query_vector(origin + query_token * features + column, present(query_token, column));
                key_tile[at] = key_vector(origin + key_token * features + column, present(key_token, column));
            }
            workgroupBarrier();
            for (var i = 0u; i < DEPTH; i++) {
                let keys = mat4x4<f32>(
                    key_tile[4u * x * PITCH + i],
                    key_tile[(4u * x + 1u) * PITCH + i],
                    key_tile[(4u * x + 2u) * PITCH + i],
                    key_tile[(4u * x + 3u) * PITCH + i],
                );
                scores_0 += query_tile[y * PITCH + i] * keys;
                scores_1 += query_tile[(y + 8u) * PITCH + i] * keys;
                scores_2 += query_tile[(y + 16u) * PITCH + i] * keys;
                scores_3 += query_tile[(y + 24u) * PITCH + i] * keys;
            }
            workgroupBarrier();
        }
        let k = first_key + 4u * x;
        let keep = vec4<bool>(
            attended(batch, k),
            attended(batch, k + 1u),
            attended(batch, k + 2u),
            attended(batch, k + 3u),
        );
        let masked = vec4<f32>(LOWEST);
        weights[y * PITCH + x] = select(masked, scores_0, keep);
        weights[(y + 8u) * PITCH + x] = select(masked, scores_1, keep);
        weights[(y + 16u) * PITCH + x] = select(masked, scores_2, keep);
        weights[(y + 24u) * PITCH + x] = select(masked, scores_3, keep);
        workgroupBarrier();

        // The new maximum over the whole row, the exponentials of this invocation's half.
        var tile_maximum = maximum;
        for (var i = 0u; i < DEPTH; i++) {
            tile_maximum = max(tile_maximum, largest(weights[softmax_row + i]));
        }
        let own = softmax_row + softmax_half;
        let terms_0 = exponentials(weights[own], tile_maximum);
        let terms_1 = exponentials(weights[own + 1u], tile_maximum);
        let terms_2 = exponentials(weights[own + 2u], tile_maximum);
        let terms_3 = exponentials(weights[own + 3u], tile_maximum);
        let shrink = exp(max(maximum - tile_maximum, -200.0));
        maximum = tile_maximum;
        sum = sum * shrink + dot(terms_0 + terms_1 + terms_2 + terms_3, vec4<f32>(1.0));
        workgroupBarrier();
        weights[own] = terms_0;
        weights[own + 1u] = terms_1;
        weights[own + 2u] = terms_2;
        weights[own + 3u] = terms_3;
        if softmax_half == 0u {
            rescale[index / 2u] = shrink;
        }

        // Weighted values: queries as for the scores, features 4x .. 4x + 3 of this group's slice.
        for (var i = index; i < TILE * DEPTH; i += 64u) {
            let token = first_key + i / DEPTH;
            let feature = first_feature + 4u * (i % DEPTH);
            key_tile[i / DEPTH * PITCH + i % DEPTH] =
                value_vector(origin + token * features + feature, present(token, feature));
        }
        workgroupBarrier();
        weighted_0 *= rescale[y];
        weighted_1 *= rescale[y + 8u];
        weighted_2 *= rescale[y + 16u];
        weighted_3 *= rescale[y + 24u];
        for (var i = 0u; i < DEPTH; i++) {
            let values = mat4x4<f32>(
                key_tile[4u * i * PITCH + x],
                key_tile[(4u * i + 1u) * PITCH + x],
                key_tile[(4u * i + 2u) * PITCH + x],
                key_tile[(4u * i + 3u) * PITCH + x],
            );
            weighted_0 += values * weights[y * PITCH + i];
            weighted_1 += values * weights[(y + 8u) * PITCH + i];
            weighted_2 += values * weights[(y + 16u) * PITCH + i];
            weighted_3 += values * weights[(y + 24u) * PITCH + i];
        }
        workgroupBarrier();
    }

    sums[index] = sum;
    workgroupBarrier();
    let feature = first_feature + 4u * x;
    let start = origin + (first_query + y) * features + feature;
    // One call in a loop: four would be inlined.
    for (var i = 0u; i < 4u; i++) {
        let row = y + 8u * i;
        let total = sums[2u * row] + sums[2u * row + 1u];
        store(first_query + row, start + 8u * i * features, feature, total, weighted_0);
        weighted_0 = weighted_1;
        weighted_1 = weighted_2;
        weighted_2 = weighted_3;
    }
}
