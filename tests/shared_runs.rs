//! Runs shared by several workers give bit-identical results to those of one worker.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::fs;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};

use mobilebert::config::Config;
use mobilebert::cpu::{Exchange, Share};
use mobilebert::model::Model;
use mobilebert::plan::{Inputs, Network};
use mobilebert::session::{Device, ExtraOutputs, Sequence, Session, SessionOptions};
use mobilebert::weights::Generator;
use serde_json::{Value, json};
use support::checkpoint;
use support::random::Random;
use tempfile::TempDir;

const VOCAB: usize = 40;

fn directory(configuration: &Value) -> TempDir {
    let config = Config::from_json(configuration.to_string()).unwrap();
    let tensors: Vec<_> = Generator::new(3).checkpoint(&Network::of(&config).unwrap()).collect();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.json"), configuration.to_string()).unwrap();
    fs::write(folder.path().join("model.safetensors"), checkpoint::file(&tensors, &[])).unwrap();
    folder
}

fn session(folder: &TempDir) -> Session {
    let options = SessionOptions { device: Device::Cpu, threads: 1, ..SessionOptions::default() };
    pollster::block_on(Model::open(folder.path(), &options)).unwrap().into_session()
}

/// Memory shared by several threads.
struct Memory {
    share: Share,
    values: Arc<Mutex<Vec<f32>>>,
    barrier: Arc<Barrier>,
    waits: usize,
    /// The wait at which another worker turns out to be lost.
    lost_at: usize,
}

impl Memory {
    fn of(parts: usize, floats: usize) -> Vec<Memory> {
        // NaN, so that values that were never written are detected.
        let values = Arc::new(Mutex::new(vec![f32::NAN; 2 * floats]));
        let barrier = Arc::new(Barrier::new(parts));
        let memory = |part| Memory {
            share: Share { part, parts },
            values: values.clone(),
            barrier: barrier.clone(),
            waits: 0,
            lost_at: usize::MAX,
        };
        (0..parts).map(memory).collect()
    }

    /// Two halves in turn, so that the next values don't replace those that are still being read.
    fn half(&self, wait: usize) -> usize {
        self.values.lock().unwrap().len() / 2 * (wait % 2)
    }
}

impl Exchange for Memory {
    fn share(&self) -> Share {
        self.share
    }

    fn put(&mut self, offset: usize, values: &[f32]) {
        let start = self.half(self.waits) + offset;
        self.values.lock().unwrap()[start..start + values.len()].copy_from_slice(values);
    }

    fn wait(&mut self) -> bool {
        self.waits += 1;
        if self.waits >= self.lost_at {
            return false;
        }
        self.barrier.wait();
        true
    }

    fn get(&mut self, offset: usize, values: &mut [f32]) {
        let start = self.half(self.waits - 1) + offset;
        values.copy_from_slice(&self.values.lock().unwrap()[start..start + values.len()]);
    }
}

type Part = (Inputs, usize, Memory);

/// Another worker: takes part in the runs it is sent until there are no more.
fn helper(folder: &TempDir, parts: Receiver<Part>) -> impl FnOnce() + Send + use<> {
    let path = folder.path().to_owned();
    move || {
        let options = SessionOptions { device: Device::Cpu, threads: 1, ..SessionOptions::default() };
        let mut session = pollster::block_on(Model::open(path, &options)).unwrap().into_session();
        for (inputs, batch, mut memory) in parts {
            session.take_part(&inputs, batch, &mut memory).unwrap();
        }
    }
}

fn check(configuration: &Value, parts: usize) {
    let folder = directory(configuration);
    let mut one = session(&folder);
    let mut shared = session(&folder);
    let mut random = Random::new(parts as u64);
    let (senders, threads): (Vec<Sender<Part>>, Vec<_>) = (1..parts)
        .map(|_| {
            let (sender, receiver) = channel();
            (sender, std::thread::spawn(helper(&folder, receiver)))
        })
        .unzip();
    for lengths in [vec![1], vec![5], vec![16, 16], vec![31, 7, 20], vec![64], vec![9; 8]] {
        let sequence = |length: usize, random: &mut Random| {
            let ids = (0..length).map(|_| random.below(VOCAB) as u32).collect();
            let mut sequence = Sequence::new(ids, vec![0; length]);
            sequence.attention_mask[length / 2] = (length == 1).into();
            sequence
        };
        let sequences: Vec<_> = lengths.iter().map(|&length| sequence(length, &mut random)).collect();
        let expected = pollster::block_on(one.run(&sequences, ExtraOutputs::default())).unwrap();
        let mut begun = 0;
        let results = shared.run_shared(&sequences, 512, &mut |run| {
            begun += 1;
            let mut memories = Memory::of(parts, run.floats).into_iter();
            let own = memories.next()?;
            for (sender, memory) in senders.iter().zip(memories) {
                sender.send((run.inputs.clone(), run.batch, memory)).unwrap();
            }
            Some(Box::new(own))
        });
        let results = results.unwrap().expect("no worker was lost");
        assert!(begun > 0);
        for (result, expected) in results.iter().zip(&expected) {
            for ((name, found), (_, tensor)) in result.iter().zip(expected.iter()) {
                let same = found.data.iter().zip(&tensor.data).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same && found.shape == tensor.shape, "{parts} workers, {lengths:?}: {name} differs");
            }
        }
    }
    drop(senders);
    for thread in threads {
        thread.join().unwrap();
    }
}

fn mobilebert(head: &str) -> Value {
    json!({
        "model_type": "mobilebert", "architectures": [format!("MobileBertFor{head}")], "vocab_size": VOCAB,
        "hidden_size": 24, "embedding_size": 8, "intra_bottleneck_size": 16, "num_attention_heads": 2,
        "intermediate_size": 20, "num_hidden_layers": 2, "num_feedforward_networks": 2,
        "max_position_embeddings": 64, "type_vocab_size": 2,
    })
}

fn bert(head: &str) -> Value {
    json!({
        "model_type": "bert", "architectures": [format!("BertFor{head}")], "vocab_size": VOCAB, "hidden_size": 24,
        "num_attention_heads": 3, "intermediate_size": 40, "num_hidden_layers": 2, "hidden_act": "gelu",
        "max_position_embeddings": 64, "type_vocab_size": 2,
    })
}

#[test]
fn every_head_of_mobilebert() {
    for head in ["QuestionAnswering", "SequenceClassification", "TokenClassification", "MaskedLM"] {
        check(&mobilebert(head), 2);
    }
}

#[test]
fn layer_norms_and_poolers_of_bert() {
    for head in ["QuestionAnswering", "SequenceClassification", "MaskedLM"] {
        check(&bert(head), 3);
    }
}

#[test]
fn more_workers_than_there_are_rows_to_share() {
    check(&mobilebert("QuestionAnswering"), 12);
}

#[test]
fn a_lost_worker_leaves_the_run_without_a_result_and_the_session_usable() {
    let folder = directory(&mobilebert("QuestionAnswering"));
    let mut session = session(&folder);
    let sequences = [Sequence::new(vec![1; 20], vec![0; 20])];
    let before = pollster::block_on(session.run(&sequences, ExtraOutputs::default())).unwrap();
    for lost_at in 1..=3 {
        let result = session.run_shared(&sequences, 512, &mut |run| {
            let mut memory = Memory::of(2, run.floats).into_iter().next()?;
            (memory.lost_at, memory.barrier) = (lost_at, Arc::new(Barrier::new(1)));
            Some(Box::new(memory))
        });
        assert!(result.unwrap().is_none(), "lost at wait {lost_at}");
        let after = pollster::block_on(session.run(&sequences, ExtraOutputs::default())).unwrap();
        let same = |name: &str| before[0].get(name) == after[0].get(name);
        assert!(same("start_logits") && same("end_logits"));
    }
}
