//! A device, what it calls itself, and its failures as typed errors.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};

/// The GPU that runs a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adapter {
    /// Name as reported by the platform; in browsers joined from vendor, architecture and description.
    pub name: String,
    /// `vulkan`, `metal`, `dx12` or `webgpu`.
    pub backend: String,
    /// True if it computes in software (SwiftShader, llvmpipe, WARP), which is slower than the CPU executor.
    pub fallback: bool,
}

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

/// The reason for a missing adapter, without wgpu's list of backends that aren't compiled in.
fn cause(error: wgpu::RequestAdapterError) -> String {
    match error {
        wgpu::RequestAdapterError::NotFound { .. } if cfg!(target_arch = "wasm32") => {
            "WebGPU found no adapter".to_owned()
        }
        wgpu::RequestAdapterError::NotFound { .. } => {
            "no driver of Vulkan, Metal or Direct3D 12 was found".to_owned()
        }
        other => other.to_string(),
    }
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
        if !has_webgpu() {
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
            .map_err(|error| Error::unsupported("the GPU", cause(error)))?;
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
        let driver = driver(&adapter);
        let adapter = describe(&adapter, &device);
        Ok(Device {
            identity: format!("{} ({}) | {driver}", adapter.name, adapter.backend),
            adapter,
            device,
            queue,
            faults,
            #[cfg(target_arch = "wasm32")]
            polls_seldom: is_firefox(),
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
        Watch {
            #[cfg(target_arch = "wasm32")]
            patience: self.patience(),
            memory: self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory),
            validation: self.device.push_error_scope(wgpu::ErrorFilter::Validation),
        }
    }
}

fn lock(faults: &Mutex<Faults>) -> std::sync::MutexGuard<'_, Faults> {
    // The lock is only held to move strings, so a poisoned one still holds a valid value.
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Two nested error scopes.
pub(super) struct Watch {
    #[cfg(target_arch = "wasm32")]
    patience: Duration,
    memory: wgpu::ErrorScopeGuard,
    validation: wgpu::ErrorScopeGuard,
}

impl Watch {
    /// Closes the scopes immediately; the future resolves once the platform reports what they caught. `what` names the
    /// tensor or step, `bytes` is the memory that was requested.
    pub(super) fn end(
        self,
        what: String,
        bytes: u64,
    ) -> impl Future<Output = Result<()>> + wgpu::WasmNotSend {
        let validation = self.validation.pop();
        let memory = self.memory.pop();
        let outcome = async move {
            // Out of memory first: it is the cause of later validation errors.
            if memory.await.is_some() {
                return Err(Error::OutOfMemory { what, bytes });
            }
            match validation.await {
                Some(error) => Err(Error::internal(what, error.to_string())),
                None => Ok(()),
            }
        };
        #[cfg(target_arch = "wasm32")]
        let outcome = in_time(outcome, self.patience);
        outcome
    }
}

fn overdue(patience: Duration) -> String {
    format!("it did not finish within {} seconds", patience.as_secs())
}

/// Ends the wait for a browser's device that doesn't answer.
#[cfg(target_arch = "wasm32")]
async fn in_time(outcome: impl Future<Output = Result<()>>, patience: Duration) -> Result<()> {
    use std::task::Poll;
    let timer = super::timer::Timer::start(patience);
    let mut outcome = std::pin::pin!(outcome);
    std::future::poll_fn(|context| match outcome.as_mut().poll(context) {
        Poll::Pending if timer.elapsed(context) => {
            Poll::Ready(Err(Error::DeviceLost { reason: overdue(patience) }))
        }
        polled => polled,
    })
    .await
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

#[cfg(not(target_arch = "wasm32"))]
fn driver(adapter: &wgpu::Adapter) -> String {
    adapter.get_info().driver_info
}

#[cfg(target_arch = "wasm32")]
fn driver(_adapter: &wgpu::Adapter) -> String {
    agent()
}

#[cfg(not(target_arch = "wasm32"))]
fn describe(adapter: &wgpu::Adapter, _device: &wgpu::Device) -> Adapter {
    let info = adapter.get_info();
    Adapter {
        name: info.name,
        backend: info.backend.to_str().to_owned(),
        fallback: info.device_type == wgpu::DeviceType::Cpu,
    }
}

#[cfg(target_arch = "wasm32")]
fn get(object: &wasm_bindgen::JsValue, field: &str) -> wasm_bindgen::JsValue {
    let field = wasm_bindgen::JsValue::from_str(field);
    js_sys::Reflect::get(object, &field).unwrap_or(wasm_bindgen::JsValue::UNDEFINED)
}

/// wgpu panics outside of pages and workers, as in Node.
#[cfg(target_arch = "wasm32")]
fn has_webgpu() -> bool {
    let global = js_sys::global();
    let in_browser = ["Window", "WorkerGlobalScope"].iter().any(|kind| !get(&global, kind).is_undefined());
    in_browser && !get(&get(&global, "navigator"), "gpu").is_undefined()
}

#[cfg(target_arch = "wasm32")]
fn is_firefox() -> bool {
    agent().contains("Firefox/")
}

/// The browser and its version; empty in Node 20, which has no navigator.
#[cfg(target_arch = "wasm32")]
fn agent() -> String {
    let navigator = get(&js_sys::global(), "navigator");
    if navigator.is_undefined() {
        return String::new();
    }
    // A worker has a `WorkerNavigator`, whose property is the same.
    let navigator = wasm_bindgen::JsCast::unchecked_into::<web_sys::Navigator>(navigator);
    navigator.user_agent().unwrap_or_default()
}

/// wgpu omits most of `GPUAdapterInfo`, so it is read directly.
#[cfg(target_arch = "wasm32")]
fn describe(_adapter: &wgpu::Adapter, device: &wgpu::Device) -> Adapter {
    let info = match device.as_webgpu() {
        Some(device) => get(device.as_ref(), "adapterInfo"),
        None => wasm_bindgen::JsValue::UNDEFINED,
    };
    let mut words: Vec<String> = Vec::new();
    for field in ["vendor", "architecture", "device", "description"] {
        let word = get(&info, field).as_string().unwrap_or_default();
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    let name = if words.is_empty() { "unnamed GPU".to_owned() } else { words.join(" ") };
    let fallback = get(&info, "isFallbackAdapter").as_bool().unwrap_or_else(|| is_software(&name));
    Adapter { name, backend: "webgpu".to_owned(), fallback }
}

/// For browsers without `isFallbackAdapter`.
#[cfg(target_arch = "wasm32")]
fn is_software(name: &str) -> bool {
    let name = name.to_lowercase();
    ["swiftshader", "llvmpipe", "lavapipe", "basic render"].iter().any(|known| name.contains(known))
}
