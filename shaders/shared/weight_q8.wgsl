// How linear_q8 and linear_short_q8 read a weight: [out_features] scales as f32, then [in_features / 4, out_features] words
// of four signed bytes, zeros behind a row's last value. The bytes are summed as they are.

@group(0) @binding(2) var<storage, read> weight: array<u32>;

// Values 4k to 4k + 3 of the column's weight, but for its scale.
fn weight_vector(k: u32, column: u32) -> vec4<f32> {
    return bytes_of(weight[(k + 1u) * parameters.out_features + column]);
}

// Finished sums of four columns, before the bias.
fn scaled(sums: vec4<f32>, columns: vec4<u32>) -> vec4<f32> {
    let scales = vec4<u32>(weight[columns.x], weight[columns.y], weight[columns.z], weight[columns.w]);
    return sums * bitcast<vec4<f32>>(scales);
}

