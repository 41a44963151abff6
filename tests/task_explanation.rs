//! Explanations of answers, compared with the raw logits and attentions of the same tokens.

mod support;

use std::ops::ControlFlow;

use mobilebert::error::{Code, Result};
use mobilebert::model::{AskOptions, AttentionHead, ExplainOptions, Explanation, QuestionAnswering};
use mobilebert::session::{Device, ExtraOutputs, Outputs, Sequence, SessionOptions};
use mobilebert::task::explanation::Source;
use mobilebert::text::windows::{WindowOptions, Windows};
use pollster::block_on;
use support::compare::compare_to_rms;

const SQUAD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/mobilebert-squad");
const QUESTION: &str = "Who keeps the lighthouse?";
/// With an accent that normalization removes, a character with two UTF-16 units, and words with several
/// pieces.
const CONTEXT: &str =
    "🗼 The cafe\u{301} on Skarn Point belongs to Tobias. The lighthouse is kept by Ada Ferrow.";

fn open(device: Device) -> QuestionAnswering {
    block_on(QuestionAnswering::open(SQUAD, &SessionOptions { device, ..SessionOptions::default() })).unwrap()
}

fn explain(qa: &mut QuestionAnswering, options: &ExplainOptions) -> Result<Explanation> {
    block_on(qa.explain(QUESTION, CONTEXT, options))
}

fn head(layer: usize, head: usize) -> ExplainOptions {
    ExplainOptions { attention: Some(AttentionHead { layer, head }), ..ExplainOptions::default() }
}

/// The tokens of the only window, and for each word of an explanation, its tokens.
fn tokens_of_words(qa: &mut QuestionAnswering, explanation: &Explanation) -> (Sequence, Vec<Vec<usize>>) {
    let tokenizer = qa.model().tokenizer().unwrap();
    let windows = Windows::new(tokenizer, QUESTION, CONTEXT, &WindowOptions::default()).unwrap();
    let window = windows.get(0).unwrap();
    // [CLS] question [SEP] context [SEP]
    let question = tokenizer.encode(QUESTION).unwrap();
    let second = question.len() + 1;
    let place = |token: usize| match token {
        0 => (Source::Special, 0),
        _ if token < second => (Source::Question, question[token - 1].start),
        _ if token > second && token < window.ids.len() - 1 => {
            (Source::Context, window.pieces[token - second - 1].start)
        }
        _ => (Source::Special, 0),
    };
    let mut specials = [0, second, window.ids.len() - 1].into_iter();
    let tokens = explanation.words.iter().map(|word| match word.source {
        Source::Special => vec![specials.next().unwrap()],
        source => {
            let bytes = word.start_byte..word.end_byte;
            (0..window.ids.len())
                .filter(|&token| place(token).0 == source && bytes.contains(&place(token).1))
                .collect()
        }
    });
    let tokens: Vec<Vec<usize>> = tokens.collect();
    (Sequence::new(window.ids.clone(), window.type_ids.clone()), tokens)
}

fn raw(qa: &mut QuestionAnswering, sequence: Sequence) -> Outputs {
    let extra = ExtraOutputs { attentions: true, ..ExtraOutputs::default() };
    block_on(qa.model().run(&[sequence], extra)).unwrap().remove(0)
}

/// Attention between words by definition: the mean over a word's rows of the sums over another's columns.
fn between_words(attentions: &[f32], tokens: &[Vec<usize>], head: usize) -> Vec<f64> {
    let count = tokens.iter().map(Vec::len).sum::<usize>();
    let at = |from: usize, to: usize| f64::from(attentions[(head * count + from) * count + to]);
    let given = |from: &Vec<usize>, to: &Vec<usize>| {
        let sum: f64 = from.iter().flat_map(|from| to.iter().map(move |to| at(*from, *to))).sum();
        sum / from.len() as f64
    };
    tokens.iter().flat_map(|from| tokens.iter().map(move |to| given(from, to))).collect()
}

fn assert_attention_matches_raw_outputs(
    qa: &mut QuestionAnswering,
    reference: &mut QuestionAnswering,
    allowed: f64,
) {
    let plain = explain(qa, &ExplainOptions::default()).unwrap();
    let config = qa.model().config();
    assert_eq!((plain.layers, plain.heads), (config.num_hidden_layers, config.num_attention_heads));
    assert_eq!(plain.attention, None);
    let (last, heads) = (plain.layers - 1, plain.heads);
    let (sequence, tokens) = tokens_of_words(reference, &plain);
    assert!(tokens.iter().any(|own| own.len() > 1), "no word has several pieces");
    let outputs = raw(reference, sequence);
    for (layer, head_index) in [(0, 0), (0, heads - 1), (last / 2, 1), (last, heads - 1), (last, 0), (1, 1)] {
        let found = explain(qa, &head(layer, head_index)).unwrap().attention.unwrap();
        let expected = &outputs.get(&format!("attentions.{layer}")).unwrap().data;
        let expected = between_words(expected, &tokens, head_index);
        compare_to_rms(&expected, &found, allowed)
            .unwrap_or_else(|problem| panic!("layer {layer}, head {head_index}: {problem}"));
        for row in found.chunks(plain.words.len()) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-4, "layer {layer}: {row:?}");
        }
    }
}

#[test]
fn attention_is_that_of_the_raw_outputs_with_the_pieces_of_a_word_merged() {
    let (mut qa, mut reference) = (open(Device::Cpu), open(Device::Cpu));
    assert_attention_matches_raw_outputs(&mut qa, &mut reference, 1e-3);
}

#[test]
fn attention_on_the_gpu_is_that_of_the_raw_outputs_on_the_cpu() {
    let name = "attention_on_the_gpu_is_that_of_the_raw_outputs_on_the_cpu";
    if support::gpu::device(name).is_some() {
        // Only the CPU rounds the rows that it multiplies with 8-bit weights.
        assert_attention_matches_raw_outputs(&mut open(Device::Gpu), &mut open(Device::Cpu), 3e-3);
    }
}

#[test]
fn probabilities_are_a_softmax_over_all_tokens_summed_over_the_pieces_of_a_word() {
    let mut qa = open(Device::Cpu);
    let explanation = explain(&mut qa, &ExplainOptions::default()).unwrap();
    let (sequence, tokens) = tokens_of_words(&mut qa, &explanation);
    let outputs = raw(&mut qa, sequence);
    for (name, found) in [
        ("start_logits", explanation.words.iter().map(|word| word.start_probability).collect::<Vec<_>>()),
        ("end_logits", explanation.words.iter().map(|word| word.end_probability).collect()),
    ] {
        let logits = &outputs.get(name).unwrap().data;
        let total: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
        for (tokens, found) in tokens.iter().zip(&found) {
            let expected: f64 = tokens.iter().map(|&token| f64::from(logits[token]).exp() / total).sum();
            assert!((expected - found).abs() < 1e-5, "{name} {tokens:?}: {found}, not {expected}");
        }
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
    let most = |probability: fn(&mobilebert::task::explanation::Word) -> f64| {
        let words = explanation.words.iter();
        words.max_by(|a, b| probability(a).total_cmp(&probability(b))).unwrap().text.clone()
    };
    assert_eq!([most(|word| word.start_probability), most(|word| word.end_probability)], ["Ada", "Ferrow"]);
}

#[test]
fn words_cover_both_texts_and_the_special_tokens_with_their_offsets() {
    let explanation = explain(&mut open(Device::Cpu), &ExplainOptions::default()).unwrap();
    let utf16: Vec<u16> = CONTEXT.encode_utf16().collect();
    for word in explanation.words.iter().filter(|word| word.source == Source::Context) {
        assert_eq!(CONTEXT[word.start_byte..word.end_byte], word.text);
        assert_eq!(String::from_utf16(&utf16[word.start_utf16..word.end_utf16]).unwrap(), word.text);
    }
    let texts = |source| {
        let words = explanation.words.iter().filter(move |word| word.source == source);
        words.map(|word| word.text.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(texts(Source::Question), ["Who", "keeps", "the", "lighthouse", "?"]);
    assert_eq!(texts(Source::Special), ["[CLS]", "[SEP]", "[SEP]"]);
    assert!(texts(Source::Context).contains(&"cafe\u{301}"), "{:?}", texts(Source::Context));
    let order: Vec<Source> = explanation.words.iter().map(|word| word.source).collect();
    assert_eq!(order.first(), Some(&Source::Special));
    assert!(order.iter().skip_while(|source| **source != Source::Context).all(|s| *s != Source::Question));
}

#[test]
fn the_window_explained_is_the_one_in_which_the_answer_counts() {
    let mut qa = open(Device::Cpu);
    let filler = "The harbor office opens at nine and closes at noon. ".repeat(3);
    let context = format!("{filler}The lighthouse is kept by Ada Ferrow. {filler}");
    let sizes = AskOptions { max_length: 32, doc_stride: 10, ..AskOptions::default() };
    let reply = block_on(qa.ask(QUESTION, &context, &sizes)).unwrap();
    assert!(reply.windows > 3, "{}", reply.windows);
    let best = &reply.answers[0];
    let bytes = best.start_byte..best.end_byte;
    let options = ExplainOptions { max_length: 32, doc_stride: 10, ..ExplainOptions::default() };
    let given = ExplainOptions { answer: Some(bytes.clone()), ..options.clone() };
    let explanation = block_on(qa.explain(QUESTION, &context, &given)).unwrap();
    assert_eq!(explanation.windows, reply.windows);
    assert!(explanation.window > 0);
    let is_first = |word: &mobilebert::task::explanation::Word| word.start_byte == bytes.start;
    let first = explanation.words.iter().find(|word| word.source == Source::Context && is_first(word));
    assert!(first.unwrap().start_probability > 0.1, "{first:?}");
    // Without an answer, it is the first window.
    assert_eq!(block_on(qa.explain(QUESTION, &context, &options)).unwrap().window, 0);
}

#[test]
fn an_explanation_does_not_depend_on_those_before_it() {
    let mut qa = open(Device::Cpu);
    let first = explain(&mut qa, &head(1, 1)).unwrap();
    let other = block_on(qa.explain("What is on Skarn Point?", CONTEXT, &head(1, 1))).unwrap();
    assert_ne!(first.words, other.words);
    for options in [head(1, 2), head(2, 1), ExplainOptions::default()] {
        explain(&mut qa, &options).unwrap();
    }
    block_on(qa.ask(QUESTION, CONTEXT, &AskOptions::default())).unwrap();
    let again = explain(&mut qa, &head(1, 1)).unwrap();
    assert_eq!((first.words, first.attention), (again.words, again.attention));
}

#[test]
fn bad_arguments_are_errors_that_name_them_and_the_model_stays_usable() {
    let mut qa = open(Device::Cpu);
    let Explanation { layers, heads, .. } = explain(&mut qa, &ExplainOptions::default()).unwrap();
    let answer = |answer| ExplainOptions { answer: Some(answer), ..ExplainOptions::default() };
    let middle_of_the_tower = 1..6;
    let emptied = 7..7;
    #[expect(clippy::reversed_empty_ranges, reason = "callers may pass one")]
    let reversed = 9..7;
    for (options, field) in [
        (head(layers, 0), "layer"),
        (head(0, heads), "head"),
        (head(usize::MAX, usize::MAX), "layer"),
        (answer(emptied), "answer"),
        (answer(reversed), "answer"),
        (answer(middle_of_the_tower), "answer"),
        (answer(0..CONTEXT.len() + 1), "answer"),
        (answer(4..5), "answer"),
        (ExplainOptions { doc_stride: 0, ..ExplainOptions::default() }, "doc_stride"),
        (ExplainOptions { max_length: 4, ..ExplainOptions::default() }, "max_length"),
    ] {
        let error = explain(&mut qa, &options).unwrap_err();
        assert_eq!((error.code(), error.culprit()), (Code::InvalidInput, Some(("field", field))), "{error}");
    }
    for (question, context, field) in [("", CONTEXT, "question"), (QUESTION, " \n", "context")] {
        let error = block_on(qa.explain(question, context, &head(0, 0))).unwrap_err();
        assert_eq!(error.culprit(), Some(("field", field)), "{error}");
    }
    explain(&mut qa, &head(layers - 1, heads - 1)).unwrap();
}

#[test]
fn an_explanation_can_be_stopped_between_runs() {
    let mut qa = open(Device::Cpu);
    let stop = async || ControlFlow::Break(());
    let stopped = block_on(qa.explain_with(QUESTION, CONTEXT, &head(0, 0), stop)).unwrap_err();
    assert_eq!(stopped.code(), Code::Aborted);
    explain(&mut qa, &head(0, 0)).unwrap();
}
