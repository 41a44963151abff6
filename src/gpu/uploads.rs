//! Uploads in flight to the device.

use crate::error::{Error, Result};

use super::device::Device;

/// Uploads are flushed whenever this much is in flight, so that staging copies don't pile up.
const FLUSH_BYTES: u64 = 16 << 20;

/// Uploads in flight.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    bytes: u64,
    #[cfg(target_arch = "wasm32")]
    outcomes: Outcomes,
}

/// Results of uploads, which browsers report later.
#[cfg(target_arch = "wasm32")]
#[derive(Default)]
struct Outcomes(Vec<std::pin::Pin<Box<dyn Future<Output = Result<()>>>>>);

#[cfg(target_arch = "wasm32")]
impl std::fmt::Debug for Outcomes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} outcomes", self.0.len())
    }
}

impl Uploads {
    /// Waits for an upload's outcome if the platform knows it immediately; a browser's is kept for
    /// [`Self::settle`].
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn expect(&mut self, outcome: impl Future<Output = Result<()>>) -> Result<()> {
        pollster::block_on(outcome)
    }

    /// Waits for an upload's outcome if the platform knows it immediately; a browser's is kept for
    /// [`Self::settle`].
    #[cfg(target_arch = "wasm32")]
    pub(super) fn expect(&mut self, outcome: impl Future<Output = Result<()>> + 'static) -> Result<()> {
        self.outcomes.0.push(Box::pin(outcome));
        Ok(())
    }

    /// Counts written bytes, and flushes them if there are many.
    pub(super) fn add(&mut self, bytes: u64, device: &Device) -> Result<()> {
        self.bytes += bytes;
        if self.bytes >= FLUSH_BYTES { self.flush(device) } else { Ok(()) }
    }

    /// Submits what has been written so far, so that its staging copies can be freed.
    fn flush(&mut self, device: &Device) -> Result<()> {
        self.bytes = 0;
        device.queue.submit(None);
        // Natively, this waits and frees them; browsers free them on their own.
        device.device.poll(device.wait()).map_err(|error| Error::DeviceLost { reason: error.to_string() })?;
        device.check("upload")
    }

    /// Waits until all uploads are known to have succeeded.
    pub(super) async fn settle(&mut self, device: &Device) -> Result<()> {
        if self.bytes > 0 {
            self.flush(device)?;
        }
        #[cfg(target_arch = "wasm32")]
        for outcome in std::mem::take(&mut self.outcomes.0) {
            outcome.await?;
        }
        Ok(())
    }
}
