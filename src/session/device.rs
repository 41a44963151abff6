//! Chooses the device for a model, and reports the reason.

use serde::Serialize;

use super::SessionOptions;
use super::choice::{Candidate, Choice, ChosenBy};
use crate::error::{Error, Result};
use crate::executor::DeviceKind;
use crate::gpu;

/// The device requested by the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The GPU or the CPU, whichever is faster; a software adapter never is, so it isn't measured.
    #[default]
    Auto,
    /// The GPU, including software adapters; an error if there isn't one.
    Gpu,
    /// The CPU.
    Cpu,
}

/// The choice and its reason, for users.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceReport {
    /// The kind of device in use.
    pub kind: DeviceKind,
    /// The adapter's name, even if it was found but not used.
    pub adapter: Option<String>,
    /// True if that adapter computes in software.
    pub fallback: bool,
    /// The reason for the choice.
    pub reason: String,
    /// The basis of the choice; reports put it into words in the reason.
    #[serde(skip)]
    pub chosen: Choice,
}

/// A GPU executor, or `None` for the CPU, with the reason and the remaining candidates.
pub struct Found {
    pub gpu: Option<gpu::Executor>,
    pub report: DeviceReport,
    /// Empty if there is nothing to choose.
    pub candidates: &'static [Candidate],
}

/// Looks for a device.
///
/// # Errors
/// [`Error::Unsupported`] if a GPU was requested and there isn't one.
pub async fn find(options: &SessionOptions) -> Result<Found> {
    let wanted = options.device;
    if wanted == Device::Cpu {
        let chosen = Choice { by: ChosenBy::Request, ..Choice::default() };
        return Ok(on_cpu(DeviceReport { chosen, ..cpu(None, false, "the CPU was requested") }));
    }
    let device = match request(options).await {
        Ok(device) => device,
        Err(error) if wanted == Device::Auto => {
            let cause = match error {
                Error::Unsupported { instead, .. } => instead,
                other => other.to_string(),
            };
            return Ok(on_cpu(cpu(None, false, format!("no GPU: {cause}"))));
        }
        Err(error) => return Err(missing(error)),
    };
    Ok(judge(device, options))
}

/// Opens a GPU.
///
/// # Errors
/// Same as [`gpu::Device::request`].
pub async fn request(options: &SessionOptions) -> Result<gpu::Device> {
    match options.profiling {
        true => gpu::Device::request_for_profiling().await,
        false => gpu::Device::request().await,
    }
}

/// Determines what a device can be used for.
pub fn judge(device: gpu::Device, options: &SessionOptions) -> Found {
    let wanted = options.device;
    let adapter = device.adapter();
    let (name, fallback) = (adapter.name.clone(), adapter.fallback);
    if fallback && wanted == Device::Auto && !options.measure_software {
        let reason = format!("the only adapter, {name}, computes in software; the CPU executor is faster");
        return on_cpu(cpu(Some(name), true, reason));
    }
    let (reason, candidates): (_, &[Candidate]) = match (wanted, options.schedule) {
        (Device::Gpu, schedule) => (
            if fallback {
                "the GPU was requested; this adapter computes in software"
            } else {
                "the GPU was requested"
            },
            if schedule.is_none() { &[Candidate::Chain, Candidate::Tiled] } else { &[] },
        ),
        (_, Some(_)) => ("a GPU was found, and a schedule was requested", &[]),
        (_, None) => ("a GPU was found", &[Candidate::Chain, Candidate::Tiled, Candidate::Cpu]),
    };
    let by = match (wanted, options.schedule) {
        (Device::Auto, None) => ChosenBy::Rule,
        _ => ChosenBy::Request,
    };
    let report = DeviceReport {
        kind: DeviceKind::Gpu,
        adapter: Some(name),
        fallback,
        reason: reason.to_string(),
        chosen: Choice { by, ..Choice::default() },
    };
    Found { gpu: Some(gpu::Executor::new(device)), report, candidates }
}

fn on_cpu(report: DeviceReport) -> Found {
    Found { gpu: None, report, candidates: &[] }
}

fn cpu(adapter: Option<String>, fallback: bool, reason: impl Into<String>) -> DeviceReport {
    let reason = reason.into();
    DeviceReport { kind: DeviceKind::Cpu, adapter, fallback, reason, chosen: Choice::default() }
}

/// The error if a requested GPU is missing.
pub fn missing(error: Error) -> Error {
    match error {
        Error::Unsupported { what, instead } => {
            Error::Unsupported { what, instead: format!("{instead}; choose the CPU instead") }
        }
        other => other,
    }
}
