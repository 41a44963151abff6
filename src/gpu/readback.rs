//! Waiting for results to come back from the device.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use crate::error::{Error, Result};

use super::device::Device;

/// What the callback of a mapping and the one who waits for it share.
#[derive(Default)]
struct Mapping {
    done: Option<bool>,
    waker: Option<Waker>,
}

/// Maps `buffer`, hands its first `bytes` to `read`, and unmaps it. The work that fills it has been submitted.
pub(super) async fn read_back<T>(
    device: &Device,
    buffer: &wgpu::Buffer,
    bytes: u64,
    read: impl FnOnce(&[f32]) -> T,
) -> Result<T> {
    let mapping = Arc::new(Mutex::new(Mapping::default()));
    let shared = Arc::clone(&mapping);
    buffer.map_async(wgpu::MapMode::Read, 0..bytes, move |outcome| {
        let mut mapping = lock(&shared);
        mapping.done = Some(outcome.is_ok());
        if let Some(waker) = mapping.waker.take() {
            waker.wake();
        }
    });
    wait(device, &mapping).await;
    if lock(&mapping).done != Some(true) {
        device.check("readback")?;
        return Err(Error::DeviceLost { reason: "the results could not be read back".to_owned() });
    }
    let result = {
        let view = buffer
            .get_mapped_range(0..bytes)
            .map_err(|error| Error::internal("readback", error.to_string()))?;
        match bytemuck::try_cast_slice(&view) {
            Ok(values) => Ok(read(values)),
            Err(error) => Err(Error::internal("readback", error.to_string())),
        }
    };
    buffer.unmap();
    result
}

/// Natively callbacks run while the device is polled.
#[cfg(not(target_arch = "wasm32"))]
async fn wait(device: &Device, mapping: &Arc<Mutex<Mapping>>) {
    // A failed poll leaves the mapping undone, and the caller reports that.
    if device.device.poll(wgpu::PollType::wait_indefinitely()).is_ok() && lock(mapping).done.is_none() {
        let _ = device.device.poll(wgpu::PollType::Poll);
    }
}

/// In browsers the event loop calls back. Firefox looks for finished work every 100 ms only, or when something is
/// submitted: there an empty submit every few milliseconds wakes it.
#[cfg(target_arch = "wasm32")]
async fn wait(device: &Device, mapping: &Arc<Mutex<Mapping>>) {
    let mut timer = device.polls_seldom().then(timer::Timer::start);
    std::future::poll_fn(|context| {
        let mut mapping = lock(mapping);
        if mapping.done.is_some() {
            return std::task::Poll::Ready(());
        }
        mapping.waker = Some(context.waker().clone());
        if let Some(timer) = &mut timer
            && timer.elapsed(context)
        {
            device.queue.submit(None);
            *timer = timer::Timer::start();
            timer.elapsed(context);
        }
        std::task::Poll::Pending
    })
    .await
}

fn lock(mapping: &Mutex<Mapping>) -> std::sync::MutexGuard<'_, Mapping> {
    mapping.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_arch = "wasm32")]
mod timer {
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

    /// Wakes its task once, a few milliseconds from its start.
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
            // Pages and workers both have setTimeout; where there is none the mapping alone wakes the task.
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
}
