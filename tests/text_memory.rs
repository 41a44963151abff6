//! Peak memory of tokenizing a text without spaces. In its own file, because the allocator counts all threads of the process.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use peak_alloc::PeakAlloc;
use support::tokenizers::uncased;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

#[test]
fn a_text_without_spaces_takes_little_more_memory_than_its_pieces() {
    let tokenizer = uncased();
    for part in ["x", "я", "東京", "SGVsbG8sIHdvcmxkIQ+/", "{\"the\":[1,2],\"tower\":[3,4]},"] {
        let text = part.repeat(1_000_000 / part.len());
        let before = ALLOCATED.current_usage();
        ALLOCATED.reset_peak_usage();
        let pieces = tokenizer.encode(&text).unwrap();
        let peak = ALLOCATED.peak_usage() - before;
        let reserved = pieces.capacity().max(text.len() / 4) * size_of_val(&pieces[0]);
        // The list of pieces grows by doubling, while the shorter one still exists.
        let most = reserved + reserved / 2 + 6_000_000;
        assert!(peak < most, "{part}: {peak} bytes at peak, at most {most} expected");
    }
}
