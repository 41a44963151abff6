//! `eval squad` and `eval glue`.

use serde_json::{Value, json};

use crate::models::TinyModel;
use crate::process::{Ran, mobilebert, text};

fn squad_file(answers: &[(&str, &str, &[&str])]) -> Value {
    let questions: Vec<Value> = answers
        .iter()
        .map(|(id, question, gold)| {
            let gold: Vec<Value> = gold.iter().map(|text| json!({"text": text, "answer_start": 0})).collect();
            json!({"id": id, "question": question, "answers": gold, "is_impossible": gold.is_empty()})
        })
        .collect();
    json!({"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": PASSAGE, "qas": questions}]}]})
}

const STSB_HEADER: &str =
    "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore";
const PASSAGE: &str = "The cat sat on a mat. Who is in the hat? The mat is on the cat.";

fn squad(model: &TinyModel, data: &Value, more: &[&str]) -> Ran {
    let path = model.write("dev.json", data.to_string().as_bytes());
    let arguments = ["eval", "squad", "--device", "cpu", "--model", model.argument(), "--data", text(&path)];
    mobilebert(&[&arguments[..], more].concat())
}

fn glue(model: &TinyModel, task: &str, content: &str) -> Ran {
    let path = model.write("dev.tsv", content.as_bytes());
    let model = ["eval", "glue", "--device", "cpu", "--model", model.argument()];
    mobilebert(&[&model[..], &["--task", task, "--data", text(&path)]].concat())
}

/// The model's predictions, from a run that writes the predictions file.
fn predictions(model: &TinyModel) -> Value {
    let path = model.file("predictions.json");
    let data = squad_file(&[("a", "who sat?", &["x"]), ("b", "who is in the hat?", &["x"])]);
    squad(model, &data, &["--predictions", text(&path)]).json();
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn scores_match_the_predictions() {
    let model = TinyModel::new("ForQuestionAnswering");
    let predicted = predictions(&model);
    let (first, second) = (predicted["a"].as_str().unwrap(), predicted["b"].as_str().unwrap());
    assert!(PASSAGE.contains(first) && PASSAGE.contains(second));
    let data = squad_file(&[
        ("a", "who sat?", &["wrong", first]),
        ("b", "who is in the hat?", &["nothing like it"]),
    ]);
    assert_eq!(squad(&model, &data, &[]).json(), json!({"n": 2, "exact_match": 50.0, "f1": 50.0}));
    assert_eq!(
        squad(&model, &data, &["--limit", "1"]).json(),
        json!({"n": 1, "exact_match": 100.0, "f1": 100.0})
    );
}

#[test]
fn calibration_compares_probabilities_with_the_share_of_right_answers() {
    let model = TinyModel::new("ForQuestionAnswering");
    let passage = model.write("passage.txt", PASSAGE.as_bytes());
    let arguments = ["answer", "--device", "cpu", "--json", "--model", model.argument()];
    let question = ["--question", "who sat?", "--context", text(&passage)];
    let found = mobilebert(&[&arguments[..], &question].concat()).json();
    let answer = &found["answers"][0];
    let probability = answer["probability"].as_f64().unwrap();
    // In version 1.1 there is always an answer.
    let among_answers = probability / (1.0 - found["no_answer"]["probability"].as_f64().unwrap());
    let right = answer["text"].as_str().unwrap();
    for (version, probability) in [("1.1", among_answers), ("2.0", probability)] {
        // The model has no calibration, so both errors are the distance of a single probability from 1 or 0.
        for (gold, distance) in [(right, 1.0 - probability), ("nothing like it", probability)] {
            let data = squad_file(&[("a", "who sat?", &[gold])]);
            let options = ["--calibration", "--version", version, "--null-threshold", "1000"];
            let scores = squad(&model, &data, &options).json();
            for key in ["calibration_error_plain", "calibration_error_calibrated"] {
                let found = scores[key].as_f64().unwrap();
                assert!((found - distance).abs() < 1e-6, "{version}, {key}: {found}, expected {distance}");
            }
        }
    }
}

#[test]
fn answer_gives_the_same_answers() {
    let model = TinyModel::new("ForQuestionAnswering");
    let passage = model.write("passage.txt", PASSAGE.as_bytes());
    let arguments = [
        "answer",
        "--device",
        "cpu",
        "--json",
        "--model",
        model.argument(),
        "--question",
        "who sat?",
        "--context",
        text(&passage),
    ];
    assert_eq!(mobilebert(&arguments).json()["answers"][0]["text"], predictions(&model)["a"]);
}

#[test]
fn version_two_counts_unanswerable_questions() {
    let model = TinyModel::new("ForQuestionAnswering");
    let data = squad_file(&[("a", "who sat?", &["nothing like it"]), ("b", "who?", &[])]);
    let never = squad(&model, &data, &["--version", "2.0", "--null-threshold", "1e30"]).json();
    assert_eq!(never["n"], 2);
    assert_eq!((&never["HasAns_total"], &never["NoAns_total"]), (&json!(1), &json!(1)));
    assert_eq!(never["NoAns_exact"], 0.0);
    let always = squad(&model, &data, &["--version", "2.0", "--null-threshold=-1e30"]).json();
    assert_eq!((&always["NoAns_exact"], &always["HasAns_exact"]), (&json!(100.0), &json!(0.0)));
    assert_eq!((&always["exact_match"], &always["f1"]), (&json!(50.0), &json!(50.0)));
}

#[test]
fn each_glue_task_has_its_columns_and_metrics() {
    let labels = json!({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}});
    let model = TinyModel::with("ForSequenceClassification", labels);
    let eval = |task: &str, content: &str| glue(&model, task, content).json();
    let sst2 = eval("SST-2", "sentence\tlabel\nthe cat \t0\nthe cat \t1\n");
    assert_eq!(sst2, json!({"n": 2, "accuracy": 50.0}));
    assert_eq!(eval("cola", "s\t1\t\tThe cat.\ns\t0\t*\tThe cat.\n"), json!({"n": 2, "matthews": 0.0}));
    let rte = eval(
        "rte",
        "index\tsentence1\tsentence2\tlabel\n0\tthe cat\tsat\tentailment\n1\tthe cat\tsat\tnot_entailment\n",
    );
    assert_eq!(rte, json!({"n": 2, "accuracy": 50.0}));
    let header = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String";
    let rows = "1\t1\t2\tthe \" cat\tsat\n0\t1\t2\tthe \" cat\tsat\n";
    let mrpc = eval("mrpc", &format!("\u{feff}{header}\n{rows}"));
    assert_eq!((&mrpc["n"], &mrpc["accuracy"]), (&json!(2), &json!(50.0)));
    assert!(mrpc["f1"].is_f64());
}

#[test]
fn similarity_is_scored_by_correlation() {
    let model = TinyModel::with("ForSequenceClassification", json!({"id2label": {"0": "LABEL_0"}}));
    let row = |score: &str, text: &str| format!("0\tg\tf\ty\to\tn\tn\tthe cat\t{text}\t{score}\n");
    let content =
        [format!("{STSB_HEADER}\n"), row("1.0", "sat"), row("4.0", "on a mat"), row("2.5", "in a hat")]
            .concat();
    let scores = glue(&model, "sts-b", &content).json();
    assert_eq!(scores["n"], 3);
    assert!(scores["pearson"].is_f64() && scores["spearman"].is_f64(), "{scores}");
}

#[test]
fn errors_name_data_in_the_wrong_format() {
    let model = TinyModel::new("ForQuestionAnswering");
    squad(&model, &json!({"data": [{"paragraphs": [{"qas": []}]}]}), &[]).failed(&["dev.json", "context"]);
    squad(&model, &json!([1]), &[]).failed(&["dev.json"]);
    let model = TinyModel::new("ForSequenceClassification");
    let path = model.write("dev.tsv", b"sentence\tlabel\ngood\t1\nbad\n");
    let eval = |task: &str, path: &str| {
        mobilebert(&["eval", "glue", "--task", task, "--model", model.argument(), "--data", path])
    };
    eval("sst-2", text(&path)).failed(&["dev.tsv", "line 3"]);
    let headless = model.write("headless.tsv", b"good\t1\nbad\t0\n");
    eval("sst-2", text(&headless)).failed(&["headless.tsv", "line 1 is not the header", "sentence, label"]);
    eval("sts-b", "/nowhere/dev.tsv").failed(&["/nowhere/dev.tsv"]);
    let content = format!("{STSB_HEADER}\n0\tg\tf\ty\to\tn\tn\tthe cat\tsat\t1.0\n");
    let sts = model.write("sts.tsv", content.as_bytes());
    eval("sts-b", text(&sts)).failed(&["2 labels"]);
}

#[test]
fn impossible_inputs_and_outputs_fail_before_anything_is_computed() {
    let model = TinyModel::new("ForQuestionAnswering");
    let data = squad_file(&[("a", "who sat?", &["x"]), ("blank", "  ", &["x"])]);
    squad(&model, &data, &[]).failed(&["dev.json", "`blank`", "no text"]);
    // White space only to a tokenizer.
    let data = squad_file(&[("a", "who sat?", &["x"]), ("hidden", "\u{200b}\u{200b}", &["x"])]);
    let kept = model.write("kept.json", b"kept");
    squad(&model, &data, &["--predictions", text(&kept)]).failed(&[
        "dev.json",
        "`hidden`",
        "question has no text",
    ]);
    assert_eq!(std::fs::read(&kept).unwrap(), b"kept");
    squad(&model, &data, &["--limit", "1"]).done();
    let path = model.file("dev.json");
    let tokens = mobilebert(&["tokens", "--model", model.argument(), "--squad", text(&path)]);
    assert!(
        tokens.code == Some(1) && tokens.stderr.contains("`hidden`: its question has no text"),
        "{tokens:?}"
    );
    let data = squad_file(&[("same", "who sat?", &["x"]), ("same", "who?", &["x"])]);
    squad(&model, &data, &[]).failed(&["dev.json", "two questions have the id `same`"]);
    let data = squad_file(&[("a", "who sat?", &["x"])]);
    let nowhere = model.file("nowhere/predictions.json");
    let said = squad(&model, &data, &["--predictions", text(&nowhere)]).failed(&["nowhere"]);
    assert!(!said.contains("exact_match"), "{said}");
    assert_eq!(squad(&model, &data, &["--null-threshold", "nan"]).code, Some(2));
    squad(&model, &data, &["--threads", "100000"]).failed(&["threads", "at most 256"]);
    let packed = model.write("dev.json.gz", b"\x1f\x8b\x08\x00");
    mobilebert(&["eval", "squad", "--model", model.argument(), "--data", text(&packed)]).failed(&["gzip"]);
}
