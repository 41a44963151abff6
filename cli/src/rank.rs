//! `rank`: documents in the order of their relevance for a query.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use mobilebert::config::Head;
use mobilebert::error::Result;
use mobilebert::model::TextRanking;
use mobilebert::task::text_ranking::RankedDocument;
use serde::Serialize;

use crate::arguments::ModelArguments;
use crate::input::Source;
use crate::output::{Output, note, printable, progress};

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
            note("the query or a document was too long and was truncated");
        }
        for document in &ranking.documents {
            let text = documents.get(document.index).copied().unwrap_or_default();
            output.line(&format!("{:8.4}  {}", document.score, printable(text)))?;
        }
        output.flush()
    }
}
