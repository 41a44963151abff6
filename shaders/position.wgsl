// position: output = input + position[t] + token_type[type_id].
//
//   token_type_ids [batch, sequence]
//   input, output  [batch · sequence, hidden_size], input read if has_input
//   position       [positions, hidden_size], positions >= sequence
//   token_type     [types, hidden_size], read if has_token_type
//
// The tables are stored as in embedding.wgsl.
//
// Bindings of group 0: 0 parameters, 1 token_type_ids, 2 input, 3 position, 4 token_type, 5 output.
// Dispatch: 64 output elements per workgroup, over x and then y.

struct Parameters {
    batch: u32,
    sequence: u32,
    hidden_size: u32,
    has_input: u32,
    has_token_type: u32,
    positions: u32,
    token_types: u32,
    position_format: u32,
    token_type_format: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> token_type_ids: array<u32>;
@group(0) @binding(2) var<storage, read> input_values: array<f32>;
@group(0) @binding(3) var<storage, read> position: array<u32>;
@group(0) @binding(4) var<storage, read> token_type: array<u32>;
@group(0) @binding(5) var<storage, read_write> output_values: array<f32>;

@compute @workgroup_size(64, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = (group.y * groups.x + group.x) * 64u + local;
    if index >= parameters.batch * parameters.sequence * parameters.hidden_size {
        return;
    }
    let row = index / parameters.hidden_size;
    let feature = index % parameters.hidden_size;
    var value = place_value(row, feature);
    if parameters.has_input != 0u {
        value += input_values[index];
    }
    output_values[index] = value;
}
