// linear_short_q8: linear_short with an 8-bit weight and one scale per weight row.
//
// Bindings and dispatch as in linear_short.wgsl; weight in the layout of shared/weight_q8.wgsl.
//
// The code is in shared/: bytes.wgsl, linear.wgsl, weight_q8.wgsl, linear_short.wgsl.
