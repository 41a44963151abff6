//! Generates the inner loops of the matrix products, and links them into the module as an object file.
//!
//! They aren't compiled from Rust because LLVM's scheduler for WebAssembly computes a step of a tile column by column.
//! The values of all rows are then in registers at the same time, and with more than four rows, engines spill some of
//! the 15 vector registers that x86 leaves them. Row by row, six rows fit, and their twelve sums hide the latency of
//! two multiply-adds per cycle.

mod object;
mod tile;

use std::path::PathBuf;
use std::{env, fs, io};

use tile::{Operation, Tile};

/// Rows of the largest tile; the same as in `src/tiles.rs`.
const MAX_ROWS: u32 = 6;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build");
    // Elsewhere, the crate is empty.
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() != Ok("wasm32") {
        return Ok(());
    }
    let tiles = [Operation::Floats, Operation::Bytes]
        .into_iter()
        .flat_map(|operation| (1..=MAX_ROWS).map(move |rows| Tile { operation, rows }));
    let folder = env::var_os("OUT_DIR").map(PathBuf::from).ok_or(io::ErrorKind::NotFound)?;
    let file = folder.join("tiles.o");
    fs::write(&file, object::of(tiles))?;
    println!("cargo::rustc-link-arg={}", file.display());
    Ok(())
}
