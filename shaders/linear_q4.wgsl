// linear_q4: linear with a 4-bit weight.
//
// Bindings and dispatch as in linear.wgsl; weight as in shared/weight_q4.wgsl.
//
// The code is in shared/: unpack.wgsl, linear.wgsl, weight_q4.wgsl, linear_wide.wgsl.
