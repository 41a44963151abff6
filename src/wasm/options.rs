//! Options of a load.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::kernels::Simd;
use crate::plan::Schedule;
use crate::session::{Device, SessionOptions};
use crate::weights::WeightFormat;

/// Options of a load.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadOptions {
    device: Option<String>,
    schedule: Option<String>,
    dtype: Option<String>,
    simd: Option<String>,
    profiling: bool,
    /// Whether special tokens written in a text are plain text; if `None`, the task and the files decide.
    #[serde(rename = "splitSpecialTokens")]
    pub split_special_tokens: Option<bool>,
}

impl LoadOptions {
    /// The session's options.
    pub fn session(&self) -> Result<SessionOptions> {
        let device = match self.device.as_deref() {
            None | Some("auto") => Device::Auto,
            Some("webgpu") => Device::Gpu,
            Some("wasm") => Device::Cpu,
            Some(other) => {
                let problem = format!("`{other}` isn't one of auto, webgpu, wasm");
                return Err(Error::invalid_input("device", problem));
            }
        };
        let schedule = self.schedule.as_deref().map(str::parse::<Schedule>).transpose()?;
        let profiling = self.profiling;
        let simd = self.simd()?;
        Ok(SessionOptions { device, threads: 1, simd, schedule, profiling, ..SessionOptions::default() })
    }

    /// The CPU's instruction set; `None` for the best available one.
    fn simd(&self) -> Result<Option<Simd>> {
        let missing = |name: &str| Error::Unsupported {
            what: format!("the instruction set `{name}`"),
            instead: "choose `auto`".to_string(),
        };
        let wanted = self.simd.as_deref().filter(|name| *name != "auto");
        wanted.map(|name| Simd::named(name).ok_or_else(|| missing(name))).transpose()
    }

    /// The format to convert the weights to while they load; `None` for f32, which represents every stored
    /// format exactly.
    pub fn storage(&self) -> Result<Option<WeightFormat>> {
        let storage = self.dtype.as_deref().map(str::parse::<WeightFormat>).transpose()?;
        Ok(storage.filter(|storage| *storage != WeightFormat::F32))
    }
}
