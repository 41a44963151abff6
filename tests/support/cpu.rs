//! CPU twins in every way that this machine can compute them.

use mobilebert::kernels::{Simd, Workers};

/// Runs `work` in every instruction set with one thread and with three, and wants the same bits from both.
pub fn in_every_way(len: usize, work: impl Fn(&mut [f32], &Workers)) -> Vec<(&'static str, Vec<f32>)> {
    let mut results = Vec::new();
    for simd in Simd::available() {
        let compute = |threads: usize| {
            let workers = Workers::new(threads, simd).unwrap();
            assert_eq!((workers.threads(), workers.simd()), (threads, simd));
            let mut output = vec![f32::NAN; len];
            work(&mut output, &workers);
            output
        };
        let one = compute(1);
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert!(
            bits(&one) == bits(&compute(3)),
            "{}: three threads compute something else than one",
            simd.name()
        );
        results.push((simd.name(), one));
    }
    results
}
