// Weight layout of linear_q8 and linear_short_q8: [out_features] f32 scales, then [in_features / 4, out_features] words of
// four signed bytes, rows zero-padded to a multiple of four. Sums are accumulated without the scales.

@group(0) @binding(2) var<storage, read> weight: array<u32>;

// Weights 4k to 4k + 3 of a column, before scaling.
fn load_weight(k: u32, column: u32) -> vec4<f32> {
    return unpack_bytes(weight[(k + 1u) * parameters.out_features + column]);
}

// Multiplies the finished sums of four columns by their scales.
fn scale_sums(sums: vec4<f32>, columns: vec4<u32>) -> vec4<f32> {
    let scales = vec4<u32>(weight[columns.x], weight[columns.y], weight[columns.z], weight[columns.w]);
    return sums * bitcast<vec4<f32>>(scales);
}

