//! Normalization of answers, as in SQuAD's scripts.

/// Lowercases and removes ASCII punctuation, articles and extra white space.
pub fn normalize_answer(text: &str) -> String {
    let text = text.to_lowercase();
    let without_marks: String = text.chars().filter(|c| !c.is_ascii_punctuation()).collect();
    let mut words = String::with_capacity(without_marks.len());
    for word in without_articles(&without_marks).split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

/// Replaces "a", "an" and "the" with a space, like the regular expression `\b(a|an|the)\b`: words consist of letters,
/// digits and `_`, and everything else (a dash, a currency sign) is a word boundary.
fn without_articles(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let in_word = is_word(first);
        let end = rest.find(|c| is_word(c) != in_word).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        out.push_str(if in_word && matches!(run, "a" | "an" | "the") { " " } else { run });
        rest = tail;
    }
    out
}

/// Like `\w` in Python's `re`.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
