// Rows of the word vector table, used by embedding.wgsl and embedding_position.wgsl, which declare the
// bindings.

fn table_value(row: u32, feature: u32) -> f32 {
    let format = parameters.table_format;
    let at = row * parameters.embedding_size + feature;
    var value = unpack_value(table[at >> format], at, format);
    let scales = words_of(parameters.vocabulary_size * parameters.embedding_size, format);
    if format == 3u {
        value *= unpack_value(table[scales + parameters.vocabulary_size + at / 64u], at / 32u, 1u);
    }
    if format != 0u {
        value *= bitcast<f32>(table[scales + row]);
    }
    return value;
}

// A feature of a token's word vector, or with trigrams of the next, current and previous tokens' vectors in a row.
fn word_value(row: u32, feature: u32) -> f32 {
    let part = feature / parameters.embedding_size;
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
    if !inside {
        return 0.0;
    }
    let id = input_ids[source];
    if id >= parameters.vocabulary_size {
        return 0.0;
    }
    return table_value(id, feature % parameters.embedding_size);
}

