// linear_short: linear with smaller tiles, and thus more workgroups, for inputs with few rows.
//
// Bindings as in linear.wgsl. Dispatch: x over tiles of 32 columns, y over tiles of 8 rows.
//
// The code is in shared/: linear.wgsl, weight_f32.wgsl, linear_short.wgsl.
