// activate: output = activation(input), element-wise.
//
//   input, output [len]
//
// Bindings of group 0: 0 parameters, 1 input, 2 output.
// Dispatch: 64 vec4s per workgroup, over x and then y.

struct Parameters {
    len: u32,
    activation: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> input_values: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output_values: array<vec4<f32>>;

@compute @workgroup_size(64, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    // Buffers are padded to a multiple of 16 bytes, so storing all of the last vector is safe.
    let index = (group.y * groups.x + group.x) * 64u + local;
    if index < (parameters.len + 3u) / 4u {
        output_values[index] = activate(input_values[index], parameters.activation);
    }
}
