// linear_q8: linear with an 8-bit weight.
//
// Bindings and dispatch as in linear.wgsl; weight as in shared/weight_q8.wgsl.
//
// The code is in shared/: unpack.wgsl, linear.wgsl, weight_q8.wgsl, linear_wide.wgsl.
