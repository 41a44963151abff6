//! A JavaScript listener that follows a call with several runs and can stop it.

use std::ops::ControlFlow;

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// The listener, and the error that it threw.
pub struct Watch {
    listener: Option<Function>,
    thrown: Option<JsValue>,
}

impl Watch {
    /// Wraps an optional listener.
    pub fn new(listener: Option<Function>) -> Self {
        Watch { listener, thrown: None }
    }

    /// Awaits the listener; stops the call if it returns `false` or throws.
    pub async fn note(&mut self, progress: impl Into<JsValue>) -> ControlFlow<()> {
        let Some(listener) = &self.listener else { return ControlFlow::Continue(()) };
        match answer(listener, &progress.into()).await {
            Ok(returned) if returned == JsValue::FALSE => ControlFlow::Break(()),
            Ok(_) => ControlFlow::Continue(()),
            Err(error) => {
                self.thrown = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// Fails with the error that the listener threw.
    pub fn check(self) -> Result<(), JsValue> {
        self.thrown.map_or(Ok(()), Err)
    }
}

async fn answer(listener: &Function, progress: &JsValue) -> Result<JsValue, JsValue> {
    let returned = listener.call1(&JsValue::UNDEFINED, progress)?;
    JsFuture::from(Promise::resolve(&returned)).await
}
