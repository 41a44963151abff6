// linear: output = activation(input · weightᵀ + bias) + scale ∘ residual.
//
//   input    [rows, in_features], rows `row_stride` floats apart
//   weight   [out_features, in_features], in the layout of shared/linear.wgsl
//   bias     [out_features]
//   residual [rows, out_features], read if has_residual
//   scale    [out_features], read if has_residual and has_scale
//   output   [rows, out_features]
//
// Bindings of group 0: 0 parameters, 1 input, 2 weight, 3 bias, 4 residual, 5 scale, 6 output.
// Dispatch: x over tiles of 64 columns, y over tiles of 32 rows.
//
// The code is in shared/: linear.wgsl, weight_f32.wgsl, linear_wide.wgsl.
