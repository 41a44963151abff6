//! The fields of each family, with their defaults.

use super::fields::Fields;
use super::{Activation, Bottleneck, Calibration, Config, FILE, Family, Head, Normalization, SpanCosts};
use crate::error::{Error, Result};

/// Reads `model_type`, or the family that `architectures` implies.
pub(super) fn family(fields: &Fields) -> Result<Family> {
    const FAMILIES: [Family; 3] = [Family::MobileBert, Family::DistilBert, Family::Bert];
    let architecture = fields.first_architecture()?;
    let of_class = |class: &str| FAMILIES.into_iter().find(|family| class.starts_with(family.class_prefix()));
    match (fields.text("model_type")?, &architecture) {
        (Some(model_type), _) => {
            FAMILIES.into_iter().find(|family| family.model_type() == model_type).ok_or_else(|| {
                Error::unsupported(
                    format!("{FILE}: `model_type` {model_type:?}"),
                    "mobilebert, bert and distilbert are",
                )
            })
        }
        (None, class) => class.as_deref().and_then(of_class).ok_or_else(|| {
            Error::config("model_type", "is missing; write \"mobilebert\", \"bert\" or \"distilbert\"")
        }),
    }
}

/// Reads the head named by `architectures`, if it names a class, which must belong to the family.
pub(super) fn head(fields: &Fields, family: Family) -> Result<Option<Head>> {
    let Some(class) = fields.first_architecture()? else { return Ok(None) };
    let unknown = || {
        Error::unsupported(
            format!("{FILE}: `architectures` {class:?} of `model_type` {:?}", family.model_type()),
            format!(
                "the classes of transformers named {}* are: Model, ForQuestionAnswering, ForSequenceClassification, ForTokenClassification, ForMaskedLM, ForPreTraining, ForNextSentencePrediction, ForMultipleChoice",
                family.class_prefix()
            ),
        )
    };
    let ending = class.strip_prefix(family.class_prefix()).ok_or_else(unknown)?;
    let head = Head::ENDINGS.into_iter().find(|(name, _)| *name == ending).map(|(_, head)| head);
    let head = head.ok_or_else(unknown)?;
    if family == Family::DistilBert && matches!(head, Head::PreTraining | Head::NextSentence) {
        return Err(unknown());
    }
    Ok(Some(head))
}

/// Fails for options that would change the computation in ways this crate doesn't implement.
pub(super) fn refuse_unsupported(fields: &Fields) -> Result<()> {
    if let Some(kind) = fields.text("position_embedding_type")?.filter(|kind| kind != "absolute") {
        return Err(Error::unsupported(
            format!("{FILE}: `position_embedding_type` {kind:?}"),
            "only \"absolute\" is",
        ));
    }
    for field in ["is_decoder", "add_cross_attention", "is_encoder_decoder"] {
        if fields.flag(field, false)? {
            return Err(Error::unsupported(format!("{FILE}: `{field}` true"), "only encoders are"));
        }
    }
    if fields.has_entries("pruned_heads") {
        return Err(Error::unsupported(
            format!("{FILE}: `pruned_heads`"),
            "load the model in transformers and save it with all heads",
        ));
    }
    if fields.has_entries("quantization_config") {
        return Err(Error::unsupported(
            format!("{FILE}: `quantization_config`"),
            "start from the unquantized checkpoint and use `mobilebert quantize`",
        ));
    }
    Ok(())
}

/// Reads a MobileBERT, with the defaults of `MobileBertConfig`.
pub(super) fn mobilebert(fields: &Fields, head: Head) -> Result<Config> {
    let normalization = match fields.text("normalization_type")?.as_deref() {
        None | Some("no_norm") => Normalization::NoNorm,
        Some("layer_norm") => Normalization::LayerNorm,
        Some(other) => {
            return Err(Error::unsupported(
                format!("{FILE}: `normalization_type` {other:?}"),
                "\"no_norm\" and \"layer_norm\" are",
            ));
        }
    };
    let bottleneck = if fields.flag("use_bottleneck", true)? {
        Some(Bottleneck {
            size: fields.size("intra_bottleneck_size", 128)?,
            attention: fields.flag("use_bottleneck_attention", false)?,
            key_query_shared: fields.flag("key_query_shared_bottleneck", true)?,
        })
    } else {
        None
    };
    Ok(Config {
        hidden_size: fields.size("hidden_size", 512)?,
        embedding_size: fields.size("embedding_size", 128)?,
        num_hidden_layers: fields.count("num_hidden_layers", 24)?,
        num_attention_heads: fields.size("num_attention_heads", 4)?,
        intermediate_size: fields.size("intermediate_size", 512)?,
        num_feedforward_networks: fields.count("num_feedforward_networks", 4)?,
        type_vocab_size: fields.size("type_vocab_size", 2)?,
        trigram_input: fields.flag("trigram_input", true)?,
        bottleneck,
        normalization,
        layer_norm_eps: fields.epsilon("layer_norm_eps", 1e-12)?,
        hidden_act: fields.activation("hidden_act", "relu")?,
        classifier_activation: fields.flag("classifier_activation", true)?,
        ..common(fields, Family::MobileBert, head)?
    })
}

/// Reads a BERT, with the defaults of `BertConfig`.
pub(super) fn bert(fields: &Fields, head: Head) -> Result<Config> {
    let hidden_size = fields.size("hidden_size", 768)?;
    Ok(Config {
        hidden_size,
        embedding_size: hidden_size,
        num_hidden_layers: fields.count("num_hidden_layers", 12)?,
        num_attention_heads: fields.size("num_attention_heads", 12)?,
        intermediate_size: fields.size("intermediate_size", 3072)?,
        type_vocab_size: fields.size("type_vocab_size", 2)?,
        layer_norm_eps: fields.epsilon("layer_norm_eps", 1e-12)?,
        hidden_act: fields.activation("hidden_act", "gelu")?,
        ..common(fields, Family::Bert, head)?
    })
}

/// Reads a DistilBERT, with the defaults of `DistilBertConfig`.
pub(super) fn distilbert(fields: &Fields, head: Head) -> Result<Config> {
    let hidden_size = fields.size(fields.present(&["dim", "hidden_size"]), 768)?;
    Ok(Config {
        hidden_size,
        embedding_size: hidden_size,
        num_hidden_layers: fields.count(fields.present(&["n_layers", "num_hidden_layers"]), 6)?,
        num_attention_heads: fields.size(fields.present(&["n_heads", "num_attention_heads"]), 12)?,
        intermediate_size: fields.size("hidden_dim", 3072)?,
        hidden_act: fields.activation("activation", "gelu")?,
        ..common(fields, Family::DistilBert, head)?
    })
}

/// Reads the fields that have the same name and default in every family; the rest is that of a BERT without
/// layers.
fn common(fields: &Fields, family: Family, head: Head) -> Result<Config> {
    Ok(Config {
        family,
        head,
        vocab_size: fields.size("vocab_size", 30522)?,
        hidden_size: 0,
        embedding_size: 0,
        num_hidden_layers: 0,
        num_attention_heads: 0,
        intermediate_size: 0,
        num_feedforward_networks: 1,
        max_position_embeddings: fields.size("max_position_embeddings", 512)?,
        type_vocab_size: 0,
        trigram_input: false,
        bottleneck: None,
        normalization: Normalization::LayerNorm,
        // Hard-coded in transformers for DistilBERT; the default of the others.
        layer_norm_eps: 1e-12,
        hidden_act: Activation::Gelu,
        classifier_activation: true,
        tie_word_embeddings: fields.flag("tie_word_embeddings", true)?,
        labels: fields.labels()?,
        listed_labels: fields.entries("id2label"),
        stated_head: None,
        wanted_head: None,
        problem_type: fields.problem_type()?,
        activation_fn: fields.activation_fn()?,
        pad_token_id: fields.token_id("pad_token_id")?,
        calibration: Calibration::read(fields)?,
        span_costs: SpanCosts::read(fields)?,
    })
}
