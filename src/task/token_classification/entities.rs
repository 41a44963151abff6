//! Labeled tokens → words → entities, as they arrive.

use std::ops::Range;

use super::scheme::{Place, Tag, tags};
use super::{Aggregation, Entity, EntityOptions, EntityToken, check};
use crate::error::Result;
use crate::task::ranking::{largest, softmax};
use crate::text::{Piece, Utf16Index, whole_characters};

/// Collects the entities of a text. Tokens are added in the order of the text, in parts of any size; memory
/// use depends only on the number of entities.
#[derive(Debug)]
pub struct Entities<'a> {
    text: &'a str,
    units: Utf16Index<'a>,
    labels: &'a [String],
    tags: Vec<Tag<'a>>,
    options: &'a EntityOptions,
    pieces: usize,
    word: Option<Word>,
    group: Option<Group>,
    found: Vec<Entity>,
}

/// The pieces of a word that have arrived so far.
#[derive(Debug)]
struct Word {
    index: u32,
    bytes: Range<usize>,
    /// The label and probability of the deciding piece: the first, or the most certain.
    decided: (usize, f64),
    /// Sum of the pieces' probabilities, by label.
    sum: Vec<f64>,
    pieces: usize,
}

/// Adjacent tokens or words that form one entity.
#[derive(Debug)]
struct Group {
    label: usize,
    bytes: Range<usize>,
    probabilities: f64,
    parts: usize,
    /// True if another part may follow.
    open: bool,
}

impl<'a> Entities<'a> {
    /// Entities of a text, with the labels of the model's head.
    pub fn new(text: &'a str, labels: &'a [String], options: &'a EntityOptions) -> Self {
        Self {
            text,
            units: Utf16Index::new(text),
            labels,
            tags: tags(labels),
            options,
            pieces: 0,
            word: None,
            group: None,
            found: Vec::new(),
        }
    }

    /// Adds the next pieces. `logits` has one row per piece, with one value per label.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::error::Error) if the lengths don't match, [`Error::Tensor`](crate::error::Error) for NaN
    /// or infinite logits.
    pub fn add(&mut self, pieces: &[Piece], logits: &[f32]) -> Result<()> {
        check(pieces, logits, self.labels)?;
        for (piece, row) in pieces.iter().zip(logits.chunks_exact(self.labels.len())) {
            let row = softmax(row);
            let Some(&best) = largest(&row, 1).first() else { continue };
            match self.options.aggregation {
                Aggregation::None => self.add_token(piece, best),
                Aggregation::Simple => self.add_part(piece.range(), best),
                Aggregation::First | Aggregation::Average | Aggregation::Max => {
                    self.add_piece(piece, row, best);
                }
            }
            self.pieces += 1;
        }
        Ok(())
    }

    /// The entities, after the last piece.
    pub fn finish(mut self) -> Vec<Entity> {
        self.end_word();
        self.end_group();
        self.found
    }

    fn is_ignored(&self, name: &str) -> bool {
        self.options.ignore_labels.iter().any(|ignored| ignored == name)
    }

    fn add_token(&mut self, piece: &Piece, (label, probability): (usize, f64)) {
        let token = Some(EntityToken { index: self.pieces, id: piece.id });
        let name = self.labels[label].as_str();
        if !self.is_ignored(name) {
            self.push(name, whole_characters(self.text, piece.range()), probability, token);
        }
    }

    fn add_piece(&mut self, piece: &Piece, row: Vec<f64>, best: (usize, f64)) {
        if let Some(word) = self.word.as_mut().filter(|word| word.index == piece.word) {
            word.bytes.end = piece.end;
            word.sum.iter_mut().zip(&row).for_each(|(sum, value)| *sum += value);
            word.pieces += 1;
            if self.options.aggregation == Aggregation::Max && best.1 > word.decided.1 {
                word.decided = best;
            }
            return;
        }
        self.end_word();
        self.word =
            Some(Word { index: piece.word, bytes: piece.range(), decided: best, sum: row, pieces: 1 });
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        let decided = match self.options.aggregation {
            Aggregation::Average => {
                let best = largest(&word.sum, 1).first().copied();
                best.map_or(word.decided, |(label, sum)| (label, sum / word.pieces as f64))
            }
            _ => word.decided,
        };
        self.add_part(word.bytes, decided);
    }

    /// Adds a token or a word to the previous entity, or starts a new one.
    fn add_part(&mut self, bytes: Range<usize>, (label, probability): (usize, f64)) {
        let tag = self.tags[label];
        if self.is_ignored(&self.labels[label]) {
            return self.end_group();
        }
        let continues = matches!(tag.place, Place::Inside | Place::End);
        let before = self.group.as_mut().filter(|group| {
            continues
                && group.open
                && self.tags.get(group.label).is_some_and(|before| before.name == tag.name)
        });
        if let Some(group) = before {
            group.bytes.end = bytes.end;
            group.probabilities += probability;
            group.parts += 1;
            group.open = tag.place != Place::End;
            return;
        }
        self.end_group();
        let open = tag.place != Place::Single;
        self.group = Some(Group { label, bytes, probabilities: probability, parts: 1, open });
    }

    fn end_group(&mut self) {
        let Some(group) = self.group.take() else { return };
        let name = self.tags[group.label].name;
        if !self.is_ignored(name) {
            let bytes = whole_characters(self.text, group.bytes);
            self.push(name, bytes, group.probabilities / group.parts as f64, None);
        }
    }

    fn push(&mut self, label: &str, bytes: Range<usize>, probability: f64, token: Option<EntityToken>) {
        let units = self.units.range(&bytes);
        self.found.push(Entity {
            label: label.to_owned(),
            text: self.text.get(bytes.clone()).unwrap_or_default().to_owned(),
            probability,
            start_utf16: units.start,
            end_utf16: units.end,
            start_byte: bytes.start,
            end_byte: bytes.end,
            token,
        });
    }
}
