//! Offsets in a text: UTF-8 bytes → UTF-16 units, and slices that keep combining marks with their letters.

use std::ops::Range;

use unicode_categories::UnicodeCategories;

/// Bytes between two marks of a [`Utf16Index`].
const STRIDE: usize = 1024;

/// Converts byte offsets of a text to UTF-16 units. Built in one pass; a lookup reads at most a kilobyte.
#[derive(Clone, Debug)]
pub struct Utf16Index<'a> {
    text: &'a str,
    /// For every multiple of [`STRIDE`]: the first character boundary at or after it, and the number of units before it.
    marks: Vec<(usize, usize)>,
}

impl<'a> Utf16Index<'a> {
    /// Indexes `text`.
    pub fn new(text: &'a str) -> Self {
        let mut marks = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut units = 0;
        for (byte, character) in text.char_indices() {
            if byte >= marks.len() * STRIDE {
                marks.push((byte, units));
            }
            units += character.len_utf16();
        }
        Self { text, marks }
    }

    /// Number of UTF-16 units before byte `offset`. Offsets are rounded down to a character boundary and clamped to the
    /// text's length.
    pub fn units(&self, offset: usize) -> usize {
        let after = self.marks.partition_point(|mark| mark.0 <= offset);
        let Some(&(start, mut units)) = after.checked_sub(1).and_then(|mark| self.marks.get(mark)) else {
            return 0;
        };
        for (byte, character) in self.text[start..].char_indices() {
            if start + byte + character.len_utf8() > offset {
                break;
            }
            units += character.len_utf16();
        }
        units
    }

    /// A byte range as a range of UTF-16 units.
    pub fn range(&self, bytes: &Range<usize>) -> Range<usize> {
        self.units(bytes.start)..self.units(bytes.end)
    }
}

/// The byte at which UTF-16 unit `units` of a text starts; for a character of two units, its first byte.
/// `None` past the text's end.
pub fn byte_at(text: &str, units: usize) -> Option<usize> {
    let mut before = 0;
    for (byte, character) in text.char_indices() {
        if before + character.len_utf16() > units {
            return Some(byte);
        }
        before += character.len_utf16();
    }
    (before == units).then_some(text.len())
}

/// Widens `range` so that it never separates a combining mark from its letter: normalization drops the accent of
/// `"e\u{301}"`, so the last piece of "cafe\u{301}" ends before the accent. Bounds outside `text` or inside a character
/// are moved to a character boundary.
pub fn whole_characters(text: &str, range: Range<usize>) -> Range<usize> {
    let mut start = range.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = range.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    if start == end {
        return start..end;
    }
    while text[start..].starts_with(UnicodeCategories::is_mark) {
        match text[..start].chars().next_back() {
            Some(before) if !before.is_whitespace() => start -= before.len_utf8(),
            _ => break,
        }
    }
    end += text[end..].chars().take_while(|c| c.is_mark()).map(char::len_utf8).sum::<usize>();
    start..end
}
