//! Prints the result as tables.

use mobilebert::benchmark::{AdapterLimits, KernelProfile};
use mobilebert::error::Result;
use mobilebert::session::DeviceKind;

use super::overhead::AdapterFigures;
use super::report::{ModelResult, Report, Row};
use crate::output::Output;

impl Report {
    /// Prints the whole report.
    pub fn print(&self, output: &mut Output) -> Result<()> {
        if let Some(adapter) = &self.adapter {
            adapter.print(output)?;
        }
        for model in &self.models {
            model.print(output)?;
            output.line("")?;
        }
        if !self.models.is_empty() {
            output.line("¹ the paper's own measurement: TensorFlow Lite, four threads, 128 tokens")?;
        }
        output.flush()
    }
}

impl AdapterFigures {
    fn print(&self, output: &mut Output) -> Result<()> {
        let software = if self.fallback { ", which computes in software" } else { "" };
        output.line(&format!("the GPU {}{software}", self.adapter))?;
        let dispatch = &self.dispatch;
        output.line(&format!(
            "µs per empty dispatch, {} in one pass   encode      GPU (by {})",
            dispatch.dispatches, dispatch.clock
        ))?;
        for (name, encode, gpu) in [
            (
                "each reads the result of the one before",
                dispatch.dependent_encode_us,
                dispatch.dependent_gpu_us,
            ),
            ("independent", dispatch.independent_encode_us, dispatch.independent_gpu_us),
        ] {
            output.line(&format!("{name:<41} {encode:8.2} {gpu:8.2}"))?;
        }
        print_limits(&self.limits, output)?;
        output.line("")
    }
}

fn print_limits(limits: &AdapterLimits, output: &mut Output) -> Result<()> {
    let bytes = match limits.byte_dot_gop_s {
        Some(rate) => format!("{rate:.1} Gop/s"),
        None => "not available".to_owned(),
    };
    output.line(&format!(
        "limits of the GPU (by {}): copy {:.1} GB/s read and written, f32 multiply-add {:.1} GFLOP/s, dot products of \
         bytes {bytes}",
        limits.clock, limits.copy_gb_s, limits.multiply_add_gflop_s
    ))
}

impl ModelResult {
    fn print(&self, output: &mut Output) -> Result<()> {
        let on = match (self.device.kind, &self.device.adapter) {
            (DeviceKind::Cpu, _) => match self.threads {
                Some(1) | None => "the CPU, 1 thread".to_owned(),
                Some(threads) => format!("the CPU, {threads} threads"),
            },
            (DeviceKind::Gpu, adapter) => format!("the GPU {}", adapter.as_deref().unwrap_or_default()),
        };
        output.line(&format!(
            "{} ({}, {:.1} M parameters, {:.1} MB on the device) on {}: {}; schedule {}",
            self.title,
            self.architecture,
            self.parameters as f64 / 1e6,
            self.weight_bytes as f64 / 1e6,
            on.trim_end(),
            self.device.reason,
            self.schedule
        ))?;
        self.print_cold(output)?;
        output.line(
            "sequence  batch  runs      min   median      p90   encode      GPU readback  dispatches  activations  \
             Pixel 4¹  check  (milliseconds)",
        )?;
        for row in &self.warm {
            row.print(output)?;
        }
        if let Some(limits) = &self.limits {
            output.line("")?;
            print_limits(limits, output)?;
        }
        for profile in self.profiles.iter().flatten() {
            print_profile(profile, output)?;
        }
        Ok(())
    }

    fn print_cold(&self, output: &mut Output) -> Result<()> {
        let cold = &self.cold;
        let parts = [
            ("read", cold.download_ms),
            ("generate", cold.generate_ms),
            ("verify", cold.verify_ms),
            ("upload", Some(cold.upload_ms)),
            ("compile", Some(cold.compile_ms)),
            ("first run", Some(cold.first_ms)),
            ("in all", Some(cold.total_ms)),
        ];
        let parts = parts.iter().filter_map(|(name, ms)| ms.map(|ms| format!("{name} {ms:.0} ms")));
        output.line(&format!("cold: {}", parts.collect::<Vec<_>>().join(", ")))
    }
}

impl Row {
    fn print(&self, output: &mut Output) -> Result<()> {
        let check = match self.check {
            None => "-".to_owned(),
            Some(check) => {
                format!("{} ({:.0e})", if check.right { "right" } else { "WRONG" }, check.difference)
            }
        };
        let paper = self.paper_ms.map_or("-".to_owned(), |ms| format!("{ms:.0}"));
        let parts = match self.parts {
            None => format!("{:>8} {:>8} {:>8}", "-", "-", "-"),
            Some(parts) => {
                format!("{:8.2} {:8.2} {:8.2}", parts.encode_ms, parts.gpu_ms, parts.readback_ms)
            }
        };
        output.line(&format!(
            "{:8} {:6} {:5} {:8.2} {:8.2} {:8.2} {parts} {:11} {:9.1} MB {paper:>9}  {check}",
            self.sequence,
            self.batch,
            self.runs,
            self.min_ms,
            self.median_ms,
            self.p90_ms,
            self.dispatches,
            self.activation_bytes as f64 / 1e6
        ))
    }
}

fn print_profile(profile: &KernelProfile, output: &mut Output) -> Result<()> {
    output.line(&format!(
        "\n{} x {} tokens, mean of {} profiled runs, {}",
        profile.batch, profile.sequence, profile.runs, profile.note
    ))?;
    output.line("kernel                     dispatches        ms   share   GFLOP/s      GB/s  of limit")?;
    for kernel in &profile.kernels {
        let of_limit = kernel
            .of_limit
            .map_or("-".to_owned(), |of| format!("{:5.1} % of {}", 100.0 * of.share, of.limit));
        output.line(&format!(
            "{:<26} {:>10} {:9.3} {:5.1} % {:9.1} {:9.2}  {of_limit}",
            kernel.kernel,
            kernel.dispatches,
            kernel.ms,
            100.0 * kernel.share,
            kernel.gflop_s,
            kernel.gb_s
        ))?;
    }
    output.line(&format!(
        "{:<26} {:>10} {:9.3}  a run that is not profiled: {:.3} ms",
        "all",
        profile.steps.len(),
        profile.total_ms,
        profile.run_ms
    ))
}
