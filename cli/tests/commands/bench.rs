//! `bench`.

use serde_json::{Map, Value, json};

use crate::models::{TinyModel, configuration};
use crate::process::{ROOT, mobilebert, text};

const SHORT: [&str; 6] = ["bench", "--device", "cpu", "--runs", "3", "--json"];

/// The schema of the JSON that both the command line and the page write.
fn schema() -> Value {
    let path = std::path::Path::new(ROOT).join("docs/bench-result.schema.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Paths where a value's fields or types differ from the schema. The page's tests check the rest of the
/// schema.
fn faults(schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Vec::new(),
    };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() || !types.contains(&"integer") => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.contains(&found) {
        return vec![format!("{path} is {found}")];
    }
    let nothing = Map::new();
    let fields = schema["properties"].as_object().unwrap_or(&nothing);
    match value {
        Value::Array(items) => items.iter().flat_map(|item| faults(&schema["items"], item, path)).collect(),
        Value::Object(given) => {
            let unknown = given.keys().filter(|name| !fields.contains_key(*name));
            let missing = fields.keys().filter(|name| !given.contains_key(*name));
            let mut all: Vec<String> = unknown.chain(missing).map(|name| format!("{path}.{name}")).collect();
            for (name, value) in given {
                let field = fields.get(name).unwrap_or(&Value::Null);
                all.extend(faults(field, value, &format!("{path}.{name}")));
            }
            all
        }
        _ => Vec::new(),
    }
}

#[test]
fn bench_measures_a_directory_or_a_configuration_and_prints_the_documented_json() {
    let model = TinyModel::new("ForQuestionAnswering");
    let config = model.write("other.json", configuration("Model", json!({})).to_string().as_bytes());
    for (source, seed) in
        [(["--model", model.argument()], Value::Null), (["--config", text(&config)], json!(1))]
    {
        let report = mobilebert(&[&SHORT[..], &["--sequence", "8,16"], &source].concat()).json();
        assert_eq!(faults(&schema(), &report, "result"), Vec::<String>::new());
        let found = &report["models"][0];
        assert_eq!(found["seed"], seed);
        assert_eq!(found["device"]["kind"], "cpu");
        assert_eq!(found["cold"]["download_ms"].is_null(), seed == 1);
        assert_eq!(found["cold"]["generate_ms"].is_null(), seed != 1);
        let rows = found["warm"].as_array().unwrap();
        assert_eq!(rows.iter().map(|row| row["sequence"].as_u64().unwrap()).collect::<Vec<_>>(), [8, 16]);
        assert!(rows.iter().all(|row| row["median_ms"].as_f64().unwrap() > 0.0));
        assert!(rows.iter().all(|row| row["runs_ms"].as_array().unwrap().len() == 3));
        assert!(rows.iter().all(|row| row["check"].is_null()), "nothing is stored of these");
    }
}

#[test]
fn the_comparison_with_the_schema_detects_missing_unknown_and_mistyped_fields() {
    let model = TinyModel::new("Model");
    let good = mobilebert(&[&SHORT[..], &["--sequence", "8", "--model", model.argument()]].concat()).json();
    let with = |change: fn(&mut Value)| {
        let mut report = good.clone();
        change(&mut report);
        faults(&schema(), &report, "result")
    };
    assert_eq!(with(|_| {}), Vec::<String>::new());
    assert_eq!(with(|report| report["extra"] = json!(1)), ["result.extra"]);
    assert_eq!(
        with(|report| drop(report["models"][0]["cold"].as_object_mut().unwrap().remove("first_ms"))),
        ["result.models.cold.first_ms"]
    );
    assert_eq!(with(|report| report["made"] = json!("now")), ["result.made is string"]);
}

#[test]
fn a_network_of_the_paper_gives_the_stored_logits() {
    let report = mobilebert(&[&SHORT[..], &["--variant", "tiny", "--sequence", "64,72"]].concat()).json();
    assert_eq!(faults(&schema(), &report, "result"), Vec::<String>::new());
    let rows = report["models"][0]["warm"].as_array().unwrap();
    assert_eq!(rows[0]["check"]["right"], true, "{}", rows[0]);
    assert!(rows[1]["check"].is_null(), "of 72 tokens nothing is stored");
    assert!(report["models"][0]["parameters"].as_u64().unwrap() > 15_000_000);
}

#[test]
fn bench_prints_a_table() {
    let model = TinyModel::new("Model");
    let arguments =
        ["bench", "--device", "cpu", "--runs", "2", "--sequence", "8", "--model", model.argument()];
    let table = mobilebert(&arguments).done();
    for word in ["cold: ", "median", "p90", "dispatches", "activations", "check"] {
        assert!(table.contains(word), "no {word} in {table}");
    }
}

#[test]
fn the_error_for_an_unknown_variant_lists_the_known_ones() {
    let ran = mobilebert(&["bench", "--variant", "huge"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("huge") && ran.stderr.contains("without-opt"), "{}", ran.stderr);
}

#[test]
fn bench_rejects_a_length_that_the_model_does_not_take() {
    let model = TinyModel::new("Model");
    mobilebert(&["bench", "--device", "cpu", "--model", model.argument(), "--sequence", "65"])
        .failed(&["65", "64"]);
}

#[test]
fn the_default_lengths_are_limited_by_the_models_positions() {
    let model = TinyModel::new("Model");
    let measured = |more: &[&str]| mobilebert(&[&SHORT[..], &["--model", model.argument()], more].concat());
    let report = measured(&[]).json();
    let lengths: Vec<_> =
        report["models"][0]["warm"].as_array().unwrap().iter().map(|row| &row["sequence"]).collect();
    assert_eq!(lengths, [&json!(64)]);
    measured(&["--sequence", "8,65"]).failed(&["sequence", "65", "1 to 64 tokens"]);
}

#[test]
fn a_profile_names_every_kernel_and_its_share() {
    let model = TinyModel::new("Model");
    let arguments = ["--model", model.argument(), "--sequence", "8,16", "--batch", "1,2", "--profile"];
    let report = mobilebert(&[&SHORT[..], &arguments].concat()).json();
    assert_eq!(faults(&schema(), &report, "result"), Vec::<String>::new());
    let model = &report["models"][0];
    let rows = model["warm"].as_array().unwrap();
    let profiles = model["profiles"].as_array().unwrap();
    let sizes = |list: &[Value]| {
        list.iter().map(|row| (row["sequence"].clone(), row["batch"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(sizes(profiles), sizes(rows));
    for (row, profile) in rows.iter().zip(profiles) {
        let kernels = profile["kernels"].as_array().unwrap();
        let sum = |field: &str| kernels.iter().map(|kernel| kernel[field].as_f64().unwrap()).sum::<f64>();
        assert_eq!(sum("dispatches"), row["dispatches"].as_f64().unwrap());
        assert!((sum("share") - 1.0).abs() < 1e-9, "{kernels:?}");
        assert_eq!(profile["steps"].as_array().unwrap().len() as u64, row["dispatches"].as_u64().unwrap());
        assert_eq!(profile["clock"], "cpu");
    }
    assert!(model["weight_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn a_profile_on_the_gpu_is_a_table_with_limits_or_one_line_says_that_there_is_no_gpu() {
    let model = TinyModel::new("Model");
    let run = ["bench", "--device", "gpu", "--runs", "2", "--sequence", "8", "--profile", "--overhead"];
    let ran = mobilebert(&[&run[..], &["--model", model.argument()]].concat());
    if ran.code == Some(1) && std::env::var("MOBILEBERT_GPU").is_err() {
        ran.failed(&["GPU"]);
        return;
    }
    let table = ran.done();
    for word in ["GFLOP/s", "of limit", "independent", "copy", "multiply-add", "linear", "not profiled"] {
        assert!(table.contains(word), "no {word} in {table}");
    }
}

#[test]
fn the_overhead_of_dispatches_is_the_gpus_alone() {
    mobilebert(&["bench", "--overhead", "--device", "cpu"]).failed(&["overhead", "GPU", "--device cpu"]);
}

#[test]
fn logits_are_written_in_the_form_of_the_stored_ones() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("logits.json");
    let arguments = ["--variant", "tiny", "--sequence", "64", "--logits", text(&file)];
    mobilebert(&[&SHORT[..], &arguments].concat()).json();
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let found = &written["tiny"]["64"];
    let stored = mobilebert::benchmark::stored().unwrap();
    for (name, sample) in stored.get("tiny", 64).unwrap() {
        let values = found[name]["values"].as_array().unwrap();
        assert_eq!(values.len(), 64);
        for (&place, expected) in sample.places.iter().zip(&sample.values) {
            let difference = (values[place].as_f64().unwrap() - expected).abs();
            assert!(difference < 1e-4 * sample.rms, "{name} at {place} is off by {difference}");
        }
        assert!((found[name]["rms"].as_f64().unwrap() / sample.rms - 1.0).abs() < 1e-4);
    }
}
