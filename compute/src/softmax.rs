//! Softmax of attention scores, for many rows at once.

use crate::functions;
use crate::simd::{Lanes, Task};

/// In-place softmax of each row over its first `mask.len()` scores.
pub(crate) struct Softmax<'a> {
    pub scores: &'a mut [f32],
    /// Distance between the starts of adjacent rows, in floats.
    pub stride: usize,
    pub mask: &'a [u32],
    /// If present, receives the sum of each row, and the division is left to the caller.
    pub sums: Option<&'a mut [f32]>,
}

impl Task for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        let mut sums = self.sums;
        let len = self.mask.len();
        let mask = if self.mask.contains(&0) { self.mask } else { &[] };
        for (index, row) in self.scores.chunks_exact_mut(self.stride).enumerate() {
            let (scores, masked) = row.split_at_mut(len);
            let sum = functions::softmax_weights::<V, L>(scores, mask);
            match &mut sums {
                // A fully masked row is already zero; dividing by 1 keeps it zero.
                Some(sums) => sums[index] = if sum == 0.0 { 1.0 } else { sum },
                None => {
                    masked.fill(0.0);
                    let factor = if sum == 0.0 { 0.0 } else { 1.0 / sum };
                    scores.iter_mut().for_each(|score| *score *= factor);
                }
            }
        }
    }
}
