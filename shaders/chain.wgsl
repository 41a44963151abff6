// chain: a layer for four rows per workgroup: attention (or rows of the input), then linears, each
// activation(x · weightᵀ + bias) + scale ∘ residual.
//
//   attention_mask [batch, sequence], 0 = masked
//   input          [batch · sequence, input_width]: columns written by the previous step
//   weights        all matrices, scales and vectors of the step
//   output         [batch · sequence, output_width]: columns for the next step
//
// Bindings of group 0: 0 parameters, 1 attention_mask, 2 input, 3 weights, 4 output.
// Dispatch: x over four tokens each, y over the batch.
//
// Intermediate results stay in workgroup memory, one vector per feature with a component per row, so that one
// broadcast load feeds a multiply-add for all four rows. A matrix [out, in] is stored as [in / unit, out]
// units of 16 bytes, so that neighboring invocations load neighboring units: 4 floats, 8 halves, 16 bytes, or
// 32 values of 4 bits. Every workgroup reads all the weights; all but the first read them from the GPU's
// cache.
//
// All loops around barriers have bounds from the uniform block. Sums are added in an order that depends on
// neither the length of the sequence nor the other rows.

struct Linear {
    input: u32,
    in_features: u32,
    out_features: u32,
    format: u32,
    weight: u32,
    scales: u32,
    groups: u32,
    bias: u32,
    activation: u32,
    residual_place: u32,
    residual_column: u32,
    residual_scale: u32,
    place: u32,
    column: u32,
    splits: u32,
    weight_rows: u32,
}

struct Parameters {
    sequence: u32,
    input_width: u32,
    output_width: u32,
    heads: u32,
    head_size: u32,
    query: u32,
    key: u32,
    value: u32,
    place: u32,
    column: u32,
    scratch: u32,
    count: u32,
    linears: array<Linear, 16>,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> attention_mask: array<u32>;
@group(0) @binding(2) var<storage, read> input_values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> output_values: array<f32>;

const INVOCATIONS: u32 = 256u;
const MEMORY: u32 = 1024u;
const NONE: u32 = 0xffffffffu;
const LOWEST: f32 = -3.0e38;

// One place per feature; the components are the rows.
var<workgroup> memory: array<vec4<f32>, 1024>;

// The sums of two columns for four rows.
struct Sums {
    first: vec4<f32>,
    second: vec4<f32>,
}

fn weight_word(at: u32) -> u32 {
    return weights[at / 4u][at % 4u];
}

fn weight_float(at: u32) -> f32 {
    return bitcast<f32>(weight_word(at));
}

// A 16-bit float; `at` counts halves.
fn weight_half(at: u32) -> f32 {
    return unpack2x16float(weight_word(at / 2u) >> (16u * (at % 2u))).x;
}

// Places `at` to `at + 3` as the columns of a matrix.
fn load_places(at: u32) -> mat4x4<f32> {
    return mat4x4<f32>(memory[at], memory[at + 1u], memory[at + 2u], memory[at + 3u]);
}

fn input_value(row: u32, column: u32) -> f32 {
    let at = row * parameters.input_width + column;
    return input_values[at / 4u][at % 4u];
}

// A column of the four rows.
fn input_column(rows: vec4<u32>, column: u32) -> vec4<f32> {
    return vec4<f32>(
        input_value(rows.x, column),
        input_value(rows.y, column),
        input_value(rows.z, column),
        input_value(rows.w, column),
    );
}

// Stores a column of the rows that exist.
fn store_column(rows: vec4<u32>, count: u32, column: u32, values: vec4<f32>) {
    let at = rows * parameters.output_width + column;
    output_values[at.x] = values.x;
    if count > 1u { output_values[at.y] = values.y; }
    if count > 2u { output_values[at.z] = values.z; }
    if count > 3u { output_values[at.w] = values.w; }
}

fn add_f32(sums: ptr<function, Sums>, at: u32, first: vec4<u32>, second: vec4<u32>) {
    let x = load_places(at);
    (*sums).first += x * bitcast<vec4<f32>>(first);
    (*sums).second += x * bitcast<vec4<f32>>(second);
}

fn add_f16(sums: ptr<function, Sums>, at: u32, first: vec4<u32>, second: vec4<u32>) {
    let x_0 = load_places(at);
    (*sums).first += x_0 * unpack_halves(first.x, first.y);
    (*sums).second += x_0 * unpack_halves(second.x, second.y);
    let x_1 = load_places(at + 4u);
    (*sums).first += x_1 * unpack_halves(first.z, first.w);
    (*sums).second += x_1 * unpack_halves(second.z, second.w);
}

fn add_q8(sums: ptr<function, Sums>, at: u32, first: vec4<u32>, second: vec4<u32>) {
    let x_0 = load_places(at);
    (*sums).first += x_0 * unpack_bytes(first.x);
    (*sums).second += x_0 * unpack_bytes(second.x);
    let x_1 = load_places(at + 4u);
    (*sums).first += x_1 * unpack_bytes(first.y);
    (*sums).second += x_1 * unpack_bytes(second.y);
    let x_2 = load_places(at + 8u);
    (*sums).first += x_2 * unpack_bytes(first.z);
    (*sums).second += x_2 * unpack_bytes(second.z);
    let x_3 = load_places(at + 12u);
    (*sums).first += x_3 * unpack_bytes(first.w);
    (*sums).second += x_3 * unpack_bytes(second.w);
}

// 4-bit weights: adds the sums of a group, without its scale.
fn add_q4(sums: ptr<function, Sums>, at: u32, first: vec4<u32>, second: vec4<u32>) {
    for (var i = 0u; i < 4u; i++) {
        let x_0 = load_places(at + 8u * i);
        (*sums).first += x_0 * unpack_nibbles(first[i]);
        (*sums).second += x_0 * unpack_nibbles(second[i]);
        let x_1 = load_places(at + 8u * i + 4u);
        (*sums).first += x_1 * unpack_nibbles(first[i] >> 16u);
        (*sums).second += x_1 * unpack_nibbles(second[i] >> 16u);
    }
}

// The sums over a part of a linear's rows for two columns.
fn partial_sums(linear: Linear, split: u32, columns: vec2<u32>) -> Sums {
    let unit = 4u << linear.format;
    let units = linear.in_features / unit;
    let length = (units + linear.splits - 1u) / linear.splits;
    let last = min(units, (split + 1u) * length);
    var sums = Sums();
    for (var k = split * length; k < last; k++) {
        let first = weights[linear.weight + k * linear.weight_rows + columns.x];
        let second = weights[linear.weight + k * linear.weight_rows + columns.y];
        let at = linear.input + k * unit;
        switch linear.format {
            case 0u: { add_f32(&sums, at, first, second); }
            case 1u: { add_f16(&sums, at, first, second); }
            case 2u: { add_q8(&sums, at, first, second); }
            default: {
                var group = Sums();
                add_q4(&group, at, first, second);
                let scale = linear.groups + k * linear.weight_rows;
                sums.first += group.first * weight_half(scale + columns.x);
                sums.second += group.second * weight_half(scale + columns.y);
            }
        }
    }
    return sums;
}

// Applies the epilogue to the sums of a column, and stores them where they are needed.
fn finish(linear: Linear, column: u32, rows: vec4<u32>, count: u32, sums: vec4<f32>) {
    var values = sums;
    if linear.format != 0u {
        values *= weight_float(linear.scales + column);
    }
    values = activate(values + weight_float(linear.bias + column), linear.activation);
    var scale = 1.0;
    if linear.residual_scale != NONE {
        scale = weight_float(linear.residual_scale + column);
    }
    if linear.residual_place != NONE {
        values += scale * memory[linear.residual_place + column];
    } else if linear.residual_column != NONE {
        values += scale * input_column(rows, linear.residual_column + column);
    }
    if linear.place != NONE {
        memory[linear.place + column] = values;
    }
    if linear.column != NONE {
        store_column(rows, count, linear.column + column, values);
    }
}

fn run_linear(linear: Linear, local: u32, rows: vec4<u32>, count: u32) {
    let pairs = (linear.out_features + 1u) / 2u;
    let split = local / pairs;
    let column = local % pairs;
    let other = min(column + pairs, linear.out_features - 1u);
    var sums = Sums();
    if split < linear.splits {
        sums = partial_sums(linear, split, vec2<u32>(column, other));
    }
    if linear.splits > 1u {
        if split > 0u && split < linear.splits {
            let at = parameters.scratch + 2u * (local - pairs);
            memory[at] = sums.first;
            memory[at + 1u] = sums.second;
        }
        workgroupBarrier();
        if split == 0u {
            for (var i = 1u; i < linear.splits; i++) {
                let at = parameters.scratch + 2u * (local + (i - 1u) * pairs);
                sums.first += memory[at];
                sums.second += memory[at + 1u];
            }
        }
    }
    if split == 0u {
        finish(linear, column, rows, count, sums.first);
        if column + pairs < linear.out_features {
            finish(linear, column + pairs, rows, count, sums.second);
        }
    }
    workgroupBarrier();
}

// The scores of a key for the four queries of a head, which start at place `query`.
fn key_scores(row: u32, query: u32, feature: u32) -> vec4<f32> {
    var scores = vec4<f32>();
    let at = (row * parameters.input_width + parameters.key + feature) / 4u;
    for (var i = 0u; i < parameters.head_size / 4u; i++) {
        scores += load_places(query + 4u * i) * input_values[at + i];
    }
    return scores;
}

// Online softmax over tiles of keys. An invocation belongs to one feature, and thus to one head. In each tile
// it computes the scores of some of its head's keys, and then sums its share of the keys for its feature.
fn attention(local: u32, first_row: u32, rows: vec4<u32>) {
    let width = parameters.heads * parameters.head_size;
    let queries = parameters.place + width;
    let scores = queries + width;
    let tile = min((MEMORY - scores) / parameters.heads, 128u);
    for (var i = local; i < width; i += INVOCATIONS) {
        memory[queries + i] = input_column(rows, parameters.query + i);
    }
    workgroupBarrier();

    let splits = INVOCATIONS / width;
    let split = local / width;
    let feature = local % width;
    let head = feature / parameters.head_size;
    let lanes = splits * parameters.head_size;
    // Invocations without a feature don't have keys either.
    let lane = select(split * parameters.head_size + feature % parameters.head_size, tile, split >= splits);
    let own_scores = scores + head * tile;
    let head_start = head * parameters.head_size;
    var maximum = vec4<f32>(LOWEST);
    var sum = vec4<f32>();
    var context = vec4<f32>();
    for (var first = 0u; first < parameters.sequence; first += tile) {
        let keys = min(tile, parameters.sequence - first);
        for (var key = lane; key < keys; key += lanes) {
            var score = vec4<f32>(LOWEST);
            if attention_mask[first_row + first + key] != 0u {
                score = key_scores(first_row + first + key, queries + head_start, head_start);
            }
            memory[own_scores + key] = score;
        }
        workgroupBarrier();
        var largest = maximum;
        for (var key = 0u; key < keys; key++) {
            largest = max(largest, memory[own_scores + key]);
        }
        workgroupBarrier();
        for (var key = lane; key < keys; key += lanes) {
            let exponential = exp(max(memory[own_scores + key] - largest, vec4<f32>(-200.0)));
            let attended = attention_mask[first_row + first + key] != 0u;
            memory[own_scores + key] = select(vec4<f32>(), exponential, attended);
        }
        workgroupBarrier();
        let rescale = exp(max(maximum - largest, vec4<f32>(-200.0)));
        maximum = largest;
        sum *= rescale;
        context *= rescale;
        for (var key = select(keys, split, split < splits); key < keys; key += splits) {
            let weight = memory[own_scores + key];
            sum += weight;
            context += weight * input_value(first_row + first + key, parameters.value + feature);
        }
        workgroupBarrier();
    }

    // The partial results, in the memory of the scores.
    if split > 0u && split < splits {
        let at = queries + 2u * (local - width);
        memory[at] = sum;
        memory[at + 1u] = context;
    }
    workgroupBarrier();
    if split == 0u {
        for (var i = 1u; i < splits; i++) {
            let at = queries + 2u * (local + (i - 1u) * width);
            sum += memory[at];
            context += memory[at + 1u];
        }
        // The largest term is exp(0) = 1, so a smaller sum means that every key is masked and every term is zero.
        memory[parameters.place + feature] = context / max(sum, vec4<f32>(0.5));
    }
    workgroupBarrier();
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let first_row = group.y * parameters.sequence;
    let count = min(4u, parameters.sequence - group.x * 4u);
    // Past the end of the sequence, the last row is computed again and not stored.
    let rows = first_row + group.x * 4u + min(vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(count - 1u));
    var features = parameters.head_size;
    if parameters.heads != 0u {
        features *= parameters.heads;
        attention(local, first_row, rows);
    } else {
        for (var i = local; i < features; i += INVOCATIONS) {
            memory[parameters.place + i] = input_column(rows, parameters.query + i);
        }
        workgroupBarrier();
    }
    if parameters.column != NONE {
        for (var i = local; i < features; i += INVOCATIONS) {
            store_column(rows, count, parameters.column + i, memory[parameters.place + i]);
        }
    }
    for (var i = 0u; i < parameters.count; i++) {
        run_linear(parameters.linears[i], local, rows, count);
    }
}
