// linear_f16: linear with a 16-bit weight.
//
// Bindings and dispatch as in linear.wgsl; weight as in shared/weight_f16.wgsl.
//
// The code is in shared/: unpack.wgsl, linear.wgsl, weight_f16.wgsl, linear_wide.wgsl.
