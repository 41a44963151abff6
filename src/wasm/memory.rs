//! Records failed allocations. If Rust can't handle one, the module traps, and a trap carries no message; so
//! the allocator records the last failed allocation, and JavaScript queries it after a trap.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use wasm_bindgen::prelude::wasm_bindgen;

/// Size in bytes of the last allocation if it failed, otherwise 0.
static REFUSED: AtomicUsize = AtomicUsize::new(0);

struct TrackingAllocator;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator;

/// Returns an allocation's result after recording whether it failed.
fn track(memory: *mut u8, bytes: usize) -> *mut u8 {
    REFUSED.store(if memory.is_null() { bytes } else { 0 }, Relaxed);
    memory
}

// SAFETY: forwards to the system's allocator; nothing here allocates. Not inlined, because of its many callers.
unsafe impl GlobalAlloc for TrackingAllocator {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the contract.
        track(unsafe { System.alloc(layout) }, layout.size())
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        track(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    #[inline(never)]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as above.
        track(unsafe { System.realloc(memory, layout, bytes) }, bytes)
    }

    #[inline(never)]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Size in bytes of the last allocation if it failed, otherwise 0: after a trap, the allocation that caused
/// it.
#[wasm_bindgen(js_name = refusedBytes)]
pub fn refused_bytes() -> usize {
    REFUSED.load(Relaxed)
}
