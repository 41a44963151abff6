//! The tiles of the matrix products, which `build/` generates.

use core::arch::wasm32::v128;

use crate::panels::StridedRows;

/// Rows of the largest tile; the same as in `build/main.rs`.
pub const MAX_ROWS: usize = 6;

/// Columns of a tile.
const COLUMNS: usize = 8;

/// Groups of four adjacent bytes per plane.
const QUADS: usize = 32;

/// The high and the low plane of a row.
type Planes = [[[i8; 4]; QUADS]; 2];

macro_rules! tiles {
    ($tile:ident, $row:ty, $panel_row:ty, $sum:ty, $all:ident = [$($name:ident),*]) => {
        /// Multiplies rows, `stride` bytes apart, with the first `len` rows of a panel, and stores the sums of each row's
        /// products `sums_stride` bytes apart.
        type $tile = unsafe extern "C" fn(
            rows: *const $row,
            stride: usize,
            panel: *const $panel_row,
            len: usize,
            sums: *mut $sum,
            sums_stride: usize,
        );

        /// One tile per number of rows.
        static $all: [$tile; MAX_ROWS] = [$($name),*];

        unsafe extern "C" {
            $(fn $name(
                rows: *const $row,
                stride: usize,
                panel: *const $panel_row,
                len: usize,
                sums: *mut $sum,
                sums_stride: usize,
            );)*
        }
    };
}

tiles!(
    FloatTile,
    f32,
    [f32; COLUMNS],
    f32,
    FLOAT_TILES = [float_tile_1, float_tile_2, float_tile_3, float_tile_4, float_tile_5, float_tile_6]
);

tiles!(
    ByteTile,
    Planes,
    [[i8; 4]; COLUMNS],
    i32,
    BYTE_TILES = [byte_tile_1, byte_tile_2, byte_tile_3, byte_tile_4, byte_tile_5, byte_tile_6]
);

/// Multiplies `count` rows with a panel, and stores each row's sums `sums_stride` floats apart.
///
/// # Panics
/// If there are more rows than [`MAX_ROWS`], or fewer values than the tile needs.
pub fn multiply_floats(
    count: usize,
    rows: StridedRows<'_>,
    panel: &[[f32; COLUMNS]],
    sums: &mut [f32],
    sums_stride: usize,
) {
    let last = count - 1;
    assert!(rows.data[last * rows.stride..].len() >= panel.len());
    assert!(sums[last * sums_stride..].len() >= COLUMNS);
    // SAFETY: the last row, and so every row, has as many values as the panel has rows, and space for its sums.
    unsafe {
        FLOAT_TILES[last](
            rows.data.as_ptr(),
            rows.stride * size_of::<f32>(),
            panel.as_ptr(),
            panel.len(),
            sums.as_mut_ptr(),
            sums_stride * size_of::<f32>(),
        );
    }
}

/// Multiplies the rows with a panel: the sums of the products with a row's high plane, shifted by seven bits, plus those
/// with its low plane.
///
/// # Panics
/// If there are more rows than [`MAX_ROWS`], or a number of sums other than that of the rows.
#[inline(always)]
pub fn multiply_bytes<const N: usize>(
    rows: &[[[[i8; 4]; N]; 2]],
    panel: &[[[i8; 4]; COLUMNS]],
    sums: &mut [[v128; 2]],
) {
    const { assert!(N == QUADS) }
    assert!(panel.len() <= QUADS && sums.len() == rows.len());
    // SAFETY: a plane has at least as many entries as the panel has rows, and there are sums for every row.
    unsafe {
        BYTE_TILES[rows.len() - 1](
            rows.as_ptr().cast(),
            size_of::<Planes>(),
            panel.as_ptr(),
            panel.len(),
            sums.as_mut_ptr().cast(),
            size_of::<[v128; 2]>(),
        );
    }
}
