// GEMM tile for long inputs: a workgroup of 16 x 4 invocations computes 32 rows x 64 columns. Each invocation accumulates
// 8 rows x 4 columns in registers.

// Distance between the rows and between the columns of one invocation.
const ROW_STEP: u32 = 4u;
const COLUMN_STEP: u32 = 16u;

@compute @workgroup_size(16, 4, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let row = group.y * 32u + local.y;
    let columns = vec4<u32>(group.x * 64u + local.x) + COLUMN_STEP * vec4<u32>(0u, 1u, 2u, 3u);
    let inputs = array<u32, 8>(
        input_start(row),
        input_start(row + ROW_STEP),
        input_start(row + 2u * ROW_STEP),
        input_start(row + 3u * ROW_STEP),
        input_start(row + 4u * ROW_STEP),
        input_start(row + 5u * ROW_STEP),
        input_start(row + 6u * ROW_STEP),
        input_start(row + 7u * ROW_STEP),
    );
    let column_0 = clamp_column(columns.x);
    let column_1 = clamp_column(columns.y);
    let column_2 = clamp_column(columns.z);
    let column_3 = clamp_column(columns.w);
    var accumulator_0 = vec4<f32>();
    var accumulator_1 = vec4<f32>();
    var accumulator_2 = vec4<f32>();
    var accumulator_3 = vec4<f32>();
    var accumulator_4 = vec4<f32>();
    var accumulator_5 = vec4<f32>();
    var accumulator_6 = vec4<f32>();
    var accumulator_7 = vec4<f32>();

    let units = aligned_vectors() / VECTORS;
    for (var unit = 0u; unit < units; unit++) {
        let unit_0 = load_unit(unit, column_0);
        let unit_1 = load_unit(unit, column_1);
        let unit_2 = load_unit(unit, column_2);
        let unit_3 = load_unit(unit, column_3);
        let scale_0 = unit_scale(unit, column_0);
        let scale_1 = unit_scale(unit, column_1);
        let scale_2 = unit_scale(unit, column_2);
        let scale_3 = unit_scale(unit, column_3);
        for (var i = 0u; i < VECTORS; i++) {
            let weights = mat4x4<f32>(
                unpack_unit(unit_0, i, scale_0),
                unpack_unit(unit_1, i, scale_1),
                unpack_unit(unit_2, i, scale_2),
                unpack_unit(unit_3, i, scale_3),
            );
            let k = unit * VECTORS + i;
            accumulator_0 += input_values[inputs[0] / 4u + k] * weights;
            accumulator_1 += input_values[inputs[1] / 4u + k] * weights;
            accumulator_2 += input_values[inputs[2] / 4u + k] * weights;
            accumulator_3 += input_values[inputs[3] / 4u + k] * weights;
            accumulator_4 += input_values[inputs[4] / 4u + k] * weights;
            accumulator_5 += input_values[inputs[5] / 4u + k] * weights;
            accumulator_6 += input_values[inputs[6] / 4u + k] * weights;
            accumulator_7 += input_values[inputs[7] / 4u + k] * weights;
        }
    }
    for (var k = units * VECTORS; k < vectors_per_row(); k++) {
        let weights = mat4x4<f32>(
            load_weight(k, column_0),
            load_weight(k, column_1),
            load_weight(k, column_2),
            load_weight(k, column_3),
        );
        accumulator_0 += load_input_unaligned(inputs[0], k) * weights;
        accumulator_1 += load_input_unaligned(inputs[1], k) * weights;
        accumulator_2 += load_input_unaligned(inputs[2], k) * weights;
        accumulator_3 += load_input_unaligned(inputs[3], k) * weights;
        accumulator_4 += load_input_unaligned(inputs[4], k) * weights;
        accumulator_5 += load_input_unaligned(inputs[5], k) * weights;
        accumulator_6 += load_input_unaligned(inputs[6], k) * weights;
        accumulator_7 += load_input_unaligned(inputs[7], k) * weights;
    }

    // A loop with one call, because eight calls would be inlined as eight copies of every activation.
    for (var i = 0u; i < 8u; i++) {
        store(vec4<u32>(row + i * ROW_STEP), columns, accumulator_0);
        accumulator_0 = accumulator_1;
        accumulator_1 = accumulator_2;
        accumulator_2 = accumulator_3;
        accumulator_3 = accumulator_4;
        accumulator_4 = accumulator_5;
        accumulator_5 = accumulator_6;
        accumulator_6 = accumulator_7;
    }
}

