//! BERT's tokenizer out of the parts of the `tokenizers` crate.
//!
//! The parts are used by their concrete types: the crate's `Tokenizer`, which can be any of its forty parts, would
//! bring all of them, and a regular-expression engine, into the browser's module.

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

/// Bytes of text that are normalised at a time: alignments take 16 bytes for each byte of text while they live.
const SEGMENT: usize = 1 << 14;

/// Rows of the word vectors that no token may claim: models pad their vocabulary to a multiple of 8 or more.
const MAX_PADDING: usize = 1024;
const PADDED_TO: usize = 8;

/// Ids of the tokens with a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialIds {
    /// `[CLS]`, first in every sequence.
    pub class: u32,
    /// `[SEP]`, after every text.
    pub separator: u32,
    /// `[UNK]`, a word that WordPiece cannot spell.
    pub unknown: u32,
    /// `[PAD]`, where the vocabulary has it.
    pub padding: Option<u32>,
    /// `[MASK]`, where the vocabulary has it.
    pub mask: Option<u32>,
}

/// Cuts text into WordPiece tokens with their places in the source.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    normalizer: BertNormalizer,
    model: WordPiece,
    special: SpecialIds,
    mask: String,
    /// Added tokens looked for in the text as it is, and in the normalised text.
    added: [Matcher; 2],
    added_names: Vec<(u32, String)>,
    size: usize,
}

impl Tokenizer {
    /// Builds the tokenizer from whichever of the files there are.
    ///
    /// # Errors
    /// [`Error::NotFound`] without a vocabulary, [`Error::NotAModel`] for files of another kind, [`Error::Unsupported`]
    /// for tokenizers other than BERT's (named), [`Error::Corrupt`] where a file contradicts itself.
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
        let Settings { vocabulary, names, prefix, longest_word, .. } = settings;
        let model = WordPiece::builder()
            .vocab(vocabulary.0)
            .unk_token(names.unknown)
            .continuing_subword_prefix(prefix)
            .max_input_chars_per_word(longest_word)
            .build()
            .map_err(library)?;
        Ok(Self { normalizer, model, special, mask: names.mask, added, added_names, size })
    }

    /// The pieces of `text`, without `[CLS]` and `[SEP]`; special tokens written in it are plain text.
    /// Linear in the text's length.
    ///
    /// # Errors
    /// [`Error::Internal`] only, should the library refuse a text.
    pub fn encode(&self, text: &str) -> Result<Vec<Piece>> {
        let mut pieces = Vec::with_capacity(text.len() / 4);
        if self.added.iter().all(Matcher::is_empty) {
            // No word reaches across a space, so that a long text can be read a part at a time.
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
    /// As [`Tokenizer::encode`]; [`Error::Unsupported`] where the vocabulary has no mask token.
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

    /// Ids of the tokens with a role.
    pub fn special(&self) -> SpecialIds {
        self.special
    }

    /// How the mask token is written.
    pub fn mask_token(&self) -> &str {
        &self.mask
    }

    /// One more than the largest id.
    pub fn vocabulary_size(&self) -> usize {
        self.size
    }

    /// Id of a token of the vocabulary, spelled as it stands there (`"##ing"`).
    pub fn id(&self, token: &str) -> Option<u32> {
        let added = || self.added_names.iter().find(|(_, name)| name == token).map(|(id, _)| *id);
        self.model.token_to_id(token).or_else(added)
    }

    /// Spelling of an id.
    pub fn token(&self, id: u32) -> Option<String> {
        let added = || self.added_names.iter().find(|(added, _)| *added == id).map(|(_, name)| name.clone());
        self.model.id_to_token(id).or_else(added)
    }

    /// What a piece inside a word begins with: `##`.
    pub fn continuation_prefix(&self) -> &str {
        &self.model.continuing_subword_prefix
    }

    /// Tokens put together as text, as the WordPiece decoder of `transformers` does: special tokens but the mask left out,
    /// one space between words, none before common punctuation.
    pub fn decode(&self, ids: &[u32]) -> String {
        let SpecialIds { class, separator, unknown, padding, .. } = self.special;
        let skipped = |id: u32| [class, separator, unknown].contains(&id) || padding == Some(id);
        let kept = ids.iter().filter(|&&id| !skipped(id));
        let tokens: Vec<String> = kept.filter_map(|&id| self.token(id)).collect();
        let decoder = WordPieceDecoder::new(self.continuation_prefix().to_owned(), true);
        decoder.decode_chain(tokens).map_or_else(|_| String::new(), |parts| parts.concat())
    }

    /// Makes sure that this tokenizer and a model with `vocab_size` word vectors belong together.
    ///
    /// # Errors
    /// [`Error::Config`] naming both sizes: a tokenizer with more ids than word vectors would read past them; one with
    /// fewer, where padding to a round size does not explain it, was cut short or is another model's.
    pub fn check_vocabulary(&self, vocab_size: usize) -> Result<()> {
        let size = self.size;
        let padded = vocab_size.is_multiple_of(PADDED_TO) && vocab_size - size.min(vocab_size) <= MAX_PADDING;
        if size > vocab_size || (size < vocab_size && !padded) {
            let problem = format!(
                "is {vocab_size}, but the tokenizer has {size} tokens; the two are of different models or a file is cut short"
            );
            return Err(Error::config("vocab_size", problem));
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

/// The tokens to look for: all that were added, but for those with a role.
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

/// Parts of a text of about [`SEGMENT`] bytes, each with its first byte, cut before spaces only.
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
