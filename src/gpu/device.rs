//! An open device and its failures as typed errors.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};

use super::adapter::{self, Adapter};
use super::watch::{Watch, overdue};

/// An open device, with WebGPU's default limits (or the adapter's own, if they are smaller), and no optional feature but
/// `timestamp-query`, if that was asked for.
#[derive(Debug)]
pub struct Device {
    adapter: Adapter,
    identity: String,
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    faults: Arc<Mutex<Faults>>,
    #[cfg(target_arch = "wasm32")]
    polls_seldom: bool,
}

/// Faults reported by the platform's callbacks.
#[derive(Debug, Default)]
struct Faults {
    lost: Option<String>,
    uncaptured: Option<String>,
}

impl Device {
    /// Requests the fastest adapter, or a software one if there isn't any other, and opens it.
    ///
    /// # Errors
    /// `Unsupported` if there is no adapter.
    pub async fn request() -> Result<Self> {
        Self::request_with(wgpu::Features::empty(), &wgpu::Limits::default()).await
    }

    /// As [`Self::request`], with limits below WebGPU's defaults. Plans that need more fail.
    ///
    /// # Errors
    /// As [`Self::request`].
    #[doc(hidden)] // For tests of what a weaker adapter does.
    pub async fn request_within(limits: &wgpu::Limits) -> Result<Self> {
        Self::request_with(wgpu::Features::empty(), limits).await
    }

    /// As [`Self::request`], with `timestamp-query` where the adapter has it: for measuring kernels.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub async fn request_for_profiling() -> Result<Self> {
        Self::request_with(wgpu::Features::TIMESTAMP_QUERY, &wgpu::Limits::default()).await
    }

    /// `optional` features are taken where the adapter has them.
    async fn request_with(optional: wgpu::Features, limits: &wgpu::Limits) -> Result<Self> {
        #[cfg(target_arch = "wasm32")]
        if !adapter::has_webgpu() {
            return Err(Error::unsupported("the GPU", "there is no WebGPU here"));
        }
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = instance
            .request_adapter(&options)
            .await
            .map_err(|error| Error::unsupported("the GPU", adapter::cause(error)))?;
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("mobilebert"),
                required_features: adapter.features() & optional,
                required_limits: within(limits, &adapter),
                ..Default::default()
            })
            .await
            .map_err(|error| Error::unsupported("this GPU", error.to_string()))?;

        let faults = Arc::new(Mutex::new(Faults::default()));
        let reported = Arc::clone(&faults);
        device.set_device_lost_callback(move |_, message| {
            lock(&reported).lost.get_or_insert(if message.is_empty() {
                "no reason given".into()
            } else {
                message
            });
        });
        let reported = Arc::clone(&faults);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&reported).uncaptured.get_or_insert(error.to_string());
        }));
        let driver = adapter::driver(&adapter);
        let adapter = adapter::describe(&adapter, &device);
        Ok(Device {
            identity: format!("{} ({}) | {driver}", adapter.name, adapter.backend),
            adapter,
            device,
            queue,
            faults,
            #[cfg(target_arch = "wasm32")]
            polls_seldom: adapter::is_firefox(),
        })
    }

    /// The adapter it was opened on.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// The adapter and what compiles shaders for it: the driver, or the browser with its version.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The wgpu device, for programs that use wgpu themselves.
    pub fn wgpu(&self) -> &wgpu::Device {
        &self.device
    }

    /// Returns whether passes can be timed by the GPU's own clock.
    pub fn has_timestamps(&self) -> bool {
        self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    /// Returns whether the platform notices finished work late.
    #[cfg(target_arch = "wasm32")]
    pub(super) fn polls_seldom(&self) -> bool {
        self.polls_seldom
    }

    /// Time to wait for the GPU before it counts as hung. Browsers and drivers reset one after some seconds; software
    /// may compute for minutes.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(if self.adapter.fallback { 900 } else { 60 })
    }

    /// A poll that waits for the submitted work, but not forever.
    pub(super) fn wait(&self) -> wgpu::PollType {
        wgpu::PollType::Wait { submission_index: None, timeout: Some(self.patience()) }
    }

    /// From now on the device counts as lost.
    pub(super) fn give_up(&self) {
        lock(&self.faults).lost.get_or_insert(overdue(self.patience()));
    }

    /// Fails if the device was lost or reported a fault outside of all error scopes.
    pub(super) fn check(&self, step: &str) -> Result<()> {
        let mut faults = lock(&self.faults);
        if let Some(reason) = &faults.lost {
            return Err(Error::DeviceLost { reason: reason.clone() });
        }
        match faults.uncaptured.take() {
            Some(problem) => Err(Error::internal(step, problem)),
            None => Ok(()),
        }
    }

    /// Replaces errors after the loss of the device by that loss, which caused them.
    pub(super) fn as_device_lost(&self, error: Error) -> Error {
        match (&lock(&self.faults).lost, error) {
            (Some(reason), Error::Internal { .. } | Error::OutOfMemory { .. }) => {
                Error::DeviceLost { reason: reason.clone() }
            }
            (_, error) => error,
        }
    }

    /// Opens error scopes; [`Watch::end`] reports what they caught.
    pub(super) fn watch(&self) -> Watch {
        Watch::open(&self.device, self.patience())
    }
}

fn lock(faults: &Mutex<Faults>) -> std::sync::MutexGuard<'_, Faults> {
    // The lock is only held to move strings, so a poisoned one still holds a valid value.
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lower of both limits. Old drivers have lower ones than WebGPU's defaults.
#[cfg(not(target_arch = "wasm32"))]
fn within(limits: &wgpu::Limits, adapter: &wgpu::Adapter) -> wgpu::Limits {
    limits.clone().or_worse_values_from(&adapter.limits())
}

/// Every adapter of a browser has WebGPU's defaults.
#[cfg(target_arch = "wasm32")]
fn within(limits: &wgpu::Limits, _adapter: &wgpu::Adapter) -> wgpu::Limits {
    limits.clone()
}
