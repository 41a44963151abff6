//! `rank`: documents ranked by relevance to a query.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use mobilebert::config::Head;
use mobilebert::error::Result;
use mobilebert::model::{Model, TextRanking};
use mobilebert::task::text_ranking::RankedDocument;
use mobilebert::text::sequence;
use serde::Serialize;

use crate::arguments::ModelArguments;
use crate::input::Source;
use crate::output::{Output, note, printable, progress};

/// Maximum number of lines listed in a note.
const MAX_SHOWN: usize = 10;

/// Arguments of `rank`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The query
    #[arg(long, value_name = "TEXT")]
    query: String,
    /// A file with one document per line; - for standard input
    #[arg(long, value_name = "FILE")]
    documents: Source,
    /// Maximum number of documents to print [default: all]
    #[arg(long, value_name = "N")]
    top_k: Option<NonZeroUsize>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// The output of `--json`.
#[derive(Serialize)]
struct Ranked<'a> {
    documents: &'a [RankedDocument],
    truncated: bool,
}

/// Describes which documents were truncated: each is read together with the query.
fn truncated(model: &Model, query: &str, documents: &[&str]) -> Result<String> {
    let tokenizer = model.tokenizer()?;
    let mut lines = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        if sequence::encode(tokenizer, query, Some(document), model.max_length())?.truncated {
            lines.push((index + 1).to_string());
        }
    }
    let shown = lines[..lines.len().min(MAX_SHOWN)].join(", ");
    let more = if lines.len() > MAX_SHOWN { ", …" } else { "" };
    let (truncated, all) = (lines.len(), documents.len());
    Ok(format!(
        "with the query, {truncated} of {all} documents were too long and were truncated: line {shown}{more}"
    ))
}

impl Arguments {
    /// Ranks and prints, best first.
    pub fn run(self) -> Result<()> {
        let documents = self.documents.read_lines("document")?;
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let mut model = TextRanking::new(self.model.open_for(Head::SequenceClassification)?)?;
        let bar = progress(documents.len(), "documents");
        let done = async |done: usize| {
            bar.set_position(done as u64);
            ControlFlow::Continue(())
        };
        let top_k = self.top_k.map(NonZeroUsize::get);
        let ranking = pollster::block_on(model.rank_with(&self.query, &documents, top_k, done))?;
        bar.finish_and_clear();
        let mut output = Output::new();
        if self.json {
            return output.json(&Ranked { documents: &ranking.documents, truncated: ranking.truncated });
        }
        if ranking.truncated {
            note(&truncated(model.model(), &self.query, &documents)?);
        }
        for document in &ranking.documents {
            let text = documents.get(document.index).copied().unwrap_or_default();
            output.line(&format!("{:8.4}  {}", document.score, printable(text)))?;
        }
        output.flush()
    }
}
