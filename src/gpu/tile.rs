//! Tile sizes of the matrix product.

/// The tile size of linears. Both sum in the same order, so results don't depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// The tiles of `linear`, which read each operand fewer times.
    Wide,
    /// The tiles of `linear_short` where `linear` has few workgroups, to keep all cores of a large GPU busy.
    Short,
}
