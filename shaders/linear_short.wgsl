// linear_short: what linear computes, in more and smaller groups, for inputs of few rows
//
// Bindings are linear's. Groups: x over tiles of 32 columns, y over tiles of 8 rows.
//
// All of it stands in shared/: linear.wgsl, weight_f32.wgsl, linear_short.wgsl.
