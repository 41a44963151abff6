//! `inspect`: architecture, parameters by part, FLOPs, bytes by dtype, and the plan with its dispatches.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use mobilebert::config::{Config, Normalization};
use mobilebert::error::Result;
use mobilebert::model::Directory;
use mobilebert::plan::{ModelPart, Network, Plan, Request, Step};
use mobilebert::session::Device;
use mobilebert::weights::{Dtype, Entry, Header, SCALE_SUFFIX};
use serde::Serialize;

use crate::arguments::Machine;
use crate::hub;
use crate::output::{Output, printable};

/// Arguments of `inspect`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A model directory, or a Hugging Face id, whose model is downloaded
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Sequence length of the plan to show
    #[arg(long, value_name = "N", default_value = "128")]
    sequence: NonZeroUsize,
    /// One line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    machine: Machine,
}

/// The whole report.
#[derive(Serialize)]
struct Report {
    architecture: String,
    layers: usize,
    hidden_size: usize,
    true_hidden_size: usize,
    heads: usize,
    feed_forward_networks: usize,
    labels: Vec<String>,
    parameters: BTreeMap<String, u64>,
    parameters_total: u64,
    bytes: BTreeMap<String, u64>,
    unused_tensors: Vec<String>,
    sequence: usize,
    flops: u64,
    schedule: &'static str,
    activation_bytes: u64,
    dispatches: Vec<Dispatch>,
}

#[derive(Serialize)]
struct Dispatch {
    label: String,
    kernel: &'static str,
    shape: Vec<usize>,
    flops: u64,
}

impl Arguments {
    /// Reads the configuration and the headers of the weights, and prints the report.
    pub fn run(self) -> Result<()> {
        let directory = Directory::new(hub::directory(&self.directory)?)?;
        let checkpoint = directory.checkpoint()?;
        let headers = checkpoint.headers().to_vec();
        let mut network = checkpoint.into_network()?;
        // As it would be loaded.
        let is_packed = |entry: &Entry| matches!(entry.dtype, Dtype::F16 | Dtype::I8 | Dtype::U8);
        if self.machine.options().device != Device::Cpu
            && !headers.iter().flat_map(|header| &header.tensors).any(is_packed)
        {
            network = network.folded()?;
        }
        let sequence = self.sequence.get().min(network.config.max_position_embeddings);
        let schedule = self.machine.schedule().unwrap_or_default();
        let plan = network.plan(Request { batch: 1, sequence, schedule, ..Request::default() })?;
        let report = Report::new(&network, &plan, &headers)?;
        let mut output = Output::new();
        if self.json {
            return output.json(&report);
        }
        report.print(&network.config, &mut output)?;
        output.flush()
    }
}

impl Report {
    fn new(network: &Network, plan: &Plan, headers: &[Header]) -> Result<Self> {
        let config = &network.config;
        let parts =
            ModelPart::ALL.map(|part| (format!("{part:?}").to_lowercase(), network.parameter_count(part)));
        let parameters: Vec<(String, u64)> = parts.into_iter().filter(|(_, count)| *count > 0).collect();
        let dispatch = |step: &Step| {
            Ok(Dispatch {
                label: step.label.clone(),
                kernel: step.operation.kernel(),
                shape: plan.step_extent(network, step)?,
                flops: plan.step_flops(network, step),
            })
        };
        let dispatches = plan.steps.iter().map(dispatch).collect::<Result<_>>()?;
        Ok(Report {
            architecture: config.architecture(),
            layers: config.num_hidden_layers,
            hidden_size: config.hidden_size,
            true_hidden_size: config.true_hidden_size(),
            heads: config.num_attention_heads,
            feed_forward_networks: config.num_feedforward_networks,
            labels: config.labels.clone(),
            parameters_total: parameters.iter().map(|(_, count)| count).sum(),
            parameters: parameters.into_iter().collect(),
            bytes: bytes_by_dtype(headers),
            unused_tensors: unused(network, headers),
            sequence: plan.request.sequence,
            flops: plan.flops(network),
            schedule: plan.request.schedule.as_str(),
            activation_bytes: plan.activation_bytes(),
            dispatches,
        })
    }
}

impl Report {
    fn print(&self, config: &Config, output: &mut Output) -> Result<()> {
        let norm = match config.normalization {
            Normalization::NoNorm => "NoNorm",
            Normalization::LayerNorm => "LayerNorm",
        };
        output.line(&format!(
            "{}: {} layers, {} wide, {} inside, {} heads, {} feed-forward networks of {}, {norm}, {:?}",
            self.architecture,
            self.layers,
            self.hidden_size,
            self.true_hidden_size,
            self.heads,
            self.feed_forward_networks,
            config.intermediate_size,
            config.hidden_act,
        ))?;
        output.line(&format!("labels: {}", printable(&self.labels.join(", "))))?;
        output.line("\nparameters")?;
        for (part, count) in &self.parameters {
            output.line(&format!("{:>14}  {part}", grouped(*count)))?;
        }
        output.line(&format!("{:>14}  total", grouped(self.parameters_total)))?;
        output.line("\nbytes of weights")?;
        for (dtype, bytes) in &self.bytes {
            output.line(&format!("{:>14}  {dtype}", grouped(*bytes)))?;
        }
        if !self.unused_tensors.is_empty() {
            output.line(&format!("not used: {}", printable(&self.unused_tensors.join(", "))))?;
        }
        self.print_plan(output)
    }

    fn print_plan(&self, output: &mut Output) -> Result<()> {
        output.line(&format!(
            "\nplan for one sequence of {} tokens, schedule {}: {} dispatches, {:.2} GFLOP in linears and attention, {} bytes of activations",
            self.sequence,
            self.schedule,
            self.dispatches.len(),
            self.flops as f64 / 1e9,
            grouped(self.activation_bytes),
        ))?;
        for (index, dispatch) in self.dispatches.iter().enumerate() {
            let shape: Vec<String> = dispatch.shape.iter().map(usize::to_string).collect();
            output.line(&format!(
                "{index:4}  {:<24} {:>16} {:>9.2} MFLOP  {}",
                dispatch.kernel,
                shape.join("×"),
                dispatch.flops as f64 / 1e6,
                dispatch.label
            ))?;
        }
        Ok(())
    }
}

fn bytes_by_dtype(headers: &[Header]) -> BTreeMap<String, u64> {
    let mut bytes = BTreeMap::new();
    for entry in headers.iter().flat_map(|header| &header.tensors) {
        *bytes.entry(format!("{:?}", entry.dtype)).or_default() += entry.len as u64;
    }
    bytes
}

fn unused(network: &Network, headers: &[Header]) -> Vec<String> {
    let tensors = network.tensors();
    let used: BTreeSet<&str> = tensors.iter().map(|(name, _)| *name).collect();
    let is_used =
        |entry: &&Entry| used.contains(entry.name.strip_suffix(SCALE_SUFFIX).unwrap_or(&entry.name));
    let tensors = headers.iter().flat_map(|header| &header.tensors);
    tensors.filter(|entry| !is_used(entry)).map(|entry| entry.name.clone()).collect()
}

/// Formats `24581888` as `24,581,888`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_from_the_right() {
        assert_eq!([0, 999, 1000, 24_581_888].map(grouped), ["0", "999", "1,000", "24,581,888"]);
    }
}
