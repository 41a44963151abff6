//! An open device, and its failures as typed errors.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};

use super::adapter::{self, Adapter};
use super::watch::{Watch, overdue};

/// An open device, with WebGPU's default limits (or the adapter's own, if they are smaller) and no optional
/// features except `timestamp-query`, if requested.
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

    /// Like [`Self::request`], with limits below WebGPU's defaults. Plans that need more fail.
    ///
    /// # Errors
    /// Same as [`Self::request`].
    #[doc(hidden)] // For tests that simulate a weaker adapter.
    pub async fn request_within(limits: &wgpu::Limits) -> Result<Self> {
        Self::request_with(wgpu::Features::empty(), limits).await
    }

    /// Like [`Self::request`], with `timestamp-query` if the adapter supports it, for timing kernels.
    ///
    /// # Errors
    /// Same as [`Self::request`].
    pub async fn request_for_profiling() -> Result<Self> {
        Self::request_with(wgpu::Features::TIMESTAMP_QUERY, &wgpu::Limits::default()).await
    }

    /// `optional` features are enabled if the adapter has them.
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

    /// The device's adapter.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// The adapter and its shader compiler: the driver, or the browser with its version.
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

    /// Returns whether the platform is slow to notice finished work.
    #[cfg(target_arch = "wasm32")]
    pub(super) fn polls_seldom(&self) -> bool {
        self.polls_seldom
    }

    /// How long to wait for the GPU before it counts as hung. Browsers and drivers reset a GPU after some
    /// seconds; a software adapter may compute for minutes.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(if self.adapter.fallback { 900 } else { 60 })
    }

    /// A poll that waits for the submitted work, with a timeout.
    pub(super) fn wait(&self) -> wgpu::PollType {
        wgpu::PollType::Wait { submission_index: None, timeout: Some(self.patience()) }
    }

    /// Marks the device as lost.
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

    /// If the device was lost, returns that loss, which caused the error; otherwise the error itself.
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

/// The lower of both limits: old drivers have lower ones than WebGPU's defaults.
#[cfg(not(target_arch = "wasm32"))]
fn within(limits: &wgpu::Limits, adapter: &wgpu::Adapter) -> wgpu::Limits {
    limits.clone().or_worse_values_from(&adapter.limits())
}

/// Every browser adapter supports WebGPU's default limits.
#[cfg(target_arch = "wasm32")]
fn within(limits: &wgpu::Limits, _adapter: &wgpu::Adapter) -> wgpu::Limits {
    limits.clone()
}
