// The parameters of attention.wgsl, attention_context.wgsl and attention_probabilities.wgsl. The kernel table prepends this
// file.

struct Parameters {
    batch: u32,
    sequence: u32,
    heads: u32,
    head_size: u32,
    query_stride: u32,
    query_first: u32,
    key_stride: u32,
    key_first: u32,
    value_stride: u32,
    value_first: u32,
    aligned: u32,
}
