// What linear_q8.wgsl, embedding.wgsl and position.wgsl share: values of 8 bits.

// The four signed bytes of a word, the lowest first.
fn bytes_of(word: u32) -> vec4<f32> {
    let shifted = bitcast<vec4<i32>>(vec4<u32>(word << 24u, word << 16u, word << 8u, word));
    return vec4<f32>(shifted >> vec4<u32>(24u));
}

