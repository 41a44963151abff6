// Shared by the linears. weight_f32.wgsl and the like unpack weights; linear_wide.wgsl or linear_short.wgsl adds the GEMM
// tile. Operands are read directly from the storage buffers, four values at a time: neighboring invocations read the same
// input vectors and adjacent weights, so the caches do the work of workgroup memory without barriers. Rows and columns past
// the end are clamped to the last one and not stored.
//
// A weight is stored as [in_features / (4 · VECTORS), weight_rows] units of 16 bytes, each with that many
// values of a column, zero-padded; in packed formats, followed by one f32 scale per column. Sums are
// accumulated without these scales. Columns are the weight's; weight_first is the first column of the result.

struct Parameters {
    rows: u32,
    in_features: u32,
    out_features: u32,
    row_stride: u32,
    input_first: u32,
    weight_rows: u32,
    weight_first: u32,
    activation: u32,
    has_residual: u32,
    has_scale: u32,
    residual_stride: u32,
    residual_first: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> input_values: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read> scale: array<f32>;
@group(0) @binding(6) var<storage, read_write> output_values: array<f32>;

// Offset of the columns to read of an input row, clamped to the last row.
fn input_start(row: u32) -> u32 {
    return parameters.input_first + min(row, parameters.rows - 1u) * parameters.row_stride;
}

// The weight's column for a column of the result, clamped to the last one.
fn clamp_column(column: u32) -> u32 {
    return parameters.weight_first + min(column, parameters.out_features - 1u);
}

// Number of vec4 loads per row: all of the row if every row is aligned to vec4, otherwise none.
fn aligned_vectors() -> u32 {
    let starts = parameters.input_first % 4u + parameters.row_stride % 4u;
    let aligned = parameters.in_features % 4u == 0u && starts == 0u;
    return select(0u, parameters.in_features / 4u, aligned);
}

// Offset of the row scales in words.
fn scales_start() -> u32 {
    return (parameters.in_features + 4u * VECTORS - 1u) / (4u * VECTORS) * parameters.weight_rows * 4u;
}

// The scales of four columns.
fn row_scales(columns: vec4<u32>) -> vec4<f32> {
    let at = scales_start() + columns;
    return bitcast<vec4<f32>>(vec4<u32>(
        weight[at.x / 4u][at.x % 4u],
        weight[at.y / 4u][at.y % 4u],
        weight[at.z / 4u][at.z % 4u],
        weight[at.w / 4u][at.w % 4u],
    ));
}

fn load_unit(k: u32, column: u32) -> vec4<u32> {
    return weight[k * parameters.weight_rows + column];
}

// Weights 4k to 4k + 3 of a column.
fn load_weight(k: u32, column: u32) -> vec4<f32> {
    let unit = k / VECTORS;
    return unpack_unit(load_unit(unit, column), k % VECTORS, unit_scale(unit, column));
}

// Number of vec4s per row, including a partial one at the end.
fn vectors_per_row() -> u32 {
    return (parameters.in_features + 3u) / 4u;
}

// Vector k of a row, loaded one float at a time; zeros past the end of the row.
fn load_input_unaligned(start: u32, k: u32) -> vec4<f32> {
    var vector = vec4<f32>();
    for (var i = 0u; i < 4u && 4u * k + i < parameters.in_features; i++) {
        let at = start + 4u * k + i;
        vector[i] = input_values[at / 4u][at % 4u];
    }
    return vector;
}

// Applies the epilogue to four sums, one per (row, column) pair, and stores them.
fn store(rows: vec4<u32>, columns: vec4<u32>, sums: vec4<f32>) {
    let last = vec4<u32>(parameters.out_features - 1u);
    let clamped = min(columns, last);
    let of_weight = parameters.weight_first + clamped;
    let biases = vec4<f32>(bias[of_weight.x], bias[of_weight.y], bias[of_weight.z], bias[of_weight.w]);
    var values = activate(scale_sums(sums, of_weight) + biases, parameters.activation);
    let clamped_rows = min(rows, vec4<u32>(parameters.rows - 1u));
    let at = clamped_rows * parameters.out_features + clamped;
    if parameters.has_residual != 0u {
        let added_at = clamped_rows * parameters.residual_stride + parameters.residual_first + clamped;
        var added = vec4<f32>(residual[added_at.x], residual[added_at.y], residual[added_at.z], residual[added_at.w]);
        if parameters.has_scale != 0u {
            added *= vec4<f32>(scale[clamped.x], scale[clamped.y], scale[clamped.z], scale[clamped.w]);
        }
        values += added;
    }
    let stored = (rows < vec4<u32>(parameters.rows)) & (columns <= last);
    if stored.x { output_values[at.x] = values.x; }
    if stored.y { output_values[at.y] = values.y; }
    if stored.z { output_values[at.z] = values.z; }
    if stored.w { output_values[at.w] = values.w; }
}

