//! Quantizes groups of a row's values to integers with one scale.

use super::GROUP_SIZE;
use crate::functions;
use crate::simd::{IntLanes, Lanes, Task};

/// A value is an outlier if its magnitude is more than this many times the mean magnitude of the others.
pub(super) const OUTLIER_RATIO: f32 = 32.0;

/// Maximum number of outliers per group. If there are more, the largest are kept.
const MAX_OUTLIERS: usize = 8;

/// The scale and outliers of one group of a row.
#[derive(Clone, Copy)]
pub(super) struct Group {
    /// Factor from integers to values.
    pub(super) scale: f32,
    /// Positions and values of the outliers, which are zero among the integers.
    outliers: [(usize, f32); MAX_OUTLIERS],
    outlier_count: usize,
}

impl Group {
    pub(super) const EMPTY: Group = Group { scale: 0.0, outliers: [(0, 0.0); _], outlier_count: 0 };

    #[inline(always)]
    pub(super) fn outliers(&self) -> &[(usize, f32)] {
        &self.outliers[..self.outlier_count]
    }
}

/// Quantizes one group of a row to 16-bit integers and zero-pads them to whole pairs.
pub(super) struct Quantize<'a> {
    pub from: &'a [f32],
    pub to: &'a mut [i16],
    pub group: &'a mut Group,
}

impl Task for Quantize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        let group = self.group;
        group.outlier_count = 0;
        let (mut largest, sum) = functions::max_and_sum_of_magnitudes(self.from);
        let mut bound = OUTLIER_RATIO * (sum / self.from.len() as f32);
        while largest > bound && group.outlier_count < MAX_OUTLIERS {
            (largest, bound) = group.take_outliers(self.from, bound);
        }
        // If the scale is infinite or NaN, so is every sum, whatever the integers are.
        let limit = f32::from(V::Ints::PLANES.largest());
        group.scale = largest / limit;
        let factor = limit / largest;
        let (values, rest) = self.to.split_at_mut(self.from.len());
        for (to, from) in values.iter_mut().zip(self.from) {
            // The low bits of the sum are the nearest integer in two's complement.
            *to = (from * factor + ROUND_TO_INTEGER).to_bits() as i16;
        }
        rest.fill(0);
        for &(position, _) in group.outliers() {
            values[position] = 0;
        }
    }
}

impl Group {
    /// Records the values beyond `bound` as outliers. Returns the largest magnitude of the others and their new bound.
    fn take_outliers(&mut self, from: &[f32], bound: f32) -> (f32, f32) {
        self.outlier_count = 0;
        let (mut largest, mut sum) = (0.0f32, 0.0);
        for (position, &value) in from.iter().enumerate() {
            let rest = if value.abs() > bound { self.record(position, value) } else { Some(value) };
            if let Some(rest) = rest {
                largest = largest.max(rest.abs());
                sum += rest.abs();
            }
        }
        (largest, OUTLIER_RATIO * (sum / (from.len() - self.outlier_count) as f32))
    }

    /// Records an outlier. If there are too many, drops the smallest and returns it.
    fn record(&mut self, position: usize, value: f32) -> Option<f32> {
        if let Some(free) = self.outliers.get_mut(self.outlier_count) {
            *free = (position, value);
            self.outlier_count += 1;
            return None;
        }
        let smallest = self.outliers.iter_mut().min_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
        if smallest.1.abs() >= value.abs() {
            return Some(value);
        }
        Some(std::mem::replace(smallest, (position, value)).1)
    }
}

/// 1.5 · 2²³: adding it to a float rounds to the nearest integer.
const ROUND_TO_INTEGER: f32 = 12_582_912.0;

/// Replaces a row's integers with two planes of bytes, the high one first.
pub(super) struct SplitIntoPlanes<'a>(pub &'a mut [i16]);

impl Task for SplitIntoPlanes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        let mut planes = [[0i8; GROUP_SIZE]; 2];
        let [high, low] = &mut planes;
        for ((high, low), &value) in high.iter_mut().zip(low).zip(&*self.0) {
            [*high, *low] = V::Ints::PLANES.split(value);
        }
        bytemuck::cast_slice_mut(self.0).copy_from_slice(planes.as_flattened());
    }
}
