//! Results of plans, compared with the reference model, which doesn't use plans.

use std::collections::HashSet;

use mobilebert::plan::{Network, Plan, Request, Schedule, limits};
use proptest::prelude::*;
use serde_json::json;

use crate::configurations::{config, everything, random_config};
use crate::support::compare::compare_to_rms;
use crate::support::random::Random;
use crate::support::reference_model::ReferenceModel;
use crate::support::{checkpoint, interpreter};

#[test]
fn every_plan_matches_the_reference_model() {
    let mut seen = HashSet::new();
    for seed in 0..160 {
        let random = &mut Random::new(seed);
        let fields = random_config(random);
        let config = config(&fields);
        let mut network = Network::of(&config).unwrap();
        if seed % 2 == 0 {
            network = network.folded().unwrap();
        }
        let tensors = checkpoint::tensors(&network, random);
        let parameters = checkpoint::assemble(&network, checkpoint::raw(&tensors)).unwrap();
        let (batch, sequence) = (random.between(1, 3), random.between(1, 8));
        let inputs = checkpoint::inputs(&config, batch, sequence, random);
        let expected =
            ReferenceModel { config: &config, tensors: &tensors, inputs: &inputs, batch, sequence }.run();
        for schedule in [Schedule::Operations, Schedule::Tiled] {
            let plan = network.plan(everything(batch, sequence, schedule)).unwrap();
            let found = interpreter::run(&network.parameters, &plan, &parameters, &inputs);
            let names: HashSet<&str> = plan.outputs.iter().map(|output| output.name.as_str()).collect();
            assert_eq!(names.len(), plan.outputs.len(), "output names are unique");
            assert_eq!(names, expected.keys().map(String::as_str).collect(), "{fields}");
            for (name, expected) in &expected {
                compare_to_rms(expected, &found[name], 2e-5).unwrap_or_else(|problem| {
                    panic!("seed {seed}, {schedule:?}, {name}: {problem}\n{fields}")
                });
            }
        }
        seen.insert((config.family.model_type(), config.head));
    }
    assert_eq!(seen.len(), 8 + 8 + 6, "not every family and head was generated: {seen:?}");
}

#[test]
fn a_label_refers_to_the_same_tensor_in_every_schedule() {
    let mut joined = 0;
    for seed in 0..40 {
        let random = &mut Random::new(1000 + seed);
        let config = config(&random_config(random));
        let network = Network::of(&config).unwrap();
        let parameters =
            checkpoint::assemble(&network, checkpoint::raw(&checkpoint::tensors(&network, random))).unwrap();
        let inputs = checkpoint::inputs(&config, 2, 5, random);
        let run = |schedule| {
            let request = Request { batch: 2, sequence: 5, schedule, ..Request::default() };
            interpreter::run(&network.parameters, &network.plan(request).unwrap(), &parameters, &inputs)
        };
        let (operations, tiled) = (run(Schedule::Operations), run(Schedule::Tiled));
        assert!(tiled.len() < operations.len());
        for (label, found) in &tiled {
            for (label, found) in parts(label, found, &operations) {
                compare_to_rms(&operations[&label], &found, 1e-12)
                    .unwrap_or_else(|problem| panic!("{label}: {problem}"));
                joined += usize::from(!tiled.contains_key(&label));
            }
        }
    }
    assert!(joined > 50, "{joined} linears were joined");
}

/// The tensors that a label refers to, and their columns; for joined linears, those of each linear.
fn parts(label: &str, values: &[f64], operations: &interpreter::Results) -> Vec<(String, Vec<f64>)> {
    let names: Vec<&str> = label.split(" | ").collect();
    let full = |name: &&str| {
        let starts = names[0].match_indices('.').map(|(dot, _)| &names[0][..=dot]);
        let mut labels = std::iter::once("").chain(starts).map(|start| format!("{start}{name}"));
        labels.rfind(|label| operations.contains_key(label)).unwrap_or_else(|| panic!("{label}"))
    };
    let labels: Vec<String> = names.iter().map(full).collect();
    let rows = 2 * 5;
    let widths: Vec<usize> = labels.iter().map(|label| operations[label].len() / rows).collect();
    let all: usize = widths.iter().sum();
    if labels.len() == 1 {
        return vec![(labels[0].clone(), values.to_vec())];
    }
    let mut first = 0;
    let columns = |(label, width): (String, &usize)| {
        let range = first..first + width;
        first += width;
        (label, values.chunks(all).flat_map(|row| row[range.clone()].to_vec()).collect())
    };
    labels.into_iter().zip(&widths).map(columns).collect()
}

#[test]
fn padding_and_other_sequences_do_not_change_results() {
    for seed in 0..60 {
        let random = &mut Random::new(2000 + seed);
        let config = config(&random_config(random));
        let network = Network::of(&config).unwrap();
        let parameters =
            checkpoint::assemble(&network, checkpoint::raw(&checkpoint::tensors(&network, random))).unwrap();
        let (length, padded) = (random.between(1, 5), random.between(6, 9));
        let alone = checkpoint::inputs(&config, 1, length, random);
        let mut batch = checkpoint::inputs(&config, 2, padded, random);
        for at in 0..padded {
            let inside = at < length;
            batch.input_ids[padded + at] =
                if inside { alone.input_ids[at] } else { mobilebert::plan::PAD_ID };
            batch.token_type_ids[padded + at] = if inside { alone.token_type_ids[at] } else { 0 };
            batch.attention_mask[padded + at] = if inside { alone.attention_mask[at] } else { 0 };
        }
        let run = |batch, sequence, inputs| {
            let request = Request { batch, sequence, hidden_states: true, ..Request::default() };
            interpreter::run(&network.parameters, &network.plan(request).unwrap(), &parameters, inputs)
        };
        let (short, long) = (run(1, length, &alone), run(2, padded, &batch));
        let name = format!("hidden_states.{}", config.num_hidden_layers);
        let width = config.hidden_size;
        let found = &long[&name][padded * width..][..length * width];
        compare_to_rms(&short[&name], found, 1e-12).unwrap();
    }
}

/// Peak memory must not depend on the number of layers.
#[test]
fn memory_is_reused_from_layer_to_layer() {
    let mobilebert = |layers: usize| {
        let fields = json!({ "model_type": "mobilebert", "num_hidden_layers": layers,
            "architectures": ["MobileBertForQuestionAnswering"] });
        let request = Request { batch: 1, sequence: 128, ..Request::default() };
        Network::of(&config(&fields)).unwrap().plan(request).unwrap()
    };
    let (few, many) = (mobilebert(2), mobilebert(24));
    assert_eq!(few.slots.iter().sum::<usize>(), many.slots.iter().sum::<usize>());
    assert!(many.slots.len() <= 8, "{:?}", many.slots);
    assert!(many.slots.iter().sum::<usize>() * 4 < 3 << 20, "{:?}", many.slots);
}

/// Simulates which buffer each slot holds, and checks that every step reads the buffers it expects.
fn assert_slots_hold_what_is_read(plan: &Plan) {
    let mut owner = vec![None; plan.slots.len()];
    for step in &plan.steps {
        let output = &plan.buffers[step.output.0];
        for buffer in step.operation.reads() {
            let slot = plan.buffers[buffer.0].slot;
            assert_eq!(owner[slot], Some(buffer), "{} reads an overwritten buffer", step.label);
            assert_ne!(slot, output.slot, "{} writes to a slot that it reads", step.label);
        }
        assert!(plan.slots[output.slot] >= output.len);
        owner[output.slot] = Some(step.output);
    }
    for output in &plan.outputs {
        assert_eq!(owner[plan.buffers[output.buffer.0].slot], Some(output.buffer), "{}", output.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slots_are_not_overwritten_and_labels_are_unique(seed in any::<u64>(), batch in 1usize..4, sequence in 1usize..9,
            keep in any::<[bool; 4]>()) {
        let config = config(&random_config(&mut Random::new(seed)));
        let network = Network::of(&config).unwrap();
        let schedule = if keep[0] { Schedule::Operations } else { Schedule::Tiled };
        let request = Request { batch, sequence, schedule, hidden_states: keep[1], attentions: keep[2], attention_of: keep[3].then_some(0) };
        let plan = network.plan(request).unwrap();
        assert_slots_hold_what_is_read(&plan);
        let labels: HashSet<&str> = plan.steps.iter().map(|step| step.label.as_str()).collect();
        prop_assert_eq!(labels.len(), plan.steps.len());
        let names: HashSet<&str> = network.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        prop_assert_eq!(names.len(), network.parameters.len());
        for step in &plan.steps {
            let parameters = step.operation.parameters();
            prop_assert!(step.operation.reads().len() + parameters.len() + 2 <= limits::STORAGE_BUFFERS);
        }
    }
}
