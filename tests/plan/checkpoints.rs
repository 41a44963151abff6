//! The checkpoint tensors that a network is built from.

use std::collections::HashSet;

use mobilebert::config::Head;
use mobilebert::error::Error;
use mobilebert::plan::{Network, Request};
use serde_json::json;

use crate::configurations::config;

#[test]
fn missing_head_and_layer_tensors_are_reported_by_name() {
    let fields = json!({ "model_type": "bert", "num_hidden_layers": 2, "architectures": ["BertForQuestionAnswering"] });
    let config = config(&fields);
    match Network::new(&config, &|name| !name.starts_with("qa_outputs")) {
        Err(Error::Tensor { tensor, problem, .. }) => {
            assert_eq!(tensor, "qa_outputs.weight");
            assert!(problem.contains("[2, 768]") && problem.contains("no head"), "{problem}");
        }
        other => panic!("{other:?}"),
    }
    match Network::new(&config, &|name| !name.contains("layer.1.attention")) {
        Err(Error::Tensor { tensor, problem, .. }) => {
            assert_eq!(tensor, "bert.encoder.layer.1.attention.self.query.weight");
            assert!(problem.contains("9 others"), "{problem}");
        }
        other => panic!("{other:?}"),
    }
}

/// Covers old names, missing prefixes, and tied weights.
#[test]
fn tensors_are_found_under_their_older_names() {
    let rename_gamma = |name: &str| !(name.contains("LayerNorm.weight") || name.contains("LayerNorm.bias"));
    let sources = |network: &Network| -> HashSet<String> {
        let sources = network.parameters.iter().flat_map(|parameter| parameter.recipe.sources());
        sources.map(|source| source.name().to_owned()).collect()
    };
    let head = |ending: &str| {
        config(
            &json!({ "model_type": "mobilebert", "num_hidden_layers": 1, "architectures": [format!("MobileBert{ending}")] }),
        )
    };
    let old = Network::new(&head("ForQuestionAnswering"), &rename_gamma).unwrap();
    assert!(sources(&old).contains("mobilebert.embeddings.LayerNorm.gamma"));
    assert!(sources(&old).contains("mobilebert.encoder.layer.0.output.LayerNorm.beta"));

    let bare = |name: &str| !name.starts_with("mobilebert.");
    assert!(
        sources(&Network::new(&head("ForQuestionAnswering"), &bare).unwrap())
            .contains("embeddings.word_embeddings.weight")
    );
    let prefixed = |name: &str| name.starts_with("mobilebert.");
    assert!(
        sources(&Network::new(&head("Model"), &prefixed).unwrap())
            .contains("mobilebert.encoder.layer.0.attention.self.query.weight")
    );
    let without_pooler = Network::new(&head("Model"), &|name| !name.contains("pooler")).unwrap();
    let plan = without_pooler.plan(Request { batch: 1, sequence: 4, ..Request::default() }).unwrap();
    assert_eq!(
        plan.outputs.iter().map(|output| output.name.as_str()).collect::<Vec<_>>(),
        ["last_hidden_state"]
    );

    let masked = head("ForMaskedLM");
    let own = sources(&Network::new(&masked, &|_| true).unwrap());
    assert!(own.contains("cls.predictions.decoder.weight") && own.contains("cls.predictions.decoder.bias"));
    let tied = sources(&Network::of(&masked).unwrap());
    assert!(!tied.contains("cls.predictions.decoder.weight") && tied.contains("cls.predictions.bias"));
    let only_decoder = |name: &str| !name.ends_with("word_embeddings.weight");
    assert!(
        sources(&Network::new(&masked, &only_decoder).unwrap()).contains("cls.predictions.decoder.weight")
    );
}

#[test]
fn the_head_is_derived_from_the_architecture() {
    for (ending, head) in [
        ("ForQuestionAnswering", Head::QuestionAnswering),
        ("ForSequenceClassification", Head::SequenceClassification),
        ("ForTokenClassification", Head::TokenClassification),
        ("ForMaskedLM", Head::MaskedLanguageModel),
        ("ForPreTraining", Head::PreTraining),
        ("ForNextSentencePrediction", Head::NextSentence),
        ("ForMultipleChoice", Head::MultipleChoice),
        ("Model", Head::Encoder),
    ] {
        for family in ["MobileBert", "Bert"] {
            let fields = json!({ "model_type": family.to_lowercase(), "architectures": [format!("{family}{ending}")] });
            let config = config(&fields);
            assert_eq!(config.head, head);
            assert_eq!(config.architecture(), format!("{family}{ending}"));
        }
    }
}
