//! Every buffer on the device is an [`Allocation`], counted in a [`Ledger`] and destroyed when dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// WebGPU's guaranteed alignment of offsets into uniform and storage buffers, in bytes.
pub(super) const ALIGNMENT: u64 = 256;

/// An executor's memory on its device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Number of buffers.
    pub buffers: usize,
    /// Their total size in bytes.
    pub bytes: u64,
}

/// Counts live buffers.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    buffers: AtomicUsize,
    bytes: AtomicU64,
}

impl Ledger {
    pub(super) fn memory(&self) -> Memory {
        Memory { buffers: self.buffers.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }
}

/// A buffer and its entry in the ledger.
#[derive(Debug)]
pub(super) struct Allocation {
    buffer: wgpu::Buffer,
    ledger: Arc<Ledger>,
}

impl Allocation {
    /// A buffer of at least `bytes`, rounded up to a multiple of four floats, because kernels read vectors.
    pub(super) fn new(
        device: &wgpu::Device,
        ledger: &Arc<Ledger>,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Self {
        let size = padded(bytes);
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage,
            mapped_at_creation: false,
        });
        ledger.buffers.fetch_add(1, Ordering::Relaxed);
        ledger.bytes.fetch_add(size, Ordering::Relaxed);
        Allocation { buffer, ledger: Arc::clone(ledger) }
    }
}

impl std::ops::Deref for Allocation {
    type Target = wgpu::Buffer;

    fn deref(&self) -> &wgpu::Buffer {
        &self.buffer
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        self.ledger.buffers.fetch_sub(1, Ordering::Relaxed);
        self.ledger.bytes.fetch_sub(self.buffer.size(), Ordering::Relaxed);
        // In browsers, it can take a long time until an unused buffer is garbage collected.
        self.buffer.destroy();
    }
}

/// The allocated size of a buffer of `bytes`.
pub(super) fn padded(bytes: u64) -> u64 {
    bytes.max(1).next_multiple_of(16)
}
