//! The one place that knows instruction sets. Kernels are written once over [`Lanes`] and instantiated for each set.
//!
//! WebAssembly has SIMD128 by a compile-time feature, aarch64 has NEON always, x86-64 has SSE2 always and AVX2 with FMA
//! where the processor says so at run time.

/// An instruction set that this processor has. Only [`Simd::available`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simd(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Simd {
    /// Every instruction set of this processor that kernels are compiled for, the best one last.
    pub fn available() -> Vec<Simd> {
        #[allow(unused_mut, reason = "one set alone outside x86-64")]
        let mut sets = vec![Simd(Kind::Baseline)];
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            sets.push(Simd(Kind::Avx2));
        }
        sets
    }

    /// The best instruction set of this processor.
    pub fn best() -> Simd {
        Simd::available().pop().unwrap_or(Simd(Kind::Baseline))
    }

    /// What programs print.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2+fma",
            Kind::Baseline if cfg!(target_arch = "wasm32") => "simd128",
            Kind::Baseline if cfg!(target_arch = "aarch64") => "neon",
            Kind::Baseline if cfg!(target_arch = "x86_64") => "sse2",
            Kind::Baseline => "scalar",
        }
    }

    /// Columns that a packed panel holds side by side.
    pub fn lanes(self) -> usize {
        match self.0 {
            Kind::Baseline => BASELINE_LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => 16,
        }
    }

    /// Runs a task compiled for this instruction set, as a function of its own.
    #[inline(never)]
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        match self.0 {
            Kind::Baseline => task.run::<Baseline, BASELINE_LANES, BASELINE_ROWS>(),
            // SAFETY: the only requirement of `with_avx2` is a processor with AVX2 and FMA, and a `Simd` of this kind is
            // made in `Simd::available` alone, after both were detected.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { with_avx2(task) },
        }
    }
}

/// Work that is compiled once for each instruction set. `run` must be `#[inline(always)]`, and so must all that it calls
/// in its loops: what is not inlined is compiled for the baseline.
pub(super) trait Task {
    /// What comes out.
    type Output;
    /// The work; `L` lanes side by side and `R` rows fill the registers of a tile.
    fn run<V: Lanes<L>, const L: usize, const R: usize>(self) -> Self::Output;
}

/// `L` floats side by side, the unit of the matrix product.
pub(super) trait Lanes<const L: usize>: Copy {
    /// All zero.
    fn zero() -> Self;
    /// From memory.
    fn load(from: &[f32; L]) -> Self;
    /// To memory.
    fn store(self, to: &mut [f32; L]);
    /// `self + factor · other`, fused where the instruction set has it.
    fn add_scaled(self, factor: f32, other: Self) -> Self;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<T: Task>(task: T) -> T::Output {
    task.run::<avx2::Wide, 16, 6>()
}

#[cfg(target_arch = "wasm32")]
use wasm::Wide as Baseline;
#[cfg(target_arch = "wasm32")]
const BASELINE_LANES: usize = 8;
#[cfg(target_arch = "wasm32")]
const BASELINE_ROWS: usize = 4;

#[cfg(target_arch = "aarch64")]
type Baseline = Fused<8>;
#[cfg(target_arch = "aarch64")]
const BASELINE_LANES: usize = 8;
#[cfg(target_arch = "aarch64")]
const BASELINE_ROWS: usize = 8;

#[cfg(not(any(target_arch = "wasm32", target_arch = "aarch64")))]
type Baseline = Separate<8>;
#[cfg(not(any(target_arch = "wasm32", target_arch = "aarch64")))]
const BASELINE_LANES: usize = 8;
#[cfg(not(any(target_arch = "wasm32", target_arch = "aarch64")))]
const BASELINE_ROWS: usize = 4;

/// Lanes of an instruction set with a fused multiply-add, as an array that the compiler keeps in vector registers.
#[cfg(target_arch = "aarch64")]
#[derive(Clone, Copy)]
struct Fused<const L: usize>([f32; L]);

#[cfg(target_arch = "aarch64")]
impl<const L: usize> Lanes<L> for Fused<L> {
    #[inline(always)]
    fn zero() -> Self {
        Fused([0.0; L])
    }

    #[inline(always)]
    fn load(from: &[f32; L]) -> Self {
        Fused(*from)
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; L]) {
        *to = self.0;
    }

    #[inline(always)]
    fn add_scaled(mut self, factor: f32, other: Self) -> Self {
        for lane in 0..L {
            self.0[lane] = factor.mul_add(other.0[lane], self.0[lane]);
        }
        self
    }
}

/// Lanes of an instruction set that multiplies and adds in two steps.
#[cfg(not(any(target_arch = "wasm32", target_arch = "aarch64")))]
#[derive(Clone, Copy)]
struct Separate<const L: usize>([f32; L]);

#[cfg(not(any(target_arch = "wasm32", target_arch = "aarch64")))]
impl<const L: usize> Lanes<L> for Separate<L> {
    #[inline(always)]
    fn zero() -> Self {
        Separate([0.0; L])
    }

    #[inline(always)]
    fn load(from: &[f32; L]) -> Self {
        Separate(*from)
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; L]) {
        *to = self.0;
    }

    #[inline(always)]
    fn add_scaled(mut self, factor: f32, other: Self) -> Self {
        for lane in 0..L {
            self.0[lane] += factor * other.0[lane];
        }
        self
    }
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use std::arch::wasm32::{f32x4_add, f32x4_mul, f32x4_splat, v128, v128_load, v128_store};

    use super::Lanes;

    /// Two vectors of four.
    #[derive(Clone, Copy)]
    pub struct Wide([v128; 2]);

    impl Lanes<8> for Wide {
        #[inline(always)]
        fn zero() -> Self {
            Wide([f32x4_splat(0.0); 2])
        }

        #[inline(always)]
        fn load(from: &[f32; 8]) -> Self {
            let from: *const v128 = from.as_ptr().cast();
            // SAFETY: `from` is 32 readable bytes, and `v128_load` asks for no alignment.
            unsafe { Wide([v128_load(from), v128_load(from.add(1))]) }
        }

        #[inline(always)]
        fn store(self, to: &mut [f32; 8]) {
            let to: *mut v128 = to.as_mut_ptr().cast();
            // SAFETY: `to` is 32 writable bytes, and `v128_store` asks for no alignment.
            unsafe {
                v128_store(to, self.0[0]);
                v128_store(to.add(1), self.0[1]);
            }
        }

        #[inline(always)]
        fn add_scaled(self, factor: f32, other: Self) -> Self {
            let factor = f32x4_splat(factor);
            Wide([
                f32x4_add(self.0[0], f32x4_mul(factor, other.0[0])),
                f32x4_add(self.0[1], f32x4_mul(factor, other.0[1])),
            ])
        }
    }
}

/// Written with intrinsics: from arrays of sixteen floats the compiler makes vectors, but not ones that stay in
/// registers.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{__m256, _mm256_fmadd_ps, _mm256_set1_ps, _mm256_setzero_ps};

    use super::Lanes;

    /// Two vectors of eight. Used by `with_avx2` alone, so that every method runs on a processor with AVX2 and FMA.
    #[derive(Clone, Copy)]
    pub struct Wide([__m256; 2]);

    impl Lanes<16> for Wide {
        #[inline(always)]
        fn zero() -> Self {
            // SAFETY: AVX is there, see the type.
            Wide([unsafe { _mm256_setzero_ps() }; 2])
        }

        #[inline(always)]
        fn load(from: &[f32; 16]) -> Self {
            Wide(bytemuck::cast(*from))
        }

        #[inline(always)]
        fn store(self, to: &mut [f32; 16]) {
            *to = bytemuck::cast(self.0);
        }

        #[inline(always)]
        fn add_scaled(self, factor: f32, other: Self) -> Self {
            // SAFETY: AVX and FMA are there, see the type.
            unsafe {
                let factor = _mm256_set1_ps(factor);
                Wide([
                    _mm256_fmadd_ps(factor, other.0[0], self.0[0]),
                    _mm256_fmadd_ps(factor, other.0[1], self.0[1]),
                ])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Lengths;

    impl Task for Lengths {
        type Output = (usize, [f32; 2]);

        #[inline(always)]
        fn run<V: Lanes<L>, const L: usize, const R: usize>(self) -> Self::Output {
            let mut out = [0.0; L];
            V::load(&[2.0; L]).add_scaled(3.0, V::load(&[0.5; L])).store(&mut out);
            (L, [out[0], out[L - 1]])
        }
    }

    #[test]
    fn every_set_of_this_processor_computes_with_its_own_lanes() {
        let sets = Simd::available();
        assert_eq!(sets.last(), Some(&Simd::best()));
        for set in sets {
            assert_eq!(set.run(Lengths), (set.lanes(), [3.5, 3.5]), "{}", set.name());
        }
    }
}
