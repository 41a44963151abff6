// Weights of linear and linear_short: units of four floats.

const VECTORS: u32 = 1u;

// Does nothing: f32 weights have no scales.
fn unit_scale(k: u32, column: u32) -> f32 {
    return 1.0;
}

fn unpack_unit(unit: vec4<u32>, vector: u32, scale: f32) -> vec4<f32> {
    return bitcast<vec4<f32>>(unit);
}

fn scale_sums(sums: vec4<f32>, columns: vec4<u32>) -> vec4<f32> {
    return sums;
}

