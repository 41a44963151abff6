//! Compares token windows with an independent implementation of BERT's `run_squad`
//! (`tests/oracles/run_squad_windows.py`).

mod not_run;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mobilebert::text::windows::{WindowOptions, Windows};
use mobilebert::text::{Piece, Tokenizer, TokenizerFiles, WindowRecord};
use not_run::{not_run, required};
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Squad {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    title: String,
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    id: String,
    question: String,
}

#[derive(Deserialize, Debug, PartialEq)]
struct ArticleDigest {
    title: String,
    windows: usize,
    sha256: String,
}

fn oracles() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles")
}

fn squad(path: &Path) -> Squad {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Calls `each` with the article's title and one line of JSON for every window.
fn lines(tokenizer: &Tokenizer, squad: &Squad, options: &WindowOptions, mut each: impl FnMut(&str, String)) {
    for article in &squad.data {
        for paragraph in &article.paragraphs {
            let context: Vec<Piece> = tokenizer.encode(&paragraph.context).unwrap();
            for question in &paragraph.qas {
                let windows = Windows::over(tokenizer, &question.question, &context, options).unwrap();
                for window in windows.iter() {
                    let record = WindowRecord::new(&question.id, &window);
                    each(&article.title, serde_json::to_string(&record).unwrap());
                }
            }
        }
    }
}

#[test]
fn windows_of_the_committed_questions_equal_the_reference() {
    let fixtures = oracles().join("fixtures");
    let vocab = fs::read_to_string(fixtures.join("vocab.txt")).unwrap();
    let tokenizer =
        Tokenizer::from_files(TokenizerFiles { vocab: Some(&vocab), ..Default::default() }).unwrap();
    let squad = squad(&fixtures.join("questions.json"));
    for (name, options) in [
        ("windows-384-128-64.jsonl", WindowOptions::default()),
        ("windows-40-7-9.jsonl", WindowOptions { max_length: 40, doc_stride: 7, max_question: 9 }),
    ] {
        let expected = fs::read_to_string(fixtures.join(name)).unwrap();
        let mut found = Vec::new();
        lines(&tokenizer, &squad, &options, |_, line| found.push(line));
        assert_eq!(found.len(), expected.lines().count(), "{name}: number of windows");
        for (found, expected) in found.iter().zip(expected.lines()) {
            assert_eq!(found, expected, "{name}");
        }
    }
}

/// The committed windows are the output of the reference.
#[test]
fn committed_windows_are_those_of_the_reference() {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let fixtures = oracles().join("fixtures");
    for (name, sizes) in
        [("windows-384-128-64.jsonl", ["384", "128", "64"]), ("windows-40-7-9.jsonl", ["40", "7", "9"])]
    {
        let [max_length, doc_stride, max_question] = sizes;
        let mut command = std::process::Command::new(&python);
        command
            .arg(oracles().join("run_squad_windows.py"))
            .arg("--data")
            .arg(fixtures.join("questions.json"));
        command.arg("--vocab").arg(fixtures.join("vocab.txt")).args(["--max-length", max_length]);
        command.args(["--doc-stride", doc_stride, "--max-question", max_question]);
        let Ok(output) = command.output() else {
            not_run("committed_windows_are_those_of_the_reference", "python3 is missing");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let committed = fs::read(fixtures.join(name)).unwrap();
        assert!(output.stdout == committed, "{name} is not what run_squad_windows.py writes");
    }
}

/// All 10,570 questions of SQuAD v1.1 dev, compared by digests from the reference.
#[test]
fn windows_of_squad_dev_equal_the_reference() {
    let test = "windows_of_squad_dev_equal_the_reference";
    let Some(data) = required(test, "MOBILEBERT_DATA", "squad/dev-v1.1.json") else { return };
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/mobilebert-squad");
    let read = |name: &str| fs::read_to_string(model.join(name)).unwrap();
    let (json, vocab) = (read("tokenizer.json"), read("vocab.txt"));
    let by_json = TokenizerFiles { tokenizer_json: Some(&json), ..Default::default() };
    let by_vocab = TokenizerFiles { vocab: Some(&vocab), ..Default::default() };
    let expected = fs::read_to_string(oracles().join("squad-dev-v1.1-digest.json")).unwrap();
    let expected: Vec<ArticleDigest> = serde_json::from_str(&expected).unwrap();
    let squad = squad(&data);
    let (by_json, by_vocab) =
        (Tokenizer::from_files(by_json).unwrap(), Tokenizer::from_files(by_vocab).unwrap());
    let mut digests: BTreeMap<String, (usize, Sha256)> = BTreeMap::new();
    lines(&by_json, &squad, &WindowOptions::default(), |title, line| {
        let (windows, digest) = digests.entry(title.to_owned()).or_default();
        *windows += 1;
        digest.update(line);
        digest.update("\n");
    });
    let total: usize = digests.values().map(|(windows, _)| windows).sum();
    assert_eq!(total, 10_833);
    assert_eq!(digests.len(), expected.len());
    for ArticleDigest { title, windows, sha256 } in expected {
        let (count, digest) = digests.remove(&title).unwrap();
        assert_eq!((count, hex(digest)), (windows, sha256), "{title}: see tests/oracles/compare_windows.py");
    }
    for paragraph in squad.data.iter().flat_map(|article| &article.paragraphs) {
        assert_eq!(by_json.encode(&paragraph.context).unwrap(), by_vocab.encode(&paragraph.context).unwrap());
    }
}

fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
