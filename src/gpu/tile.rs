//! Sizes of the tiles of a matrix product.

/// A size of tiles that linears are computed in. Both add up in the same order, so that a result doesn't depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// Those of `linear`, which read an operand less often.
    Wide,
    /// Those of `linear_short` where `linear` has few workgroups, so that all cores of a large GPU have work.
    Short,
}
