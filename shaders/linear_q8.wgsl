// linear_q8: what linear computes, with a weight of 8 bits and a scale a row
//
// Bindings and groups are linear's; the weight is laid out as shared/weight_q8.wgsl says.
//
// All of it stands in shared/: bytes.wgsl, linear.wgsl, weight_q8.wgsl, linear_wide.wgsl.
