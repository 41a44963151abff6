//! Errors as thrown to JavaScript: `{ code, message, detail }`.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

use crate::error::Error;

/// The object thrown for `error`. `detail` has the culprit's name under `file`, `tensor`, `field`, `step` or
/// `reason`, and for a tensor also its file.
pub fn thrown(error: &Error) -> JsValue {
    let detail = Object::new();
    if let Some((kind, name)) = error.culprit() {
        set(&detail, kind, name);
    }
    if let Error::Tensor { file: Some(file), .. } = error {
        set(&detail, "file", file);
    }
    let object = Object::new();
    set(&object, "code", error.code().as_str());
    set(&object, "message", &error.to_string());
    // Can't fail for a plain object.
    let _ = Reflect::set(&object, &"detail".into(), &detail);
    object.into()
}

fn set(object: &Object, key: &str, value: &str) {
    let _ = Reflect::set(object, &key.into(), &value.into());
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        thrown(&error)
    }
}
