//! Where an input's special tokens go: the `post_processor` of `tokenizer.json`, or BERT's template.

use serde_json::Value;

use super::form::{TOKENIZER_JSON, kind_of, only_element, unsupported};
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};

/// Part of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Special tokens.
    Special { ids: Vec<u32>, type_id: u32 },
    /// The text with this index: 0, or 1 for the second text of a pair.
    Text { index: usize, type_id: u32 },
}

impl Part {
    fn special_ids(&self) -> &[u32] {
        match self {
            Part::Special { ids, .. } => ids,
            Part::Text { .. } => &[],
        }
    }
}

/// The parts of an input with one text, and with a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    single: Vec<Part>,
    pair: Vec<Part>,
}

/// Texts with their special tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Assembled {
    pub(super) ids: Vec<u32>,
    pub(super) type_ids: Vec<u32>,
    /// Positions of the first token of each text.
    pub(super) positions: [usize; 2],
}

fn special(id: u32, type_id: u32) -> Part {
    Part::Special { ids: vec![id], type_id }
}

fn text(index: usize, type_id: u32) -> Part {
    Part::Text { index, type_id }
}

impl Template {
    /// `[CLS] a [SEP]` and `[CLS] a [SEP] b [SEP]`, where the type ids of `b [SEP]` are 1.
    pub(super) fn bert(class: u32, separator: u32) -> Self {
        let single = vec![special(class, 0), text(0, 0), special(separator, 0)];
        let second = [text(1, 1), special(separator, 1)];
        Self { pair: [&single[..], &second].concat(), single }
    }

    /// `<s> a </s>` and `<s> a </s></s> b </s>`, where all type ids are 0.
    fn roberta(class: u32, separator: u32) -> Self {
        let single = vec![special(class, 0), text(0, 0), special(separator, 0)];
        let second = [special(separator, 0), text(1, 0), special(separator, 0)];
        Self { pair: [&single[..], &second].concat(), single }
    }

    /// Without special tokens.
    fn bare() -> Self {
        Self { single: vec![text(0, 0)], pair: vec![text(0, 0), text(1, 1)] }
    }

    /// Reads the `post_processor` of `tokenizer.json`.
    pub(super) fn read(part: Option<&Value>, vocabulary: &Vocabulary) -> Result<Self> {
        let part = only_element(part, "processors");
        let id = |role: &str| {
            let token = part.and_then(|part| part.get(role));
            let field = |index: usize| token.and_then(|token| token.get(index));
            let known = field(0).and_then(Value::as_str).and_then(|token| vocabulary.0.get(token).copied());
            let id = known.or_else(|| field(1).and_then(token_id));
            id.ok_or_else(|| broken(&format!("`{role}` must be a token with its id")))
        };
        match (kind_of(part), part) {
            (None, None | Some(Value::Null)) => Ok(Self::bare()),
            (Some("BertProcessing"), _) => Ok(Self::bert(id("cls")?, id("sep")?)),
            (Some("RobertaProcessing"), _) => Ok(Self::roberta(id("cls")?, id("sep")?)),
            (Some("TemplateProcessing"), Some(part)) => Self::read_template(part),
            (other, _) => Err(unsupported(
                "post-processor",
                other,
                "TemplateProcessing, BertProcessing, RobertaProcessing, a Sequence of one of them, or null",
            )),
        }
    }

    fn read_template(template: &Value) -> Result<Self> {
        let parts = |name: &str| -> Result<Option<Vec<Part>>> {
            let Some(parts) = template.get(name).and_then(Value::as_array) else { return Ok(None) };
            parts.iter().map(|part| read_part(part, template)).collect::<Result<Vec<_>>>().map(Some)
        };
        let single = parts("single")?.ok_or_else(|| broken("`single` must be a list"))?;
        let pair = parts("pair")?.unwrap_or_else(|| Self::bare().pair);
        let count = |parts: &[Part], text: usize| {
            parts.iter().filter(|part| matches!(part, Part::Text { index, .. } if *index == text)).count()
        };
        let counts = [count(&single, 0), count(&single, 1), count(&pair, 0), count(&pair, 1)];
        if counts == [1, 0, 1, 1] {
            Ok(Self { single, pair })
        } else {
            Err(broken("must have the text A once, and of a pair A and B once each"))
        }
    }

    /// Ignores type ids, for models without them in `model_input_names`.
    pub(super) fn without_types(mut self) -> Self {
        for part in self.single.iter_mut().chain(&mut self.pair) {
            let (Part::Special { type_id, .. } | Part::Text { type_id, .. }) = part;
            *type_id = 0;
        }
        self
    }

    /// Number of special tokens.
    pub(super) fn specials(&self, pair: bool) -> usize {
        self.special_ids(pair).count()
    }

    /// The special tokens in order.
    pub(super) fn special_ids(&self, pair: bool) -> impl Iterator<Item = u32> {
        let parts = if pair { &self.pair } else { &self.single };
        parts.iter().flat_map(Part::special_ids).copied()
    }

    /// Adds special tokens around texts.
    pub(super) fn assemble(
        &self,
        first: impl ExactSizeIterator<Item = u32>,
        second: Option<impl ExactSizeIterator<Item = u32>>,
    ) -> Assembled {
        let mut out = Assembled::default();
        let parts = if second.is_some() { &self.pair } else { &self.single };
        let (mut first, mut second) = (Some(first), second);
        for part in parts {
            let type_id = match part {
                Part::Special { ids, type_id } => {
                    out.ids.extend_from_slice(ids);
                    type_id
                }
                Part::Text { index, type_id } => {
                    out.positions[*index] = out.ids.len();
                    match index {
                        0 => out.ids.extend(first.take().into_iter().flatten()),
                        _ => out.ids.extend(second.take().into_iter().flatten()),
                    }
                    type_id
                }
            };
            out.type_ids.resize(out.ids.len(), *type_id);
        }
        out
    }
}

fn read_part(part: &Value, template: &Value) -> Result<Part> {
    let (kind, fields) = part.as_object().and_then(|part| part.iter().next()).unzip();
    let field = |name: &str| fields.and_then(|fields: &Value| fields.get(name));
    let type_id =
        field("type_id").map_or(Some(0), token_id).ok_or_else(|| broken("`type_id` must be an integer"))?;
    let id = field("id").and_then(Value::as_str);
    match (kind.map(String::as_str), id) {
        (Some("Sequence"), Some("A")) => Ok(text(0, type_id)),
        (Some("Sequence"), Some("B")) => Ok(text(1, type_id)),
        (Some("SpecialToken"), Some(name)) => {
            let ids = template["special_tokens"][name]["ids"].as_array();
            let ids = ids.and_then(|ids| ids.iter().map(token_id).collect::<Option<Vec<_>>>());
            let ids = ids.ok_or_else(|| broken(&format!("`special_tokens` has no ids for {name:?}")))?;
            Ok(Part::Special { ids, type_id })
        }
        _ => Err(broken(&format!("{part} is neither a text nor a special token"))),
    }
}

fn token_id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|id| u32::try_from(id).ok())
}

fn broken(problem: &str) -> Error {
    Error::corrupt(TOKENIZER_JSON, format!("post-processor: {problem}"))
}
