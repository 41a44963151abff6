//! Measures after how many windows, read in order of relevance, the final answer in a long text is first found:
//! `cargo run --release --example reading_order -- MODEL_DIRECTORY SQUAD_FILE [QUESTIONS]`.
//!
//! The text is the file's longest article, its paragraphs joined; the questions are an even sample of the article's own.

use std::ops::ControlFlow;

use mobilebert::model::{AskOptions, QuestionAnswering};
use mobilebert::session::SessionOptions;
use mobilebert::task::question_answering::Answer;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    title: String,
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    question: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, file, rest @ ..] = arguments.as_slice() else {
        return Err("usage: reading_order MODEL_DIRECTORY SQUAD_FILE [QUESTIONS]".into());
    };
    let wanted: usize = rest.first().map_or(Ok(100), |count| count.parse())?;
    let articles: File = serde_json::from_slice(&std::fs::read(file)?)?;
    let length = |article: &Article| article.paragraphs.iter().map(|p| p.context.len()).sum::<usize>();
    let article = articles.data.iter().max_by_key(|article| length(article)).ok_or("no article")?;
    let contexts: Vec<&str> = article.paragraphs.iter().map(|p| p.context.as_str()).collect();
    let text = contexts.join("\n\n");
    let questions: Vec<&str> =
        article.paragraphs.iter().flat_map(|p| &p.qas).map(|q| q.question.as_str()).collect();

    let mut model = pollster::block_on(QuestionAnswering::open(directory, &SessionOptions::default()))?;
    let mut seen = Vec::new();
    let mut windows = 0;
    let count = wanted.min(questions.len());
    for index in 0..count {
        let question = questions[index * questions.len() / count];
        let (first, total) = first_seen(&mut model, question, &text)?;
        windows = total;
        seen.push(first);
        eprintln!("{:4}/{count}  window {first:4} of {total}  {question}", index + 1);
    }
    seen.sort_unstable();
    let at = |share: f64| seen[((seen.len() - 1) as f64 * share).round() as usize];
    println!(
        "{}: {} bytes, {windows} windows, {count} questions: final answer first found after median {}, p90 {}",
        article.title,
        text.len(),
        at(0.5),
        at(0.9)
    );
    Ok(())
}

/// Windows read when the final answer first became the best one, and the number of windows.
fn first_seen(
    model: &mut QuestionAnswering,
    question: &str,
    text: &str,
) -> Result<(usize, usize), Box<dyn std::error::Error>> {
    let mut best: Vec<(usize, Option<Answer>)> = Vec::new();
    let options = AskOptions { top_k: 1, ..AskOptions::default() };
    let reply = pollster::block_on(model.ask_with(question, text, &options, async |progress| {
        best.push((progress.windows_done, progress.answers.into_iter().next()));
        ControlFlow::Continue(())
    }))?;
    let place = |answer: &Option<Answer>| answer.as_ref().map(|a| (a.start_byte, a.end_byte));
    let last = reply.answers.into_iter().next();
    let first = best.iter().find(|(_, answer)| place(answer) == place(&last)).map(|(done, _)| *done);
    Ok((first.unwrap_or(reply.windows_done), reply.windows_done))
}
