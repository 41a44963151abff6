//! Compares weights that keep their bits on the CPU with the same weights unpacked to floats at load, in one thread of one
//! process, in turns: `cargo run --release --example compact [-- ROUNDS]` prints ratios of CPU time for MobileBERT with 24
//! layers and random weights, and the memory of the parameters. Linux only.

use mobilebert::config::Config;
use mobilebert::cpu::Executor;
use mobilebert::kernels::Simd;
use mobilebert::plan::{Inputs, Network, ParameterId, Request};
use mobilebert::weights::{Assembler, Converted, Generator, ParameterData, Values, WeightFormat};
use serde_json::json;

/// Tokens, and how often they are computed per measurement: the system counts a thread's time in milliseconds.
const LENGTHS: [(usize, usize); 3] = [(16, 24), (128, 3), (384, 1)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds: usize = std::env::args().nth(1).map_or(Ok(20), |rounds| rounds.parse())?;
    let config = Config::from_json(
        json!({ "model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"] })
            .to_string(),
    )?;
    let network = Network::of(&config)?;
    for storage in [WeightFormat::Q4, WeightFormat::F16] {
        let parameters = parameters(&network, storage)?;
        for simd in Simd::available() {
            let stored = load(&network, &parameters, simd, |values, _| Ok(values))?;
            let unpacked = load(&network, &parameters, simd, |values, name| match values.values {
                Values::F16(_) | Values::Q4 { .. } => Ok(values.into_f32(name)?.into()),
                _ => Ok(values),
            })?;
            let bytes = [stored.loaded_bytes(), unpacked.loaded_bytes()];
            println!("{storage}, {}: {bytes:?} bytes", simd.name());
            compare(&network, [stored, unpacked], rounds)?;
        }
    }
    Ok(())
}

/// The parameters of random weights in a format.
fn parameters(
    network: &Network,
    storage: WeightFormat,
) -> mobilebert::error::Result<Vec<(ParameterId, ParameterData)>> {
    let mut parameters = Vec::new();
    let mut assembler = Assembler::new(network);
    for raw in Generator::new(1).checkpoint(network) {
        let Converted { tensor, scale } = storage.convert(raw)?;
        for raw in std::iter::once(tensor).chain(scale) {
            assembler.push(raw)?;
        }
        while let Some(ready) = assembler.next_ready()? {
            parameters.push(ready);
        }
    }
    assembler.finish()?;
    Ok(parameters)
}

fn load(
    network: &Network,
    parameters: &[(ParameterId, ParameterData)],
    simd: Simd,
    change: impl Fn(ParameterData, &str) -> mobilebert::error::Result<ParameterData>,
) -> mobilebert::error::Result<Executor> {
    let mut executor = Executor::with_simd(1, simd)?;
    for (id, values) in parameters {
        let parameter = &network.parameters[id.0];
        executor.load(*id, parameter, change(values.clone(), &parameter.name)?)?;
    }
    Ok(executor)
}

/// Runs both in turns; their results must be the same.
fn compare(
    network: &Network,
    mut executors: [Executor; 2],
    rounds: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    for (sequence, repeats) in LENGTHS {
        let plan = network.plan(Request { batch: 1, sequence, ..Request::default() })?;
        let inputs = Inputs {
            input_ids: (0..sequence as u32).map(|token| 1000 + 7 * token).collect(),
            token_type_ids: vec![0; sequence],
            attention_mask: vec![1; sequence],
        };
        let mut times = [const { Vec::new() }; 2];
        for _ in 0..rounds {
            let mut results = Vec::new();
            for (executor, times) in executors.iter_mut().zip(&mut times) {
                let started = cpu_time()?;
                for _ in 1..repeats {
                    executor.run(&plan, &inputs)?;
                }
                results.push(executor.run(&plan, &inputs)?);
                times.push(cpu_time()? - started);
            }
            assert!(results[0] == results[1], "the results differ");
        }
        let ratio = |of: fn(&mut Vec<u64>) -> u64| {
            let [stored, unpacked] = times.clone().map(|mut times| of(&mut times) as f64);
            stored / unpacked
        };
        let median = ratio(|times| {
            times.sort_unstable();
            times[times.len() / 2]
        });
        let least = ratio(|times| times.iter().copied().min().unwrap_or(0));
        println!("  {sequence} tokens: {median:.3} (medians), {least:.3} (least)");
    }
    Ok(())
}

/// Nanoseconds that this thread has computed.
fn cpu_time() -> Result<u64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}
