//! Batches sequences of any lengths into groups of one padded length, and creates the inputs of their runs.

use crate::error::{Error, Result};
use crate::plan::{Inputs, PAD_ID};
use crate::sorting::sort_by_key;

/// Maximum number of rows (tokens) per run unless the caller asks for more; activations take memory.
pub const MAX_ROWS: usize = 512;

/// One sequence: three arrays of equal length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// Token ids.
    pub input_ids: Vec<u32>,
    /// Token types.
    pub token_type_ids: Vec<u32>,
    /// 1 if a token may be attended to, otherwise 0.
    pub attention_mask: Vec<u32>,
}

/// Limits of a network's inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Upper bound of ids, exclusive.
    pub vocab_size: usize,
    /// Upper bound of token types, exclusive; 0 for a network without types, which ignores them.
    pub type_vocab_size: usize,
    /// Maximum number of tokens per sequence.
    pub max_sequence: usize,
}

impl Sequence {
    /// A sequence without masked tokens.
    pub fn new(input_ids: Vec<u32>, token_type_ids: Vec<u32>) -> Self {
        let attention_mask = vec![1; input_ids.len()];
        Sequence { input_ids, token_type_ids, attention_mask }
    }

    /// # Errors
    /// [`Error::InvalidInput`] with the array, the position and the allowed range. `index` is the sequence's
    /// index in the batch.
    pub fn check(&self, index: usize, limits: &Limits) -> Result<()> {
        let length = self.input_ids.len();
        if length == 0 || length > limits.max_sequence {
            let problem =
                format!("sequence {index} has {length} tokens; 1 to {} are possible", limits.max_sequence);
            return Err(Error::invalid_input("input_ids", problem));
        }
        for (field, values) in
            [("token_type_ids", &self.token_type_ids), ("attention_mask", &self.attention_mask)]
        {
            if values.len() != length {
                let problem = format!("sequence {index} has {} values for {length} input_ids", values.len());
                return Err(Error::invalid_input(field, problem));
            }
        }
        below("input_ids", index, &self.input_ids, limits.vocab_size, "vocab_size")?;
        if limits.type_vocab_size > 0 {
            below("token_type_ids", index, &self.token_type_ids, limits.type_vocab_size, "type_vocab_size")?;
        }
        below("attention_mask", index, &self.attention_mask, 2, "2 (0 masks, 1 does not)")
    }
}

fn below(field: &str, index: usize, values: &[u32], limit: usize, what: &str) -> Result<()> {
    match values.iter().position(|&value| value as usize >= limit) {
        None => Ok(()),
        Some(position) => Err(Error::invalid_input(
            field,
            format!(
                "sequence {index}, position {position}: {} is not below {what}{}",
                values[position],
                if what.starts_with(char::is_numeric) { String::new() } else { format!(" {limit}") }
            ),
        )),
    }
}

/// Sequences in the same run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Indices of the sequences.
    pub members: Vec<usize>,
    /// The padded length of all of them.
    pub padded: usize,
}

/// Groups of similar lengths, longest first, each of at most `rows` rows or one sequence. Batches are powers of two, so that
/// few different plans are needed.
pub fn group(sequences: &[Sequence], bucket: usize, max_sequence: usize, rows: usize) -> Vec<Group> {
    let length = |index: usize| sequences[index].input_ids.len();
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    sort_by_key(&mut order, |&index| std::cmp::Reverse(length(index)));
    let mut groups = Vec::new();
    let mut rest = order.as_slice();
    while let Some(&longest) = rest.first() {
        let padded = length(longest).next_multiple_of(bucket).min(max_sequence);
        let most = (rows / padded).max(1).min(rest.len());
        let (members, others) = rest.split_at(1 << most.ilog2());
        groups.push(Group { members: members.to_vec(), padded });
        rest = others;
    }
    groups
}

/// Concatenates the padded sequences of a group.
pub fn pad(sequences: &[Sequence], group: &Group) -> Inputs {
    let fill = |values: fn(&Sequence) -> &[u32], past: u32| {
        let mut all = Vec::with_capacity(group.members.len() * group.padded);
        for &member in &group.members {
            all.extend_from_slice(values(&sequences[member]));
            all.resize(all.len().next_multiple_of(group.padded), past);
        }
        all
    };
    Inputs {
        input_ids: fill(|sequence| &sequence.input_ids, PAD_ID),
        token_type_ids: fill(|sequence| &sequence.token_type_ids, 0),
        attention_mask: fill(|sequence| &sequence.attention_mask, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { vocab_size: 10, type_vocab_size: 2, max_sequence: 16 };

    fn of_length(length: usize) -> Sequence {
        Sequence::new(vec![1; length], vec![0; length])
    }

    #[test]
    fn every_sequence_is_in_exactly_one_group_that_is_long_enough() {
        let sequences: Vec<Sequence> = (1..=16).chain([3, 3, 3, 16]).map(of_length).collect();
        let groups = group(&sequences, 8, 16, MAX_ROWS);
        let mut seen: Vec<usize> = groups.iter().flat_map(|group| group.members.clone()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..20).collect::<Vec<_>>());
        for group in &groups {
            assert!(group.members.iter().all(|&member| sequences[member].input_ids.len() <= group.padded));
            assert!(group.padded <= 16);
        }
    }

    #[test]
    fn padding_comes_after_the_text_and_is_masked() {
        let inputs = pad(&[of_length(2), of_length(3)], &Group { members: vec![1, 0], padded: 3 });
        assert_eq!(inputs.input_ids, [1, 1, 1, 1, 1, PAD_ID]);
        assert_eq!(inputs.attention_mask, [1, 1, 1, 1, 1, 0]);
    }

    #[test]
    fn a_bad_id_is_reported_with_its_position_and_the_limit() {
        let mut sequence = of_length(3);
        sequence.input_ids[2] = 10;
        let message = sequence.check(4, &LIMITS).unwrap_err().to_string();
        assert_eq!(message, "`input_ids`: sequence 4, position 2: 10 is not below vocab_size 10");
        sequence.input_ids[2] = 9;
        sequence.check(4, &LIMITS).unwrap();
    }

    #[test]
    fn lengths_outside_the_limits_are_rejected() {
        assert!(of_length(0).check(0, &LIMITS).is_err());
        assert!(of_length(17).check(0, &LIMITS).is_err());
        assert!(of_length(16).check(0, &LIMITS).is_ok());
        let uneven = Sequence { attention_mask: vec![1], ..of_length(2) };
        assert!(uneven.check(0, &LIMITS).unwrap_err().to_string().contains("attention_mask"));
    }
}
