//! Places in workgroup memory for the values of a segment.

use std::collections::HashMap;

use super::segment::{Segment, Source, reads};
use super::unsupported;
use crate::error::Result;
use crate::kernels::Attention;
use crate::kernels::chain::{MEMORY, SCORES};
use crate::plan::BufferId;
use crate::sorting::sort_by_key;

/// Where a segment's values are placed in workgroup memory.
pub(super) struct Places {
    of: HashMap<BufferId, usize>,
    /// First place that no value uses.
    pub end: usize,
}

impl Places {
    /// First fit: a value takes the first gap between values that are still needed. The source starts at 0.
    pub fn assign(segment: &Segment) -> Result<Places> {
        let last_read =
            |buffer: BufferId| segment.linears.iter().rposition(|(linear, _)| reads(linear, buffer));
        let mut of = HashMap::from([(segment.value.buffer, 0)]);
        let mut end = segment.value.features;
        // Ranges of places in use, with the last linear that reads them.
        let mut live = vec![(0..end, last_read(segment.value.buffer))];
        for (index, (_, value)) in segment.linears.iter().enumerate() {
            live.retain(|(_, last)| *last >= Some(index));
            let last = last_read(value.buffer);
            if last <= Some(index) {
                continue;
            }
            sort_by_key(&mut live, |(range, _)| range.start);
            let mut place = 0;
            for (range, _) in &live {
                if range.start >= place + value.features {
                    break;
                }
                place = range.end;
            }
            live.push((place..place + value.features, last));
            of.insert(value.buffer, place);
            end = end.max(place + value.features);
        }
        let attention = match segment.source {
            Source::Attention(Attention { heads, .. }) => 2 * segment.value.features + heads * SCORES,
            _ => 0,
        };
        if end > MEMORY || attention > MEMORY {
            return Err(unsupported(format!(
                "a row has {end} values at a time, and it has room for {MEMORY}"
            )));
        }
        Ok(Places { of, end })
    }

    /// The place of a value that is read by a later linear.
    pub fn of(&self, buffer: BufferId) -> Option<usize> {
        self.of.get(&buffer).copied()
    }
}
