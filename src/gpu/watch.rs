//! Error scopes around work on a device.

use std::time::Duration;

use crate::error::{Error, Result};

/// Two nested error scopes.
pub(super) struct Watch {
    #[cfg(target_arch = "wasm32")]
    patience: Duration,
    memory: wgpu::ErrorScopeGuard,
    validation: wgpu::ErrorScopeGuard,
}

impl Watch {
    /// Opens the scopes. Waiting for their errors times out after `patience` where the platform has no
    /// timeout of its own.
    pub(super) fn open(device: &wgpu::Device, patience: Duration) -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        let _ = patience;
        Watch {
            #[cfg(target_arch = "wasm32")]
            patience,
            memory: device.push_error_scope(wgpu::ErrorFilter::OutOfMemory),
            validation: device.push_error_scope(wgpu::ErrorFilter::Validation),
        }
    }

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

/// The reason given when a hung GPU counts as lost.
pub(super) fn overdue(patience: Duration) -> String {
    format!("it did not finish within {} seconds", patience.as_secs())
}

/// Stops waiting for a browser's device that doesn't respond.
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
