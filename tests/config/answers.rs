//! The entries that turn logits into answers: `calibration` and `span_costs`.

use mobilebert::config::{Calibration, SpanCosts};
use serde_json::{Value, json};

use crate::read;

#[test]
fn a_calibration_is_read_and_one_out_of_range_is_named() {
    let with = |calibration: Value| read(json!({ "model_type": "bert", "calibration": calibration }));
    assert_eq!(read(json!({ "model_type": "bert" })).unwrap().calibration, Calibration::default());
    assert_eq!(
        with(json!({ "note": "unknown keys are ignored" })).unwrap().calibration,
        Calibration::default()
    );
    let given = json!({ "temperature": 1.5, "null_bias": 2, "null_threshold": -2, "unsure_below": 0.4, "neutral": [0.3, 0.7] });
    let expected = Calibration {
        temperature: 1.5,
        null_bias: 2.0,
        null_threshold: Some(-2.0),
        unsure_below: 0.4,
        neutral: Some((0.3, 0.7)),
    };
    assert_eq!(with(given).unwrap().calibration, expected);
    for (bad, field) in [
        (json!(1.5), "calibration"),
        (json!({ "temperature": 0 }), "calibration.temperature"),
        (json!({ "temperature": "hot" }), "calibration.temperature"),
        (json!({ "null_bias": "high" }), "calibration.null_bias"),
        (json!({ "null_threshold": [] }), "calibration.null_threshold"),
        (json!({ "unsure_below": 1.5 }), "calibration.unsure_below"),
        (json!({ "neutral": [0.7, 0.3] }), "calibration.neutral"),
        (json!({ "neutral": [0.7] }), "calibration.neutral"),
        (json!({ "neutral": [0.2, "0.7"] }), "calibration.neutral"),
    ] {
        let error = with(bad.clone()).unwrap_err();
        assert!(error.to_string().contains(&format!("`{field}`")), "{bad}: {error}");
    }
}

#[test]
fn span_costs_are_read_and_one_out_of_range_is_named() {
    let with = |costs: Value| read(json!({ "model_type": "bert", "span_costs": costs }));
    assert_eq!(read(json!({ "model_type": "bert" })).unwrap().span_costs, SpanCosts::default());
    assert_eq!(
        with(json!({ "token": 0.25, "note": "unknown keys are ignored" })).unwrap().span_costs,
        SpanCosts { token: 0.25, sentence: 0.0 }
    );
    let given = json!({ "token": 0, "sentence": 2 });
    assert_eq!(with(given).unwrap().span_costs, SpanCosts { token: 0.0, sentence: 2.0 });
    for (bad, field) in [
        (json!(0.1), "span_costs"),
        (json!({ "token": -0.1 }), "span_costs.token"),
        (json!({ "token": "cheap" }), "span_costs.token"),
        (json!({ "sentence": 1e9 }), "span_costs.sentence"),
    ] {
        let error = with(bad.clone()).unwrap_err();
        assert!(error.to_string().contains(&format!("`{field}`")), "{bad}: {error}");
    }
}
