//! The names that adapters report, natively and in browsers.

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

/// Why there is no adapter, without wgpu's list of backends that aren't compiled in.
pub(super) fn cause(error: wgpu::RequestAdapterError) -> String {
    match error {
        wgpu::RequestAdapterError::NotFound { .. } if cfg!(target_arch = "wasm32") => {
            "WebGPU found no adapter".to_owned()
        }
        wgpu::RequestAdapterError::NotFound { .. } => {
            "no Vulkan, Metal or Direct3D 12 driver was found".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub(super) fn driver(adapter: &wgpu::Adapter) -> String {
    adapter.get_info().driver_info
}

#[cfg(target_arch = "wasm32")]
pub(super) fn driver(_adapter: &wgpu::Adapter) -> String {
    agent()
}

#[cfg(not(target_arch = "wasm32"))]
pub(super) fn describe(adapter: &wgpu::Adapter, _device: &wgpu::Device) -> Adapter {
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

/// Returns whether WebGPU can be used: wgpu panics outside of pages and workers, such as in Node.
#[cfg(target_arch = "wasm32")]
pub(super) fn has_webgpu() -> bool {
    let global = js_sys::global();
    let in_browser = ["Window", "WorkerGlobalScope"].iter().any(|kind| !get(&global, kind).is_undefined());
    in_browser && !get(&get(&global, "navigator"), "gpu").is_undefined()
}

#[cfg(target_arch = "wasm32")]
pub(super) fn is_firefox() -> bool {
    agent().contains("Firefox/")
}

/// The browser and its version; empty in Node 20, which has no `navigator`.
#[cfg(target_arch = "wasm32")]
fn agent() -> String {
    let navigator = get(&js_sys::global(), "navigator");
    if navigator.is_undefined() {
        return String::new();
    }
    // A worker has a `WorkerNavigator`, which has the same property.
    let navigator = wasm_bindgen::JsCast::unchecked_into::<web_sys::Navigator>(navigator);
    navigator.user_agent().unwrap_or_default()
}

/// wgpu omits most of `GPUAdapterInfo`, so it is read directly.
#[cfg(target_arch = "wasm32")]
pub(super) fn describe(_adapter: &wgpu::Adapter, device: &wgpu::Device) -> Adapter {
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

/// Detects software adapters by name, for browsers without `isFallbackAdapter`.
#[cfg(target_arch = "wasm32")]
fn is_software(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["swiftshader", "llvmpipe", "lavapipe", "basic render"].iter().any(|known| name.contains(known))
}
