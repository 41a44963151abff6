// embedding_position: rows of embedding and of position (without its input), side by side.
//
//   input_ids, token_type_ids [batch, sequence]
//   table, position, token_type as in embedding.wgsl and position.wgsl
//   output                    [batch · sequence, width + hidden_size], where width is that of embedding's rows
//
// Bindings of group 0: 0 parameters, 1 input_ids, 2 token_type_ids, 3 table, 4 position, 5 token_type, 6 output.
// Dispatch: 64 output elements per workgroup, over x and then y.

struct Parameters {
    batch: u32,
    sequence: u32,
    embedding_size: u32,
    trigram: u32,
    vocabulary_size: u32,
    table_format: u32,
    hidden_size: u32,
    has_token_type: u32,
    positions: u32,
    token_types: u32,
    position_format: u32,
    token_type_format: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> input_ids: array<u32>;
@group(0) @binding(2) var<storage, read> token_type_ids: array<u32>;
@group(0) @binding(3) var<storage, read> table: array<u32>;
@group(0) @binding(4) var<storage, read> position: array<u32>;
@group(0) @binding(5) var<storage, read> token_type: array<u32>;
@group(0) @binding(6) var<storage, read_write> output_values: array<f32>;

@compute @workgroup_size(64, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let words = select(1u, 3u, parameters.trigram != 0u) * parameters.embedding_size;
    let width = words + parameters.hidden_size;
    let index = (group.y * groups.x + group.x) * 64u + local;
    if index >= parameters.batch * parameters.sequence * width {
        return;
    }
    let row = index / width;
    let feature = index % width;
    if feature < words {
        output_values[index] = word_value(row, feature);
    } else {
        output_values[index] = place_value(row, feature - words);
    }
}
