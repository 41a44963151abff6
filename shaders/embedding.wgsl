// embedding: word vector of each token, or with `trigram` the concatenated vectors of the next, current, and previous
// tokens.
//
//   input_ids [batch, sequence]
//   table     [vocabulary_size, embedding_size] in `table_format`, padded to 16 bytes; for packed formats followed by one
//             f32 scale per row, and for q4 by one f16 scale per group of 32
//   output    [batch · sequence, embedding_size], or [batch · sequence, 3 · embedding_size] with trigram
//
// Bindings of group 0: 0 parameters, 1 input_ids, 2 table, 3 output.
// Dispatch: 64 output elements per workgroup, over x and then y.
//
// Neighbors past the ends of the sequence are zero, and so is the vector of the padding id (0xffffffff), so
// the result doesn't depend on the padded length.

struct Parameters {
    batch: u32,
    sequence: u32,
    embedding_size: u32,
    trigram: u32,
    vocabulary_size: u32,
    table_format: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> input_ids: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read_write> output_values: array<f32>;

@compute @workgroup_size(64, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let width = select(1u, 3u, parameters.trigram != 0u) * parameters.embedding_size;
    let rows = parameters.batch * parameters.sequence;
    let index = (group.y * groups.x + group.x) * 64u + local;
    if index >= rows * width {
        return;
    }
    output_values[index] = word_value(index / width, index % width);
}
