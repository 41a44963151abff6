//! The CPU twin of `linear`, its weight in floats and in 8 bits: against its formula in f64, in each instruction set of
//! this machine and with several threads.

mod support;

use mobilebert::kernels::linear::{self, LinearOperands, LinearParameters};
use mobilebert::kernels::{PackedMatrix, Simd, Workers};
use support::compare::{Tolerance, assert_close, compare_each};
use support::cpu::in_every_way;
use support::matrix::{Form, Matrix, SIZES};
use support::random::Random;
use support::reference::{self, ACTIVATIONS};

fn linear_case(random: &mut Random, form: Form, rows: usize, in_features: usize, out_features: usize) {
    let size = SIZES[random.below(4)];
    let row_stride = in_features + if random.below(3) == 0 { random.below(70) } else { 0 };
    let has_residual = u32::from(random.below(2) == 1);
    let parameters = LinearParameters {
        rows: rows as u32,
        in_features: in_features as u32,
        out_features: out_features as u32,
        row_stride: row_stride as u32,
        activation: ACTIVATIONS[random.below(6)] as u32,
        has_residual,
        has_scale: has_residual * random.below(2) as u32,
    };
    let weight = Matrix::new(random, form, out_features, in_features);
    let input = random.wild(rows * row_stride, size);
    let bias = random.wild(out_features, size);
    let residual = random.wild(rows * out_features, size);
    let scale = random.wild(out_features, 2.0);
    let expected = reference::linear(&parameters, &input, &weight.floats(), &bias, &residual, &scale);
    // Rounding is in proportion to the sizes summed up, not to the sum.
    let depth = in_features as f64;
    let absolute = 2e-7 * f64::from(size) * (depth.sqrt() + 10.0) + 2e-7;
    let rounding = match form {
        Form::Floats => vec![0.0; expected.len()],
        Form::Bytes => reference::linear_rounding(&parameters, &input, &weight.floats()),
    };
    let allowed: Vec<f64> = expected
        .iter()
        .zip(rounding)
        .map(|(value, rounding)| absolute + 2e-6 * value.abs() + rounding)
        .collect();
    for (name, found) in in_every_way(expected.len(), |output, workers| {
        let operands = LinearOperands {
            input_values: &input,
            weight: &weight.packed(workers.simd()),
            bias: &bias,
            residual: if has_residual == 1 { &residual } else { &[] },
            scale: if parameters.has_scale == 1 { &scale } else { &[] },
        };
        linear::run(&parameters, &operands, output, workers);
    }) {
        compare_each(&expected, &found, &allowed)
            .unwrap_or_else(|problem| panic!("{name}, {form:?}: {parameters:?} of {size:e}: {problem}"));
    }
}

#[test]
fn linear_over_random_shapes() {
    let mut random = Random::new(10);
    for _ in 0..60 {
        for form in [Form::Floats, Form::Bytes] {
            let (rows, depth, columns) =
                (random.between(1, 70), random.between(1, 200), random.between(1, 90));
            linear_case(&mut random, form, rows, depth, columns);
        }
    }
}

#[test]
fn linear_at_the_edges_of_its_blocks() {
    let mut random = Random::new(11);
    for (rows, depth, columns) in [
        (1, 1, 1),
        (1, 512, 2),
        (1, 513, 40),
        (512, 3, 5),
        (128, 128, 16),
        (129, 255, 15),
        (127, 257, 17),
        (257, 512, 8),
        (13, 513, 33),
        (7, 1025, 9),
        (2, 4096, 7),
        (300, 64, 1),
    ] {
        for form in [Form::Floats, Form::Bytes] {
            linear_case(&mut random, form, rows, depth, columns);
        }
    }
}

#[test]
fn it_does_not_read_beside_its_rows() {
    let mut random = Random::new(12);
    let parameters =
        LinearParameters { rows: 3, in_features: 5, out_features: 9, row_stride: 11, ..Default::default() };
    let mut input = vec![f32::NAN; 2 * 11 + 5];
    for row in 0..3 {
        input[row * 11..][..5].copy_from_slice(&random.values(5, 1.0));
    }
    let bias = random.values(9, 1.0);
    for form in [Form::Floats, Form::Bytes] {
        let weight = Matrix::new(&mut random, form, 9, 5);
        let expected = reference::linear(&parameters, &input, &weight.floats(), &bias, &[], &[]);
        for (name, found) in in_every_way(27, |output, workers| {
            let weight = weight.packed(workers.simd());
            linear::run(&parameters, &plain(&input, &weight, &bias), output, workers);
        }) {
            let rounding = if matches!(form, Form::Bytes) { 1e-4 } else { 0.0 };
            assert_close(name, &expected, &found, Tolerance::new(1e-6 + rounding, 1e-6));
        }
    }
}

/// As in trained MobileBERTs, where a few places of a hidden state hold millions and the others ones.
#[test]
fn a_few_huge_values_do_not_cost_the_others_their_bits() {
    let mut random = Random::new(15);
    let (rows, depth, columns) = (9, 512, 40);
    let parameters = LinearParameters {
        rows: rows as u32,
        in_features: depth as u32,
        out_features: columns as u32,
        row_stride: depth as u32,
        ..Default::default()
    };
    let bias = random.values(columns, 1.0);
    for places in [vec![17], vec![0, 511], vec![128, 129, 255], vec![2, 60, 127, 384, 385, 509]] {
        let mut input = random.values(rows * depth, 1.0);
        let mut bytes: Vec<i8> = (0..columns * depth).map(|_| random.bits() as i8).collect();
        for &place in &places {
            input.iter_mut().skip(place).step_by(depth).for_each(|value| *value *= 2.5e7);
            // No column of the first half reads them.
            bytes[..columns / 2 * depth].iter_mut().skip(place).step_by(depth).for_each(|byte| *byte = 0);
        }
        let weight = Matrix::from_bytes(bytes, vec![1.0 / 127.0; columns]);
        let expected = reference::linear(&parameters, &input, &weight.floats(), &bias, &[], &[]);
        for (name, found) in in_every_way(rows * columns, |output, workers| {
            linear::run(&parameters, &plain(&input, &weight.packed(workers.simd()), &bias), output, workers);
        }) {
            for (row, (expected, found)) in expected.chunks(columns).zip(found.chunks(columns)).enumerate() {
                let what = format!("{name}, {places:?}, row {row}");
                let of_others = Tolerance::new(5e-3, 0.0);
                assert_close(&what, &expected[..columns / 2], &found[..columns / 2], of_others);
                let of_all = Tolerance::new(30.0, 1e-6);
                assert_close(&what, &expected[columns / 2..], &found[columns / 2..], of_all);
            }
        }
    }
}

/// What overflowed in a network must be seen at its end, also where it passes through whole numbers.
#[test]
fn values_that_are_no_numbers_are_not_rounded_to_some() {
    let mut random = Random::new(14);
    let (depth, columns) = (300, 9);
    let parameters = LinearParameters {
        rows: 1,
        in_features: depth as u32,
        out_features: columns as u32,
        row_stride: depth as u32,
        ..Default::default()
    };
    let bias = random.values(columns, 1.0);
    let weight = Matrix::from_bytes(vec![1; depth * columns], vec![1.0; columns]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -f32::NAN] {
        for place in [0, 127, 128, 299] {
            let mut input = random.values(depth, 1.0);
            input[place] = bad;
            for (name, found) in in_every_way(columns, |output, workers| {
                let weight = weight.packed(workers.simd());
                linear::run(&parameters, &plain(&input, &weight, &bias), output, workers);
            }) {
                assert!(found.iter().all(|value| !value.is_finite()), "{name}, {bad} at {place}: {found:?}");
            }
        }
    }
}

#[test]
fn values_too_small_to_divide_by_do_no_harm() {
    let parameters =
        LinearParameters { rows: 1, in_features: 3, out_features: 1, row_stride: 3, ..Default::default() };
    let weight = Matrix::from_bytes(vec![127, 127, 127], vec![1.0]);
    for input in [[0.0; 3], [f32::from_bits(1), 0.0, -f32::from_bits(9)], [-0.0, 1e-38, 1e-40]] {
        for (name, found) in in_every_way(1, |output, workers| {
            linear::run(&parameters, &plain(&input, &weight.packed(workers.simd()), &[2.5]), output, workers);
        }) {
            assert_eq!(found, [2.5], "{name}, {input:?}");
        }
    }
}

#[test]
fn a_row_does_not_depend_on_the_rows_beside_it() {
    let mut random = Random::new(13);
    for (form, depth, rows) in [(Form::Floats, 77, 31), (Form::Bytes, 600, 150)] {
        let columns = 40;
        let (input, bias) = (random.values(rows * depth, 1.0), random.values(columns, 1.0));
        let weight = Matrix::new(&mut random, form, columns, depth);
        for simd in Simd::available() {
            let workers = Workers::new(1, simd).unwrap();
            let weight = weight.packed(simd);
            let compute = |rows: usize| {
                let parameters = LinearParameters {
                    rows: rows as u32,
                    in_features: depth as u32,
                    out_features: columns as u32,
                    row_stride: depth as u32,
                    activation: 2,
                    ..Default::default()
                };
                let mut output = vec![0.0; rows * columns];
                linear::run(&parameters, &plain(&input, &weight, &bias), &mut output, &workers);
                output
            };
            let all = compute(rows);
            for rows in (1..20).chain([30, 127, 128, 129]).filter(|&few| few < rows) {
                assert_eq!(compute(rows), all[..rows * columns], "{}, {form:?}, {rows} rows", simd.name());
            }
        }
    }
}

fn plain<'a>(input_values: &'a [f32], weight: &'a PackedMatrix, bias: &'a [f32]) -> LinearOperands<'a> {
    LinearOperands { input_values, weight, bias, residual: &[], scale: &[] }
}
