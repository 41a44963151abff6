//! The only instruction set of this module.

#[path = "../../compute/src/simd/lanes.rs"]
mod lanes;
#[path = "../../compute/src/simd/planes.rs"]
mod planes;
#[path = "../../compute/src/simd/unpack.rs"]
mod unpack;
#[path = "../../compute/src/simd/wasm.rs"]
mod wasm;

pub use lanes::{Arithmetic, IntLanes, Lanes, Task, TileRows};
use planes::Planes;

use crate::tiles;

/// Relaxed SIMD.
#[derive(Clone, Copy)]
pub struct Simd;

impl Simd {
    /// [`Simd::lanes`] of the widest instruction set.
    pub const MAX_LANES: usize = 8;

    /// True if tasks are compiled for a set whose [`Simd::adjacent`] is 4.
    pub const HAS_BYTE_PRODUCTS: bool = true;

    /// True if panels of floats in fewer bits are unpacked in this module.
    pub const HAS_COMPACT_PANELS: bool = false;

    /// Columns per packed panel.
    pub fn lanes(self) -> usize {
        Simd::MAX_LANES
    }

    /// Number of adjacent values of a row that one instruction multiplies with 8-bit weights.
    pub fn adjacent(self) -> usize {
        4
    }

    /// Runs a task. Never inlined, so that the task is one function.
    #[inline(never)]
    pub fn run<T: Task>(self, task: T) -> T::Output {
        task.run::<wasm::F32x8, 8, { tiles::MAX_ROWS }>()
    }
}
