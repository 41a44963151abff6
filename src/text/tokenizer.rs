//! BERT's tokenizer, built from components of the `tokenizers` crate.
//!
//! Uses the concrete types of the components: the crate's own `Tokenizer` is generic over all of them and would add them,
//! and a regular-expression engine, to the wasm module.

use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    Decoder, Model, NormalizedString, Normalizer, OffsetType, PreTokenizedString, PreTokenizer,
};

use super::TokenizerFiles;
use super::added::Matcher;
use super::piece::Piece;
use super::settings::Settings;
use crate::error::{Error, Result};

/// Bytes of text normalized at a time: alignments take 16 bytes of memory per byte of text.
const SEGMENT: usize = 1 << 14;

/// Ids of the special tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialIds {
    /// `[CLS]`, first in every sequence.
    pub class: u32,
    /// `[SEP]`, after every text.
    pub separator: u32,
    /// `[UNK]`, for words that WordPiece can't split into known pieces.
    pub unknown: u32,
    /// `[PAD]`, if the vocabulary has it.
    pub padding: Option<u32>,
    /// `[MASK]`, if the vocabulary has it.
    pub mask: Option<u32>,
}

/// Splits text into WordPiece tokens with their ranges in the source.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    normalizer: BertNormalizer,
    model: WordPiece,
    special: SpecialIds,
    mask: String,
    /// Added tokens to match in the original text, and in the normalized text.
    added: [Matcher; 2],
    added_names: Vec<(u32, String)>,
    size: usize,
}

impl Tokenizer {
    /// Builds the tokenizer from the files that exist.
    ///
    /// # Errors
    /// [`Error::NotFound`] without a vocabulary, [`Error::NotAModel`] for other kinds of files, [`Error::Unsupported`]
    /// for tokenizers other than BERT's, [`Error::Corrupt`] for inconsistent files.
    pub fn from_files(files: TokenizerFiles<'_>) -> Result<Self> {
        let settings = files.settings()?;
        let normalizer = BertNormalizer::new(
            settings.clean_text,
            settings.space_chinese,
            settings.strip_accents,
            settings.lowercase,
        );
        let missing = |role: &str| Error::corrupt(super::form::VOCAB, format!("no {role} token"));
        let special = SpecialIds {
            class: settings.id(&settings.names.class).ok_or_else(|| missing("class"))?,
            separator: settings.id(&settings.names.separator).ok_or_else(|| missing("separator"))?,
            unknown: settings.id(&settings.names.unknown).ok_or_else(|| missing("unknown"))?,
            padding: settings.id(&settings.names.padding),
            mask: settings.id(&settings.names.mask),
        };
        let largest = settings.vocabulary.0.values().chain(settings.added.iter().map(|a| &a.id)).max();
        let size = largest.map_or(0, |&id| id as usize + 1);
        let added = matchers(&settings, normalizer)?;
        let added_names = settings.added.iter().map(|a| (a.id, a.content.clone())).collect();
        let Settings { vocabulary, names, prefix, max_word_chars, .. } = settings;
        let model = WordPiece::builder()
            .vocab(vocabulary.0)
            .unk_token(names.unknown)
            .continuing_subword_prefix(prefix)
            .max_input_chars_per_word(max_word_chars)
            .build()
            .map_err(library)?;
        Ok(Self { normalizer, model, special, mask: names.mask, added, added_names, size })
    }

    /// The pieces of `text`, without `[CLS]` and `[SEP]`; special tokens written in it are plain text.
    /// Linear in the text's length.
    ///
    /// # Errors
    /// Only [`Error::Internal`], for an error of the `tokenizers` crate.
    pub fn encode(&self, text: &str) -> Result<Vec<Piece>> {
        let mut pieces = Vec::with_capacity(text.len() / 4);
        if self.added.iter().all(Matcher::is_empty) {
            // No word extends across a space, so a long text can be tokenized in segments.
            for (start, segment) in segments(text) {
                self.encode_segment(segment, start, &mut pieces)?;
            }
        } else {
            self.encode_segment(text, 0, &mut pieces)?;
        }
        Ok(pieces)
    }

    /// Like [`Tokenizer::encode`], but the mask token written in `text` becomes the mask.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`]; [`Error::Unsupported`] if the vocabulary has no mask token.
    pub fn encode_with_masks(&self, text: &str) -> Result<Vec<Piece>> {
        let Some(id) = self.special.mask else {
            let what = format!("fill-mask: the vocabulary has no mask token {:?}", self.mask);
            return Err(Error::unsupported(what, "a tokenizer that has one"));
        };
        let mut pieces = Vec::new();
        let mut start = 0;
        for (at, mask) in text.match_indices(self.mask.as_str()) {
            pieces.extend(self.shifted(&text[start..at], start, &pieces)?);
            let word = pieces.last().map_or(0, |piece| piece.word + 1);
            pieces.push(Piece { id, start: at, end: at + mask.len(), word });
            start = at + mask.len();
        }
        pieces.extend(self.shifted(&text[start..], start, &pieces)?);
        Ok(pieces)
    }

    /// Ids of the special tokens.
    pub fn special(&self) -> SpecialIds {
        self.special
    }

    /// Spelling of the mask token.
    pub fn mask_token(&self) -> &str {
        &self.mask
    }

    /// One more than the largest id.
    pub fn vocabulary_size(&self) -> usize {
        self.size
    }

    /// Id of a token, spelled as in the vocabulary (`"##ing"`).
    pub fn id(&self, token: &str) -> Option<u32> {
        let added = || self.added_names.iter().find(|(_, name)| name == token).map(|(id, _)| *id);
        self.model.token_to_id(token).or_else(added)
    }

    /// Spelling of an id.
    pub fn token(&self, id: u32) -> Option<String> {
        let added = || self.added_names.iter().find(|(added, _)| *added == id).map(|(_, name)| name.clone());
        self.model.id_to_token(id).or_else(added)
    }

    /// Prefix of pieces that continue a word: `##`.
    pub fn continuation_prefix(&self) -> &str {
        &self.model.continuing_subword_prefix
    }

    /// Converts tokens to text like the WordPiece decoder of `transformers`: without special tokens except the mask, with
    /// one space between words and none before common punctuation.
    pub fn decode(&self, ids: &[u32]) -> String {
        let SpecialIds { class, separator, unknown, padding, .. } = self.special;
        let skipped = |id: u32| [class, separator, unknown].contains(&id) || padding == Some(id);
        let kept = ids.iter().filter(|&&id| !skipped(id));
        let tokens: Vec<String> = kept.filter_map(|&id| self.token(id)).collect();
        let decoder = WordPieceDecoder::new(self.continuation_prefix().to_owned(), true);
        decoder.decode_chain(tokens).map_or_else(|_| String::new(), |parts| parts.concat())
    }

    /// Checks that a model with `vocab_size` word embeddings has those of `[CLS]` and `[SEP]`, which every input
    /// contains. Other tokens without an embedding are an error only where they occur, as in `transformers`; embeddings
    /// without a token are padding.
    ///
    /// # Errors
    /// [`Error::Config`] with the token, its id and `vocab_size`.
    pub fn check_vocabulary(&self, vocab_size: usize) -> Result<()> {
        for (role, id) in [("class", self.special.class), ("separator", self.special.separator)] {
            if id as usize >= vocab_size {
                let problem = format!(
                    "is {vocab_size}, but the tokenizer's {role} token {:?} has id {id}; they belong to different models",
                    self.token(id).unwrap_or_default()
                );
                return Err(Error::config("vocab_size", problem));
            }
        }
        Ok(())
    }

    fn shifted(&self, text: &str, start: usize, before: &[Piece]) -> Result<Vec<Piece>> {
        let first = before.last().map_or(0, |piece| piece.word + 1);
        let mut pieces = self.encode(text)?;
        for piece in &mut pieces {
            piece.start += start;
            piece.end += start;
            piece.word += first;
        }
        Ok(pieces)
    }

    fn encode_segment(&self, text: &str, shift: usize, pieces: &mut Vec<Piece>) -> Result<()> {
        let [as_written, normalized] = &self.added;
        let mut words = PreTokenizedString::from(NormalizedString::from(text));
        if !as_written.is_empty() {
            words.split(|_, part| Ok(as_written.split(part))).map_err(library)?;
        }
        words.normalize(|part| self.normalizer.normalize(part)).map_err(library)?;
        if !normalized.is_empty() {
            words.split(|_, part| Ok(normalized.split(part))).map_err(library)?;
        }
        BertPreTokenizer.pre_tokenize(&mut words).map_err(library)?;
        words.tokenize(|word| self.model.tokenize(word.get())).map_err(library)?;
        let encoding = words.into_encoding(None, 0, OffsetType::Byte).map_err(library)?;
        let first = pieces.last().map_or(0, |piece| piece.word + 1);
        let places = encoding.get_offsets().iter().zip(encoding.get_word_ids());
        for (&id, (&(start, end), word)) in encoding.get_ids().iter().zip(places) {
            let word = first + word.unwrap_or_default();
            pieces.push(Piece { id, start: start + shift, end: end + shift, word });
        }
        Ok(())
    }
}

/// The tokens to match: all added tokens except special tokens.
fn matchers(settings: &Settings, normalizer: BertNormalizer) -> Result<[Matcher; 2]> {
    let names = &settings.names;
    let roles = [&names.unknown, &names.class, &names.separator, &names.padding, &names.mask];
    let mut matchers = [Matcher::default(), Matcher::default()];
    let [as_written, normalized] = &mut matchers;
    for added in settings.added.iter().filter(|added| !roles.contains(&&added.content)) {
        if added.normalized {
            let mut content = NormalizedString::from(added.content.as_str());
            normalizer.normalize(&mut content).map_err(library)?;
            normalized.insert(content.get(), added.id, added.single_word);
        } else {
            as_written.insert(&added.content, added.id, added.single_word);
        }
    }
    Ok(matchers)
}

/// Segments of a text of about [`SEGMENT`] bytes with their offsets, split only before spaces.
fn segments(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= text.len() {
            return None;
        }
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let tail = text.as_bytes().get(start + SEGMENT..).unwrap_or_default();
        let end = tail.iter().position(space).map_or(text.len(), |at| start + SEGMENT + at);
        let segment = (start, &text[start..end]);
        start = end;
        Some(segment)
    })
}

fn library(error: tokenizers::Error) -> Error {
    Error::internal("tokenizer", error.to_string())
}
