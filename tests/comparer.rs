//! The comparison helpers fail when they should.

mod support;

use support::compare::{Tolerance, compare, compare_each, compare_to_rms};
use support::random::Random;

const TIGHT: Tolerance = Tolerance::new(1e-6, 1e-5);

#[test]
fn equal_values_pass_and_report_their_rms() {
    let report = compare(&[3.0f32, -4.0], &[3.0f32, -4.0], TIGHT).unwrap();
    assert_eq!(report.max_difference, 0.0);
    assert!((report.rms - 12.5f64.sqrt()).abs() < 1e-12);
}

#[test]
fn one_wrong_value_among_thousands_fails_and_is_reported() {
    let expected = Random::new(1).values(5000, 10.0);
    let mut found = expected.clone();
    found[4321] += 0.01;
    let problem = compare(&expected, &found, TIGHT).unwrap_err();
    assert!(problem.contains("element 4321"), "{problem}");
}

#[test]
fn nan_and_infinity_fail_on_either_side() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for (expected, found) in
            [([1.0, bad], [1.0, 1.0]), ([1.0, 1.0], [1.0, bad]), ([1.0, bad], [1.0, bad])]
        {
            let loose = Tolerance::new(f64::INFINITY, f64::INFINITY);
            assert!(compare(&expected, &found, loose).is_err(), "{expected:?} {found:?}");
            assert!(compare_to_rms(&expected, &found, f64::INFINITY).is_err(), "{expected:?} {found:?}");
        }
    }
}

#[test]
fn empty_slices_and_different_lengths_fail() {
    let nothing: [f32; 0] = [];
    assert!(compare(&nothing, &nothing, TIGHT).is_err());
    assert!(compare(&[1.0f32], &[1.0f32, 1.0], TIGHT).is_err());
    assert!(compare(&[1.0f32, 1.0], &[1.0f32], TIGHT).is_err());
}

#[test]
fn a_nan_or_negative_tolerance_fails() {
    assert!(compare(&[1.0f32], &[1.0f32], Tolerance::new(f64::NAN, 0.0)).is_err());
    assert!(compare(&[1.0f32], &[1.0f32], Tolerance::new(0.0, -1.0)).is_err());
}

#[test]
fn each_element_has_its_own_tolerance() {
    let (expected, found) = ([1.0f64, 1.0], [1.5f64, 1.0]);
    assert!(compare_each(&expected, &found, &[0.5, 0.0]).is_ok());
    assert!(compare_each(&expected, &found, &[0.4, 9.0]).is_err());
    assert!(compare_each(&expected, &found, &[f64::NAN, 0.0]).is_err());
    assert!(compare_each(&expected, &found, &[0.5]).is_err());
}

#[test]
fn relative_tolerance_applies_to_large_values_and_absolute_to_small() {
    assert!(compare(&[2.5e7f64], &[2.5e7 + 200.0], TIGHT).is_ok());
    assert!(compare(&[2.5e7f64], &[2.5e7 + 300.0], TIGHT).is_err());
    assert!(compare(&[0.0f64], &[9e-7], TIGHT).is_ok());
    assert!(compare(&[0.0f64], &[2e-6], TIGHT).is_err());
}

#[test]
fn zeros_instead_of_values_fail() {
    let expected = Random::new(2).values(100, 1.0);
    assert!(compare(&expected, &[0.0f32; 100], TIGHT).is_err());
    assert!(compare_to_rms(&expected, &[0.0f32; 100], 1e-4).is_err());
    assert!(compare_to_rms(&[0.0f32; 4], &[0.0f32; 4], 1e-4).is_err(), "there is no rms to compare with");
}
