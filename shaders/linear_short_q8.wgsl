// linear_short_q8: what linear_short computes, with a weight of 8 bits and a scale a row
//
// Bindings and groups are linear_short's; the weight is laid out as shared/weight_q8.wgsl says.
//
// All of it stands in shared/: bytes.wgsl, linear.wgsl, weight_q8.wgsl, linear_short.wgsl.
