// copy: destination = source, as fast as the memory allows.
//
//   source, destination [n] vectors
//
// Workgroups: 256 vectors each.

@group(0) @binding(0) var<storage, read_write> destination: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    destination[invocation.x] = source[invocation.x];
}
