// What linear.wgsl and linear_q8.wgsl share; each adds how a weight is read:
//
//   weight_vector(at)       four values, the first of them number 4 · at of the row-major matrix
//   weight_value(at)        value number `at`
//   scaled(sums, columns)   finished sums of four columns, before the bias
//
// A group of 16 x 4 invocations computes a tile of 32 rows x 64 columns. Each keeps 8 rows x 4 columns in registers and
// reads its operands straight from the buffers, four values at a time: neighbours read the same input vectors and the
// next weight rows, so the caches do what workgroup memory would, without barriers. Rows and columns beyond the last
// repeat it and are not stored.

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
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read> scale: array<f32>;
@group(0) @binding(6) var<storage, read_write> output_values: array<f32>;

// Rows and columns of one invocation lie this far apart.
const ROW_STEP: u32 = 4u;
const COLUMN_STEP: u32 = 16u;

// Single floats, for rows that do not start or end on a vector's boundary.
fn input_value(at: u32) -> f32 {
    return input_values[at / 4u][at % 4u];
}

// Where the input row and the weight row begin; the last stands in for those beyond it.
fn input_start(row: u32) -> u32 {
    return min(row, parameters.rows - 1u) * parameters.row_stride;
}

fn weight_start(column: u32) -> u32 {
    return min(column, parameters.out_features - 1u) * parameters.in_features;
}

// Four sums of one row.
fn store(row: u32, first_column: u32, sums: vec4<f32>) {
    if row >= parameters.rows {
        return;
    }
    let last = parameters.out_features - 1u;
    let columns = vec4<u32>(first_column) + vec4<u32>(0u, COLUMN_STEP, 2u * COLUMN_STEP, 3u * COLUMN_STEP);
    let inside = min(columns, vec4<u32>(last));
    let biases = vec4<f32>(bias[inside.x], bias[inside.y], bias[inside.z], bias[inside.w]);
    var values = activate(scaled(sums, inside) + biases, parameters.activation);
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

@compute @workgroup_size(16, 4, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let row = group.y * 32u + local.y;
    let column = group.x * 64u + local.x;
    let input_0 = input_start(row);
    let input_1 = input_start(row + ROW_STEP);
    let input_2 = input_start(row + 2u * ROW_STEP);
    let input_3 = input_start(row + 3u * ROW_STEP);
    let input_4 = input_start(row + 4u * ROW_STEP);
    let input_5 = input_start(row + 5u * ROW_STEP);
    let input_6 = input_start(row + 6u * ROW_STEP);
    let input_7 = input_start(row + 7u * ROW_STEP);
    let weight_0 = weight_start(column);
    let weight_1 = weight_start(column + COLUMN_STEP);
    let weight_2 = weight_start(column + 2u * COLUMN_STEP);
    let weight_3 = weight_start(column + 3u * COLUMN_STEP);
    var sums_0 = vec4<f32>();
    var sums_1 = vec4<f32>();
    var sums_2 = vec4<f32>();
    var sums_3 = vec4<f32>();
    var sums_4 = vec4<f32>();
    var sums_5 = vec4<f32>();
    var sums_6 = vec4<f32>();
    var sums_7 = vec4<f32>();

    // By vectors where every row starts on a vector's boundary, float by float otherwise.
    let aligned = parameters.in_features % 4u == 0u && parameters.row_stride % 4u == 0u;
    let vectors = select(0u, parameters.in_features / 4u, aligned);
    for (var k = 0u; k < vectors; k++) {
        let weights = mat4x4<f32>(
            weight_vector(weight_0 / 4u + k),
            weight_vector(weight_1 / 4u + k),
            weight_vector(weight_2 / 4u + k),
            weight_vector(weight_3 / 4u + k),
        );
        sums_0 += input_values[input_0 / 4u + k] * weights;
        sums_1 += input_values[input_1 / 4u + k] * weights;
        sums_2 += input_values[input_2 / 4u + k] * weights;
        sums_3 += input_values[input_3 / 4u + k] * weights;
        sums_4 += input_values[input_4 / 4u + k] * weights;
        sums_5 += input_values[input_5 / 4u + k] * weights;
        sums_6 += input_values[input_6 / 4u + k] * weights;
        sums_7 += input_values[input_7 / 4u + k] * weights;
    }
    for (var k = 4u * vectors; k < parameters.in_features; k++) {
        let weights = vec4<f32>(
            weight_value(weight_0 + k),
            weight_value(weight_1 + k),
            weight_value(weight_2 + k),
            weight_value(weight_3 + k),
        );
        sums_0 += input_value(input_0 + k) * weights;
        sums_1 += input_value(input_1 + k) * weights;
        sums_2 += input_value(input_2 + k) * weights;
        sums_3 += input_value(input_3 + k) * weights;
        sums_4 += input_value(input_4 + k) * weights;
        sums_5 += input_value(input_5 + k) * weights;
        sums_6 += input_value(input_6 + k) * weights;
        sums_7 += input_value(input_7 + k) * weights;
    }

    // One call in a loop: eight would be inlined, with eight copies of every activation.
    for (var i = 0u; i < 8u; i++) {
        store(row + i * ROW_STEP, column, sums_0);
        sums_0 = sums_1;
        sums_1 = sums_2;
        sums_2 = sums_3;
        sums_3 = sums_4;
        sums_4 = sums_5;
        sums_5 = sums_6;
        sums_6 = sums_7;
    }
}

