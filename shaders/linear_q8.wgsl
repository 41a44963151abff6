// linear_q8: what linear computes, with a weight of 8 bits and a scale a row
//
//   weight   [out_features] scales as f32, then [out_features, in_features] signed bytes, four a word
//
// All else, the bindings and the groups are linear's. The bytes are summed as they are; a finished sum is multiplied by
// its row's scale.

@group(0) @binding(2) var<storage, read> weight: array<u32>;

fn weight_vector(at: u32) -> vec4<f32> {
    return bytes_of(weight[parameters.out_features + at]);
}

fn weight_value(at: u32) -> f32 {
    return bytes_of(weight[parameters.out_features + at / 4u])[at % 4u];
}

fn scaled(sums: vec4<f32>, columns: vec4<u32>) -> vec4<f32> {
    let scales = vec4<u32>(weight[columns.x], weight[columns.y], weight[columns.z], weight[columns.w]);
    return sums * bitcast<vec4<f32>>(scales);
}
