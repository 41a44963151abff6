// Weights of linear_q4 and linear_short_q4: units of 32 signed 4-bit values; row scales, then one f16 scale per unit.

const VECTORS: u32 = 8u;

fn unit_scale(k: u32, column: u32) -> f32 {
    let at = k * parameters.weight_rows + column;
    let word = scales_start() + parameters.weight_rows + at / 2u;
    return unpack_value(weight[word / 4u][word % 4u], at, 1u);
}

fn unpack_unit(unit: vec4<u32>, vector: u32, scale: f32) -> vec4<f32> {
    return scale * unpack_nibbles(unit[vector / 2u] >> (vector % 2u * 16u));
}

fn scale_sums(sums: vec4<f32>, columns: vec4<u32>) -> vec4<f32> {
    return sums * row_scales(columns);
}

