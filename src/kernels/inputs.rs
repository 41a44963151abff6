//! The inputs of a run: ids, types and mask, padded to a plan's batch size and sequence length.

/// Id of the padding after the end of a text. Its word vector is zero, like those beyond the ends of a
/// sequence, so results don't depend on the padded length. (`[PAD]` tokens in the caller's input are ordinary
/// tokens.)
pub const PAD_ID: u32 = u32::MAX;

/// Inputs of one run, each row-major `[batch, sequence]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Token ids, [`PAD_ID`] past the end of each text.
    pub input_ids: Vec<u32>,
    /// Token types; 0 past the end of each text.
    pub token_type_ids: Vec<u32>,
    /// 1 if a token may be attended to, 0 otherwise and past the end of each text.
    pub attention_mask: Vec<u32>,
}
