// How linear and linear_short read a weight, [in_features / 4, out_features, 4] with zeros behind a row's last value.

@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;

// Values 4k to 4k + 3 of the column's weight.
fn weight_vector(k: u32, column: u32) -> vec4<f32> {
    return weight[k * parameters.out_features + column];
}

// Finished sums of four columns, before the bias.
fn scaled(sums: vec4<f32>, columns: vec4<u32>) -> vec4<f32> {
    return sums;
}

