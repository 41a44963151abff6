//! Runs CPU twins with every instruction set.

use mobilebert::kernels::{Simd, Workers};

/// Runs `work` with every instruction set of this machine, and checks that one and three threads give identical bits.
/// Returns the results by name of the instruction set.
pub fn with_every_simd(len: usize, work: impl Fn(&mut [f32], &Workers)) -> Vec<(&'static str, Vec<f32>)> {
    let mut results = Vec::new();
    for simd in Simd::available() {
        let compute = |threads: usize| {
            let workers = Workers::new(threads, simd).unwrap();
            assert_eq!((workers.threads(), workers.simd()), (threads, simd));
            let mut output = vec![f32::NAN; len];
            work(&mut output, &workers);
            output
        };
        let single_threaded = compute(1);
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert!(
            bits(&single_threaded) == bits(&compute(3)),
            "{}: one and three threads give different results",
            simd.name()
        );
        results.push((simd.name(), single_threaded));
    }
    results
}
