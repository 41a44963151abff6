//! Peak memory of reading PyTorch checkpoints. In its own file, because the allocator counts all threads of
//! the process.

#![cfg(not(target_arch = "wasm32"))]

#[path = "support/mod.rs"]
mod support;

use std::sync::{Mutex, MutexGuard};

use mobilebert::weights::Stream;
use peak_alloc::PeakAlloc;
use support::random::Random;
use support::torch::{Pickle, Style, View, zip};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Reads a file, dropping its tensors; returns the peak memory allocated for it.
fn peak_of_reading(file: &[u8], total: Option<u64>) -> usize {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let mut stream = Stream::new("pytorch_model.bin", total);
    let read = file.chunks(1 << 16).try_for_each(|chunk| stream.push(chunk).map(drop));
    let _ = read.and_then(|()| stream.finish());
    ALLOCATED.peak_usage().saturating_sub(before)
}

const VALUES: i64 = 1 << 20;

fn views(transposed: bool) -> Vec<View<'static>> {
    let strides: &[i64] = if transposed { &[1, 1 << 10] } else { &[1 << 10, 1] };
    let view = |name, key| View { name, key, len: VALUES, offset: 0, shape: &[1 << 10, 1 << 10], strides };
    vec![view("a", "0"), view("b", "1"), view("c", "2"), view("d", "3")]
}

#[test]
fn one_storage_and_the_last_tensor_are_held_at_a_time() {
    let _alone = alone();
    let storage = vec![0; 4 * VALUES as usize];
    for transposed in [false, true] {
        let storages = ["0", "1", "2", "3"].map(|key| (key, storage.clone()));
        let file = zip(&Pickle::tensors(&views(transposed), false), &storages, Style::Torch);
        for total in [Some(file.len() as u64), None] {
            let peak = peak_of_reading(&file, total);
            assert!(peak < 2 * storage.len() + (1 << 18), "transposed: {transposed}: {peak} bytes at peak");
        }
    }
}

/// Pickles that refer to one long value many times. Each needs hundreds of megabytes if every reference is a copy.
fn repetitions() -> [Vec<u8>; 4] {
    const TENSOR: &[u8] = b"ctorch._utils\n_rebuild_tensor_v2\n";
    const DICT: &[u8] = b"ccollections\nOrderedDict\n";
    let name = [b"X".to_vec(), 60_000u32.to_le_bytes().to_vec(), b"a".repeat(60_000)].concat();
    // A storage with this name as its key.
    let storage =
        [b"\x80\x02".to_vec(), name, b"q\0ctorch\nFloatStorage\nq\x01(Nh\x01h\0NK\x01tq\x02".to_vec()];
    let storage = storage.concat();
    let shape =
        [b"\x80\x02K\x01q\0(", &b"h\0".repeat(200_000)[..], b"tq\x01(NK\0h\x01h\x01tq\x02", TENSOR, b"q\x03"];
    let pairs = [b"\x80\x02NN\x86q\0](", &b"h\0".repeat(200_000)[..], b"e\x85q\x01", DICT, b"q\x02"];
    // A tensor without values.
    let tensor = [TENSOR, b"(h\x02QK\0K\0\x85K\x01\x85tRq\x03"].concat();
    [
        [shape.concat(), b"h\x03h\x02R".repeat(100), b".".to_vec()].concat(),
        [pairs.concat(), b"h\x02h\x01R".repeat(200), b".".to_vec()].concat(),
        [storage.clone(), b"h\x02Q".repeat(5_000), b".".to_vec()].concat(),
        [storage, tensor, b"}(".to_vec(), b"h\0h\x03".repeat(5_000), b"u.".to_vec()].concat(),
    ]
}

/// Each is at most 15 MB, but describes values of hundreds of megabytes, or terabytes.
#[test]
fn size_bombs_allocate_little() {
    let _alone = alone();
    let one = |len: i64, shape: &[i64], strides: &[i64]| {
        let view = View { name: "a", key: "0", len, offset: 0, shape, strides };
        zip(&Pickle::tensors(&[view], false), &[("0", vec![0; 64])], Style::Torch)
    };
    let names: Vec<String> = (0..20_000).map(|index| format!("t{index}")).collect();
    let shared: Vec<View<'_>> = names
        .iter()
        .map(|name| View { name, key: "0", len: 1 << 14, offset: 0, shape: &[1 << 14], strides: &[1] })
        .collect();
    let bombs = [
        one(1 << 60, &[1 << 30, 1 << 30], &[1 << 30, 1]),
        one(1 << 31, &[1 << 31], &[1]),
        one(16, &[1 << 20, 1 << 20], &[0, 0]),
        zip(&Pickle::tensors(&shared, false), &[("0", vec![0; 1 << 16])], Style::Torch),
        zip(&[b"\x80\x02".to_vec(), b"]q\0h\0h\0".repeat(300_000)].concat(), &[], Style::Torch),
        zip(&[b"\x80\x02".to_vec(), b"(".repeat(2_000_000)].concat(), &[], Style::Torch),
        zip(&[b"\x80\x02".to_vec(), b"}q\0".repeat(5_000_000)].concat(), &[], Style::Torch),
    ];
    let repetitions = repetitions().map(|pickle| zip(&pickle, &[], Style::Torch));
    for (index, bomb) in bombs.iter().chain(&repetitions).enumerate() {
        let peak = peak_of_reading(bomb, Some(bomb.len() as u64));
        assert!(peak < 40 << 20, "bomb {index}: {peak} bytes at peak");
    }
}

#[test]
fn damaged_files_allocate_little() {
    let _alone = alone();
    let random = &mut Random::new(11);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pytorch");
    for name in ["tensors.bin", "tensors-legacy.bin"] {
        let whole = std::fs::read(format!("{folder}/{name}")).unwrap();
        for _ in 0..2000 {
            let mut bytes = whole.clone();
            let at = random.below(bytes.len());
            bytes[at] = random.below(256) as u8;
            let peak = peak_of_reading(&bytes, Some(bytes.len() as u64));
            assert!(peak < 1 << 20, "{name}: {peak} bytes at peak with byte {at} set to {}", bytes[at]);
        }
    }
}
