//! SIMD instruction sets. Kernels are written once over [`Lanes`] and instantiated for each set.
//!
//! WebAssembly uses SIMD128, a compile-time feature; aarch64 always has NEON, and on most processors its dot
//! products; x86-64 always has SSE2. AVX2 with FMA, AVX-VNNI, and AVX-512 with VNNI are detected at run time.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod dotprod;
mod lanes;
mod planes;
#[cfg(not(target_arch = "wasm32"))]
mod portable;
#[cfg(test)]
mod tests;
mod unpack;
#[cfg(target_arch = "wasm32")]
mod wasm;

pub(crate) use lanes::{Arithmetic, IntLanes, Lanes, Task, TileRows};
pub(crate) use planes::Planes;
pub(crate) use unpack::{half, nibbles};

/// An instruction set that this processor supports. Only [`Simd::available`] creates one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simd(pub(crate) Kind);

/// The instruction sets of this architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Dotprod,
    /// The 7-bit planes of WebAssembly's relaxed dot products, in plain code.
    #[cfg(all(test, not(target_arch = "aarch64")))]
    SevenBits,
    /// The second module's kernels, except the 8-bit ones.
    #[cfg(target_arch = "wasm32")]
    Relaxed,
    /// All of the second module's kernels.
    #[cfg(target_arch = "wasm32")]
    RelaxedDot,
}

impl Simd {
    /// The instructions that every processor of this architecture has.
    pub const BASELINE: Simd = Simd(Kind::Baseline);

    /// All instruction sets that kernels are compiled for and that this processor supports, best last.
    pub fn available() -> Vec<Simd> {
        #[allow(unused_mut, reason = "not every architecture has a second set")]
        let mut sets = vec![Simd(Kind::Baseline)];
        #[cfg(all(test, not(target_arch = "aarch64")))]
        sets.push(Simd(Kind::SevenBits));
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as detected;
            let avx2 = detected!("avx2") && detected!("fma") && detected!("f16c");
            if avx2 {
                sets.push(Simd(Kind::Avx2));
            }
            if avx2 && detected!("avxvnni") {
                sets.push(Simd(Kind::AvxVnni));
            }
            let avx512 = detected!("avx512f") && detected!("avx512bw") && detected!("avx512dq");
            if avx2 && avx512 && detected!("avx512vl") && detected!("avx512vnni") {
                sets.push(Simd(Kind::Avx512));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("dotprod") {
            sets.push(Simd(Kind::Dotprod));
        }
        #[cfg(target_arch = "wasm32")]
        if crate::relaxed::installed().is_some() {
            sets.extend([Simd(Kind::Relaxed), Simd(Kind::RelaxedDot)]);
        }
        sets
    }

    /// The best instruction set of this processor.
    pub fn best() -> Simd {
        // All of the second module's sets are available, but not all are fast on every processor.
        #[cfg(target_arch = "wasm32")]
        return crate::relaxed::installed().map_or(Simd::BASELINE, |functions| functions.best());
        #[cfg(not(target_arch = "wasm32"))]
        Simd::available().pop().unwrap_or(Simd::BASELINE)
    }

    /// The available instruction set with this name.
    pub fn named(name: &str) -> Option<Simd> {
        Simd::available().into_iter().find(|simd| simd.name() == name)
    }

    /// Name for logs and reports.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2+fma",
            #[cfg(target_arch = "x86_64")]
            Kind::AvxVnni => "avx2+fma+vnni",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512+vnni",
            #[cfg(target_arch = "aarch64")]
            Kind::Dotprod => "neon+dotprod",
            #[cfg(all(test, not(target_arch = "aarch64")))]
            Kind::SevenBits => "planes of seven bits",
            #[cfg(target_arch = "wasm32")]
            Kind::Relaxed => "relaxed",
            #[cfg(target_arch = "wasm32")]
            Kind::RelaxedDot => "relaxed-dot",
            Kind::Baseline if cfg!(target_arch = "wasm32") => "simd128",
            Kind::Baseline if cfg!(target_arch = "aarch64") => "neon",
            Kind::Baseline if cfg!(target_arch = "x86_64") => "sse2",
            Kind::Baseline => "scalar",
        }
    }

    /// [`Simd::lanes`] of the widest instruction set.
    pub(crate) const MAX_LANES: usize = if cfg!(target_arch = "x86_64") { 32 } else { BASELINE_LANES };

    /// True if tasks are compiled for a set whose [`Simd::adjacent`] is 4.
    pub(crate) const HAS_BYTE_PRODUCTS: bool = cfg!(target_arch = "aarch64") || cfg!(test);

    /// True if panels of floats in fewer bits are unpacked in this module.
    pub(crate) const HAS_COMPACT_PANELS: bool = true;

    /// Columns per packed panel (NR of the micro-kernel).
    pub fn lanes(self) -> usize {
        match self.0 {
            Kind::Baseline => BASELINE_LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 | Kind::AvxVnni => 16,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => 32,
            #[cfg(target_arch = "aarch64")]
            Kind::Dotprod => BASELINE_LANES,
            #[cfg(all(test, not(target_arch = "aarch64")))]
            Kind::SevenBits => BASELINE_LANES,
            #[cfg(target_arch = "wasm32")]
            Kind::Relaxed | Kind::RelaxedDot => BASELINE_LANES,
        }
    }

    /// Number of adjacent values of a row that one instruction multiplies with 8-bit weights: a pair of
    /// 16-bit values, or four bytes.
    pub(crate) fn adjacent(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "aarch64")]
            Kind::Dotprod => 4,
            #[cfg(all(test, not(target_arch = "aarch64")))]
            Kind::SevenBits => 4,
            #[cfg(target_arch = "wasm32")]
            Kind::RelaxedDot => 4,
            _ => 2,
        }
    }

    /// The second module's functions, if this is one of its instruction sets.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn relaxed(self) -> Option<&'static crate::relaxed::Functions> {
        if self == Simd::BASELINE { None } else { crate::relaxed::installed() }
    }

    /// Runs a task compiled for this instruction set. Never inlined, so that the task is one function.
    #[inline(never)]
    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        match self.0 {
            Kind::Baseline => task.run::<Baseline, BASELINE_LANES, BASELINE_MR>(),
            #[cfg(all(test, not(target_arch = "aarch64")))]
            Kind::SevenBits => task.run::<portable::Separate<8, portable::SevenBits<8>>, 8, 4>(),
            // The second module only has whole kernels, no tasks.
            #[cfg(target_arch = "wasm32")]
            Kind::Relaxed | Kind::RelaxedDot => Simd::BASELINE.run(task),
            // SAFETY: `with_avx2` only requires a processor with AVX2, FMA and F16C, and only `Simd::available` creates
            // this kind, after detecting them.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { with_avx2(task) },
            // SAFETY: as above, with AVX-VNNI.
            #[cfg(target_arch = "x86_64")]
            Kind::AvxVnni => unsafe { with_avx_vnni(task) },
            // SAFETY: as above, with the five parts of AVX-512.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { with_avx512(task) },
            // SAFETY: as above, with NEON's dot products.
            #[cfg(target_arch = "aarch64")]
            Kind::Dotprod => unsafe { with_dotprod(task) },
        }
    }
}

/// Prefetches values into the L2 cache.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch<T>(values: &[T]) {
    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
    const CACHE_LINE: usize = 64;
    for line in (0..size_of_val(values)).step_by(CACHE_LINE) {
        // SAFETY: a prefetch only affects the caches, and every x86-64 processor has it.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(values.as_ptr().cast::<i8>().wrapping_add(line)) };
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn with_avx2<T: Task>(task: T) -> T::Output {
    task.run::<avx2::F32x16<avx2::Madd>, 16, 6>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avxvnni")]
fn with_avx_vnni<T: Task>(task: T) -> T::Output {
    task.run::<avx2::F32x16<avx2::Vnni>, 16, 6>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn with_avx512<T: Task>(task: T) -> T::Output {
    task.run::<avx512::F32x32, 32, 12>()
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon,dotprod")]
fn with_dotprod<T: Task>(task: T) -> T::Output {
    task.run::<portable::Fused<8, dotprod::I32x8>, 8, 8>()
}

#[cfg(target_arch = "wasm32")]
use wasm::F32x8 as Baseline;
#[cfg(target_arch = "wasm32")]
const BASELINE_LANES: usize = 8;
#[cfg(target_arch = "wasm32")]
const BASELINE_MR: usize = 4;

#[cfg(target_arch = "aarch64")]
type Baseline = portable::Fused<8>;
#[cfg(target_arch = "aarch64")]
const BASELINE_LANES: usize = 8;
#[cfg(target_arch = "aarch64")]
const BASELINE_MR: usize = 8;

#[cfg(not(any(target_arch = "wasm32", target_arch = "aarch64")))]
type Baseline = portable::Separate<8>;
#[cfg(not(any(target_arch = "wasm32", target_arch = "aarch64")))]
const BASELINE_LANES: usize = 8;
#[cfg(not(any(target_arch = "wasm32", target_arch = "aarch64")))]
const BASELINE_MR: usize = 4;
