// The linears' sums where there are few: a group of 16 x 4 invocations computes a tile of 8 rows x 32 columns, so that a
// GPU has eight times as many groups to spread over its cores. Each invocation keeps 2 rows x 2 columns.

// Rows and columns of one invocation lie this far apart.
const ROW_STEP: u32 = 4u;
const COLUMN_STEP: u32 = 16u;

@compute @workgroup_size(16, 4, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let rows = vec2<u32>(group.y * 8u + local.y) + ROW_STEP * vec2<u32>(0u, 1u);
    let columns = vec2<u32>(group.x * 32u + local.x) + COLUMN_STEP * vec2<u32>(0u, 1u);
    let input_0 = input_start(rows.x);
    let input_1 = input_start(rows.y);
    let column_0 = inside(columns.x);
    let column_1 = inside(columns.y);
    var sums_0 = vec2<f32>();
    var sums_1 = vec2<f32>();

    // Summed up as linear_wide does it.
    let whole = whole_vectors();
    for (var k = 0u; k < whole; k++) {
        let weights = mat2x4<f32>(weight_vector(k, column_0), weight_vector(k, column_1));
        sums_0 += input_values[input_0 / 4u + k] * weights;
        sums_1 += input_values[input_1 / 4u + k] * weights;
    }
    for (var k = whole; k < all_vectors(); k++) {
        let weights = mat2x4<f32>(weight_vector(k, column_0), weight_vector(k, column_1));
        sums_0 += input_floats(input_0, k) * weights;
        sums_1 += input_floats(input_1, k) * weights;
    }
    store(rows.xxyy, columns.xyxy, vec4<f32>(sums_0, sums_1));
}

