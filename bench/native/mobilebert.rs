//! This project's engine for `run.py`: `native MODEL_DIRECTORY THREADS`. Reads one request per line from the standard
//! input, and answers each with one line.

use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use mobilebert::model::Model;
use mobilebert::session::{Device, ExtraOutputs, Sequence, SessionOptions};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Request {
    input_ids: Vec<u32>,
    token_type_ids: Vec<u32>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, threads] = arguments.as_slice() else {
        return Err("usage: native MODEL_DIRECTORY THREADS".into());
    };
    let options =
        SessionOptions { device: Device::Cpu, threads: threads.parse()?, ..SessionOptions::default() };
    let mut session = pollster::block_on(Model::open(directory, &options))?.into_session();
    for line in stdin().lock().lines() {
        let Request { input_ids, token_type_ids } = serde_json::from_str(&line?)?;
        let sequences = [Sequence { attention_mask: vec![1; input_ids.len()], input_ids, token_type_ids }];
        let started = Instant::now();
        let outputs = pollster::block_on(session.run(&sequences, ExtraOutputs::default()))?;
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        let logits = |name| outputs[0].get(name).map(|tensor| tensor.data.clone());
        let answer =
            json!({ "ms": milliseconds, "start": logits("start_logits"), "end": logits("end_logits") });
        writeln!(stdout(), "{answer}")?;
    }
    Ok(())
}
