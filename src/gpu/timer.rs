//! `setTimeout` as a future.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use wasm_bindgen::prelude::*;

#[derive(Default)]
struct State {
    elapsed: bool,
    waker: Option<Waker>,
}

/// Wakes its task once after some time, unless it has been dropped.
pub(super) struct Timer {
    state: Rc<RefCell<State>>,
    /// The handle that `setTimeout` returned.
    id: JsValue,
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    pub(super) fn start(time: Duration) -> Self {
        let state = Rc::new(RefCell::new(State::default()));
        let shared = Rc::clone(&state);
        let callback = Closure::new(move || {
            let mut state = shared.borrow_mut();
            state.elapsed = true;
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        });
        let milliseconds = JsValue::from_f64(time.as_secs_f64() * 1000.0);
        let id = call("setTimeout", callback.as_ref(), &milliseconds);
        Timer { state, id, _callback: callback }
    }

    /// Returns whether the time has passed; if not, the task is woken when it has.
    pub(super) fn elapsed(&self, context: &Context<'_>) -> bool {
        let mut state = self.state.borrow_mut();
        if !state.elapsed {
            state.waker = Some(context.waker().clone());
        }
        state.elapsed
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        call("clearTimeout", &self.id, &JsValue::UNDEFINED);
    }
}

/// Calls a global function that both pages and workers have; elsewhere only the platform's own callback wakes
/// the task.
fn call(name: &str, first: &JsValue, second: &JsValue) -> JsValue {
    let global = js_sys::global();
    let function = js_sys::Reflect::get(&global, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
    let function = function.dyn_ref::<js_sys::Function>();
    let returned = function.and_then(|function| function.call2(&global, first, second).ok());
    returned.unwrap_or(JsValue::UNDEFINED)
}
