//! A JavaScript listener that follows a call with several runs and can stop it.

use std::ops::ControlFlow;

use js_sys::{Function, Promise};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::wasm::convert::object;

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

    /// Like [`Watch::note`], with an object that is only created for a listener.
    pub async fn note_object(&mut self, progress: &impl Serialize) -> ControlFlow<()> {
        if self.listener.is_none() {
            return ControlFlow::Continue(());
        }
        match object(progress) {
            Ok(progress) => self.note(progress).await,
            Err(error) => {
                self.thrown = Some(error.into());
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
