//! `tokens`: pieces, ids, offsets and windows of a text, a question about a passage, or a SQuAD file.

use std::path::{Path, PathBuf};

use mobilebert::error::Result;
use mobilebert::model::Directory;
use mobilebert::text::windows::{Window, WindowOptions, Windows};
use mobilebert::text::{Piece, Tokenizer, WindowRecord, sequence};

use crate::arguments::{Machine, SpecialTokenArguments, WindowArguments};
use crate::eval::squad_data::DataSet;
use crate::hub;
use crate::input::{self, Source};
use crate::output::{Output, printable, progress};

/// Arguments of `tokens`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A model directory or a Hugging Face id; only the tokenizer is read or downloaded
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// A text, or - for one text per line from standard input
    #[arg(conflicts_with_all = ["question", "context", "squad"])]
    text: Option<String>,
    /// A question about --context, in windows
    #[arg(long, value_name = "Q")]
    question: Option<String>,
    /// The passage: a file, or - for standard input
    #[arg(long, value_name = "FILE", default_value = "-", requires = "question")]
    context: Source,
    /// Every question of a file in SQuAD's format, in windows
    #[arg(long, value_name = "FILE", conflicts_with_all = ["question", "context"])]
    squad: Option<PathBuf>,
    /// One JSON object per window; offsets are UTF-8 bytes of the context
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    windows: WindowArguments,
    #[command(flatten)]
    special_tokens: SpecialTokenArguments,
    // Accepted by all commands, although nothing runs on a device here.
    #[command(flatten)]
    _machine: Machine,
}

impl Arguments {
    /// Tokenizes and prints.
    pub fn run(self) -> Result<()> {
        let mut tokenizer = Directory::new(hub::small_files(&self.model)?)?.tokenizer()?;
        if let Some(split) = self.special_tokens.split_special_tokens {
            tokenizer.set_split_special_tokens(Some(split));
        }
        let mut printer = Printer { tokenizer: &tokenizer, json: self.json, output: Output::new() };
        let options = self.windows.options();
        if let Some(path) = &self.squad {
            squad(path, &options, &mut printer)?;
        } else if let Some(question) = &self.question {
            let context = self.context.read("passage")?;
            printer.windows(
                "question",
                &context,
                &Windows::new(&tokenizer, question, &context, &options)?,
            )?;
        } else {
            for (line, text) in input::texts(self.text.as_deref())?.iter().enumerate() {
                printer.text(&line.to_string(), text, options.max_length)?;
            }
        }
        printer.output.flush()
    }
}

fn squad(path: &Path, options: &WindowOptions, printer: &mut Printer<'_>) -> Result<()> {
    let set = DataSet::read(path)?;
    let bar = progress(set.examples().count(), "questions");
    let tokenizer = printer.tokenizer;
    let mut context = Context::default();
    for example in set.examples() {
        let pieces = context.pieces(tokenizer, example.context)?;
        let windows = Windows::over(tokenizer, &example.question.question, pieces, options)
            .map_err(|error| example.at_fault(path, error))?;
        printer.windows(&example.question.id, example.context, &windows)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// The pieces of the most recent passage: files have several questions per passage.
#[derive(Default)]
struct Context<'a> {
    text: &'a str,
    pieces: Vec<Piece>,
}

impl<'a> Context<'a> {
    fn pieces(&mut self, tokenizer: &Tokenizer, text: &'a str) -> Result<&[Piece]> {
        if !std::ptr::eq(self.text, text) {
            self.pieces = tokenizer.encode(text)?;
            self.text = text;
        }
        Ok(&self.pieces)
    }
}

struct Printer<'a> {
    tokenizer: &'a Tokenizer,
    json: bool,
    output: Output,
}

impl Printer<'_> {
    fn windows(&mut self, id: &str, context: &str, windows: &Windows<'_>) -> Result<()> {
        for window in windows.iter() {
            let record = WindowRecord::new(id, &window);
            self.record(&record, context, &heading(id, &window, windows.len()))?;
        }
        Ok(())
    }

    /// Prints a single text as read by a classifier.
    fn text(&mut self, id: &str, text: &str, max_length: usize) -> Result<()> {
        let encoded = sequence::encode(self.tokenizer, text, None, max_length)?;
        let ids = &encoded.ids;
        let mut offsets = vec![[0, 0]; ids.len()];
        let mut max_context = vec![false; ids.len()];
        for (position, piece) in (encoded.positions[0]..).zip(&encoded.pieces) {
            offsets[position] = [piece.start, piece.end];
            max_context[position] = true;
        }
        let (input_ids, token_type_ids) = (&ids[..], &encoded.type_ids[..]);
        let record = WindowRecord { id, window: 0, input_ids, token_type_ids, offsets, max_context };
        let cut = if encoded.truncated { ", cut to fit" } else { "" };
        self.record(&record, text, &format!("text {id}: {} tokens{cut}", ids.len()))
    }

    fn record(&mut self, record: &WindowRecord<'_>, source: &str, heading: &str) -> Result<()> {
        if self.json {
            return self.output.json(record);
        }
        self.output.line(heading)?;
        self.output.line("    # type     id  piece                     bytes  source (* max context)")?;
        for (position, (&id, &[start, end])) in record.input_ids.iter().zip(&record.offsets).enumerate() {
            let piece = self.tokenizer.token(id).unwrap_or_default();
            let place = if start == end { String::new() } else { format!("{start}..{end}") };
            let mark = if record.max_context[position] { '*' } else { ' ' };
            let text = printable(source.get(start..end).unwrap_or_default());
            let kind = record.token_type_ids[position];
            let line =
                format!("{position:5} {kind:4} {id:6}  {:18} {place:>12} {mark} {text}", printable(&piece));
            self.output.line(line.trim_end())?;
        }
        Ok(())
    }
}

fn heading(id: &str, window: &Window<'_>, count: usize) -> String {
    let pieces = window.first_piece..window.first_piece + window.pieces.len();
    format!(
        "{}: window {} of {count}: {} tokens, {} to {} of the passage",
        printable(id),
        window.index + 1,
        window.ids.len(),
        pieces.start + 1,
        pieces.end,
    )
}
