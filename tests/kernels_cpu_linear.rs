//! Compares the CPU twin of `linear` with its formula in f64, for weights in every format and every
//! instruction set of this machine, with one thread and with several.

mod support;

use mobilebert::kernels::linear::{self, LinearOperands, LinearParameters};
use mobilebert::kernels::{COLUMN_MULTIPLE, PackedMatrix, Simd, Workers};
use mobilebert::weights::Q4_GROUP;
use support::compare::{Tolerance, assert_close, compare_each};
use support::cpu::with_every_simd;
use support::matrix::{Matrix, PRECISIONS, Precision, SIZES, precisions_of};
use support::random::Random;
use support::reference::{self, ACTIVATIONS};

/// A linear over a part of a wider matrix, and columns of wider operands.
fn random_parameters(
    random: &mut Random,
    rows: usize,
    in_features: usize,
    out_features: usize,
) -> LinearParameters {
    let row_stride = in_features + if random.below(3) == 0 { random.below(70) } else { 0 };
    let (weight_first, gap) =
        if random.below(2) == 1 { (COLUMN_MULTIPLE * random.below(4), 20) } else { (0, 0) };
    let weight_rows = weight_first + out_features + random.between(0, gap);
    let residual_stride = out_features + random.between(0, gap);
    let has_residual = u32::from(random.below(2) == 1);
    LinearParameters {
        rows: rows as u32,
        in_features: in_features as u32,
        out_features: out_features as u32,
        row_stride: row_stride as u32,
        input_first: random.between(0, row_stride - in_features) as u32,
        weight_rows: weight_rows as u32,
        weight_first: weight_first as u32,
        activation: ACTIVATIONS[random.below(6)] as u32,
        has_residual,
        has_scale: has_residual * random.below(2) as u32,
        residual_stride: residual_stride as u32,
        residual_first: random.between(0, residual_stride - out_features) as u32,
    }
}

fn check_linear(
    random: &mut Random,
    precision: Precision,
    rows: usize,
    in_features: usize,
    out_features: usize,
) {
    let size = SIZES[random.below(4)];
    let parameters = random_parameters(random, rows, in_features, out_features);
    let weight_rows = parameters.weight_rows as usize;
    let (row_stride, residual_stride) = (parameters.row_stride as usize, parameters.residual_stride as usize);
    let weight = Matrix::new(random, precision, weight_rows, in_features);
    let input = random.mixed_magnitudes(rows * row_stride, size);
    let bias = random.mixed_magnitudes(weight_rows, size);
    let residual = random.mixed_magnitudes(rows * residual_stride, size);
    let scale = random.mixed_magnitudes(out_features, 2.0);
    let expected = reference::linear(&parameters, &input, &weight.floats(), &bias, &residual, &scale);
    // Rounding errors are proportional to the magnitudes of the summands, not to the sum.
    let depth = in_features as f64;
    let absolute = 2e-7 * f64::from(size) * (depth.sqrt() + 10.0) + 2e-7;
    let rounding = match precision {
        Precision::F32 | Precision::F16 | Precision::Q4 => vec![0.0; expected.len()],
        Precision::Q8 => reference::linear_rounding(&parameters, &input, &weight.floats()),
    };
    let allowed: Vec<f64> = expected
        .iter()
        .zip(rounding)
        .map(|(value, rounding)| absolute + 2e-6 * value.abs() + rounding)
        .collect();
    let compute = |weight: &dyn Fn(Simd) -> PackedMatrix| {
        with_every_simd(expected.len(), |output, workers| {
            let operands = LinearOperands {
                input_values: &input,
                weight: &weight(workers.simd()),
                bias: &bias,
                residual: if parameters.has_residual == 1 { &residual } else { &[] },
                scale: if parameters.has_scale == 1 { &scale } else { &[] },
            };
            linear::run(&parameters, &operands, output, workers);
        })
    };
    let results = compute(&|simd| weight.packed(simd));
    for (name, found) in &results {
        compare_each(&expected, found, &allowed)
            .unwrap_or_else(|problem| panic!("{name}, {precision:?}: {parameters:?} of {size:e}: {problem}"));
    }
    if matches!(precision, Precision::F16 | Precision::Q4) {
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        for ((name, found), (_, unpacked)) in results.iter().zip(compute(&|simd| weight.packed_floats(simd)))
        {
            assert!(
                bits(found) == bits(&unpacked),
                "{name}, {precision:?}: not as with floats: {parameters:?}"
            );
        }
    }
}

#[test]
fn linear_matches_its_formula_for_random_shapes() {
    let mut random = Random::new(10);
    for _ in 0..60 {
        for precision in PRECISIONS {
            let (rows, depth, columns) =
                (random.between(1, 70), random.between(1, 200), random.between(1, 90));
            check_linear(&mut random, precision, rows, depth_of(precision, depth), columns);
        }
    }
}

#[test]
fn linear_matches_its_formula_at_block_boundaries() {
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
        for precision in PRECISIONS {
            check_linear(&mut random, precision, rows, depth_of(precision, depth), columns);
        }
    }
}

/// The next depth that the format supports.
fn depth_of(precision: Precision, depth: usize) -> usize {
    if matches!(precision, Precision::Q4) { depth.next_multiple_of(Q4_GROUP) } else { depth }
}

#[test]
fn linear_does_not_read_between_strided_rows() {
    let mut random = Random::new(12);
    let parameters =
        LinearParameters { rows: 3, in_features: 5, out_features: 9, row_stride: 11, ..Default::default() };
    let mut input = vec![f32::NAN; 2 * 11 + 5];
    for row in 0..3 {
        input[row * 11..][..5].copy_from_slice(&random.values(5, 1.0));
    }
    let bias = random.values(9, 1.0);
    for &precision in precisions_of(5) {
        let weight = Matrix::new(&mut random, precision, 9, 5);
        let expected = reference::linear(&parameters, &input, &weight.floats(), &bias, &[], &[]);
        for (name, found) in with_every_simd(27, |output, workers| {
            let weight = weight.packed(workers.simd());
            linear::run(&parameters, &plain(&input, &weight, &bias), output, workers);
        }) {
            let rounding = if matches!(precision, Precision::Q8) { 1e-4 } else { 0.0 };
            assert_close(name, &expected, &found, Tolerance::new(1e-6 + rounding, 1e-6));
        }
    }
}

/// In trained MobileBERTs, a few values of each hidden state are in the millions while most are around one.
#[test]
fn outliers_do_not_reduce_the_precision_of_other_values() {
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
    for outliers in [vec![17], vec![0, 511], vec![128, 129, 255], vec![2, 60, 127, 384, 385, 509]] {
        let mut input = random.values(rows * depth, 1.0);
        let mut bytes: Vec<i8> = (0..columns * depth).map(|_| random.bits() as i8).collect();
        for &position in &outliers {
            input.iter_mut().skip(position).step_by(depth).for_each(|value| *value *= 2.5e7);
            // The first half of the columns has zero weights for the outliers.
            bytes[..columns / 2 * depth].iter_mut().skip(position).step_by(depth).for_each(|byte| *byte = 0);
        }
        let weight = Matrix::from_bytes(bytes, vec![1.0 / 127.0; columns]);
        let expected = reference::linear(&parameters, &input, &weight.floats(), &bias, &[], &[]);
        for (name, found) in with_every_simd(rows * columns, |output, workers| {
            linear::run(&parameters, &plain(&input, &weight.packed(workers.simd()), &bias), output, workers);
        }) {
            for (row, (expected, found)) in expected.chunks(columns).zip(found.chunks(columns)).enumerate() {
                let what = format!("{name}, outliers at {outliers:?}, row {row}");
                let without_outliers = Tolerance::new(5e-3, 0.0);
                assert_close(&what, &expected[..columns / 2], &found[..columns / 2], without_outliers);
                let with_outliers = Tolerance::new(30.0, 1e-6);
                assert_close(&what, &expected[columns / 2..], &found[columns / 2..], with_outliers);
            }
        }
    }
}

/// An overflow must remain visible in the results, even though the input is quantized to integers.
#[test]
fn quantizing_nan_or_infinity_gives_non_finite_results() {
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
        for position in [0, 127, 128, 299] {
            let mut input = random.values(depth, 1.0);
            input[position] = bad;
            for (name, found) in with_every_simd(columns, |output, workers| {
                let weight = weight.packed(workers.simd());
                linear::run(&parameters, &plain(&input, &weight, &bias), output, workers);
            }) {
                assert!(
                    found.iter().all(|value| !value.is_finite()),
                    "{name}, {bad} at {position}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn quantizing_zeros_and_denormals_gives_finite_results() {
    let parameters =
        LinearParameters { rows: 1, in_features: 3, out_features: 1, row_stride: 3, ..Default::default() };
    let weight = Matrix::from_bytes(vec![127, 127, 127], vec![1.0]);
    for input in [[0.0; 3], [f32::from_bits(1), 0.0, -f32::from_bits(9)], [-0.0, 1e-38, 1e-40]] {
        for (name, found) in with_every_simd(1, |output, workers| {
            linear::run(&parameters, &plain(&input, &weight.packed(workers.simd()), &[2.5]), output, workers);
        }) {
            assert_eq!(found, [2.5], "{name}, {input:?}");
        }
    }
}

#[test]
fn a_row_does_not_depend_on_the_number_of_rows() {
    let mut random = Random::new(13);
    for (precision, depth, rows) in [
        (Precision::F32, 77, 31),
        (Precision::F16, 77, 31),
        (Precision::Q8, 600, 150),
        (Precision::Q4, 608, 150),
    ] {
        let columns = 40;
        let (input, bias) = (random.values(rows * depth, 1.0), random.values(columns, 1.0));
        let weight = Matrix::new(&mut random, precision, columns, depth);
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
            for rows in (1..20).chain([30, 127, 128, 129]).filter(|&count| count < rows) {
                assert_eq!(
                    compute(rows),
                    all[..rows * columns],
                    "{}, {precision:?}, {rows} rows",
                    simd.name()
                );
            }
        }
    }
}

fn plain<'a>(input_values: &'a [f32], weight: &'a PackedMatrix, bias: &'a [f32]) -> LinearOperands<'a> {
    LinearOperands { input_values, weight, bias, residual: &[], scale: &[] }
}
