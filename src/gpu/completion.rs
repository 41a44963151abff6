//! Waiting for the device.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use super::device::Device;
use crate::error::{Error, Result};

/// Interval between empty submits in Firefox.
#[cfg(target_arch = "wasm32")]
const FIREFOX_WAKES: std::time::Duration = std::time::Duration::from_millis(2);

/// Shared by a platform callback and the code waiting for it. `T` is what the callback reports.
pub(super) struct Completion<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    outcome: Option<T>,
    waker: Option<Waker>,
}

impl<T> Completion<T> {
    pub(super) fn new() -> Self {
        Completion(Arc::new(Mutex::new(State { outcome: None, waker: None })))
    }

    /// Resolves the future; for the callback.
    pub(super) fn complete(&self, outcome: T) {
        let mut state = self.lock();
        state.outcome = Some(outcome);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// The callback's result, or `None` if the device failed first or took longer than [`Device::patience`].
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) async fn wait(&self, device: &Device) -> Option<T> {
        // Callbacks run while the device is polled.
        let polled = device.device.poll(device.wait());
        if polled.is_ok() && self.lock().outcome.is_none() {
            let _ = device.device.poll(wgpu::PollType::Poll);
        }
        if polled.is_err_and(|error| matches!(error, wgpu::PollError::Timeout)) {
            device.give_up();
        }
        self.lock().outcome.take()
    }

    /// The callback's result, or `None` if it took longer than [`Device::patience`]; the event loop calls it.
    /// Firefox checks for finished work only every 100 ms or on a submit, so there an empty submit every few
    /// milliseconds wakes it up.
    #[cfg(target_arch = "wasm32")]
    pub(super) async fn wait(&self, device: &Device) -> Option<T> {
        use super::timer::Timer;
        let mut timer = device.polls_seldom().then(|| Timer::start(FIREFOX_WAKES));
        let limit = Timer::start(device.patience());
        std::future::poll_fn(|context| {
            let mut state = self.lock();
            if let Some(outcome) = state.outcome.take() {
                return std::task::Poll::Ready(Some(outcome));
            }
            state.waker = Some(context.waker().clone());
            if limit.elapsed(context) {
                device.give_up();
                return std::task::Poll::Ready(None);
            }
            if let Some(timer) = &mut timer
                && timer.elapsed(context)
            {
                device.queue.submit(None);
                *timer = Timer::start(FIREFOX_WAKES);
                timer.elapsed(context);
            }
            std::task::Poll::Pending
        })
        .await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Completion<T> {
    fn clone(&self) -> Self {
        Completion(Arc::clone(&self.0))
    }
}

/// Waits until all submitted work is done. `what` describes it in errors.
///
/// # Errors
/// What the device has reported; [`Error::DeviceLost`] if it takes longer than [`Device::patience`].
pub(super) async fn all_work(device: &Device, what: &str) -> Result<()> {
    let done = submitted_work(device).await;
    device.check(what)?;
    if done { Ok(()) } else { Err(Error::DeviceLost { reason: format!("{what} didn't finish") }) }
}

async fn submitted_work(device: &Device) -> bool {
    let done = Completion::new();
    let callback = done.clone();
    device.queue.on_submitted_work_done(move || callback.complete(()));
    done.wait(device).await.is_some()
}
