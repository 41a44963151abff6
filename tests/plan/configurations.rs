//! Random configurations of all model families.

use std::collections::BTreeMap;

use mobilebert::config::Config;
use mobilebert::plan::{Request, Schedule};
use serde_json::{Value, json};

use crate::support::random::Random;

pub const HEADS: [&str; 8] = [
    "Model",
    "ForQuestionAnswering",
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForMaskedLM",
    "ForPreTraining",
    "ForNextSentencePrediction",
    "ForMultipleChoice",
];

pub const ACTIVATIONS: [&str; 6] = ["relu", "gelu", "gelu_new", "tanh", "silu", "linear"];

/// A random configuration of any family, with any switches, head, and odd sizes.
pub fn random_config(random: &mut Random) -> Value {
    let heads = random.between(1, 3);
    // Only modules that are whole panels share their parameters.
    let width = heads * if random.below(2) == 0 { 32 } else { random.between(1, 5) };
    let activation = ACTIVATIONS[random.below(6)];
    let labels = random.between(1, 4);
    let mut ending = HEADS[random.below(8)];
    let mut fields =
        json!({ "vocab_size": random.between(3, 17), "max_position_embeddings": random.between(9, 12) });
    let mut set = |name: &str, value: Value| fields[name] = value;
    match random.below(4) {
        0 => {
            set("model_type", json!("distilbert"));
            set("dim", json!(width));
            set("n_heads", json!(heads));
            set("n_layers", json!(random.between(1, 3)));
            set("hidden_dim", json!(random.between(1, 11)));
            set("activation", json!(activation));
            if ["ForPreTraining", "ForNextSentencePrediction"].contains(&ending) {
                ending = "Model";
            }
            set("architectures", json!([format!("DistilBert{ending}")]));
        }
        1 => {
            set("model_type", json!("bert"));
            set("hidden_size", json!(width));
            set("num_attention_heads", json!(heads));
            set("num_hidden_layers", json!(random.between(1, 3)));
            set("intermediate_size", json!(random.between(1, 11)));
            set("type_vocab_size", json!(random.between(1, 3)));
            set("hidden_act", json!(activation));
            set("architectures", json!([format!("Bert{ending}")]));
        }
        _ => {
            let bottleneck = random.below(4) != 0;
            let hidden = if bottleneck { random.between(2, 16) } else { width };
            let embedding = if random.below(3) == 0 { hidden } else { random.between(1, hidden) };
            set("model_type", json!("mobilebert"));
            set("hidden_size", json!(hidden));
            set("intra_bottleneck_size", json!(width));
            set("embedding_size", json!(embedding));
            set("num_attention_heads", json!(heads));
            set("num_hidden_layers", json!(random.between(1, 3)));
            set("num_feedforward_networks", json!(random.between(1, 4)));
            set("intermediate_size", json!(random.between(1, 11)));
            set("use_bottleneck", json!(bottleneck));
            set("use_bottleneck_attention", json!(random.below(3) == 0));
            set("key_query_shared_bottleneck", json!(random.below(2) == 0));
            set("trigram_input", json!(random.below(2) == 0));
            set("classifier_activation", json!(random.below(3) != 0));
            set("normalization_type", json!(["no_norm", "layer_norm"][random.below(2)]));
            set("hidden_act", json!(activation));
            set("architectures", json!([format!("MobileBert{ending}")]));
        }
    }
    if ["ForSequenceClassification", "ForTokenClassification"].contains(&ending) {
        let names: BTreeMap<String, String> =
            (0..labels).map(|i| (i.to_string(), format!("label {i}"))).collect();
        set("id2label", json!(names));
    }
    fields
}

pub fn config(fields: &Value) -> Config {
    Config::from_json(fields.to_string()).unwrap()
}

pub fn everything(batch: usize, sequence: usize, schedule: Schedule) -> Request {
    Request { batch, sequence, schedule, hidden_states: true, attentions: true, attention_of: None }
}
