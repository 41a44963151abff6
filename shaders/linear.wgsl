// linear: output = activation(input · weightᵀ + bias) + scale ∘ residual
//
//   input    [rows, in_features], rows `row_stride` floats apart
//   weight   [out_features, in_features]
//   bias     [out_features]
//   residual [rows, out_features]   read where has_residual
//   scale    [out_features]         read where has_residual and has_scale
//   output   [rows, out_features]
//
// Bindings of group 0: 0 parameters, 1 input, 2 weight, 3 bias, 4 residual, 5 scale, 6 output.
// Groups: x over tiles of 32 columns, y over tiles of 32 rows.
//
// A group of 8 x 8 invocations computes a tile of 32 x 32 outputs. Per round it brings 32 columns of input and weight
// into workgroup memory; each invocation keeps 4 rows x 4 columns in registers, 8 apart so that neighbours read and
// write neighbouring addresses. Edges of any size are filled with zeros on the way in and not stored on the way out.

struct Parameters {
    rows: u32,
    in_features: u32,
    out_features: u32,
    row_stride: u32,
    activation: u32,
    has_residual: u32,
    has_scale: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> input_values: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read> scale: array<f32>;
@group(0) @binding(6) var<storage, read_write> output_values: array<f32>;

const TILE: u32 = 32u;
const DEPTH: u32 = 8u; // vectors of four a row of a tile
const PITCH: u32 = 9u; // one more than DEPTH spreads the rows over the memory banks

var<workgroup> input_tile: array<vec4<f32>, 288>;
var<workgroup> weight_tile: array<vec4<f32>, 288>;

// Four input values from column k on; zeros outside. Rows of odd lengths do not start on a vector's boundary.
fn input_vector(row: u32, k: u32) -> vec4<f32> {
    var vector = vec4<f32>();
    if row < parameters.rows && k < parameters.in_features {
        let start = row * parameters.row_stride + k;
        if start % 4u == 0u && k + 4u <= parameters.in_features {
            vector = input_values[start / 4u];
        } else {
            let count = min(4u, parameters.in_features - k);
            for (var i = 0u; i < count; i++) {
                vector[i] = input_values[(start + i) / 4u][(start + i) % 4u];
            }
        }
    }
    return vector;
}

// The same of a weight row.
fn weight_vector(row: u32, k: u32) -> vec4<f32> {
    var vector = vec4<f32>();
    if row < parameters.out_features && k < parameters.in_features {
        let start = row * parameters.in_features + k;
        if start % 4u == 0u && k + 4u <= parameters.in_features {
            vector = weight[start / 4u];
        } else {
            let count = min(4u, parameters.in_features - k);
            for (var i = 0u; i < count; i++) {
                vector[i] = weight[(start + i) / 4u][(start + i) % 4u];
            }
        }
    }
    return vector;
}

// The complementary error function of z >= 0: t·p(t)·exp(-z²) with t = 1 / (1 + 0.4 z), p fitted by least squares
// against erfc in extended precision; 3e-8 off before rounding.
fn erfc_of_positive(z: vec4<f32>) -> vec4<f32> {
    let t = 1.0 / (1.0 + 0.4 * z);
    var p = vec4<f32>(-0.200088322);
    p = p * t + 0.708427906;
    p = p * t - 0.369703352;
    p = p * t + 0.467271388;
    p = p * t + 0.162238464;
    p = p * t + 0.231853858;
    // Beyond 9 the result is below the smallest f32; the clamp keeps z² finite for any input.
    let bounded = min(z, vec4<f32>(9.0));
    return p * t * exp(-bounded * bounded);
}

// x/2 · (1 + erf(x/√2)) as x · Φ(x), with Φ from the tail so that large negative x come out as zero, not as noise.
fn gelu(x: vec4<f32>) -> vec4<f32> {
    let tail = 0.5 * erfc_of_positive(abs(x) * 0.7071067811865476);
    return x * select(tail, 1.0 - tail, x >= vec4<f32>());
}

// 1 / (1 + e⁻ˣ). Below -80 it is zero, not merely small, lest a huge factor make something of it; above, the
// exponential is finite.
fn logistic(x: vec4<f32>) -> vec4<f32> {
    let value = 1.0 / (1.0 + exp(clamp(-x, vec4<f32>(-80.0), vec4<f32>(80.0))));
    return select(value, vec4<f32>(), x < vec4<f32>(-80.0));
}

// x/2 · (1 + tanh(u)) is x · logistic(2u). From |x| = 20 on the logistic is 0 or 1, so u need not grow further.
fn gelu_tanh(x: vec4<f32>) -> vec4<f32> {
    let c = clamp(x, vec4<f32>(-20.0), vec4<f32>(20.0));
    return x * logistic(1.5957691216057308 * (c + 0.044715 * c * c * c));
}

// By e^(-2|x|), which cannot overflow; the built-in may.
fn tanh_bounded(x: vec4<f32>) -> vec4<f32> {
    let e = exp(-2.0 * min(abs(x), vec4<f32>(20.0)));
    return sign(x) * (1.0 - e) / (1.0 + e);
}

// Codes of Activation in src/plan/step.rs.
fn activate(x: vec4<f32>) -> vec4<f32> {
    switch parameters.activation {
        case 1u: { return max(x, vec4<f32>()); }
        case 2u: { return gelu(x); }
        case 3u: { return gelu_tanh(x); }
        case 4u: { return tanh_bounded(x); }
        case 5u: { return x * logistic(x); }
        default: { return x; }
    }
}

// Four sums of one row, their columns 8 apart.
fn store(row: u32, first_column: u32, sums: vec4<f32>) {
    if row >= parameters.rows {
        return;
    }
    let last = parameters.out_features - 1u;
    let columns = vec4<u32>(first_column) + vec4<u32>(0u, 8u, 16u, 24u);
    let inside = min(columns, vec4<u32>(last));
    let biases = vec4<f32>(bias[inside.x], bias[inside.y], bias[inside.z], bias[inside.w]);
    var values = activate(sums + biases);
    let base = row * parameters.out_features;
    if parameters.has_residual != 0u {
        let at = vec4<u32>(base) + inside;
        var added = vec4<f32>(residual[at.x], residual[at.y], residual[at.z], residual[at.w]);
        if parameters.has_scale != 0u {
            added *= vec4<f32>(scale[inside.x], scale[inside.y], scale[inside.z], scale[inside.w]);
        }
        values += added;
    }
    if columns.x <= last { output_values[base + columns.x] = values.x; }
    if columns.y <= last { output_values[base + columns.y] = values.y; }
    if columns.z <= last { output_values[base + columns.z] = values.z; }
    if columns.w <= last { output_values[base + columns.w] = values.w; }
}

@compute @workgroup_size(8, 8, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let first_row = group.y * TILE;
    let first_column = group.x * TILE;
    var sums_0 = vec4<f32>();
    var sums_1 = vec4<f32>();
    var sums_2 = vec4<f32>();
    var sums_3 = vec4<f32>();

    for (var k = 0u; k < parameters.in_features; k += 4u * DEPTH) {
        for (var i = index; i < TILE * DEPTH; i += 64u) {
            let row = i / DEPTH;
            let column = i % DEPTH;
            input_tile[row * PITCH + column] = input_vector(first_row + row, k + 4u * column);
            weight_tile[row * PITCH + column] = weight_vector(first_column + row, k + 4u * column);
        }
        workgroupBarrier();
        for (var i = 0u; i < DEPTH; i++) {
            let weights = mat4x4<f32>(
                weight_tile[local.x * PITCH + i],
                weight_tile[(local.x + 8u) * PITCH + i],
                weight_tile[(local.x + 16u) * PITCH + i],
                weight_tile[(local.x + 24u) * PITCH + i],
            );
            sums_0 += input_tile[local.y * PITCH + i] * weights;
            sums_1 += input_tile[(local.y + 8u) * PITCH + i] * weights;
            sums_2 += input_tile[(local.y + 16u) * PITCH + i] * weights;
            sums_3 += input_tile[(local.y + 24u) * PITCH + i] * weights;
        }
        workgroupBarrier();
    }

    // One call in a loop: four would be inlined, with four copies of every activation.
    for (var i = 0u; i < 4u; i++) {
        store(first_row + local.y + 8u * i, first_column + local.x, sums_0);
        sums_0 = sums_1;
        sums_1 = sums_2;
        sums_2 = sums_3;
    }
}
