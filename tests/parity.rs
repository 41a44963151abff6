//! Compares both executors with `transformers` in float64, for every architecture and head. Models are
//! regenerated from a seed, and results are compared as described in `tests/goldens/make.py`.
//!
//! Without an adapter, the GPU tests print that they aren't run and pass, unless `MOBILEBERT_GPU=require`.

mod support;

use mobilebert::executor::Executor;
use mobilebert::plan::{Inputs, Network, Output, PAD_ID, Request, Schedule};
use mobilebert::weights::{Assembler, RawTensor};
use mobilebert::{cpu, gpu};
use support::goldens::{self, Expected, Golden, Run};

const SCHEDULES: [Schedule; 3] = Schedule::ALL;

/// Full-size models that also run on a software adapter.
const ON_SOFTWARE: [&str; 3] = ["mobilebert-full-qa", "mobilebert-full-without-opt", "mobilebert-full-tiny"];

fn on_cpu() -> Executor {
    cpu::Executor::new(2).unwrap().into()
}

fn on_gpu() -> Executor {
    let device = pollster::block_on(gpu::Device::request()).unwrap();
    gpu::Executor::new(device).into()
}

fn load(executor: &mut Executor, network: &Network, tensors: impl IntoIterator<Item = RawTensor>) {
    let mut assembler = Assembler::new(network);
    for raw in tensors {
        assembler.push(raw).unwrap();
        while let Some((id, tensor)) = assembler.next_ready().unwrap() {
            executor.load(id, network.parameter(id), tensor).unwrap();
        }
    }
    assembler.finish().unwrap();
    pollster::block_on(executor.settle()).unwrap();
}

/// The adapter of the GPU tests.
fn device() -> Option<gpu::Device> {
    match pollster::block_on(gpu::Device::request()) {
        Ok(device) => Some(device),
        Err(error) if std::env::var("MOBILEBERT_GPU").is_ok_and(|value| value == "require") => {
            panic!("MOBILEBERT_GPU=require, but there is no adapter: {error}")
        }
        Err(error) => {
            eprintln!("not run, no GPU adapter: {error}");
            None
        }
    }
}

/// A run's inputs, with `padding` positions added to each sequence.
fn inputs(run: &Run, padding: usize) -> Inputs {
    let pad = |values: &[u32], filler: u32| -> Vec<u32> {
        let filler = vec![filler; padding];
        values.chunks(run.sequence).flat_map(|row| [row, &filler].concat()).collect()
    };
    Inputs {
        input_ids: pad(&run.input_ids, PAD_ID),
        token_type_ids: pad(&run.token_type_ids, 0),
        attention_mask: pad(&run.attention_mask, 0),
    }
}

/// An output without padding and without other columns of its buffer.
fn without_padding(output: &Output, buffer: &[f32], sequence: usize) -> Vec<f32> {
    let (column, stride) = output.column.unwrap_or((0, 1));
    let mut kept = Vec::new();
    'values: for (flat, value) in buffer.iter().skip(column).step_by(stride).enumerate() {
        let mut rest = flat;
        for (axis, size) in output.shape.iter().enumerate().rev() {
            let index = rest % size;
            rest /= size;
            if output.sequence_axes.contains(&axis) && index >= sequence {
                continue 'values;
            }
        }
        // A buffer may be longer than the output, for example if the output is the first tokens of a hidden state.
        if rest > 0 {
            break;
        }
        kept.push(*value);
    }
    kept
}

/// How a model is run.
#[derive(Clone, Copy, Debug)]
struct Variant {
    schedule: Schedule,
    /// Also output hidden states and attentions, if the golden has them.
    hidden: bool,
    padding: usize,
}

/// Describes the outputs of a run that differ from the golden.
fn differences(executor: &mut Executor, network: &Network, run: &Run, variant: Variant) -> Vec<String> {
    let request = Request {
        batch: run.batch,
        sequence: run.sequence + variant.padding,
        schedule: variant.schedule,
        hidden_states: variant.hidden && run.hidden_states,
        attentions: variant.hidden && run.attentions,
        attention_of: None,
    };
    let plan = network.plan(request).unwrap();
    let results = pollster::block_on(executor.run(&plan, &inputs(run, variant.padding))).unwrap();
    assert_eq!(results.len(), plan.outputs.len());
    let find = |expected: &Expected| -> Result<f64, String> {
        let index = plan.outputs.iter().position(|output| output.name == expected.name);
        let index = index.ok_or("the plan has no such output")?;
        expected.compare(&without_padding(&plan.outputs[index], &results[index], run.sequence))
    };
    run.outputs
        .iter()
        .filter(|expected| variant.hidden || expected.is_of_the_head())
        .filter_map(|expected| find(expected).err().map(|problem| format!("{}: {problem}", expected.name)))
        .collect()
}

/// Runs a model in all variants and collects the differences.
fn check(golden: &Golden, executor: Executor, schedules: &[Schedule], max_tokens: usize) -> Vec<String> {
    let (network, tensors) = golden.network();
    check_network(golden, &network, tensors, executor, schedules, max_tokens)
}

/// Like [`check`], with query and key multiplied by the bottleneck before them; does nothing if there is
/// none.
fn check_folded(golden: &Golden, executor: Executor, max_tokens: usize) -> Vec<String> {
    let (plain, tensors) = golden.network();
    let network = plain.folded().unwrap();
    if network.parameters.len() == plain.parameters.len() {
        return Vec::new();
    }
    check_network(golden, &network, tensors, executor, &[Schedule::Tiled, Schedule::Chain], max_tokens)
}

fn check_network(
    golden: &Golden,
    network: &Network,
    tensors: impl IntoIterator<Item = RawTensor>,
    mut executor: Executor,
    schedules: &[Schedule],
    max_tokens: usize,
) -> Vec<String> {
    load(&mut executor, network, tensors);
    let mut problems = Vec::new();
    for run in golden.runs.iter().filter(|run| run.batch * run.sequence <= max_tokens) {
        for &schedule in schedules {
            // For long sequences, the reference schedule would just take too long.
            if schedule == Schedule::Operations && run.sequence > 40 {
                continue;
            }
            let small = Request { batch: 1, sequence: 1, schedule, ..Request::default() };
            if schedule == Schedule::Chain && network.plan(small).is_err() {
                continue;
            }
            let room = golden.config.max_position_embeddings - run.sequence;
            let hidden = schedule != Schedule::Chain;
            let mut variants = vec![Variant { schedule, hidden, padding: 0 }];
            if run.sequence < 30 {
                variants.push(Variant { schedule, hidden: false, padding: room.min(5) });
            }
            for variant in variants {
                for problem in differences(&mut executor, network, run, variant) {
                    problems.push(format!("{} {} {variant:?}: {problem}", golden.name, run.name));
                }
            }
        }
    }
    problems
}

fn is_full_size(golden: &Golden) -> bool {
    golden.config.hidden_size > 300
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn every_architecture_and_head_matches_transformers_on_the_cpu() {
    let goldens = goldens::load();
    let small: Vec<_> = goldens.iter().filter(|golden| !is_full_size(golden)).collect();
    assert!(small.len() > 35, "{} models", small.len());
    let problems: Vec<_> =
        small.iter().flat_map(|golden| check(golden, on_cpu(), &SCHEDULES, usize::MAX)).collect();
    assert_none(&problems);
}

#[test]
fn full_size_models_match_transformers_on_the_cpu() {
    let goldens = goldens::load();
    let full: Vec<_> = goldens.iter().filter(|golden| is_full_size(golden)).collect();
    assert!(full.iter().any(|golden| golden.config.num_hidden_layers == 24), "{} models", full.len());
    let request = Request { batch: 1, sequence: 1, schedule: Schedule::Chain, ..Request::default() };
    let chains = full.iter().filter(|golden| golden.network().0.plan(request).is_ok()).count();
    assert!(chains >= 2, "MobileBERT and TINY run as chains");
    let problems: Vec<_> =
        full.iter().flat_map(|golden| check(golden, on_cpu(), &SCHEDULES, usize::MAX)).collect();
    assert_none(&problems);
}

#[test]
fn folded_models_match_transformers_on_the_cpu() {
    let goldens = goldens::load();
    let problems: Vec<_> =
        goldens.iter().flat_map(|golden| check_folded(golden, on_cpu(), usize::MAX)).collect();
    assert_none(&problems);
}

#[test]
fn every_architecture_and_head_matches_transformers_on_the_gpu() {
    if device().is_none() {
        return;
    }
    let goldens = goldens::load();
    let small = goldens.iter().filter(|golden| !is_full_size(golden));
    let both = |golden| {
        let plain = check(golden, on_gpu(), &SCHEDULES, usize::MAX);
        [plain, check_folded(golden, on_gpu(), usize::MAX)].concat()
    };
    let problems: Vec<_> = small.flat_map(both).collect();
    assert_none(&problems);
}

/// Checks the full-size models with runs of at most `max_tokens` tokens.
fn check_full_size_on_the_gpu<'a>(goldens: impl Iterator<Item = &'a Golden>, max_tokens: usize) {
    let problems: Vec<_> = goldens
        .filter(|golden| is_full_size(golden))
        .flat_map(|golden| {
            let plain = check(golden, on_gpu(), &[Schedule::Tiled, Schedule::Chain], max_tokens);
            [plain, check_folded(golden, on_gpu(), max_tokens)].concat()
        })
        .collect();
    assert_none(&problems);
}

#[test]
fn full_size_models_match_transformers_on_the_gpu() {
    let Some(device) = device() else { return };
    let goldens = goldens::load();
    if !device.adapter().fallback {
        return check_full_size_on_the_gpu(goldens.iter(), usize::MAX);
    }
    // Long sequences and language modeling heads take minutes on a software adapter.
    let (run, skipped): (Vec<_>, Vec<_>) =
        goldens.iter().partition(|golden| ON_SOFTWARE.contains(&golden.name.as_str()));
    assert_eq!(run.len(), ON_SOFTWARE.len());
    for golden in skipped.iter().filter(|golden| is_full_size(golden)) {
        eprintln!("skipped on a software adapter without --ignored: {}", golden.name);
    }
    check_full_size_on_the_gpu(run.into_iter(), 40);
}

#[test]
#[ignore = "seven minutes on a software adapter; a real one runs all of it in full_size_models_match_transformers_on_the_gpu"]
fn all_full_size_models_match_transformers_on_a_software_adapter() {
    if device().is_some() {
        check_full_size_on_the_gpu(goldens::load().iter(), usize::MAX);
    }
}

/// Checks that the comparison fails for a wrong weight, input, or head.
mod negative_controls {
    use super::*;

    const VARIANT: Variant = Variant { schedule: Schedule::Tiled, hidden: false, padding: 0 };

    fn golden(name: &str) -> Golden {
        goldens::load().into_iter().find(|golden| golden.name == name).unwrap()
    }

    fn executor(golden: &Golden, change: impl Fn(&mut RawTensor)) -> (Network, Executor) {
        let (network, tensors) = golden.network();
        let mut executor = on_cpu();
        load(
            &mut executor,
            &network,
            tensors.map(|mut raw| {
                change(&mut raw);
                raw
            }),
        );
        (network, executor)
    }

    fn value(raw: &RawTensor, index: usize) -> f32 {
        f32::from_le_bytes(raw.bytes[index * 4..][..4].try_into().unwrap())
    }

    #[test]
    fn a_changed_weight_in_a_middle_layer_is_detected() {
        let golden = golden("mobilebert-odd-qa");
        let (network, mut executor) = executor(&golden, |raw| {
            if raw.name == "mobilebert.encoder.layer.1.ffn.0.intermediate.dense.weight" {
                let changed = value(raw, 100) + 0.5;
                raw.bytes[400..404].copy_from_slice(&changed.to_le_bytes());
            }
        });
        assert!(!differences(&mut executor, &network, &golden.runs[0], VARIANT).is_empty());
    }

    #[test]
    fn a_change_of_any_token_is_detected() {
        let mut golden = golden("bert-qa");
        let (network, mut executor) = executor(&golden, |_| ());
        assert!(differences(&mut executor, &network, &golden.runs[0], VARIANT).is_empty());
        for token in 0..golden.runs[0].sequence {
            let ids = &mut golden.runs[0].input_ids;
            let original = std::mem::replace(&mut ids[token], 50);
            assert_ne!(original, 50);
            assert!(
                !differences(&mut executor, &network, &golden.runs[0], VARIANT).is_empty(),
                "token {token}"
            );
            golden.runs[0].input_ids[token] = original;
        }
    }

    #[test]
    fn swapped_start_and_end_logits_are_detected() {
        let golden = golden("mobilebert-odd-qa");
        let (network, mut executor) = executor(&golden, |raw| {
            if raw.name.starts_with("qa_outputs") {
                let middle = raw.bytes.len() / 2;
                raw.bytes.rotate_left(middle);
            }
        });
        assert_eq!(differences(&mut executor, &network, &golden.runs[0], VARIANT).len(), 2);
    }

    #[test]
    fn nan_short_and_zero_results_are_rejected() {
        let golden = golden("mobilebert-odd-qa");
        let expected = &golden.runs[0].outputs[0];
        let count = expected.shape.iter().product::<usize>();
        assert!(expected.compare(&vec![0.0; count]).is_err());
        assert!(expected.compare(&vec![f32::NAN; count]).is_err());
        assert!(expected.compare(&vec![0.0; count - 1]).is_err());
        assert!(expected.compare(&[]).is_err());
    }
}
