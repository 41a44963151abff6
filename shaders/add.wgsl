// add: output = input + scale ∘ residual.
//
//   input, residual, output [len / features, features]
//   scale [features], read if has_scale
//
// Bindings of group 0: 0 parameters, 1 input, 2 residual, 3 scale, 4 output.
// Dispatch: 64 elements per workgroup, over x and then y.

struct Parameters {
    len: u32,
    features: u32,
    has_scale: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> input_values: array<f32>;
@group(0) @binding(2) var<storage, read> residual: array<f32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;
@group(0) @binding(4) var<storage, read_write> output_values: array<f32>;

@compute @workgroup_size(64, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = (group.y * groups.x + group.x) * 64u + local;
    if index >= parameters.len {
        return;
    }
    var added = residual[index];
    if parameters.has_scale != 0u {
        added *= scale[index % parameters.features];
    }
    output_values[index] = input_values[index] + added;
}
