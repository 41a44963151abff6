//! The softmax of attention scores, over many rows at once.

use super::functions;
use super::simd::{Lanes, Task};

/// Softmax of rows `stride` apart over the keys that `mask` covers; with `sums`, the division is left to the caller.
pub(super) struct Softmax<'a> {
    pub scores: &'a mut [f32],
    pub stride: usize,
    pub mask: &'a [u32],
    pub sums: Option<&'a mut [f32]>,
}

impl Task for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const R: usize>(self) {
        let mut sums = self.sums;
        for (index, row) in self.scores.chunks_exact_mut(self.stride).enumerate() {
            let (scores, masked) = row.split_at_mut(self.mask.len());
            let sum = functions::softmax_weights(scores, self.mask);
            match &mut sums {
                // A row without keys is zeros already; dividing it by 1 keeps them.
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
