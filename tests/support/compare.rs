//! Comparison of numerical results by absolute and relative error. Comparing nothing is an error.

/// Allowed difference: `|found − expected| ≤ absolute + relative · |expected|`.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Allowed regardless of the expected value.
    pub absolute: f64,
    /// Allowed relative to the expected value.
    pub relative: f64,
}

impl Tolerance {
    /// A tolerance from both parts.
    pub const fn new(absolute: f64, relative: f64) -> Self {
        Tolerance { absolute, relative }
    }
}

/// Result of a successful comparison.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Largest difference.
    pub max_difference: f64,
    /// Root mean square of the expected values.
    pub rms: f64,
}

/// Compares element by element. Fails for empty slices or different lengths, for NaN or infinity on either side, and at the
/// first element out of tolerance.
pub fn compare<E, F>(expected: &[E], found: &[F], tolerance: Tolerance) -> Result<Report, String>
where
    E: Copy + Into<f64>,
    F: Copy + Into<f64>,
{
    if !(tolerance.absolute >= 0.0 && tolerance.relative >= 0.0) {
        return Err(format!("a tolerance must be a non-negative number: {tolerance:?}"));
    }
    let allowed = |expected: &E| tolerance.absolute + tolerance.relative * (*expected).into().abs();
    compare_each(expected, found, &expected.iter().map(allowed).collect::<Vec<_>>())
}

/// Like [`compare`], with one tolerance per element.
pub fn compare_each<E, F>(expected: &[E], found: &[F], allowed: &[f64]) -> Result<Report, String>
where
    E: Copy + Into<f64>,
    F: Copy + Into<f64>,
{
    let report = differences(expected, found)?;
    if allowed.len() != expected.len() {
        return Err(format!("{} tolerances for {} values", allowed.len(), expected.len()));
    }
    for (index, ((&expected, &found), &allowed)) in expected.iter().zip(found).zip(allowed).enumerate() {
        let (expected, found): (f64, f64) = (expected.into(), found.into());
        let difference = (found - expected).abs();
        // Written so that a NaN tolerance fails.
        let within = difference <= allowed;
        if !within {
            return Err(format!(
                "element {index}: expected {expected:e}, found {found:e}: {difference:e} apart, {allowed:e} allowed \
                 (largest difference {:e}, rms {:e})",
                report.max_difference, report.rms
            ));
        }
    }
    Ok(report)
}

/// Compares the largest difference relative to the root mean square of the expected values, the measure that
/// defines parity.
pub fn compare_to_rms<E, F>(expected: &[E], found: &[F], allowed: f64) -> Result<Report, String>
where
    E: Copy + Into<f64>,
    F: Copy + Into<f64>,
{
    let report = differences(expected, found)?;
    let ratio = report.max_difference / report.rms;
    // Written so that a NaN ratio (if all expected values are zero) fails.
    if ratio <= allowed { Ok(report) } else { Err(format!("max|Δ|/rms is {ratio:e}, {allowed:e} allowed")) }
}

/// [`compare`], panicking with `what` on failure.
#[track_caller]
pub fn assert_close<E, F>(what: &str, expected: &[E], found: &[F], tolerance: Tolerance) -> Report
where
    E: Copy + Into<f64>,
    F: Copy + Into<f64>,
{
    compare(expected, found, tolerance).unwrap_or_else(|problem| panic!("{what}: {problem}"))
}

fn differences<E, F>(expected: &[E], found: &[F]) -> Result<Report, String>
where
    E: Copy + Into<f64>,
    F: Copy + Into<f64>,
{
    if expected.len() != found.len() {
        return Err(format!("{} values expected, {} found", expected.len(), found.len()));
    }
    if expected.is_empty() {
        return Err("nothing to compare".to_owned());
    }
    let (mut max_difference, mut squares) = (0.0f64, 0.0f64);
    for (index, (&expected, &found)) in expected.iter().zip(found).enumerate() {
        let (expected, found): (f64, f64) = (expected.into(), found.into());
        if !expected.is_finite() || !found.is_finite() {
            return Err(format!("element {index}: expected {expected}, found {found}: not finite"));
        }
        max_difference = max_difference.max((found - expected).abs());
        squares += expected * expected;
    }
    Ok(Report { max_difference, rms: (squares / expected.len() as f64).sqrt() })
}
