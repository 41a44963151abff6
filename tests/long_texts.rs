//! Texts with many windows: answers are the same with one or several windows per run, on either device.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::ops::ControlFlow;

use mobilebert::model::{AskOptions, QuestionAnswering, Reply};
use mobilebert::session::{Device, SessionOptions};
use support::gpu;
use support::random::Random;
use support::small_model;
use tempfile::TempDir;

const WORDS: [&str; 12] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##c", "d", "e", "f", "."];

/// The reply, and the number of windows read before each partial answer.
fn read(folder: &TempDir, device: Device, text: &str) -> (Reply, Vec<usize>) {
    let session = SessionOptions { device, threads: 1, ..SessionOptions::default() };
    let mut model = pollster::block_on(QuestionAnswering::open(folder.path(), &session)).unwrap();
    let options = AskOptions { max_length: 24, doc_stride: 9, top_k: 5, ..AskOptions::default() };
    let mut steps = Vec::new();
    let reply = pollster::block_on(model.ask_with("a b?", text, &options, async |progress| {
        assert!(progress.windows_done < progress.windows_total);
        steps.push(progress.windows_done);
        ControlFlow::Continue(())
    }));
    (reply.unwrap(), steps)
}

fn text(words: usize) -> String {
    let mut random = Random::new(11);
    let word = |random: &mut Random| ["a", "b", "bc", "d", "e", "f", "."][random.below(7)];
    (0..words).map(|_| word(&mut random)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_gpu_tries_batches_of_windows_and_gives_the_same_answers_as_the_cpu() {
    if gpu::device("long texts").is_none() {
        return;
    }
    let (folder, text) = (small_model::directory(&WORDS), text(260));
    let (on_cpu, one_by_one) = read(&folder, Device::Cpu, &text);
    let (on_gpu, steps) = read(&folder, Device::Gpu, &text);
    assert!(on_cpu.windows > 20, "only {} windows", on_cpu.windows);
    assert_eq!(one_by_one, (1..on_cpu.windows).collect::<Vec<_>>());
    assert!(steps.windows(2).any(|pair| pair[1] - pair[0] == 4), "never four at once: {steps:?}");
    assert_eq!(on_gpu.windows_done, on_cpu.windows_done);
    let places = |reply: &Reply| -> Vec<_> {
        reply.answers.iter().map(|a| (a.start_byte, a.end_byte, a.text.clone())).collect()
    };
    assert_eq!(places(&on_gpu), places(&on_cpu));
    for (left, right) in on_gpu.answers.iter().zip(&on_cpu.answers) {
        assert!((left.probability - right.probability).abs() < 1e-4, "{left:?} {right:?}");
    }
}

#[test]
fn the_maximum_number_of_windows_also_applies_to_batches() {
    if gpu::device("a limit of windows").is_none() {
        return;
    }
    let session = SessionOptions { device: Device::Gpu, ..SessionOptions::default() };
    let folder = small_model::directory(&WORDS);
    let mut model = pollster::block_on(QuestionAnswering::open(folder.path(), &session)).unwrap();
    for limit in [1, 5, 9, 13] {
        let options =
            AskOptions { max_length: 24, doc_stride: 9, max_windows: Some(limit), ..AskOptions::default() };
        let reply = pollster::block_on(model.ask("a b?", &text(260), &options)).unwrap();
        assert_eq!((reply.windows_done, reply.truncated), (limit, true));
    }
}
