// Weight layout of linear and linear_short: [in_features / 4, out_features, 4], rows zero-padded to a multiple of four.

@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;

// Weights 4k to 4k + 3 of a column.
fn load_weight(k: u32, column: u32) -> vec4<f32> {
    return weight[k * parameters.out_features + column];
}

// Does nothing: f32 weights have no scales.
fn scale_sums(sums: vec4<f32>, columns: vec4<u32>) -> vec4<f32> {
    return sums;
}

