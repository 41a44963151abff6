//! Shows an answer in its sentence.

use std::ops::Range;

use crate::output::printable;

/// Maximum number of bytes shown on either side of an answer in an overlong sentence.
const REACH: usize = 200;

/// The sentence around `answer` (a byte range of `context`) with the answer highlighted in color or marked by `[[…]]`.
pub fn in_sentence(context: &str, answer: Range<usize>, colors: bool) -> String {
    let (open, close) = if colors { ("\u{1b}[1;30;43m", "\u{1b}[0m") } else { ("[[", "]]") };
    let start = sentence_start(context, answer.start);
    let end = sentence_end(context, answer.end);
    let cut = |at_edge: bool| if at_edge { "" } else { "…" };
    let opened = start == 0 || is_boundary(context, start);
    let closed = end == context.len() || ends_sentence(&context[..end]);
    let before = printable(context[start..answer.start].trim_start());
    let inside = printable(&context[answer.clone()]);
    let after = printable(context[answer.end..end].trim_end());
    format!("{}{before}{open}{inside}{close}{after}{}", cut(opened), cut(closed))
}

/// Returns whether a sentence can start at byte `at`: after the end of a line, or after `.`, `!` or `?` and a
/// space, but not before a lowercase letter (so "e.g. this" and "3.5" aren't split).
fn is_boundary(context: &str, at: usize) -> bool {
    let before = &context[..at];
    if before.ends_with('\n') {
        return true;
    }
    let next = context[at..].chars().next();
    let spaced = before.ends_with(char::is_whitespace);
    let wide = before.ends_with(['。', '！', '？']);
    wide || (spaced
        && ends_sentence(before.trim_end())
        && next.is_some_and(|character| !character.is_lowercase()))
}

fn ends_sentence(text: &str) -> bool {
    let text = text.trim_end().trim_end_matches(['"', '\'', ')', ']', '”', '’', '»']);
    text.ends_with(['.', '!', '?', '。', '！', '？', '…'])
}

fn sentence_start(context: &str, answer: usize) -> usize {
    let floor = context.floor_char_boundary(answer.saturating_sub(REACH));
    let places = context[floor..answer].char_indices().rev().map(|(offset, _)| floor + offset);
    // The answer may be at the start of its sentence.
    let boundary = std::iter::once(answer).chain(places).find(|&at| at == 0 || is_boundary(context, at));
    boundary.unwrap_or_else(|| {
        // No boundary within reach: start at a word boundary.
        let gap = context[floor..answer].find(char::is_whitespace);
        gap.map_or(floor, |offset| floor + offset)
    })
}

fn sentence_end(context: &str, answer: usize) -> usize {
    let ceiling = context.ceil_char_boundary((answer + REACH).min(context.len()));
    let places = context[answer..ceiling].char_indices().map(|(offset, _)| answer + offset);
    let boundary = places.skip(1).find(|&at| is_boundary(context, at));
    if let Some(at) = boundary {
        return at;
    }
    if ceiling == context.len() {
        return ceiling;
    }
    let gap = context[answer..ceiling].rfind(char::is_whitespace);
    gap.map_or(ceiling, |offset| answer + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(context: &str, answer: &str) -> String {
        let start = context.find(answer).unwrap();
        in_sentence(context, start..start + answer.len(), false)
    }

    #[test]
    fn the_answer_is_shown_in_its_sentence() {
        let context = "It rained. Dr. Who left at 3.5 p.m. for Paris! Nobody saw it.";
        assert_eq!(shown(context, "Paris"), "Who left at 3.5 p.m. for [[Paris]]!");
        assert_eq!(shown(context, "It"), "[[It]] rained.");
        assert_eq!(shown(context, "Nobody"), "[[Nobody]] saw it.");
        assert_eq!(shown(context, "saw it."), "Nobody [[saw it.]]");
    }

    #[test]
    fn line_ends_and_full_width_periods_end_sentences() {
        assert_eq!(shown("a title\nthe text", "text"), "the [[text]]");
        assert_eq!(shown("今天下雨。他在巴黎。她不在。", "巴黎"), "他在[[巴黎]]。");
    }

    #[test]
    fn a_passage_without_sentences_is_split_at_words() {
        let context = format!("{}answer{}", "before ".repeat(100), " after".repeat(100));
        let line = shown(&context, "answer");
        assert!(line.starts_with("…before ") && line.ends_with(" after…"), "{line}");
        assert!(line.contains("[[answer]]") && line.len() < 2 * REACH + 30);
    }

    #[test]
    fn characters_are_never_split() {
        for filler in ["é", "😀", "漢", "\u{200f}א"] {
            let context = format!("{0}x{0}", filler.repeat(300));
            assert!(shown(&context, "x").contains("[[x]]"));
        }
    }

    #[test]
    fn colors_replace_the_marks() {
        assert_eq!(in_sentence("One word.", 4..8, true), "One \u{1b}[1;30;43mword\u{1b}[0m.");
    }

    #[test]
    fn an_answer_over_several_sentences_is_shown_whole() {
        assert_eq!(shown("A b. C d. E f.", "b. C"), "A [[b. C]] d.");
        assert_eq!(shown("only", "only"), "[[only]]");
    }
}
