// Weights of linear_f16 and linear_short_f16: units of eight 16-bit floats; row scales.

const VECTORS: u32 = 2u;

fn unit_scale(k: u32, column: u32) -> f32 {
    return 1.0;
}

fn unpack_unit(unit: vec4<u32>, vector: u32, scale: f32) -> vec4<f32> {
    let words = select(unit.xy, unit.zw, vector == 1u);
    return unpack_halves(words.x, words.y);
}

fn scale_sums(sums: vec4<f32>, columns: vec4<u32>) -> vec4<f32> {
    return sums * row_scales(columns);
}

