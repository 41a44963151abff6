//! Label prefixes, which mark where entities start and end.

/// Position of a token in its entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `B-`: starts an entity.
    Begin,
    /// `I-`, or no prefix: continues an entity with the same name, otherwise starts one.
    Inside,
    /// `E-` or `L-`: continues an entity and ends it.
    End,
    /// `S-` or `U-`: an entity of its own.
    Single,
}

/// A label of `config.json`, split into prefix and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub place: Place,
    /// The label without its prefix.
    pub name: &'a str,
}

/// Splits a model's labels. They have prefixes (BIO, BIOES, BILOU) if one of them starts with `B-` or `I-`;
/// otherwise, the `E-` of a label like `E-MAIL` is part of its name.
pub(super) fn tags(labels: &[String]) -> Vec<Tag<'_>> {
    let prefixed = labels.iter().any(|label| label.starts_with("B-") || label.starts_with("I-"));
    let tag = |label| split(label).filter(|_| prefixed).unwrap_or(Tag { place: Place::Inside, name: label });
    labels.iter().map(String::as_str).map(tag).collect()
}

fn split(label: &str) -> Option<Tag<'_>> {
    let (prefix, name) = label.split_once('-')?;
    let place = match prefix {
        "B" => Place::Begin,
        "I" => Place::Inside,
        "E" | "L" => Place::End,
        "S" | "U" => Place::Single,
        _ => return None,
    };
    Some(Tag { place, name })
}
