// linear: output = activation(input · weightᵀ + bias) + scale ∘ residual
//
//   input    [rows, in_features], rows `row_stride` floats apart
//   weight   [out_features, in_features]
//   bias     [out_features]
//   residual [rows, out_features]   read where has_residual
//   scale    [out_features]         read where has_residual and has_scale
//   output   [rows, out_features]
//
// Bindings of group 0: 0 parameters, 1 input, 2 weight, 3 bias, 4 residual, 5 scale, 6 output.
// Groups: x over tiles of 64 columns, y over tiles of 32 rows.
//
// The tile is computed in shared/linear.wgsl; here stands how a weight is read.

@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;

fn weight_vector(at: u32) -> vec4<f32> {
    return weight[at];
}

fn weight_value(at: u32) -> f32 {
    return weight[at / 4u][at % 4u];
}

fn scaled(sums: vec4<f32>, columns: vec4<u32>) -> vec4<f32> {
    return sums;
}
