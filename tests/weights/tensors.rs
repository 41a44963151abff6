//! Raw tensors → parameters: shapes, names, types, values.

use crate::support::checkpoint;
use crate::support::checkpoint::raw_f32;
use crate::support::random::Random;
use crate::{FILE, assert_tensor_error, tiny};
use mobilebert::error::Error;
use mobilebert::weights::Assembler;
use mobilebert::weights::Dtype;
use mobilebert::weights::Header;
use mobilebert::weights::RawTensor;
use mobilebert::weights::WeightFormat;
use mobilebert::weights::decode;

#[test]
fn errors_for_a_wrong_shape_name_both_shapes() {
    let (network, mut tensors) = tiny();
    let name = "mobilebert.encoder.layer.1.attention.self.query.weight";
    let place = tensors.iter().position(|tensor| tensor.name == name).unwrap();
    tensors[place].shape = vec![16, 64];
    let header = Header::of_file(FILE, &checkpoint::file(&tensors, &[])).unwrap();
    assert_tensor_error(&header.check(&network.parameters).unwrap_err(), name, &["[16, 64]", "[32, 32]"]);
    assert_tensor_error(
        &checkpoint::assemble(&network, tensors).unwrap_err(),
        name,
        &["[16, 64]", "[32, 32]"],
    );
}

#[test]
fn missing_duplicate_and_unused_tensors_are_distinguished() {
    let (network, tensors) = tiny();
    let without =
        |gone: &str| tensors.iter().filter(|tensor| !tensor.name.contains(gone)).cloned().collect::<Vec<_>>();
    let error = checkpoint::assemble(&network, without("qa_outputs.bias")).unwrap_err();
    assert_tensor_error(&error, "qa_outputs.bias", &["missing"]);
    let error = checkpoint::assemble(&network, without("layer.0.ffn")).unwrap_err();
    assert_tensor_error(&error, "mobilebert.encoder.layer.0.ffn.0.intermediate.dense.bias", &["17 others"]);

    let mut twice = tensors.clone();
    twice.push(tensors[3].clone());
    let error = checkpoint::assemble(&network, twice).unwrap_err();
    assert_tensor_error(&error, &tensors[3].name, &["twice"]);

    let mut surplus = tensors.clone();
    let bytes = vec![255; 24];
    surplus.push(RawTensor {
        name: "mobilebert.embeddings.position_ids".into(),
        dtype: Dtype::I64,
        shape: vec![1, 3],
        bytes,
    });
    surplus.push(raw_f32("something.weight", &[1], &[f64::NAN]));
    // Floats have no scale, wherever it is in the file.
    let scale = raw_f32(&format!("{}.scale", tensors[3].name), &[1], &[2.0]);
    surplus.insert(0, scale.clone());
    checkpoint::assemble(&network, surplus.clone()).unwrap();
    surplus.remove(0);
    surplus.push(scale);
    checkpoint::assemble(&network, surplus).unwrap();
}

#[test]
fn errors_for_nan_and_infinity_name_the_index() {
    let (network, tensors) = tiny();
    for (value, written) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let mut damaged = tensors.clone();
        let name = "mobilebert.encoder.layer.0.bottleneck.input.dense.weight";
        let tensor = damaged.iter_mut().find(|tensor| tensor.name == name).unwrap();
        let at = (5 * 64 + 9) * 4;
        tensor.bytes[at..at + 4].copy_from_slice(&(value as f32).to_le_bytes());
        assert_tensor_error(
            &checkpoint::assemble(&network, damaged).unwrap_err(),
            name,
            &[written, "[5, 9]"],
        );
    }
    // Finite factors with an infinite product.
    let mut large = tensors.clone();
    for tensor in &mut large {
        if tensor.name.contains("layer.0.bottleneck.input.") {
            *tensor = raw_f32(&tensor.name, &tensor.shape, &vec![3e38; tensor.shape.iter().product()]);
        }
    }
    let error = checkpoint::assemble(&network, large).unwrap_err();
    assert_tensor_error(&error, "mobilebert.encoder.layer.0.bottleneck.input.dense.bias", &["inf"]);
}

/// Code that doesn't set a dtype saves F64 with NumPy, and position ids in I64.
#[test]
fn tensors_in_double_precision_are_rounded_to_single() {
    let (network, tensors) = tiny();
    let expected = checkpoint::assemble(&network, tensors.clone()).unwrap();
    let double = |raw: &RawTensor, change: f64| {
        let values = raw.bytes.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes)));
        let bytes = values.flat_map(|value| (value * change).to_le_bytes()).collect();
        RawTensor { dtype: Dtype::F64, bytes, ..raw.clone() }
    };
    for change in [1.0, 1.0 + 1e-12] {
        let doubles = tensors.iter().map(|raw| double(raw, change));
        assert_eq!(checkpoint::assemble(&network, doubles).unwrap(), expected);
    }
    for storage in WeightFormat::ALL {
        for raw in &tensors {
            let expected = storage.convert(raw.clone()).unwrap();
            assert_eq!(storage.convert(double(raw, 1.0)).unwrap(), expected, "{storage}: {}", raw.name);
        }
    }
    let mut large = tensors.clone();
    large[0] = double(&large[0], 1e300);
    assert_tensor_error(&checkpoint::assemble(&network, large).unwrap_err(), &tensors[0].name, &["inf"]);
}

#[test]
fn unsupported_types_are_named() {
    let (network, tensors) = tiny();
    for dtype in [Dtype::I64, Dtype::I32, Dtype::BOOL] {
        let mut other = tensors.clone();
        let tensor = other.iter_mut().find(|tensor| tensor.name == "qa_outputs.weight").unwrap();
        tensor.dtype = dtype;
        match checkpoint::assemble(&network, other) {
            Err(Error::Unsupported { what, .. }) => {
                assert!(what.contains("qa_outputs.weight") && what.contains(&format!("{dtype:?}")), "{what}");
            }
            result => panic!("{dtype:?}: {result:?}"),
        }
    }
}

/// Only tensors that an unfinished parameter needs are held; a matrix is freed as soon as its norm has arrived.
#[test]
fn tensors_are_freed_as_soon_as_they_are_used() {
    let (network, tensors) = tiny();
    let largest = tensors.iter().map(|tensor| tensor.bytes.len()).max().unwrap();
    let mut assembler = Assembler::new(&network);
    let mut most = 0;
    for tensor in tensors {
        assembler.push(tensor).unwrap();
        while assembler.next_ready().unwrap().is_some() {}
        most = most.max(assembler.held_bytes());
    }
    assert_eq!(assembler.held_bytes(), 0);
    assert!(most < largest, "{most} bytes held, the largest tensor has {largest}");
    assembler.finish().unwrap();
}

#[test]
fn the_order_of_tensors_does_not_matter() {
    let (network, mut tensors) = tiny();
    let expected = checkpoint::assemble(&network, tensors.clone()).unwrap();
    let random = &mut Random::new(9);
    for _ in 0..20 {
        for index in (1..tensors.len()).rev() {
            tensors.swap(index, random.below(index + 1));
        }
        assert_eq!(checkpoint::assemble(&network, tensors.clone()).unwrap(), expected);
    }
}

#[test]
fn bf16_and_f16_are_decoded() {
    let values = [1.5f32, -0.15625, 3.0e38, 6.0e-8, -0.0];
    let bf16 = values.iter().flat_map(|value| half::bf16::from_f32(*value).to_le_bytes()).collect();
    let raw = RawTensor { name: "x".into(), dtype: Dtype::BF16, shape: vec![5], bytes: bf16 };
    let expected: Vec<f32> = values.iter().map(|value| half::bf16::from_f32(*value).to_f32()).collect();
    assert_eq!(decode(&raw, None, &[5]).unwrap().data, expected);
    let f16 = values[..2].iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect();
    let raw = RawTensor { name: "x".into(), dtype: Dtype::F16, shape: vec![2], bytes: f16 };
    assert_eq!(decode(&raw, None, &[2]).unwrap().data, values[..2]);
}
