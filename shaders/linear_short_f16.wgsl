// linear_short_f16: linear_short with a 16-bit weight.
//
// Bindings and dispatch as in linear_short.wgsl; weight as in shared/weight_f16.wgsl.
//
// The code is in shared/: unpack.wgsl, linear.wgsl, weight_f16.wgsl, linear_short.wgsl.
