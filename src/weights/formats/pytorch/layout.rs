//! A tensor's layout in its storage.

use crate::sorting::sort;

/// A view of a storage, in values: element `[i, j, …]` is at `offset + i · strides[0] + j · strides[1] + …`.
/// Elements are inside the storage and don't overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

/// More axes than any tensor of these models.
const MAX_AXES: usize = 8;

impl Layout {
    /// Checks a view of a storage of `len` values.
    ///
    /// # Errors
    /// A description of the problem, for the message.
    pub(super) fn new(offset: i64, shape: &[i64], strides: &[i64], len: u64) -> Result<Layout, String> {
        if shape.len() != strides.len() || shape.len() > MAX_AXES {
            return Err(format!("has {} sizes and {} strides", shape.len(), strides.len()));
        }
        let natural = |values: &[i64]| {
            values.iter().map(|value| usize::try_from(*value)).collect::<Result<Vec<_>, _>>()
        };
        let (Ok(sizes), Ok(steps), Ok(start)) = (natural(shape), natural(strides), usize::try_from(offset))
        else {
            return Err(format!("has shape {shape:?}, strides {strides:?} and offset {offset}"));
        };
        let layout = Layout { offset: start, shape: sizes, strides: steps };
        if layout.shape.contains(&0) {
            return Ok(layout);
        }
        let end = layout.span().and_then(|span| span.checked_add(start));
        if end.is_none_or(|end| end as u64 > len) {
            return Err(format!(
                "has shape {shape:?} with strides {strides:?} from {offset} on, beyond the {len} values of its storage"
            ));
        }
        if layout.overlaps() {
            return Err(format!(
                "has shape {shape:?} with strides {strides:?}: its values would share places in the storage"
            ));
        }
        Ok(layout)
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of values.
    pub(super) fn len(&self) -> usize {
        if self.shape.contains(&0) { 0 } else { self.shape.iter().product() }
    }

    /// Number of storage values from the first element to the last.
    fn span(&self) -> Option<usize> {
        let mut axes = self.shape.iter().zip(&self.strides);
        axes.try_fold(1usize, |span, (size, stride)| span.checked_add((size - 1).checked_mul(*stride)?))
    }

    /// Returns whether elements may overlap: a stride is smaller than the extent of the axes with smaller
    /// strides.
    fn overlaps(&self) -> bool {
        let mut axes: Vec<(usize, usize)> = self
            .strides
            .iter()
            .copied()
            .zip(self.shape.iter().copied())
            .filter(|(_, size)| *size > 1)
            .collect();
        sort(&mut axes);
        let mut covered = 1;
        axes.iter().any(|(stride, size)| {
            let overlaps = *stride < covered;
            covered += (size - 1) * stride;
            overlaps
        })
    }

    fn is_contiguous(&self) -> bool {
        let mut run = 1;
        self.len() == 0
            || self.shape.iter().zip(&self.strides).rev().all(|(size, stride)| {
                let follows = *size == 1 || *stride == run;
                run *= size;
                follows
            })
    }

    /// Returns whether the tensor is the whole storage of `len` values, in order.
    pub(super) fn is_whole(&self, len: usize) -> bool {
        self.offset == 0 && self.len() == len && self.is_contiguous()
    }

    /// The tensor's values in row-major order, each of `width` bytes.
    pub(super) fn gather(&self, storage: &[u8], width: usize) -> Vec<u8> {
        let len = self.len();
        if len == 0 {
            return Vec::new();
        }
        if self.is_contiguous() {
            return storage[self.offset * width..][..len * width].to_vec();
        }
        let mut values = Vec::with_capacity(len * width);
        let mut index = vec![0; self.shape.len()];
        let mut place = self.offset;
        for _ in 0..len {
            values.extend_from_slice(&storage[place * width..][..width]);
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                place += self.strides[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                place -= self.shape[axis] * self.strides[axis];
                index[axis] = 0;
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_are_followed_in_any_order() {
        let storage: Vec<u8> = (0..12).collect();
        let gathered = |offset, shape: &[i64], strides: &[i64]| {
            Layout::new(offset, shape, strides, 12).unwrap().gather(&storage, 1)
        };
        assert_eq!(gathered(0, &[3, 4], &[4, 1]), storage);
        assert_eq!(gathered(0, &[4, 3], &[1, 4]), [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
        assert_eq!(gathered(1, &[2, 2], &[6, 2]), [1, 3, 7, 9]);
        assert_eq!(gathered(5, &[1, 2, 1], &[100, 3, 0]), [5, 8]);
        assert_eq!(gathered(11, &[], &[]), [11]);
        assert_eq!(gathered(0, &[0, 5], &[5, 1]), [0u8; 0]);
    }

    #[test]
    fn views_beyond_their_storage_or_with_shared_places_are_refused() {
        let refused =
            |offset, shape: &[i64], strides: &[i64]| Layout::new(offset, shape, strides, 12).unwrap_err();
        assert!(refused(1, &[3, 4], &[4, 1]).contains("beyond the 12"));
        assert!(refused(0, &[1 << 40, 1 << 40], &[1 << 40, 1]).contains("beyond"));
        assert!(refused(i64::MAX, &[2], &[i64::MAX]).contains("beyond"));
        assert!(refused(0, &[1 << 20, 2], &[0, 1]).contains("share"));
        assert!(refused(0, &[3, 4], &[2, 1]).contains("share"));
        assert!(refused(-1, &[2], &[1]).contains("-1"));
        assert!(refused(0, &[2], &[1, 1]).contains("strides"));
    }
}
