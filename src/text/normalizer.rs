//! BERT's normalizer, equivalent to `tokenizers::normalizers::BertNormalizer`, whose generic decomposition
//! would pull in the tables of compatibility decompositions, 60 KB of WebAssembly that BERT doesn't use.

use tokenizers::NormalizedString;
use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::char::{canonical_combining_class, decompose_canonical};

use crate::sorting::sort_by_key;

/// The changes made to a text before it is split into words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Normalizer {
    /// Whether control characters are dropped and every whitespace character becomes a space.
    pub clean_text: bool,
    /// Whether each Chinese character is a word.
    pub space_chinese: bool,
    pub strip_accents: bool,
    pub lowercase: bool,
}

impl Normalizer {
    /// Normalizes a text, tracking where its characters come from.
    pub fn normalize(self, text: &mut NormalizedString) {
        if self.clean_text {
            text.filter(|c| !is_dropped(c)).map(|c| if is_space(c) { ' ' } else { c });
        }
        // The next two steps don't change ASCII.
        let is_ascii = text.get().is_ascii();
        if self.space_chinese && !is_ascii {
            let spaced = space_chinese(text.get());
            text.transform(spaced, 0);
        }
        if self.strip_accents && !is_ascii {
            let decomposed = decompose(text.get());
            text.transform(decomposed, 0);
            text.filter(|c| c.is_ascii() || !c.is_mark_nonspacing());
        }
        if self.lowercase {
            text.lowercase();
        }
    }
}

fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || c.is_whitespace()
}

pub(super) fn is_dropped(c: char) -> bool {
    // Most characters don't need the table lookup of their category.
    let is_control = if c.is_ascii() { c.is_ascii_control() } else { c.is_other() };
    (is_control && !matches!(c, '\t' | '\n' | '\r')) || c == '\u{fffd}'
}

/// Characters of the blocks that Google's BERT treats as Chinese; Japanese kana and Korean Hangul aren't
/// among them.
pub(super) fn is_chinese(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{2a6df}'
        | '\u{2a700}'..='\u{2b81f}'
        | '\u{2b920}'..='\u{2ceaf}'
        | '\u{2f800}'..='\u{2fa1f}')
}

/// Puts spaces around Chinese characters. Each character comes with a number for
/// [`NormalizedString::transform`]: 1 if it is inserted, 0 if it replaces the next character of the text.
fn space_chinese(text: &str) -> Vec<(char, isize)> {
    let mut spaced = Vec::with_capacity(text.len());
    for c in text.chars() {
        if is_chinese(c) {
            spaced.extend([(' ', 0), (c, 1), (' ', 1)]);
        } else {
            spaced.push((c, 0));
        }
    }
    spaced
}

/// The canonical decomposition (NFD), with marks in canonical order; see [Unicode Standard Annex #15]. The
/// numbers are those of [`space_chinese`].
///
/// [Unicode Standard Annex #15]: https://www.unicode.org/reports/tr15/
fn decompose(text: &str) -> Vec<(char, isize)> {
    let mut decomposed = Vec::with_capacity(text.len());
    // Marks since the last character that isn't one.
    let mut pending = Vec::new();
    for c in text.chars() {
        let mut change = 0;
        decompose_canonical(c, |part| {
            let class = canonical_combining_class(part);
            if class == 0 {
                take_sorted(&mut pending, &mut decomposed);
            }
            pending.push((class, part, change));
            change = 1;
        });
    }
    take_sorted(&mut pending, &mut decomposed);
    decomposed
}

/// Moves characters to `decomposed`, ordered by their combining classes.
fn take_sorted(pending: &mut Vec<(u8, char, isize)>, decomposed: &mut Vec<(char, isize)>) {
    if !pending.is_sorted_by_key(|&(class, ..)| class) {
        sort_by_key(pending, |&(class, ..)| class);
    }
    decomposed.extend(pending.drain(..).map(|(_, c, change)| (c, change)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokenizers::Normalizer as _;
    use tokenizers::normalizers::BertNormalizer;

    use super::*;

    /// Every combination of the four settings.
    fn settings() -> impl Iterator<Item = Normalizer> {
        (0..16u8).map(|bits| {
            let [clean_text, space_chinese, strip_accents, lowercase] =
                [1, 2, 4, 8].map(|bit| bits & bit != 0);
            Normalizer { clean_text, space_chinese, strip_accents, lowercase }
        })
    }

    /// Compares text and alignments with those of the crate's normalizer.
    fn compare(text: &str) {
        for ours in settings() {
            let theirs = BertNormalizer::new(
                ours.clean_text,
                ours.space_chinese,
                Some(ours.strip_accents),
                ours.lowercase,
            );
            let (mut expected, mut found) = (NormalizedString::from(text), NormalizedString::from(text));
            theirs.normalize(&mut expected).unwrap();
            ours.normalize(&mut found);
            assert_eq!(found, expected, "{ours:?} of {text:?}");
        }
    }

    #[test]
    fn every_character_is_normalized_as_by_tokenizers() {
        let characters: Vec<char> = ('\0'..=char::MAX).collect();
        for characters in characters.chunks(4096) {
            // With letters in between, so that the marks don't form one long run.
            compare(&characters.iter().flat_map(|&c| ['x', c]).collect::<String>());
        }
    }

    #[test]
    fn marks_are_sorted_as_by_tokenizers() {
        // Tone marks of Hangul have a combining class, but aren't stripped.
        compare("\u{302e}\u{302}a\u{302e}\u{323}\u{302}\u{302f}한\u{302f}\u{302e}\u{5b4}");
        compare("\u{1d15e}\u{1d165}\u{1d16d}\u{1d165}\u{323}Å\u{323}ệ");
    }

    proptest! {
        #[test]
        fn any_text_is_normalized_as_by_tokenizers(text in any::<String>()) {
            compare(&text);
        }

        #[test]
        fn letters_with_any_marks_are_normalized_as_by_tokenizers(
            text in "[a-zé東ệ한 ]?[\u{300}-\u{362}\u{302a}-\u{302f}\u{591}-\u{5c7}]{0,6}[ÅΣİ]?"
        ) {
            compare(&text);
        }
    }
}
