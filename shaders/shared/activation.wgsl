// Activation functions, used by activate.wgsl, chain.wgsl and the linears. WGSL has no includes; the kernel table
// prepends this file.

// Complementary error function for z >= 0: t·p(t)·exp(-z²) with t = 1 / (1 + 0.4 z), where p is a least-squares fit to
// erfc in extended precision. The error before rounding is 3e-8.
fn erfc_nonnegative(z: vec4<f32>) -> vec4<f32> {
    let t = 1.0 / (1.0 + 0.4 * z);
    var p = vec4<f32>(-0.200088322);
    p = p * t + 0.708427906;
    p = p * t - 0.369703352;
    p = p * t + 0.467271388;
    p = p * t + 0.162238464;
    p = p * t + 0.231853858;
    // Above 9 the result underflows f32; the clamp keeps z² finite for any input.
    let bounded = min(z, vec4<f32>(9.0));
    return p * t * exp(-bounded * bounded);
}

// x/2 · (1 + erf(x/√2)) = x · Φ(x). Φ is computed from its tail, so that large negative x give zero instead of noise.
fn gelu(x: vec4<f32>) -> vec4<f32> {
    let tail = 0.5 * erfc_nonnegative(abs(x) * 0.7071067811865476);
    return x * select(tail, 1.0 - tail, x >= vec4<f32>());
}

// 1 / (1 + e⁻ˣ). Below -80 it is exactly zero, because callers multiply it by x, which may be huge; above -80 the
// exponential is finite.
fn logistic(x: vec4<f32>) -> vec4<f32> {
    let value = 1.0 / (1.0 + exp(clamp(-x, vec4<f32>(-80.0), vec4<f32>(80.0))));
    return select(value, vec4<f32>(), x < vec4<f32>(-80.0));
}

// x/2 · (1 + tanh(u)) = x · logistic(2u). For |x| >= 20 the logistic is 0 or 1, so x can be clamped in u.
fn gelu_tanh(x: vec4<f32>) -> vec4<f32> {
    let c = clamp(x, vec4<f32>(-20.0), vec4<f32>(20.0));
    return x * logistic(1.5957691216057308 * (c + 0.044715 * c * c * c));
}

// Computed from e^(-2|x|), which can't overflow; the built-in tanh may.
fn tanh_no_overflow(x: vec4<f32>) -> vec4<f32> {
    let e = exp(-2.0 * min(abs(x), vec4<f32>(20.0)));
    return sign(x) * (1.0 - e) / (1.0 + e);
}

// The codes are the discriminants of `Activation` in compute/src/activation.rs.
fn activate(x: vec4<f32>, activation: u32) -> vec4<f32> {
    switch activation {
        // Not `max`, which may turn NaN into 0.
        case 1u: { return select(x, vec4<f32>(), x < vec4<f32>()); }
        case 2u: { return gelu(x); }
        case 3u: { return gelu_tanh(x); }
        case 4u: { return tanh_no_overflow(x); }
        case 5u: { return x * logistic(x); }
        default: { return x; }
    }
}

