//! The GPU's overhead and limits, independent of any model.

use mobilebert::benchmark::{AdapterLimits, DispatchOverhead};
use mobilebert::error::{Error, Result};
use mobilebert::gpu::{Device, Overhead, Roofline};
use serde::Serialize;

use crate::arguments::DeviceName;

/// Measurements of one adapter.
#[derive(Serialize)]
pub struct AdapterFigures {
    /// Name of the adapter.
    pub adapter: String,
    /// True if it is a software adapter.
    pub fallback: bool,
    /// Empty dispatches.
    pub dispatch: DispatchOverhead,
    /// Bandwidth and arithmetic.
    pub limits: AdapterLimits,
}

/// Measures the adapter that `--device gpu` selects.
pub fn measure(device: DeviceName) -> Result<AdapterFigures> {
    if device == DeviceName::Cpu {
        let problem = "measures dispatches on a GPU; leave out `--device cpu`";
        return Err(Error::invalid_input("overhead", problem));
    }
    pollster::block_on(async {
        let device = Device::request_for_profiling().await.map_err(with_advice)?;
        Ok(AdapterFigures {
            adapter: device.adapter().name.clone(),
            fallback: device.adapter().fallback,
            dispatch: Overhead::measure(&device).await?.into(),
            limits: Roofline::measure(&device).await?.into(),
        })
    })
}

/// Adds advice to the error for a missing adapter.
fn with_advice(error: Error) -> Error {
    match error {
        Error::Unsupported { what, instead } => Error::Unsupported {
            what,
            instead: format!(
                "{instead}; install your GPU's driver, or Mesa's software Vulkan to try the command"
            ),
        },
        other => other,
    }
}
