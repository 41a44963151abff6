//! Logits of a natural-language-inference head, one row per hypothesis → labels with scores.

use serde::Serialize;

use super::ranking::{check_finite, ranked, softmax};
use crate::error::{Error, Result};

/// The placeholder of the label in a template.
const PLACE: &str = "{}";

/// A sentence with a placeholder for a label, such as `This example is {}.`
#[derive(Clone, Copy, Debug)]
pub struct Template<'a>(&'a str, &'a str);

impl<'a> Template<'a> {
    /// Splits a template at its `{}`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless there is exactly one.
    pub fn parse(template: &'a str) -> Result<Self> {
        match template.split_once(PLACE) {
            Some((before, behind)) if !behind.contains(PLACE) => Ok(Template(before, behind)),
            found => {
                let places = if found.is_some() { "several {}" } else { "no {}" };
                let problem =
                    format!("has {places}; write one where the label belongs: This example is {{}}.");
                Err(Error::invalid_input("hypothesis_template", problem))
            }
        }
    }

    /// The hypothesis for a label.
    pub fn hypothesis(self, label: &str) -> String {
        [self.0, label, self.1].concat()
    }
}

/// The two relevant outputs of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inference {
    entailment: usize,
    contradiction: usize,
}

impl Inference {
    /// Finds the entailment label by its name, which starts with "entail" (case-insensitive). The
    /// contradiction is the first label, or the last one if the first is the entailment: the rule of
    /// `transformers`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] listing all labels, if there is no entailment label or no other one.
    pub fn of_labels(names: &[String]) -> Result<Self> {
        let entails = |name: &String| name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("entail"));
        match names.iter().position(entails) {
            Some(entailment) if names.len() > 1 => {
                let contradiction = if entailment == 0 { names.len() - 1 } else { 0 };
                Ok(Inference { entailment, contradiction })
            }
            _ => Err(Error::unsupported(
                format!("zero-shot classification with the labels {}", names.join(", ")),
                "load a model for natural-language inference, with a label `entailment` and another one in `id2label`",
            )),
        }
    }

    /// The evidence for a label in a row of logits.
    ///
    /// # Errors
    /// [`Error::Tensor`] for NaN or infinite logits, [`Error::Internal`] if there are too few.
    pub fn evidence(self, logits: &[f32]) -> Result<Evidence> {
        check_finite("logits", logits)?;
        let logit = |at: usize| {
            let missing = || Error::internal("zero-shot classification", "fewer logits than labels");
            logits.get(at).copied().ok_or_else(missing)
        };
        Ok(Evidence { entailment: logit(self.entailment)?, contradiction: logit(self.contradiction)? })
    }
}

/// The logits of a hypothesis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Logit of entailment.
    pub entailment: f32,
    /// Logit of contradiction.
    pub contradiction: f32,
}

/// A label and its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoredLabel {
    /// The caller's label.
    pub label: String,
    /// Probability, 0 to 1.
    pub score: f64,
}

/// The labels with their scores, best first; ties in the caller's order. Scores are a softmax over the labels' entailment
/// logits, or, if labels are independent or there is only one, of entailment against contradiction for each label.
pub fn scores(labels: &[&str], evidence: &[Evidence], multi_label: bool) -> Vec<ScoredLabel> {
    let scores: Vec<f64> = if multi_label || labels.len() == 1 {
        let entailed = |one: &Evidence| softmax(&[one.contradiction, one.entailment])[1];
        evidence.iter().map(entailed).collect()
    } else {
        softmax(&evidence.iter().map(|one| one.entailment).collect::<Vec<_>>())
    };
    let scored = |(index, score): (usize, f64)| ScoredLabel { label: labels[index].to_owned(), score };
    ranked(&scores).into_iter().map(scored).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_entailment_label_is_found_wherever_it_is() {
        let found = |labels: &[&str]| {
            let Inference { entailment, contradiction } = Inference::of_labels(&names(labels)).unwrap();
            (entailment, contradiction)
        };
        assert_eq!(found(&["ENTAILMENT", "NEUTRAL", "CONTRADICTION"]), (0, 2));
        assert_eq!(found(&["contradiction", "neutral", "entailment"]), (2, 0));
        assert_eq!(found(&["contradiction", "Entails", "neutral"]), (1, 0));
        assert_eq!(found(&["entailment", "not_entailment"]), (0, 1));
        assert_eq!(found(&["not_entailment", "entailment"]), (1, 0));
    }

    #[test]
    fn labels_without_an_entailment_are_listed_in_the_error() {
        for labels in [&["LABEL_0", "LABEL_1"][..], &["entailment"], &[]] {
            let error = Inference::of_labels(&names(labels)).unwrap_err().to_string();
            assert!(error.contains(&labels.join(", ")) && error.contains("`entailment`"), "{error}");
        }
    }

    #[test]
    fn a_template_has_one_place_for_the_label() {
        assert_eq!(Template::parse("Is it {}?").unwrap().hypothesis("$& {}"), "Is it $& {}?");
        for template in ["This example is.", "", "{ }", "{} or {}"] {
            let error = Template::parse(template).unwrap_err().to_string();
            assert!(error.starts_with("`hypothesis_template`") && error.contains("{}"), "{error}");
        }
    }

    #[test]
    fn scores_compete_unless_labels_are_independent() {
        let evidence = [(0.0, 0.0), (3f32.ln(), 0.0), (0.0, 9.0)];
        let evidence = evidence.map(|(entailment, contradiction)| Evidence { entailment, contradiction });
        let found = |count: usize, multi_label| -> Vec<(String, f64)> {
            let scored = scores(&["a", "b", "c"][..count], &evidence[..count], multi_label);
            scored.into_iter().map(|one| (one.label, (one.score * 1e4).round() / 1e4)).collect()
        };
        assert_eq!(found(3, false), [("b".into(), 0.6), ("a".into(), 0.2), ("c".into(), 0.2)]);
        assert_eq!(found(3, true), [("b".into(), 0.75), ("a".into(), 0.5), ("c".into(), 0.0001)]);
        assert_eq!(found(1, false), [("a".into(), 0.5)], "a single label would always get 1");
    }

    #[test]
    fn damaged_logits_are_an_error() {
        let inference = Inference::of_labels(&names(&["contradiction", "entailment"])).unwrap();
        inference.evidence(&[0.0, f32::NAN]).unwrap_err();
        inference.evidence(&[0.0]).unwrap_err();
    }
}
