//! A block of a panel, prepared for the micro-kernels.

use super::{Pair, Quad};
use crate::simd::{IntLanes, Lanes, Task};

/// Sign-extends bytes to 16 bits.
pub(super) struct Widen<'a> {
    pub from: &'a [i8],
    pub to: &'a mut [i16],
}

impl Task for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            *to = i16::from(from);
        }
    }
}

/// Sums the weights of each column, and pairs the sums with zeros. Only needed if a plane has an offset.
pub(super) struct SumWeights<'a> {
    pub panel: &'a [Quad],
    pub to: &'a mut [Pair],
}

impl Task for SumWeights<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        if V::Ints::PLANES.offset() == 0 {
            return;
        }
        let mut sum = V::Ints::zero();
        for weights in self.panel.as_chunks::<L>().0 {
            sum = sum.add_byte_products([1; 4], weights);
        }
        let mut sums = [0.0; L];
        V::from_ints(sum).store(&mut sums);
        for (to, sum) in self.to.iter_mut().zip(sums) {
            // At most 128 weights of at most 128.
            *to = [sum as i16, 0];
        }
    }
}
