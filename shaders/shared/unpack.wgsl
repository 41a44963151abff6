// Packed values, used by the linears, chain.wgsl, and the kernels that gather rows of tables. The code of a format is
// `Format` in src/kernels/format.rs: 0 f32, 1 f16, 2 q8, 3 q4.

fn unpack_halves(low: u32, high: u32) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(low), unpack2x16float(high));
}

// The four signed bytes of a word, lowest byte first.
fn unpack_bytes(word: u32) -> vec4<f32> {
    let shifted = bitcast<vec4<i32>>(vec4<u32>(word << 24u, word << 16u, word << 8u, word));
    return vec4<f32>(shifted >> vec4<u32>(24u));
}

// The four signed 4-bit values in the low half of a word, lowest first.
fn unpack_nibbles(word: u32) -> vec4<f32> {
    let shifted = bitcast<vec4<i32>>(vec4<u32>(word << 28u, word << 24u, word << 20u, word << 16u));
    return vec4<f32>(shifted >> vec4<u32>(28u));
}

// Value `at` of a table, before scaling; `word` is the table's word `at >> format`.
fn unpack_value(word: u32, at: u32, format: u32) -> f32 {
    switch format {
        case 0u: { return bitcast<f32>(word); }
        case 1u: { return unpack2x16float(word)[at % 2u]; }
        case 2u: { return unpack_bytes(word)[at % 4u]; }
        default: { return unpack_nibbles(word >> (at / 4u % 2u * 16u))[at % 4u]; }
    }
}

// Number of words before the scales of a table of `len` values.
fn words_of(len: u32, format: u32) -> u32 {
    let unit = 4u << format;
    return (len + unit - 1u) / unit * 4u;
}

