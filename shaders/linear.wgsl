// linear: output = activation(input · weightᵀ + bias) + scale ∘ residual.
//
//   input    [rows, in_features], rows `row_stride` floats apart, from column `input_first` on
//   weight   [weight_rows, in_features], in the layout of shared/linear.wgsl; rows are read from `weight_first` on
//   bias     [weight_rows], read likewise
//   residual [rows, out_features], rows `residual_stride` apart, from column `residual_first` on; read if has_residual
//   scale    [out_features], read if has_residual and has_scale
//   output   [rows, out_features]
//
// Bindings of group 0: 0 parameters, 1 input, 2 weight, 3 bias, 4 residual, 5 scale, 6 output.
// Dispatch: x over tiles of 64 columns, y over tiles of 32 rows.
//
// The code is in shared/: linear.wgsl, weight_f32.wgsl, linear_wide.wgsl.
