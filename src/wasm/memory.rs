//! Memory that the browser refuses. Where Rust has no way to go on without it the module traps, and a trap says nothing;
//! so the allocator remembers what it was refused last, and JavaScript asks for that after a trap.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use wasm_bindgen::prelude::wasm_bindgen;

/// Bytes of the allocation that was refused last; 0 as soon as another one succeeds.
static REFUSED: AtomicUsize = AtomicUsize::new(0);

struct TrackingAllocator;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator;

/// Passes an allocation on, and remembers whether it was refused.
fn track(memory: *mut u8, bytes: usize) -> *mut u8 {
    REFUSED.store(if memory.is_null() { bytes } else { 0 }, Relaxed);
    memory
}

// SAFETY: everything is the system's allocator; nothing here allocates. Not inlined: it is called from everywhere.
unsafe impl GlobalAlloc for TrackingAllocator {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the one that is asked for.
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

/// Bytes of the allocation that was refused last, if none succeeded since: after a trap, what it was for want of.
#[wasm_bindgen(js_name = refusedBytes)]
pub fn refused_bytes() -> usize {
    REFUSED.load(Relaxed)
}
