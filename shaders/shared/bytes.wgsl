// 8-bit values, used by the q8 linears, embedding.wgsl, and position.wgsl.

// The four signed bytes of a word, lowest byte first.
fn unpack_bytes(word: u32) -> vec4<f32> {
    let shifted = bitcast<vec4<i32>>(vec4<u32>(word << 24u, word << 16u, word << 8u, word));
    return vec4<f32>(shifted >> vec4<u32>(24u));
}

