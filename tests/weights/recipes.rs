//! Parameters that consist of several tensors.

use mobilebert::config::Config;
use mobilebert::plan::{Network, Parameter, Recipe};
use mobilebert::weights::{Assembler, Dtype, ParameterData, RawTensor, Values, WeightFormat};
use serde_json::json;

use crate::support::checkpoint::{self, raw_f32};
use crate::support::compare::compare_to_rms;
use crate::support::random::Random;
use crate::{quantize, read, tiny};

/// The parameters of a network in the form produced by their recipes.
fn assembled(network: &Network, raw: &[RawTensor]) -> Vec<ParameterData> {
    let mut assembler = Assembler::new(network);
    let mut parameters = Vec::new();
    for raw in raw {
        assembler.push(raw.clone()).unwrap();
        while let Some((id, values)) = assembler.next_ready().unwrap() {
            parameters.push((id.0, values));
        }
    }
    assembler.finish().unwrap();
    parameters.sort_by_key(|(id, _)| *id);
    parameters.into_iter().map(|(_, values)| values).collect()
}

fn floats(values: &ParameterData) -> Vec<f32> {
    values.clone().into_f32("parameter").unwrap().data
}

/// A network of parameters with a single recipe each.
fn alone(network: &Network, recipes: &[Recipe], shape: impl Fn(&Recipe) -> Vec<usize>) -> Network {
    let parameter = |(index, recipe): (usize, &Recipe)| Parameter {
        name: format!("part.{index}"),
        shape: shape(recipe),
        recipe: recipe.clone(),
        ..network.parameters[0].clone()
    };
    let mut alone = network.clone();
    alone.parameters = recipes.iter().enumerate().map(parameter).collect();
    alone
}

fn shape_of_fold(recipe: &Recipe) -> Vec<usize> {
    match recipe {
        Recipe::Fold { tensor, .. } => tensor.shape.clone(),
        other => panic!("{other:?}"),
    }
}

/// The parameters shared by several modules, and the values of each module's part by itself.
fn joined(network: &Network, raw: &[RawTensor]) -> Vec<(ParameterData, Vec<ParameterData>)> {
    let all = assembled(network, raw);
    let joined =
        network.parameters.iter().zip(all).filter_map(|(parameter, values)| match &parameter.recipe {
            Recipe::Rows(parts) => Some((values, assembled(&alone(network, parts, shape_of_fold), raw))),
            _ => None,
        });
    joined.collect()
}

#[test]
fn packed_matrices_under_each_other_stay_packed_and_equal_their_floats() {
    let (network, tensors) = tiny();
    for storage in WeightFormat::ALL {
        let stored = read(&quantize(&tensors, storage).0, &[4096], None).unwrap();
        let joined = joined(&network, &stored);
        // Weights and biases of [b | shared | v] and [q | k] in two layers.
        assert_eq!(joined.len(), 2 * 2 * 2);
        for (all, parts) in &joined {
            let is_matrix = all.shape.len() == 2;
            match (storage, &all.values) {
                (WeightFormat::F16, Values::F16(_)) if is_matrix => {}
                (WeightFormat::Q8, Values::Q8(_)) if is_matrix => {}
                (WeightFormat::Q4, Values::Q4 { .. }) if is_matrix => {}
                (_, Values::F32(_)) if !is_matrix || storage == WeightFormat::F32 => {}
                (_, other) => panic!("{storage}: {other:?}"),
            }
            assert!(all.is_whole());
            assert_eq!(floats(all), parts.iter().flat_map(floats).collect::<Vec<_>>(), "{storage}");
        }
    }
}

/// A tensor that doesn't fit in 16 bits stays in 32.
#[test]
fn matrices_of_different_formats_become_floats_together() {
    let (network, mut tensors) = tiny();
    let name = "mobilebert.encoder.layer.1.attention.self.key.weight";
    let key = tensors.iter_mut().find(|raw| raw.name == name).unwrap();
    key.bytes[..4].copy_from_slice(&1e6f32.to_le_bytes());
    let stored = read(&quantize(&tensors, WeightFormat::F16).0, &[4096], None).unwrap();
    let dtype = |name: &str| stored.iter().find(|raw| raw.name == name).unwrap().dtype;
    assert_eq!([dtype(name), dtype(&name.replace("key", "query"))], [Dtype::F32, Dtype::F16]);
    let joined = joined(&network, &stored);
    let mixed: Vec<_> = joined
        .iter()
        .filter(|(all, _)| all.shape == [64, 32] && matches!(all.values, Values::F32(_)))
        .collect();
    assert_eq!(mixed.len(), 1, "only the layer with that tensor");
    for (all, parts) in &joined {
        assert_eq!(floats(all), parts.iter().flat_map(floats).collect::<Vec<_>>());
    }
}

#[test]
fn errors_name_the_tensor_at_fault_and_not_what_it_is_a_part_of() {
    let (network, tensors) = tiny();
    let name = "mobilebert.encoder.layer.1.attention.self.key.weight";
    let mut changed = tensors.clone();
    let key = changed.iter_mut().find(|raw| raw.name == name).unwrap();
    key.bytes[4 * 33..][..4].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = checkpoint::assemble(&network, changed).unwrap_err();
    crate::assert_tensor_error(&error, name, &["NaN", "[1, 1]"]);
    // Finite factors with an infinite product.
    let (name, norm) = (
        "mobilebert.encoder.layer.0.bottleneck.attention.dense.weight",
        "mobilebert.encoder.layer.0.bottleneck.attention.LayerNorm.weight",
    );
    let mut changed = tensors;
    for (name, index) in [(name, 2 * 64), (norm, 2)] {
        let raw = changed.iter_mut().find(|raw| raw.name == name).unwrap();
        raw.bytes[4 * index..][..4].copy_from_slice(&1e30f32.to_le_bytes());
    }
    let error = checkpoint::assemble(&network, changed).unwrap_err();
    crate::assert_tensor_error(&error, name, &["inf", "[2, 0]"]);
}

#[test]
fn a_product_of_weights_is_as_exact_as_one_that_was_stored() {
    let fields = json!({ "model_type": "mobilebert", "num_hidden_layers": 1, "vocab_size": 37,
        "architectures": ["MobileBertForQuestionAnswering"] });
    let config = Config::from_json(fields.to_string()).unwrap();
    let network = Network::of(&config).unwrap().folded().unwrap();
    let tensors = checkpoint::tensors(&network, &mut Random::new(8));
    let raw: Vec<RawTensor> =
        tensors.iter().map(|(name, (shape, values))| raw_f32(name, shape, values)).collect();
    let layer = "mobilebert.encoder.layer.0";
    let of = |name: &str| &tensors[&format!("{layer}.{name}")].1;
    let (gamma, beta) =
        (of("bottleneck.attention.LayerNorm.weight"), of("bottleneck.attention.LayerNorm.bias"));
    let (before, before_bias) =
        (of("bottleneck.attention.dense.weight"), of("bottleneck.attention.dense.bias"));
    let place = network.parameters.iter().position(|parameter| matches!(parameter.recipe, Recipe::Rows(_)));
    let [weight, bias] = [0, 1].map(|index| floats(&assembled(&network, &raw)[place.unwrap() + index]));
    // [b | q | k | v]
    assert_eq!((weight.len(), bias.len()), (512 * 512, 512));
    for (index, (module, factor)) in [("query", 1.0 / 32f64.sqrt()), ("key", 1.0)].into_iter().enumerate() {
        let (own, own_bias) =
            (of(&format!("attention.self.{module}.weight")), of(&format!("attention.self.{module}.bias")));
        let (mut exact, mut exact_bias) = (vec![0.0; 128 * 512], vec![0.0; 128]);
        for row in 0..128 {
            exact_bias[row] = factor * own_bias[row];
            for middle in 0..128 {
                let own = factor * own[row * 128 + middle];
                exact_bias[row] += own * (gamma[middle] * before_bias[middle] + beta[middle]);
                let before = &before[middle * 512..][..512];
                for (sum, value) in exact[row * 512..][..512].iter_mut().zip(before) {
                    *sum += own * gamma[middle] * value;
                }
            }
        }
        let first = 128 * (index + 1);
        compare_to_rms(&exact, &weight[first * 512..][..128 * 512], 1e-6).unwrap();
        compare_to_rms(&exact_bias, &bias[first..][..128], 1e-6).unwrap();
    }
}
