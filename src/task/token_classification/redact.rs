//! Redacts a text's entities.

use super::Entity;
use crate::sorting::sort_by_key;

/// The text with each entity replaced. Overlapping entities are replaced together, by the replacement of the
/// one that starts first (the longest, if there are several). Entities may be in any order.
pub fn redact(text: &str, entities: &[Entity], replacement: impl Fn(&Entity) -> String) -> String {
    let mut entities: Vec<&Entity> =
        entities.iter().filter(|entity| entity.start_byte < entity.end_byte).collect();
    sort_by_key(&mut entities, |entity| (entity.start_byte, std::cmp::Reverse(entity.end_byte)));
    let mut redacted = String::with_capacity(text.len());
    let mut read = 0;
    for entity in entities {
        if entity.start_byte >= read {
            redacted.push_str(text.get(read..entity.start_byte).unwrap_or_default());
            redacted.push_str(&replacement(entity));
        }
        read = read.max(entity.end_byte);
    }
    redacted.push_str(text.get(read..).unwrap_or_default());
    redacted
}
