// linear: output = activation(input · weightᵀ + bias) + scale ∘ residual
//
//   input    [rows, in_features], rows `row_stride` floats apart
//   weight   [out_features, in_features], laid out as shared/weight_f32.wgsl says
//   bias     [out_features]
//   residual [rows, out_features]   read where has_residual
//   scale    [out_features]         read where has_residual and has_scale
//   output   [rows, out_features]
//
// Bindings of group 0: 0 parameters, 1 input, 2 weight, 3 bias, 4 residual, 5 scale, 6 output.
// Groups: x over tiles of 64 columns, y over tiles of 32 rows.
//
// All of it stands in shared/: linear.wgsl, weight_f32.wgsl, linear_wide.wgsl.
