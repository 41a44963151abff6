// The linears' sums for wide devices and long inputs: a group of 16 x 4 invocations computes a tile of 32 rows x 64 columns.
// Each keeps 8 rows x 4 columns in registers.

// Rows and columns of one invocation lie this far apart.
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
    let column_0 = inside(columns.x);
    let column_1 = inside(columns.y);
    let column_2 = inside(columns.z);
    let column_3 = inside(columns.w);
    var sums_0 = vec4<f32>();
    var sums_1 = vec4<f32>();
    var sums_2 = vec4<f32>();
    var sums_3 = vec4<f32>();
    var sums_4 = vec4<f32>();
    var sums_5 = vec4<f32>();
    var sums_6 = vec4<f32>();
    var sums_7 = vec4<f32>();

    let whole = whole_vectors();
    for (var k = 0u; k < whole; k++) {
        let weights = mat4x4<f32>(
            weight_vector(k, column_0),
            weight_vector(k, column_1),
            weight_vector(k, column_2),
            weight_vector(k, column_3),
        );
        sums_0 += input_values[inputs[0] / 4u + k] * weights;
        sums_1 += input_values[inputs[1] / 4u + k] * weights;
        sums_2 += input_values[inputs[2] / 4u + k] * weights;
        sums_3 += input_values[inputs[3] / 4u + k] * weights;
        sums_4 += input_values[inputs[4] / 4u + k] * weights;
        sums_5 += input_values[inputs[5] / 4u + k] * weights;
        sums_6 += input_values[inputs[6] / 4u + k] * weights;
        sums_7 += input_values[inputs[7] / 4u + k] * weights;
    }
    for (var k = whole; k < all_vectors(); k++) {
        let weights = mat4x4<f32>(
            weight_vector(k, column_0),
            weight_vector(k, column_1),
            weight_vector(k, column_2),
            weight_vector(k, column_3),
        );
        sums_0 += input_floats(inputs[0], k) * weights;
        sums_1 += input_floats(inputs[1], k) * weights;
        sums_2 += input_floats(inputs[2], k) * weights;
        sums_3 += input_floats(inputs[3], k) * weights;
        sums_4 += input_floats(inputs[4], k) * weights;
        sums_5 += input_floats(inputs[5], k) * weights;
        sums_6 += input_floats(inputs[6], k) * weights;
        sums_7 += input_floats(inputs[7], k) * weights;
    }

    // One call in a loop: eight would be inlined, with eight copies of every activation.
    for (var i = 0u; i < 8u; i++) {
        store(vec4<u32>(row + i * ROW_STEP), columns, sums_0);
        sums_0 = sums_1;
        sums_1 = sums_2;
        sums_2 = sums_3;
        sums_3 = sums_4;
        sums_4 = sums_5;
        sums_5 = sums_6;
        sums_6 = sums_7;
    }
}

