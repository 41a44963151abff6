//! BERT's tokenizer, built from components of the `tokenizers` crate.
//!
//! Uses the components' concrete types: the crate's own `Tokenizer` is generic over all of them and would
//! pull them all, and a regular-expression engine, into the wasm module.

use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::{Decoder, Model, NormalizedString};

use super::TokenizerFiles;
use super::added_tokens::AddedToken;
use super::matcher::Matcher;
use super::normalizer::Normalizer;
use super::piece::Piece;
use super::settings::Settings;
use super::special_tokens::Role;
use super::template::Template;
use super::words::WordSplit;
use crate::error::{Error, Result};

/// Ids of the special tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialIds {
    /// `[CLS]`, at the start of every sequence.
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

impl SpecialIds {
    pub(super) fn has(&self, id: u32) -> bool {
        [self.class, self.separator, self.unknown].contains(&id)
            || [self.padding, self.mask].contains(&Some(id))
    }
}

/// Which special tokens are recognized in a text; the others are plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    All,
    /// Those without a role like that of `[SEP]`.
    Added,
    /// Only the one with this id.
    Only(u32),
    None,
}

/// Splits text into WordPiece tokens with their ranges in the source.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    pub(super) normalizer: Normalizer,
    pub(super) words: WordSplit,
    pub(super) model: WordPiece,
    pub(super) special: SpecialIds,
    mask: String,
    pub(super) template: Template,
    /// Added tokens to match in the original text, and in the normalized text.
    pub(super) matchers: [Matcher; 2],
    pub(super) added: Vec<AddedToken>,
    /// The file with the vocabulary.
    pub(super) file: &'static str,
    size: usize,
    max_length: Option<usize>,
    truncate_left: bool,
    split_special_tokens: Option<bool>,
}

impl Tokenizer {
    /// Builds the tokenizer from the files that exist.
    ///
    /// # Errors
    /// [`Error::NotFound`] without a vocabulary, [`Error::NotAModel`] for other kinds of files, [`Error::Unsupported`]
    /// for tokenizers other than BERT's, [`Error::Corrupt`] for inconsistent files.
    pub fn from_files(files: TokenizerFiles<'_>) -> Result<Self> {
        let settings = files.settings()?;
        let normalizer = Normalizer {
            clean_text: settings.clean_text,
            space_chinese: settings.space_chinese,
            strip_accents: settings.strip_accents.unwrap_or(settings.lowercase),
            lowercase: settings.lowercase,
        };
        let file = files.vocabulary();
        let special = special_ids(&settings, file)?;
        let largest = settings.vocabulary.0.values().chain(settings.added.iter().map(|a| &a.id)).max();
        let size = largest.map_or(0, |&id| (id as usize).saturating_add(1));
        let matchers = matchers(&settings, normalizer);
        let template = settings.template.unwrap_or_else(|| Template::bert(special.class, special.separator));
        let model = WordPiece::builder()
            .vocab(settings.vocabulary.0)
            .unk_token(settings.unknown)
            .continuing_subword_prefix(settings.prefix)
            .max_input_chars_per_word(settings.max_word_chars)
            .build()
            .map_err(library)?;
        Ok(Self {
            normalizer,
            words: settings.words,
            model,
            special,
            mask: settings.names.spelling(Role::Mask).to_owned(),
            template: if settings.has_types { template } else { template.without_types() },
            matchers,
            added: settings.added,
            file,
            size,
            max_length: settings.max_length,
            truncate_left: settings.truncate_left,
            split_special_tokens: settings.split_special_tokens,
        })
    }

    /// The pieces of `text`, without the special tokens of an input's template. `[SEP]` and the like written
    /// in it are plain text unless [`Tokenizer::split_special_tokens`] says otherwise, so a passage can't end
    /// its own segment; special tokens that a model's author added are recognized. Linear in the text's
    /// length.
    ///
    /// # Errors
    /// Only [`Error::Internal`], for an error of the `tokenizers` crate.
    pub fn encode(&self, text: &str) -> Result<Vec<Piece>> {
        let found = match self.split_special_tokens {
            None => Found::Added,
            Some(true) => Found::None,
            Some(false) => Found::All,
        };
        self.encode_finding(text, found)
    }

    /// Like [`Tokenizer::encode`], but special tokens written in `text` are recognized, as in `transformers`,
    /// unless [`Tokenizer::split_special_tokens`] says otherwise.
    ///
    /// # Errors
    /// Same as [`Tokenizer::encode`].
    pub fn encode_with_special_tokens(&self, text: &str) -> Result<Vec<Piece>> {
        let split = self.split_special_tokens.unwrap_or(false);
        self.encode_finding(text, if split { Found::None } else { Found::All })
    }

    /// Like [`Tokenizer::encode_with_special_tokens`], but the mask token written in `text` is always the mask.
    ///
    /// # Errors
    /// Same as [`Tokenizer::encode`]; [`Error::Unsupported`] if the vocabulary has no mask token.
    pub fn encode_with_masks(&self, text: &str) -> Result<Vec<Piece>> {
        let Some(mask) = self.special.mask else {
            let what = format!("fill-mask: the vocabulary has no mask token {:?}", self.mask);
            return Err(Error::unsupported(what, "a tokenizer that has one"));
        };
        let split = self.split_special_tokens.unwrap_or(false);
        self.encode_finding(text, if split { Found::Only(mask) } else { Found::All })
    }

    /// Whether special tokens written in a text are plain text. `None`: only `[SEP]` and the like, and only
    /// in the passages and questions of question answering. The initial value is that of
    /// `tokenizer_config.json`.
    pub fn split_special_tokens(&self) -> Option<bool> {
        self.split_special_tokens
    }

    /// Sets [`Tokenizer::split_special_tokens`].
    pub fn set_split_special_tokens(&mut self, split: Option<bool>) {
        self.split_special_tokens = split;
    }

    /// `model_max_length` of `tokenizer_config.json`: the maximum number of tokens of an input, special tokens included.
    pub fn max_length(&self) -> Option<usize> {
        self.max_length
    }

    /// Returns whether a text that is too long loses its start (`truncation_side`).
    pub(super) fn truncates_left(&self) -> bool {
        self.truncate_left
    }

    /// The template that places the special tokens of an input.
    pub(super) fn template(&self) -> &Template {
        &self.template
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
        let added = || self.added.iter().find(|added| added.content == token).map(|added| added.id);
        self.model.token_to_id(token).or_else(added)
    }

    /// Spelling of an id.
    pub fn token(&self, id: u32) -> Option<String> {
        let added = self.added.iter().find(|added| added.id == id).map(|added| added.content.clone());
        added.or_else(|| self.model.id_to_token(id))
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
}

/// Finds the special tokens. `file` is the name of the vocabulary's file.
fn special_ids(settings: &Settings, file: &str) -> Result<SpecialIds> {
    let id = |role| settings.id(settings.names.spelling(role));
    // Every input starts and ends with them, so a template has them even if no file names them.
    let in_template = |last: bool| {
        let mut ids = settings.template.as_ref()?.special_ids(false);
        if last { ids.last() } else { ids.next() }
    };
    let required = |role, last: bool| {
        let stated = settings.names.stated(role).and_then(|token| settings.id(token));
        stated.or_else(|| in_template(last)).or_else(|| id(role)).ok_or_else(|| {
            let problem = format!("the vocabulary has no token {:?}", settings.names.spelling(role));
            Error::corrupt(file, problem)
        })
    };
    Ok(SpecialIds {
        class: required(Role::Class, false)?,
        separator: required(Role::Separator, true)?,
        unknown: settings.id(&settings.unknown).unwrap_or_default(),
        padding: id(Role::Padding),
        mask: id(Role::Mask),
    })
}

/// The added tokens to match in the text as written, and in the normalized text.
fn matchers(settings: &Settings, normalizer: Normalizer) -> [Matcher; 2] {
    let mut as_written = Vec::new();
    let mut normalized = Vec::new();
    for added in settings.added.iter().cloned() {
        if added.normalized() {
            let mut content = NormalizedString::from(added.content.as_str());
            normalizer.normalize(&mut content);
            normalized.push((content.get().to_owned(), added));
        } else {
            as_written.push((added.content.clone(), added));
        }
    }
    [Matcher::new(as_written), Matcher::new(normalized)]
}

pub(super) fn library(error: tokenizers::Error) -> Error {
    Error::internal("tokenizer", error.to_string())
}
