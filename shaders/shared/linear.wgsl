// What the four linears share. shared/weight_f32.wgsl or weight_q8.wgsl adds how a weight is read, shared/linear_wide.wgsl or
// linear_short.wgsl which sums an invocation keeps. Operands are read straight from the buffers, four values at a time:
// neighbours read the same input vectors, and weights that lie side by side, so the caches do what workgroup memory would,
// without barriers. Rows and columns beyond the last repeat it and are not stored.

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

// Where an input row begins; the last stands in for those beyond it.
fn input_start(row: u32) -> u32 {
    return min(row, parameters.rows - 1u) * parameters.row_stride;
}

fn inside(column: u32) -> u32 {
    return min(column, parameters.out_features - 1u);
}

// Vectors of a row that are read as such: all where every row starts and ends on a vector's boundary, none otherwise.
fn whole_vectors() -> u32 {
    let aligned = parameters.in_features % 4u == 0u && parameters.row_stride % 4u == 0u;
    return select(0u, parameters.in_features / 4u, aligned);
}

// Vectors of a row, the last one perhaps not full.
fn all_vectors() -> u32 {
    return (parameters.in_features + 3u) / 4u;
}

// Vector k of a row, float by float; zeros beyond the row.
fn input_floats(start: u32, k: u32) -> vec4<f32> {
    var vector = vec4<f32>();
    for (var i = 0u; i < 4u && 4u * k + i < parameters.in_features; i++) {
        let at = start + 4u * k + i;
        vector[i] = input_values[at / 4u][at % 4u];
    }
    return vector;
}

// Four sums, each of a row and a column.
fn store(rows: vec4<u32>, columns: vec4<u32>, sums: vec4<f32>) {
    let last = vec4<u32>(parameters.out_features - 1u);
    let inside = min(columns, last);
    let biases = vec4<f32>(bias[inside.x], bias[inside.y], bias[inside.z], bias[inside.w]);
    var values = activate(scaled(sums, inside) + biases, parameters.activation);
    let at = min(rows, vec4<u32>(parameters.rows - 1u)) * parameters.out_features + inside;
    if parameters.has_residual != 0u {
        var added = vec4<f32>(residual[at.x], residual[at.y], residual[at.z], residual[at.w]);
        if parameters.has_scale != 0u {
            added *= vec4<f32>(scale[inside.x], scale[inside.y], scale[inside.z], scale[inside.w]);
        }
        values += added;
    }
    let stored = (rows < vec4<u32>(parameters.rows)) & (columns <= last);
    if stored.x { output_values[at.x] = values.x; }
    if stored.y { output_values[at.y] = values.y; }
    if stored.z { output_values[at.z] = values.z; }
    if stored.w { output_values[at.w] = values.w; }
}

