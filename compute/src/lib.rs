//! The arithmetic of `mobilebert` on a CPU: matrix products in floats, 8, 16 and 4 bits, attention, and what surrounds them,
//! in the instruction sets that a processor or a browser has. It knows no plan and no model; `mobilebert::kernels` calls it
//! with the operands of a step.
//!
//! It is a crate of its own because it is compiled differently: in a browser's module its loops are unrolled and vectorized,
//! and everything else is optimized for size. `relaxed/` compiles some of its sources a second time, for the module with
//! relaxed SIMD.
//!
//! | module | does |
//! |---|---|
//! | `simd/` | instruction sets: vectors, and products of pairs and fours of integers |
//! | `functions/` | exponentials, activations, sums, over vectors |
//! | `panels`, `packed`, `table` | matrices as they are stored for a product, and tables to look up |
//! | `product/` | the matrix product, with its epilogue |
//! | `multiply`, `linear`, `heads`, `softmax`, `rows` | operations: linears, attention, what is done row by row |
//! | `workers` | threads, which share the rows |
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

/// Multiple at which the rows of a weight that are multiplied may begin: a whole panel of any instruction set.
pub const COLUMN_MULTIPLE: usize = 32;
