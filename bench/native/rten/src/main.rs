//! The rten engine of `run.py`: `rten-engine MODEL.onnx THREADS`. Reads one request per line from the standard input, and
//! answers each with one line.

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use rten::{ModelOptions, RunOptions, ThreadPool};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, threads] = arguments.as_slice() else {
        return Err("usage: rten-engine MODEL.onnx THREADS".into());
    };
    let model = ModelOptions::with_all_ops().load_file(file)?;
    let pool = ThreadPool::with_num_threads(threads.parse()?);
    let options = RunOptions::default().with_thread_pool(Some(pool.into()));
    let outputs = [model.node_id("start_logits")?, model.node_id("end_logits")?];
    for line in stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let ids = tensor(&request["input_ids"])?;
        let types = tensor(&request["token_type_ids"])?;
        let mask = Tensor::full(ids.shape(), 1i32);
        let inputs = vec![
            (model.node_id("input_ids")?, ids.into()),
            (model.node_id("attention_mask")?, mask.into()),
            (model.node_id("token_type_ids")?, types.into()),
        ];
        let started = Instant::now();
        let [start, end] = model.run_n(inputs, outputs, Some(options.clone()))?;
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        let logits = |value: rten::Value| -> Result<Vec<f32>, Box<dyn Error>> {
            Ok(Tensor::<f32>::try_from(value)?.to_vec())
        };
        let answer = json!({ "ms": milliseconds, "start": logits(start)?, "end": logits(end)? });
        writeln!(stdout(), "{answer}")?;
    }
    Ok(())
}

fn tensor(ids: &Value) -> Result<Tensor<i32>, Box<dyn Error>> {
    let ids: Vec<i32> = serde_json::from_value(ids.clone())?;
    Ok(Tensor::from_data(&[1, ids.len()], ids))
}
