// Weights of linear_q8 and linear_short_q8: units of sixteen signed bytes; row scales.

const VECTORS: u32 = 4u;

fn unit_scale(k: u32, column: u32) -> f32 {
    return 1.0;
}

fn unpack_unit(unit: vec4<u32>, vector: u32, scale: f32) -> vec4<f32> {
    return unpack_bytes(unit[vector]);
}

fn scale_sums(sums: vec4<f32>, columns: vec4<u32>) -> vec4<f32> {
    return sums * row_scales(columns);
}

