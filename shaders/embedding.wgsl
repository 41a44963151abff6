// embedding: word vector of each token, or with `trigram` the concatenated vectors of the next, current, and previous
// tokens.
//
//   input_ids [batch, sequence]
//   table     [vocabulary_size, embedding_size] as f32; if `in_bytes`, one f32 scale per row, [vocabulary_size], followed
//             by [vocabulary_size, embedding_size] signed bytes, four per u32
//   output    [batch · sequence, embedding_size], or [batch · sequence, 3 · embedding_size] with trigram
//
// Bindings of group 0: 0 parameters, 1 input_ids, 2 table, 3 output.
// Dispatch: 64 output elements per workgroup, over x and then y.
//
// Neighbors past the ends of the sequence are zeros, and so is the vector of the padding id (0xffffffff): the result
// doesn't depend on the padded length.

struct Parameters {
    batch: u32,
    sequence: u32,
    embedding_size: u32,
    trigram: u32,
    vocabulary_size: u32,
    in_bytes: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> input_ids: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read_write> output_values: array<f32>;

fn table_value(row: u32, feature: u32) -> f32 {
    let at = row * parameters.embedding_size + feature;
    if parameters.in_bytes == 0u {
        return bitcast<f32>(table[at]);
    }
    return unpack_bytes(table[parameters.vocabulary_size + at / 4u])[at % 4u] * bitcast<f32>(table[row]);
}

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
    let row = index / width;
    let part = index % width / parameters.embedding_size;
    let feature = index % width % parameters.embedding_size;

    // Parts 0, 1, and 2 are the next, current, and previous tokens; without trigram, part 0 is the current token.
    let token = row % parameters.sequence;
    var inside = true;
    var source = row;
    if parameters.trigram != 0u {
        if part == 0u {
            inside = token + 1u < parameters.sequence;
            source = row + 1u;
        } else if part == 2u {
            inside = token > 0u;
            source = row - 1u;
        }
    }
    var value = 0.0;
    if inside {
        let id = input_ids[source];
        if id < parameters.vocabulary_size {
            value = table_value(id, feature);
        }
    }
    output_values[index] = value;
}
