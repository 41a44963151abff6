//! The comparer that every numerical test goes through: absolute plus relative error, and no way to pass on nothing.

/// How far a found value may lie from the expected one: `|found − expected| ≤ absolute + relative · |expected|`.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Allowed whatever the expected value.
    pub absolute: f64,
    /// Allowed in proportion to the expected value.
    pub relative: f64,
}

impl Tolerance {
    /// A tolerance of both kinds.
    pub const fn new(absolute: f64, relative: f64) -> Self {
        Tolerance { absolute, relative }
    }
}

/// What a comparison that held has seen.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Largest difference.
    pub max_difference: f64,
    /// Root of the mean square of the expected values.
    pub rms: f64,
}

/// Compares element by element. Fails on empty or unequally long slices, on any NaN or infinity on either side, and on
/// the first element out of tolerance, which it names.
pub fn compare<E, F>(expected: &[E], found: &[F], tolerance: Tolerance) -> Result<Report, String>
where
    E: Copy + Into<f64>,
    F: Copy + Into<f64>,
{
    if !(tolerance.absolute >= 0.0 && tolerance.relative >= 0.0) {
        return Err(format!("a tolerance must be a number that is not negative: {tolerance:?}"));
    }
    let allowed = |expected: &E| tolerance.absolute + tolerance.relative * (*expected).into().abs();
    compare_each(expected, found, &expected.iter().map(allowed).collect::<Vec<_>>())
}

/// As [`compare`], each element with a tolerance of its own.
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
        // Asked this way round, so that a tolerance that is no number fails.
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

/// Compares the largest difference with the root mean square of the expected values: what parity is stated in.
pub fn compare_to_rms<E, F>(expected: &[E], found: &[F], allowed: f64) -> Result<Report, String>
where
    E: Copy + Into<f64>,
    F: Copy + Into<f64>,
{
    let report = differences(expected, found)?;
    let ratio = report.max_difference / report.rms;
    // Written so that a NaN ratio (all expected values zero) fails.
    if ratio <= allowed { Ok(report) } else { Err(format!("max|Δ|/rms is {ratio:e}, {allowed:e} allowed")) }
}

/// [`compare`], with a panic that names what was compared.
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
