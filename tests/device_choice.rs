//! Choosing the device and schedule by measuring, on this machine's GPU.

mod support;

use std::path::Path;

use mobilebert::benchmark::{Benchmark, Seeding};
use mobilebert::config::Config;
use mobilebert::gpu;
use mobilebert::model::{Loader, Model, ModelFiles};
use mobilebert::plan::{Network, Schedule};
use mobilebert::session::{
    Candidate, ChosenBy, Device, DeviceKind, ExtraOutputs, PendingSession, Schedules, Sequence,
    SessionOptions, Timing,
};
use mobilebert::weights::{Generator, RawTensor, WeightFormat};
use serde_json::json;
use support::checkpoint;
use support::gpu::{device, mobilebert};

/// The `config.json` of a small MobileBERT.
fn small_json() -> String {
    let sizes = json!({
        "vocab_size": 300, "max_position_embeddings": 512, "hidden_size": 128, "embedding_size": 32,
        "intra_bottleneck_size": 32, "num_hidden_layers": 4, "intermediate_size": 64,
    });
    mobilebert("MobileBertForQuestionAnswering", sizes).to_string()
}

fn small() -> Config {
    Config::from_json(small_json()).unwrap()
}

/// A small BERT, whose LayerNorm `chain` can't compute.
fn bert() -> Config {
    let fields = json!({ "model_type": "bert", "architectures": ["BertForQuestionAnswering"], "vocab_size": 300,
        "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 3, "intermediate_size": 128 });
    Config::from_json(fields.to_string()).unwrap()
}

fn options(device: Device) -> SessionOptions {
    SessionOptions { device, measure_software: true, threads: 1, ..SessionOptions::default() }
}

fn choose(
    config: &Config,
    options: &SessionOptions,
    remembered: Option<&str>,
) -> (PendingSession, Option<String>) {
    pollster::block_on(async {
        let mut started = PendingSession::new(options).await.unwrap();
        let network = Network::of(config).unwrap();
        let record = started.choose(&network, WeightFormat::Q8, remembered).await.unwrap();
        (started, record)
    })
}

fn benchmark(config: &Config, options: &SessionOptions) -> Benchmark {
    pollster::block_on(async {
        let seeding = Seeding::new(config, 1, options).await.unwrap();
        seeding.finish().await.unwrap().0
    })
}

fn has_gpu(test: &str) -> bool {
    device(test).is_some()
}

#[test]
fn all_candidates_are_measured_at_two_lengths_and_the_reason_names_them() {
    if !has_gpu("all_candidates_are_measured_at_two_lengths_and_the_reason_names_them") {
        return;
    }
    let (started, record) = choose(&small(), &options(Device::Auto), None);
    let report = started.device();
    assert_eq!(report.chosen.by, ChosenBy::Measurement, "{report:?}");
    assert_eq!(report.chosen.ruled_out, [], "{report:?}");
    let tokens: Vec<usize> = report.chosen.lengths.iter().map(|timing| timing.tokens).collect();
    assert_eq!(tokens, [128, 384]);
    for timing in &report.chosen.lengths {
        for candidate in [Candidate::Chain, Candidate::Tiled, Candidate::Cpu] {
            assert!(timing.of(candidate).is_some_and(|time| time > 0.0), "{timing:?}");
        }
    }
    for words in ["won a measurement on this device", "one kernel per layer", "the CPU", "384 tokens"] {
        assert!(report.reason.contains(words), "{}", report.reason);
    }
    assert!(record.is_some());
}

#[test]
fn a_remembered_choice_is_taken_without_measuring() {
    if !has_gpu("a_remembered_choice_is_taken_without_measuring") {
        return;
    }
    let (_, record) = choose(&small(), &options(Device::Auto), None);
    // Times that no measurement would produce.
    let mut lines: Vec<String> = record.unwrap().lines().map(str::to_owned).collect();
    lines.splice(2..4, ["128 1000 5000 25000".to_owned(), "384 9000 5000 25000".to_owned()]);
    let stored = lines.join("\n");
    let (started, record) = choose(&small(), &options(Device::Auto), Some(&stored));
    assert_eq!(record, None, "nothing new is to be remembered");
    let report = started.device();
    assert_eq!((report.kind, report.chosen.by), (DeviceKind::Gpu, ChosenBy::Memory));
    assert!(report.reason.contains("remembered from an earlier run"), "{}", report.reason);
    let winners: Vec<_> = report.chosen.lengths.iter().map(|Timing { winner, .. }| winner.unwrap()).collect();
    assert_eq!(winners, [Candidate::Chain, Candidate::Tiled]);
}

#[test]
fn a_process_remembers_the_choice_of_an_earlier_one() {
    if !has_gpu("a_process_remembers_the_choice_of_an_earlier_one") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tensors: Vec<RawTensor> = Generator::new(3).checkpoint(&Network::of(&small()).unwrap()).collect();
    std::fs::write(folder.path().join("config.json"), small_json()).unwrap();
    std::fs::write(folder.path().join("model.safetensors"), checkpoint::file(&tensors, &[])).unwrap();
    let choices = folder.path().join("choices");
    let chosen_by = |device, choices: Option<&Path>| {
        let options = SessionOptions { choices: choices.map(Path::to_owned), ..options(device) };
        pollster::block_on(Model::open(folder.path(), &options)).unwrap().device().chosen.by
    };
    assert_eq!(chosen_by(Device::Cpu, Some(&choices)), ChosenBy::Request);
    assert!(!choices.exists(), "nothing is measured on the CPU");
    assert_eq!(chosen_by(Device::Gpu, Some(&choices)), ChosenBy::Measurement);
    assert_eq!(chosen_by(Device::Gpu, Some(&choices)), ChosenBy::Memory);
    assert_eq!(chosen_by(Device::Gpu, None), ChosenBy::Measurement);
    for entry in std::fs::read_dir(&choices).unwrap() {
        std::fs::write(entry.unwrap().path(), "damaged").unwrap();
    }
    assert_eq!(chosen_by(Device::Gpu, Some(&choices)), ChosenBy::Measurement);
    assert_eq!(chosen_by(Device::Gpu, Some(&choices)), ChosenBy::Memory);
}

#[test]
fn what_was_stored_by_another_version_or_damaged_is_measured_again() {
    if !has_gpu("what_was_stored_by_another_version_or_damaged_is_measured_again") {
        return;
    }
    let (_, record) = choose(&small(), &options(Device::Gpu), None);
    let record = record.unwrap();
    let another = record.replace(env!("CARGO_PKG_VERSION"), "0.0.1");
    assert_ne!(another, record);
    for stored in [&another, &record[..record.len() / 2], "not JSON"] {
        let (started, record) = choose(&small(), &options(Device::Gpu), Some(stored));
        assert_eq!(started.device().chosen.by, ChosenBy::Measurement, "{stored}");
        assert!(record.is_some());
    }
}

#[test]
fn a_network_that_chain_cannot_compute_is_run_in_tiles_and_the_reason_says_so() {
    if !has_gpu("a_network_that_chain_cannot_compute_is_run_in_tiles_and_the_reason_says_so") {
        return;
    }
    let (started, _) = choose(&bert(), &options(Device::Gpu), None);
    let report = started.device();
    assert_eq!(report.chosen.ruled_out.len(), 1, "{report:?}");
    assert_eq!(report.chosen.ruled_out[0].candidate, Candidate::Chain);
    assert!(report.reason.contains("it computes NoNorm, not LayerNorm"), "{}", report.reason);
}

#[test]
fn what_is_asked_for_is_obeyed_and_not_measured() {
    if !has_gpu("what_is_asked_for_is_obeyed_and_not_measured") {
        return;
    }
    for schedule in Schedule::ALL {
        let options = SessionOptions { schedule: Some(schedule), ..options(Device::Gpu) };
        let run = benchmark(&small(), &options);
        assert_eq!(run.schedules(), Schedules::only(schedule));
        assert_eq!(run.device().chosen.by, ChosenBy::Request);
        assert!(run.device().chosen.lengths.is_empty());
    }
    let run = benchmark(&small(), &options(Device::Cpu));
    assert_eq!((run.device().kind, run.device().chosen.by), (DeviceKind::Cpu, ChosenBy::Request));
}

#[test]
fn an_adapter_in_software_is_not_even_measured() {
    let Some(device) = device("an_adapter_in_software_is_not_even_measured") else { return };
    if !device.adapter().fallback {
        return;
    }
    let (started, record) = choose(&small(), &SessionOptions::default(), None);
    let report = started.device();
    assert_eq!((report.kind, report.chosen.by, record), (DeviceKind::Cpu, ChosenBy::Rule, None));
    assert!(report.reason.contains("computes in software; the CPU executor is faster"), "{}", report.reason);
}

/// The measurement has no side effects: a model on the chosen device computes the same as on the CPU.
#[test]
fn a_model_computes_the_same_after_the_measurement() {
    if !has_gpu("a_model_computes_the_same_after_the_measurement") {
        return;
    }
    for config in [small(), bert()] {
        let mut measured = benchmark(&config, &options(Device::Gpu));
        let mut on_cpu = benchmark(&config, &options(Device::Cpu));
        for tokens in [40, 300] {
            let [found, expected] = [&mut measured, &mut on_cpu].map(|run| {
                let run = pollster::block_on(run.run(tokens, 1)).unwrap();
                run.outputs.get("start_logits").unwrap().data.clone()
            });
            support::compare::compare_to_rms(&expected, &found, 1e-3).unwrap();
        }
    }
}

/// `chain` has 256 invocations per workgroup, the other kernels 64.
#[test]
fn a_schedule_beyond_the_adapters_limits_is_ruled_out_and_the_next_one_is_used() {
    let test = "a_schedule_beyond_the_adapters_limits_is_ruled_out_and_the_next_one_is_used";
    if !has_gpu(test) {
        return;
    }
    let limits = wgpu::Limits { max_compute_invocations_per_workgroup: 128, ..wgpu::Limits::default() };
    let device = pollster::block_on(gpu::Device::request_within(&limits)).unwrap();
    let mut started = PendingSession::on(device, &options(Device::Gpu)).unwrap();
    let network = Network::of(&small()).unwrap();
    pollster::block_on(started.choose(&network, WeightFormat::Q8, None)).unwrap();
    let report = started.device();
    let [ruled_out] = report.chosen.ruled_out.as_slice() else { panic!("{report:?}") };
    assert_eq!(ruled_out.candidate, Candidate::Chain);
    assert!(report.reason.contains("one kernel per layer was ruled out: "), "{}", report.reason);
    assert!(report.chosen.lengths.iter().all(|timing| timing.winner == Some(Candidate::Tiled)), "{report:?}");
}

#[test]
fn without_a_schedule_that_fits_the_cpu_is_used_or_the_error_says_why() {
    if !has_gpu("without_a_schedule_that_fits_the_cpu_is_used_or_the_error_says_why") {
        return;
    }
    let choose = |wanted| {
        let limits = wgpu::Limits { max_compute_invocations_per_workgroup: 32, ..wgpu::Limits::default() };
        let device = pollster::block_on(gpu::Device::request_within(&limits)).unwrap();
        let mut started = PendingSession::on(device, &options(wanted)).unwrap();
        let network = Network::of(&small()).unwrap();
        let chosen = pollster::block_on(started.choose(&network, WeightFormat::Q8, None));
        chosen.map(|_| started.device().clone())
    };
    let report = choose(Device::Auto).unwrap();
    assert_eq!((report.kind, report.chosen.ruled_out.len()), (DeviceKind::Cpu, 2), "{report:?}");
    assert!(report.reason.starts_with("only the CPU is left; one kernel per layer was"), "{report:?}");
    let error = choose(Device::Gpu).unwrap_err().to_string();
    assert!(error.contains("one kernel per operation was ruled out"), "{error}");
    assert!(error.contains("choose the CPU instead"), "{error}");
}

#[test]
fn the_kernels_are_compiled_before_the_weights_arrive() {
    if !has_gpu("the_kernels_are_compiled_before_the_weights_arrive") {
        return;
    }
    for schedule in [None, Some(Schedule::Tiled), Some(Schedule::Chain)] {
        let options = SessionOptions { schedule, ..options(Device::Gpu) };
        pollster::block_on(async {
            let seeding = Seeding::new(&small(), 1, &options).await.unwrap();
            let before = seeding.compiled();
            let (mut run, _) = seeding.finish().await.unwrap();
            run.run(100, 1).await.unwrap();
            assert_eq!(run.session().executor().compiled(), before, "{schedule:?}");
        });
    }
}

/// Until the choice, it keeps the tensors that have arrived; afterwards, they go to the chosen device in
/// their format.
#[test]
fn a_loader_chooses_when_it_knows_the_network_and_compiles_for_the_format_of_its_weights() {
    if !has_gpu("a_loader_chooses_when_it_knows_the_network_and_compiles_for_the_format_of_its_weights") {
        return;
    }
    let json = small_json();
    let network = Network::of(&small()).unwrap();
    let tensors: Vec<RawTensor> = Generator::new(3).checkpoint(&network).collect();
    let file = checkpoint::file(&tensors, &[]);
    let files = ModelFiles { config: json.as_bytes(), ..ModelFiles::default() };
    let sequence = Sequence::new((0..60).collect(), vec![0; 60]);
    let run = |options: &SessionOptions, storage: WeightFormat, in_time: bool| {
        pollster::block_on(async {
            let mut loader = Loader::new(&files, options).await.unwrap();
            loader.convert_to(storage);
            for chunk in file.chunks(4096) {
                loader.push(chunk).unwrap();
                if in_time && loader.choice_key().is_some() {
                    loader.choose(None).await.unwrap();
                    assert_eq!(loader.choice_key(), None);
                }
            }
            let mut model = loader.finish().await.unwrap();
            let before = model.session().executor().compiled();
            let outputs = model.run(std::slice::from_ref(&sequence), ExtraOutputs::default()).await.unwrap();
            assert_eq!(model.session().executor().compiled(), before, "{storage} {options:?}");
            outputs[0].get("start_logits").unwrap().data.clone()
        })
    };
    for storage in WeightFormat::ALL {
        let expected = run(&options(Device::Cpu), storage, true);
        for (schedule, in_time) in
            [(Schedule::Chain, true), (Schedule::Tiled, true), (Schedule::Chain, false)]
        {
            let options = SessionOptions { schedule: Some(schedule), ..options(Device::Gpu) };
            support::compare::compare_to_rms(&expected, &run(&options, storage, in_time), 2e-3).unwrap();
        }
    }
}

#[test]
fn a_schedule_that_is_asked_for_is_proved_once_but_not_timed() {
    if !has_gpu("a_schedule_that_is_asked_for_is_proved_once_but_not_timed") {
        return;
    }
    for schedule in Schedule::ALL {
        let options = SessionOptions { schedule: Some(schedule), ..options(Device::Gpu) };
        let (started, record) = choose(&small(), &options, None);
        let record = record.expect("the proof is to be remembered");
        assert_eq!(started.device().chosen.by, ChosenBy::Request);
        assert_eq!(started.device().chosen.lengths, []);
        assert_eq!(choose(&small(), &options, Some(&record)).1, None, "{record}");
        let others: Vec<Schedule> = Schedule::ALL.into_iter().filter(|other| *other != schedule).collect();
        for other in others {
            let options = SessionOptions { schedule: Some(other), ..options.clone() };
            assert!(choose(&small(), &options, Some(&record)).1.is_some(), "it proves another schedule");
        }
        let measured = self::options(Device::Gpu);
        assert!(choose(&small(), &measured, Some(&record)).1.is_some(), "isn't a measurement");
    }
}
