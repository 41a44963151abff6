//! `fill-mask`: words for the masks in a text.

use mobilebert::config::Head;
use mobilebert::error::Result;
use mobilebert::model::FillMask;
use mobilebert::task::fill_mask::{Fill, Replaced};
use serde::Serialize;

use crate::arguments::ShippedModelArguments;
use crate::input::{TextArguments, at_line};
use crate::output::{Output, note, per_cent, printable};

/// Arguments of `fill-mask`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ShippedModelArguments,
    #[command(flatten)]
    texts: TextArguments,
    /// Number of words per mask, best first
    #[arg(long, value_name = "N", default_value = "5")]
    top_k: std::num::NonZeroUsize,
    /// Only these words, separated by commas; a word that isn't a single token is replaced by its first token
    #[arg(long, value_name = "WORDS")]
    targets: Option<String>,
    /// One JSON object per text
    #[arg(long)]
    json: bool,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    masks: Vec<Mask<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    replaced: &'a [Replaced],
    truncated: bool,
}

#[derive(Serialize)]
struct Mask<'a> {
    candidates: &'a [Fill],
}

impl Arguments {
    /// Fills and prints, in the order of the texts.
    pub fn run(self) -> Result<()> {
        let texts = self.texts.read()?;
        let mut model = FillMask::new(self.model.open("mobilebert-base", Head::MaskedLanguageModel)?)?;
        let mut output = Output::new();
        let words = |words: &String| {
            let words = words.split(',').map(str::trim).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        let targets = self.targets.as_ref().map(words);
        for (index, text) in texts.iter().enumerate() {
            let result = pollster::block_on(model.fill_with(text, targets.as_deref(), self.top_k.get()))
                .map_err(|error| at_line(error, index, texts.len()))?;
            // These are the same for every text.
            for Replaced { target, token } in result.replaced.iter().filter(|_| index == 0) {
                note(&format!("the vocabulary has no token {target:?}; its first token {token:?} is used"));
            }
            if self.json {
                let masks = result.masks.iter().map(|candidates| Mask { candidates }).collect();
                let (replaced, truncated) = (&result.replaced[..], result.truncated);
                output.json(&Line { masks, replaced, truncated })?;
                continue;
            }
            output.heading(text, index, texts.len(), result.truncated)?;
            for (index, candidates) in result.masks.iter().enumerate() {
                if result.masks.len() > 1 {
                    output.line(&format!("mask {}", index + 1))?;
                }
                for fill in candidates {
                    let (token, sequence) = (printable(&fill.token_str), printable(&fill.sequence));
                    output.line(&format!("{}  {token:16} {sequence}", per_cent(fill.probability)))?;
                }
            }
        }
        output.flush()
    }
}
