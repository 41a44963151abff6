//! The choice of the device for a model, and its reason.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::gpu;

/// The device that the caller asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The GPU if there is a real one, otherwise the CPU.
    #[default]
    Auto,
    /// The GPU, including software adapters; an error if there isn't one.
    Gpu,
    /// The CPU.
    Cpu,
}

/// The kind of device in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// WGSL kernels through wgpu.
    Gpu,
    /// The kernels' CPU twins.
    Cpu,
}

/// The choice and its reason, for users to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceReport {
    /// The kind of device in use.
    pub kind: DeviceKind,
    /// The adapter's name, even if it was found but not used.
    pub adapter: Option<String>,
    /// Whether that adapter computes in software.
    pub fallback: bool,
    /// The reason for the choice.
    pub reason: String,
}

/// The GPU executor, or `None` for the CPU, and the reason.
pub async fn choose(wanted: Device, profiling: bool) -> Result<(Option<gpu::Executor>, DeviceReport)> {
    if wanted == Device::Cpu {
        return Ok((None, cpu(None, false, "the CPU was asked for")));
    }
    let requested = match profiling {
        true => gpu::Device::request_for_profiling().await,
        false => gpu::Device::request().await,
    };
    let device = match requested {
        Ok(device) => device,
        Err(error) if wanted == Device::Auto => {
            let cause = match error {
                Error::Unsupported { instead, .. } => instead,
                other => other.to_string(),
            };
            return Ok((None, cpu(None, false, format!("no GPU: {cause}"))));
        }
        Err(error) => return Err(missing(error)),
    };
    let adapter = device.adapter();
    let (name, fallback) = (adapter.name.clone(), adapter.fallback);
    if fallback && wanted == Device::Auto {
        let reason = format!("the only adapter, {name}, computes in software; the CPU executor is faster");
        return Ok((None, cpu(Some(name), true, reason)));
    }
    let reason = match (wanted, fallback) {
        (Device::Gpu, true) => "the GPU was asked for; this adapter computes in software",
        (Device::Gpu, false) => "the GPU was asked for",
        _ => "a GPU was found",
    };
    let report =
        DeviceReport { kind: DeviceKind::Gpu, adapter: Some(name), fallback, reason: reason.to_string() };
    Ok((Some(gpu::Executor::new(device)), report))
}

fn cpu(adapter: Option<String>, fallback: bool, reason: impl Into<String>) -> DeviceReport {
    DeviceReport { kind: DeviceKind::Cpu, adapter, fallback, reason: reason.into() }
}

fn missing(error: Error) -> Error {
    match error {
        Error::Unsupported { what, instead } => {
            Error::Unsupported { what, instead: format!("{instead}; choose the CPU instead") }
        }
        other => other,
    }
}
