//! The CPU arithmetic of `mobilebert`: matrix products in floats and in 16, 8 and 4 bits, attention, and the
//! operations around them, for the instruction sets of processors and browsers. It is independent of plans
//! and models; `mobilebert::kernels` calls it with the operands of a step.
//!
//! It is a separate crate because it is compiled differently: in the wasm module its loops are unrolled and
//! vectorized, while everything else is optimized for size. `relaxed/` compiles some of its sources a second
//! time, for the module with relaxed SIMD.
//!
//! | module | does |
//! |---|---|
//! | `simd/` | instruction sets: vectors, and products of pairs and fours of integers |
//! | `functions/` | exponentials, activations, sums, over vectors |
//! | `panels`, `packed`, `table` | matrices packed for a product, and lookup tables |
//! | `product/` | the matrix product, with its epilogue |
//! | `multiply`, `linear`, `heads`, `softmax`, `rows` | operations: linears, attention, row-wise operations |
//! | `workers` | threads, between which rows are split |
//! | `relaxed/` | calls of the module with relaxed SIMD |

#![deny(missing_docs)]

mod activation;
mod functions;
mod heads;
mod linear;
mod multiply;
mod packed;
mod panels;
mod product;
#[cfg(any(target_arch = "wasm32", test))]
pub mod relaxed;
pub mod rows;
mod simd;
mod softmax;
mod table;
mod workers;

pub use activation::Activation;
pub use heads::{AttentionShape, HeadRows, Scratch};
pub use linear::Linear;
pub use packed::PackedMatrix;
pub use panels::{Q4_GROUP, StridedRows};
pub use simd::Simd;
pub use table::Table;
pub use workers::{ThreadsError, Workers};

/// A product with some rows of a weight may start at multiples of this: whole panels of any instruction set.
pub const COLUMN_MULTIPLE: usize = 32;
