//! Blocks of panels of floats in fewer bits, unpacked for the float micro-kernels. The values are
//! bit-identical to those of a matrix unpacked in advance.

use std::ops::Range;

use super::floats::PANEL_BLOCK;
use super::upcoming;
use crate::panels::{CompactPanels, CompactValues, Q4_GROUP};
use crate::simd::{Lanes, Simd, Task};

const _: () =
    assert!((PANEL_BLOCK / Simd::MAX_LANES).is_multiple_of(Q4_GROUP), "blocks of a panel are whole groups");

impl<'a> CompactPanels<'a> {
    /// Unpacks the values at these positions of the panel with this index.
    pub fn unpack(&self, panel: usize, places: Range<usize>, to: &mut [f32], simd: Simd) {
        if !Simd::HAS_COMPACT_PANELS {
            unreachable!("compact panels are unpacked by the other module");
        }
        let scales = &self.scales[panel * simd.lanes()..][..simd.lanes()];
        match self.values {
            CompactValues::F16(values) => simd.run(UnpackHalves { from: &values[places], scales, to }),
            CompactValues::Q4 { nibbles, groups } => {
                let groups = &groups[places.start / Q4_GROUP..places.end / Q4_GROUP];
                let from = &nibbles[places.start / 2..places.end / 2];
                simd.run(UnpackNibbles { from, groups, scales, to });
            }
        }
    }

    /// See [`upcoming`].
    pub fn upcoming(&self, start: usize, len: usize) -> &'a [u8] {
        match self.values {
            CompactValues::F16(values) => upcoming(values, start, len),
            CompactValues::Q4 { nibbles, .. } => upcoming(nibbles, start / 2, len / 2),
        }
    }
}

/// Unpacks 16-bit floats, and scales the columns.
struct UnpackHalves<'a> {
    from: &'a [u16],
    /// One per lane.
    scales: &'a [f32],
    to: &'a mut [f32],
}

impl Task for UnpackHalves<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        let Some(scales) = self.scales.first_chunk() else { return };
        let scales = V::load(scales);
        for (to, from) in self.to.as_chunks_mut().0.iter_mut().zip(self.from.as_chunks().0) {
            V::from_halves(from).multiply(scales).store(to);
        }
    }
}

/// Unpacks 4-bit integers, and scales their groups, then the columns.
struct UnpackNibbles<'a> {
    from: &'a [u8],
    groups: &'a [u16],
    /// One per lane.
    scales: &'a [f32],
    to: &'a mut [f32],
}

impl Task for UnpackNibbles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        let Some(scales) = self.scales.first_chunk() else { return };
        let scales = V::load(scales);
        let to = self.to.chunks_exact_mut(Q4_GROUP * L);
        let from = self.from.chunks_exact(Q4_GROUP / 2 * L);
        for ((to, from), group) in to.zip(from).zip(self.groups.as_chunks().0) {
            let group = V::from_halves(group);
            let (pairs, _) = to.as_chunks_mut::<L>().0.as_chunks_mut();
            for ([low, high], from) in pairs.iter_mut().zip(from.as_chunks().0) {
                let values = V::from_nibbles(from);
                values[0].multiply(group).multiply(scales).store(low);
                values[1].multiply(group).multiply(scales).store(high);
            }
        }
    }
}
