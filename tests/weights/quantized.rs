//! q8 and q4: writing, reading, errors.

use crate::support::checkpoint;
use crate::support::checkpoint::raw_f32;
use crate::support::compare::compare_to_rms;
use crate::support::random::Random;
use crate::{FILE, assert_tensor_error, quantize, read, tiny};
use mobilebert::config::Config;
use mobilebert::error::Code;
use mobilebert::plan::{Network, Recipe};
use mobilebert::weights::Converted;
use mobilebert::weights::Dtype;
use mobilebert::weights::Header;
use mobilebert::weights::Quantizer;
use mobilebert::weights::RawTensor;
use mobilebert::weights::WeightFormat;
use mobilebert::weights::decode;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn nibbles_are_twos_complement_with_the_low_one_first() {
    let mut bytes = vec![0u8; 16];
    bytes[0] = 0x8F; // −1, −8
    bytes[1] = 0x71; // 1, 7
    let raw = RawTensor { name: "x.weight".into(), dtype: Dtype::U8, shape: vec![1, 16], bytes };
    let half = half::f16::from_f32(0.5).to_le_bytes().to_vec();
    let scale =
        RawTensor { name: "x.weight.scale".into(), dtype: Dtype::F16, shape: vec![1, 1], bytes: half };
    let data = decode(&raw, Some(&scale), &[1, 32]).unwrap().data;
    assert_eq!(data[..5], [-0.5, -4.0, 0.5, 3.5, 0.0]);
    let error = decode(&raw, None, &[1, 32]).unwrap_err();
    assert_tensor_error(&error, "x.weight", &["x.weight.scale"]);
    let error = decode(&raw, Some(&scale), &[1, 33]).unwrap_err();
    assert_tensor_error(&error, "x.weight", &["[1, 33]", "even"]);
    let wrong = RawTensor { shape: vec![2], ..scale.clone() };
    let error = decode(&raw, Some(&wrong), &[1, 32]).unwrap_err();
    assert_tensor_error(&error, "x.weight.scale", &["[2]", "[1, 1]"]);
}

#[test]
fn quantized_files_can_be_loaded_and_name_their_format() {
    let (network, tensors) = tiny();
    let exact = checkpoint::assemble(&network, tensors.clone()).unwrap();
    for (storage, allowed) in [
        (WeightFormat::F32, 1e-12),
        (WeightFormat::F16, 2e-3),
        (WeightFormat::Q8, 2e-2),
        (WeightFormat::Q4, 0.4),
    ] {
        let (file, reports) = quantize(&tensors, storage);
        let header = Header::of_file(FILE, &file).unwrap();
        assert_eq!(header.metadata["dtype"], storage.as_str());
        header.check(&network.parameters).unwrap();
        safetensors::SafeTensors::deserialize(&file).unwrap();
        assert_eq!(reports.len(), tensors.len());
        let stored: u64 = reports.iter().map(|report| report.bytes).sum();
        assert_eq!(stored, storage.network_bytes(&network), "{storage}");
        let data = header.tensors.iter().map(|entry| entry.len as u64).sum::<u64>();
        assert_eq!(stored, data);
        let found = checkpoint::assemble(&network, read(&file, &[999], None).unwrap()).unwrap();
        for ((exact, found), parameter) in exact.iter().zip(&found).zip(&network.parameters) {
            compare_to_rms(exact, found, allowed)
                .unwrap_or_else(|problem| panic!("{storage} {}: {problem}", parameter.name));
        }
        assert_eq!(quantize(&tensors, storage).0, file, "the same tensors must give the same bytes");
    }
}

#[test]
fn the_last_group_of_a_decoders_row_may_be_shorter() {
    let values: Vec<f64> =
        (0..2 * 58).map(|index| f64::from(index % 15 - 7) * f64::from(1 + index % 58 / 32)).collect();
    let raw = raw_f32("cls.predictions.dense.weight", &[2, 58], &values);
    let (file, reports) = quantize(&[raw], WeightFormat::Q4);
    assert_eq!((reports[0].storage, reports[0].bytes), (WeightFormat::Q4, 2 * 29 + 2 * 2 * 2));
    let stored = read(&file, &[7], None).unwrap();
    let (scales, tensors): (Vec<_>, Vec<_>) = stored.iter().partition(|raw| raw.name.ends_with(".scale"));
    let (tensor, scale) = (tensors[0], scales[0]);
    assert_eq!((&tensor.shape[..], &scale.shape[..]), (&[2, 29][..], &[2, 2][..]));
    let found = decode(tensor, Some(scale), &[2, 58]).unwrap().data;
    compare_to_rms(&values, &found, 1e-3).unwrap();
    // Matrices that kernels multiply in their stored format have whole groups.
    assert_eq!(
        WeightFormat::Q4.of_tensor("mobilebert.encoder.layer.0.output.dense.weight", &[2, 58]),
        WeightFormat::Q8
    );
    assert_eq!(WeightFormat::Q4.of_tensor("cls.predictions.dense.weight", &[2, 57]), WeightFormat::Q8);
}

#[test]
fn a_layers_matrix_whose_rows_end_within_a_group_becomes_floats() {
    let fields = json!({ "model_type": "mobilebert", "hidden_size": 64, "embedding_size": 32, "vocab_size": 37,
        "intra_bottleneck_size": 32, "intermediate_size": 40, "num_hidden_layers": 1, "num_attention_heads": 2,
        "max_position_embeddings": 16, "architectures": ["MobileBertForQuestionAnswering"] });
    let network = Network::of(&Config::from_json(fields.to_string()).unwrap()).unwrap();
    let mut tensors = checkpoint::raw(&checkpoint::tensors(&network, &mut Random::new(4)));
    let name = "mobilebert.encoder.layer.0.output.dense.weight";
    let nibbles = (0..32 * 20).map(|index| (index * 37 % 256) as u8).collect();
    let q4 = RawTensor { name: name.into(), dtype: Dtype::U8, shape: vec![32, 20], bytes: nibbles };
    let halves = (0..64).flat_map(|index| half::f16::from_f32(0.5 + index as f32).to_le_bytes()).collect();
    let scale =
        RawTensor { name: format!("{name}.scale"), dtype: Dtype::F16, shape: vec![32, 2], bytes: halves };
    let floats = decode(&q4, Some(&scale), &[32, 40]).unwrap().data;
    // Column 31 is the last of the first group, and column 32 the first of the second.
    let nibble = |index: usize| ((index * 37 % 256) as i8 >> 4, ((index * 37 % 256) as u8 as i8) << 4 >> 4);
    assert_eq!(floats[31], f32::from(nibble(15).0) * 0.5);
    assert_eq!(floats[32], f32::from(nibble(16).1) * 1.5);
    let floats: Vec<f64> = floats.into_iter().map(f64::from).collect();
    tensors.retain(|raw| raw.name != name);
    let with =
        |more: Vec<RawTensor>| checkpoint::assemble(&network, [tensors.clone(), more].concat()).unwrap();
    assert!(with(vec![q4, scale]) == with(vec![raw_f32(name, &[32, 40], &floats)]));
}

/// γ scales rows without loss: folding after q8 equals q8 after folding, apart from rounding.
#[test]
fn quantizing_and_folding_commute() {
    let (network, tensors) = tiny();
    let (file, _) = quantize(&tensors, WeightFormat::Q8);
    let quantized = read(&file, &[4096], None).unwrap();
    let found = checkpoint::assemble(&network, quantized.clone()).unwrap();
    let mut folded_any = false;
    for (parameter, found) in network.parameters.iter().zip(found) {
        let Recipe::Fold { tensor, scale: Some(scale), axis: 0, .. } = &parameter.recipe else { continue };
        let get = |name: &str| quantized.iter().find(|raw| raw.name == name);
        let Some(codes) = get(tensor.name()).filter(|raw| raw.dtype == Dtype::I8) else { continue };
        let row_scales =
            decode(get(&format!("{}.scale", tensor.name())).unwrap(), None, &tensor.shape[..1]).unwrap();
        let gamma = decode(get(scale.name()).unwrap(), None, &scale.shape).unwrap();
        let columns = tensor.shape[1];
        let expected: Vec<f64> = codes
            .bytes
            .iter()
            .enumerate()
            .map(|(index, code)| {
                let row = index / columns;
                f64::from(*code as i8) * f64::from(row_scales.data[row]) * f64::from(gamma.data[row])
            })
            .collect();
        compare_to_rms(&expected, &found, 1e-6).unwrap();
        folded_any = true;
    }
    assert!(folded_any);
}

#[test]
fn extreme_tensors_survive_quantizing() {
    for storage in WeightFormat::ALL {
        let zeros = raw_f32("layer.0.encoder.layer.0.zeros.weight", &[2, 32], &[0.0; 64]);
        let mut large = vec![1.0; 64];
        large[7] = 3e38;
        let large = raw_f32("encoder.layer.0.large.weight", &[2, 32], &large);
        let small = raw_f32("encoder.layer.0.small.weight", &[1, 32], &[1e-42; 32]);
        let odd = raw_f32("encoder.layer.0.odd.weight", &[3, 5], &[-0.25; 15]);
        let norm = raw_f32("encoder.layer.0.LayerNorm.weight", &[2], &[2.5e7, -1.0]);
        let originals = [zeros, large, small, odd, norm];
        let (file, reports) = quantize(&originals, storage);
        for report in &reports {
            assert!(report.max_error.is_finite() && report.relative_error.is_finite(), "{report:?}");
        }
        assert_eq!(
            read(&file, &[10], None).unwrap().iter().filter(|raw| !raw.name.ends_with(".scale")).count(),
            5
        );
        assert_eq!((reports[0].max_error, reports[4].relative_error), (0.0, 0.0), "{storage}");
    }
    let mut quantizer = Quantizer::new(WeightFormat::Q8);
    let error = quantizer.push(raw_f32("a.weight", &[1, 2], &[0.0, f64::NAN])).unwrap_err();
    assert_tensor_error(&error, "a.weight", &["NaN", "[0, 1]"]);
    let again = RawTensor { name: "a.weight".into(), dtype: Dtype::I8, shape: vec![1, 2], bytes: vec![1, 2] };
    assert_eq!(quantizer.push(again).unwrap_err().code(), Code::Unsupported);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn quantization_errors_are_at_most_half_a_step(values in prop::collection::vec(-1e4f32..1e4, 64), shrink in -12i32..1) {
        let values: Vec<f32> = values.iter().map(|value| value * 10f32.powi(shrink)).collect();
        let exact: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        let name = "encoder.layer.0.x.weight";
        let raw = raw_f32(name, &[2, 32], &exact);
        for storage in [WeightFormat::Q8, WeightFormat::Q4] {
            let (file, reports) = quantize(std::slice::from_ref(&raw), storage);
            let stored = read(&file, &[50], None).unwrap();
            let tensor = stored.iter().find(|tensor| tensor.name == name).unwrap();
            let scale = stored.iter().find(|tensor| tensor.name.ends_with(".scale"));
            let found = decode(tensor, scale, &[2, 32]).unwrap().data;
            for (row, found) in values.chunks(32).zip(found.chunks(32)) {
                let largest = row.iter().fold(0f32, |most, value| most.max(value.abs()));
                let squares = |of: &dyn Fn(usize) -> f32| (0..32).map(|i| f64::from(of(i)).powi(2)).sum::<f64>();
                let error = squares(&|i| row[i] - found[i]).sqrt();
                if storage == WeightFormat::Q8 {
                    let step = largest / 127.0;
                    for (exact, found) in row.iter().zip(found) {
                        prop_assert!((exact - found).abs() <= step * 0.5001, "{exact} {found} step {step}");
                    }
                } else {
                    // 32 values, each off by at most half a step, plus the rounding of an f16 scale.
                    let step = f64::from(largest) / 7.0 * 1.001 + 6e-8;
                    prop_assert!(error <= 32f64.sqrt() * step * 0.52 + 7.0 * 6e-8 * 32f64.sqrt(), "{error} step {step}");
                }
            }
            prop_assert_eq!(reports[0].storage, storage);
        }
    }
}

#[test]
fn a_tensor_converted_alone_equals_that_of_the_quantized_file() {
    let (_, tensors) = tiny();
    for storage in [WeightFormat::F16, WeightFormat::Q8, WeightFormat::Q4] {
        let (file, _) = quantize(&tensors, storage);
        let mut held: Vec<RawTensor> = read(&file, &[1000], None).unwrap();
        let mut converted = Vec::new();
        for tensor in &tensors {
            let Converted { tensor, scale } = storage.convert(tensor.clone()).unwrap();
            converted.push(tensor);
            converted.extend(scale);
        }
        // A tensor that is already in this format stays unchanged.
        for tensor in &held {
            assert_eq!(storage.convert(tensor.clone()).unwrap().tensor, *tensor);
        }
        for tensors in [&mut held, &mut converted] {
            tensors.sort_by(|left, right| left.name.cmp(&right.name));
        }
        assert!(held == converted, "{storage}");
    }
    let q4 = RawTensor { name: "a.weight".into(), dtype: Dtype::U8, shape: vec![1, 16], bytes: vec![1; 16] };
    assert_eq!(WeightFormat::Q8.convert(q4).unwrap_err().code(), Code::Unsupported);
    // The classifier is stored in 8 bits in both formats, a layer's matrix isn't.
    let q8 = |name: &str| RawTensor {
        name: name.into(),
        dtype: Dtype::I8,
        shape: vec![1, 32],
        bytes: vec![1; 32],
    };
    WeightFormat::Q4.convert(q8("classifier.weight")).unwrap();
    for storage in [WeightFormat::Q4, WeightFormat::F16, WeightFormat::F32] {
        let layer = q8("mobilebert.encoder.layer.0.output.dense.weight");
        assert_eq!(storage.convert(layer).unwrap_err().code(), Code::Unsupported, "{storage}");
    }
}

#[test]
fn errors_for_scales_that_overflow_name_the_matrix() {
    let (network, tensors) = tiny();
    let (file, _) = quantize(&tensors, WeightFormat::Q8);
    let stored = read(&file, &[4096], None).unwrap();
    let with = |changes: &[(&str, usize, f32)]| {
        let mut changed = stored.clone();
        for (name, row, value) in changes {
            let raw = changed.iter_mut().find(|raw| raw.name == *name).unwrap();
            raw.bytes[row * 4..][..4].copy_from_slice(&value.to_le_bytes());
        }
        checkpoint::assemble(&network, changed)
    };
    let plain = "mobilebert.embeddings.word_embeddings.weight";
    let folded = "mobilebert.encoder.layer.0.bottleneck.input.dense.weight";
    for name in [plain, folded] {
        let scale = format!("{name}.scale");
        for (value, written) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (3e38, "inf")] {
            let error = with(&[(&scale, 3, value)]).unwrap_err();
            assert_tensor_error(&error, name, &[written, "[3, "]);
        }
    }
    // Finite factors with an infinite product.
    let gamma = "mobilebert.encoder.layer.0.bottleneck.input.LayerNorm.weight";
    let error = with(&[(&format!("{folded}.scale"), 3, 1e30), (gamma, 3, 1e30)]).unwrap_err();
    assert_tensor_error(&error, folded, &["inf", "[3, "]);
    // Near the limit, but finite.
    with(&[(&format!("{plain}.scale"), 3, 2e36)]).unwrap();
}
