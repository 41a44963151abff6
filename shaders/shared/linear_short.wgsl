// GEMM tile for small outputs: a workgroup of 16 x 4 invocations computes 8 rows x 32 columns, which gives the GPU eight
// times as many workgroups to schedule as linear_wide.wgsl. Each invocation accumulates 2 rows x 2 columns.

// Distance between the rows and between the columns of one invocation.
const ROW_STEP: u32 = 4u;
const COLUMN_STEP: u32 = 16u;

@compute @workgroup_size(16, 4, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let rows = vec2<u32>(group.y * 8u + local.y) + ROW_STEP * vec2<u32>(0u, 1u);
    let columns = vec2<u32>(group.x * 32u + local.x) + COLUMN_STEP * vec2<u32>(0u, 1u);
    let input_0 = input_start(rows.x);
    let input_1 = input_start(rows.y);
    let column_0 = clamp_column(columns.x);
    let column_1 = clamp_column(columns.y);
    var accumulator_0 = vec2<f32>();
    var accumulator_1 = vec2<f32>();

    // Same summation order as in linear_wide.wgsl.
    let units = aligned_vectors() / VECTORS;
    for (var unit = 0u; unit < units; unit++) {
        let unit_0 = load_unit(unit, column_0);
        let unit_1 = load_unit(unit, column_1);
        let scale_0 = unit_scale(unit, column_0);
        let scale_1 = unit_scale(unit, column_1);
        for (var i = 0u; i < VECTORS; i++) {
            let weights = mat2x4<f32>(unpack_unit(unit_0, i, scale_0), unpack_unit(unit_1, i, scale_1));
            let k = unit * VECTORS + i;
            accumulator_0 += input_values[input_0 / 4u + k] * weights;
            accumulator_1 += input_values[input_1 / 4u + k] * weights;
        }
    }
    for (var k = units * VECTORS; k < vectors_per_row(); k++) {
        let weights = mat2x4<f32>(load_weight(k, column_0), load_weight(k, column_1));
        accumulator_0 += load_input_unaligned(input_0, k) * weights;
        accumulator_1 += load_input_unaligned(input_1, k) * weights;
    }
    store(rows.xxyy, columns.xyxy, vec4<f32>(accumulator_0, accumulator_1));
}

