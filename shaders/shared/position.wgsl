// Rows of the tables of positions and token types, used by position.wgsl and embedding_position.wgsl, which declare the
// bindings. A storage array can't be passed to a function, so each table has its own.

fn position_value(row: u32, feature: u32) -> f32 {
    let format = parameters.position_format;
    let at = row * parameters.hidden_size + feature;
    var value = unpack_value(position[at >> format], at, format);
    let scales = words_of(parameters.positions * parameters.hidden_size, format);
    if format == 3u {
        value *= unpack_value(position[scales + parameters.positions + at / 64u], at / 32u, 1u);
    }
    if format != 0u {
        value *= bitcast<f32>(position[scales + row]);
    }
    return value;
}

fn token_type_value(row: u32, feature: u32) -> f32 {
    let format = parameters.token_type_format;
    let at = row * parameters.hidden_size + feature;
    var value = unpack_value(token_type[at >> format], at, format);
    let scales = words_of(parameters.token_types * parameters.hidden_size, format);
    if format == 3u {
        value *= unpack_value(token_type[scales + parameters.token_types + at / 64u], at / 32u, 1u);
    }
    if format != 0u {
        value *= bitcast<f32>(token_type[scales + row]);
    }
    return value;
}

// The sum of a feature over the vectors of a row's position and token type.
fn place_value(row: u32, feature: u32) -> f32 {
    var value = position_value(row % parameters.sequence, feature);
    if parameters.has_token_type != 0u {
        let id = token_type_ids[row];
        if id < parameters.token_types {
            value += token_type_value(id, feature);
        }
    }
    return value;
}

