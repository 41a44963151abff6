//! `setTimeout` as something to wait for.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Waker};

use wasm_bindgen::prelude::*;

const MILLISECONDS: f64 = 2.0;

#[derive(Default)]
struct State {
    elapsed: bool,
    waker: Option<Waker>,
}

/// Wakes its task once, a few milliseconds after its start.
pub(super) struct Timer(Rc<RefCell<State>>);

impl Timer {
    pub(super) fn start() -> Self {
        let state = Rc::new(RefCell::new(State::default()));
        let shared = Rc::clone(&state);
        let callback = Closure::once_into_js(move || {
            let mut state = shared.borrow_mut();
            state.elapsed = true;
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        });
        // Pages and workers both have setTimeout; elsewhere the platform's own callback is the only one.
        let global = js_sys::global();
        if let Ok(set_timeout) = js_sys::Reflect::get(&global, &JsValue::from_str("setTimeout"))
            && let Some(set_timeout) = set_timeout.dyn_ref::<js_sys::Function>()
        {
            let _ = set_timeout.call2(&global, &callback, &JsValue::from_f64(MILLISECONDS));
        }
        Timer(state)
    }

    /// Whether the time has passed; if not, the task is woken when it has.
    pub(super) fn elapsed(&self, context: &Context<'_>) -> bool {
        let mut state = self.0.borrow_mut();
        if !state.elapsed {
            state.waker = Some(context.waker().clone());
        }
        state.elapsed
    }
}
