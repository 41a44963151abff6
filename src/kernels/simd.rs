//! The one place that knows instruction sets. Kernels are written once over [`Lanes`] and instantiated for each set.
//!
//! WebAssembly has SIMD128 by a compile-time feature, aarch64 has NEON always, x86-64 has SSE2 always and AVX2 with FMA
//! where the processor says so at run time.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(not(target_arch = "wasm32"))]
mod portable;
#[cfg(target_arch = "wasm32")]
mod wasm;

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

    /// [`Simd::lanes`] of the widest set.
    pub(super) const MOST_LANES: usize = 16;

    /// Columns that a packed panel holds side by side.
    pub fn lanes(self) -> usize {
        match self.0 {
            Kind::Baseline => BASELINE_LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => Self::MOST_LANES,
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
    /// As many whole numbers.
    type Whole: Whole<L>;
    /// All zero.
    fn zero() -> Self;
    /// From memory.
    fn load(from: &[f32; L]) -> Self;
    /// The nearest floats.
    fn from_whole(whole: Self::Whole) -> Self;
    /// To memory.
    fn store(self, to: &mut [f32; L]);
    /// `self + factor · other`, fused where the instruction set has it.
    fn add_scaled(self, factor: f32, other: Self) -> Self;
    /// `self + other`.
    fn add(self, other: Self) -> Self;
    /// `self ∘ other`.
    fn multiply(self, other: Self) -> Self;
    /// 0 in place of what is below; NaN stays.
    fn relu(self) -> Self;
}

/// `L` sums in 32 bits of products of pairs in 16 bits, the unit of the matrix product of bytes.
pub(super) trait Whole<const L: usize>: Copy {
    /// `L` pairs.
    type Pairs: Copy;
    /// All zero.
    fn zero() -> Self;
    /// From memory.
    fn load(from: &[[i16; 2]; L]) -> Self::Pairs;
    /// `self + left[0] · right[0] + left[1] · right[1]` in every lane. Only a pair of four `i16::MIN` overflows.
    fn add_products(self, left: [i16; 2], right: Self::Pairs) -> Self;
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
type Baseline = portable::Fused<8>;
#[cfg(target_arch = "aarch64")]
const BASELINE_LANES: usize = 8;
#[cfg(target_arch = "aarch64")]
const BASELINE_ROWS: usize = 8;

#[cfg(not(any(target_arch = "wasm32", target_arch = "aarch64")))]
type Baseline = portable::Separate<8>;
#[cfg(not(any(target_arch = "wasm32", target_arch = "aarch64")))]
const BASELINE_LANES: usize = 8;
#[cfg(not(any(target_arch = "wasm32", target_arch = "aarch64")))]
const BASELINE_ROWS: usize = 4;

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

    struct Elements;

    impl Task for Elements {
        type Output = [f32; 4];

        #[inline(always)]
        fn run<V: Lanes<L>, const L: usize, const R: usize>(self) -> Self::Output {
            let mut values = [5.0; L];
            values[..4].copy_from_slice(&[-2.0, 3.0, f32::NAN, -0.5]);
            let mut out = [0.0; L];
            V::load(&values).multiply(V::load(&[2.0; L])).add(V::load(&[1.0; L])).relu().store(&mut out);
            [out[0], out[1], out[2], out[L - 1]]
        }
    }

    #[test]
    fn what_is_not_a_number_is_not_rectified_to_zero() {
        for set in Simd::available() {
            let [negative, positive, none, last] = set.run(Elements);
            assert_eq!((negative, positive, last), (0.0, 7.0, 11.0), "{}", set.name());
            assert!(none.is_nan(), "{}", set.name());
        }
    }

    struct Products;

    impl Task for Products {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run<V: Lanes<L>, const L: usize, const R: usize>(self) -> Self::Output {
            let right = std::array::from_fn(|lane| [lane as i16 * 100, i16::MIN]);
            let sum = V::Whole::zero().add_products([-3, i16::MAX], V::Whole::load(&right));
            let sum = sum.add_products([i16::MIN, 2], V::Whole::load(&right));
            let mut out = [0.0; L];
            V::from_whole(sum).store(&mut out);
            out.to_vec()
        }
    }

    #[test]
    fn products_of_whole_numbers_keep_their_signs_and_their_lanes() {
        for set in Simd::available() {
            let lane = |lane| {
                let (lane, lowest, highest) = (lane as i32 * 100, i32::from(i16::MIN), i32::from(i16::MAX));
                ((-3 * lane + highest * lowest) + (lowest * lane + 2 * lowest)) as f32
            };
            let expected: Vec<f32> = (0..set.lanes()).map(lane).collect();
            assert_eq!(set.run(Products), expected, "{}", set.name());
        }
    }
}
