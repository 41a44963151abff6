// linear_short_q4: linear_short with a 4-bit weight.
//
// Bindings and dispatch as in linear_short.wgsl; weight as in shared/weight_q4.wgsl.
//
// The code is in shared/: unpack.wgsl, linear.wgsl, weight_q4.wgsl, linear_short.wgsl.
