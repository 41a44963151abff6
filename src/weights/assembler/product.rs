//! Products of weights, for merging consecutive linears.

use crate::error::{Error, Result};
use crate::weights::tensor::{Tensor, reserve};

/// Number of rows of `right` whose multiples are added to a row at once, so that it is loaded and stored less
/// often.
const DEPTH: usize = 4;

/// `left · right + added`; `right` and `added` are matrices or vectors. Sums are in f64 and rounded once, so
/// the product is as exact as weights that were trained as one matrix.
pub(super) fn product(left: &Tensor, right: &Tensor, added: Option<&Tensor>, name: &str) -> Result<Tensor> {
    let width = right.shape[1..].iter().product::<usize>();
    let depth = right.shape[0];
    let shape = [&left.shape[..1], &right.shape[1..]].concat();
    if left.shape.len() != 2 || left.shape[1] != depth || added.is_some_and(|added| added.shape != shape) {
        let problem = format!("{:?} can't be multiplied with {:?}", left.shape, right.shape);
        return Err(Error::internal(name, problem));
    }
    let right: Vec<f64> = right.data.iter().map(|value| f64::from(*value)).collect();
    let mut data = reserve(shape.iter().product(), name)?;
    for (row, factors) in left.data.chunks_exact(depth).enumerate() {
        let mut sums = match added {
            Some(added) => added.data[row * width..][..width].iter().map(|value| f64::from(*value)).collect(),
            None => vec![0.0; width],
        };
        let blocks = right.chunks(DEPTH * width).zip(factors.chunks(DEPTH));
        blocks.for_each(|(right, factors)| add_rows(&mut sums, factors, right));
        data.extend(sums.into_iter().map(|sum| sum as f32));
    }
    Ok(Tensor { shape, data })
}

/// Adds each row of `right` times its factor.
fn add_rows(sums: &mut [f64], factors: &[f32], right: &[f64]) {
    let width = sums.len();
    if let Ok([a, b, c, d]) = <[f32; DEPTH]>::try_from(factors).map(|factors| factors.map(f64::from)) {
        let (first, rest) = right.split_at(width);
        let (second, rest) = rest.split_at(width);
        let (third, fourth) = rest.split_at(width);
        for ((((sum, w), x), y), z) in sums.iter_mut().zip(first).zip(second).zip(third).zip(fourth) {
            *sum += a * w + b * x + (c * y + d * z);
        }
        return;
    }
    for (factor, row) in factors.iter().zip(right.chunks_exact(width)) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*factor) * value);
    }
}
