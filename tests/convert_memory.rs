//! Peak memory of converting a tensor. In its own file, because the allocator counts all threads of the process.

#![cfg(not(target_arch = "wasm32"))]

use mobilebert::weights::{Dtype, RawTensor, WeightFormat};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

#[test]
fn converting_a_tensor_does_not_copy_it_as_floats() {
    let (rows, columns) = (4000, 256);
    for storage in [WeightFormat::F16, WeightFormat::Q8, WeightFormat::Q4] {
        let bytes = (0..rows * columns).flat_map(|index| (index as f32).sin().to_le_bytes()).collect();
        let name = "bert.encoder.layer.0.output.dense.weight".into();
        let raw = RawTensor { name, dtype: Dtype::F32, shape: vec![rows, columns], bytes };
        let before = ALLOCATED.current_usage();
        ALLOCATED.reset_peak_usage();
        let converted = storage.convert(raw).unwrap();
        let peak = ALLOCATED.peak_usage() - before;
        let stored = converted.tensor.bytes.len() + converted.scale.map_or(0, |scale| scale.bytes.len());
        assert!(peak < stored + 16 * 1024, "{storage}: {peak} bytes at peak for a result of {stored}");
    }
}
