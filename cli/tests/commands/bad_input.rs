//! Bad arguments and texts: wrong usage exits with 2, everything else with 1 and one line.

use crate::models::TinyModel;
use crate::process::{ROOT, Ran, command, mobilebert, mobilebert_reading, text};

#[test]
fn usage_errors_exit_with_two() {
    for arguments in [
        &[][..],
        &["unheard-of"],
        &["answer"],
        &["answer", "--model", "m"],
        &["answer", "--model", "m", "--question", "q", "--questions", "f"],
        &["answer", "--model", "m", "--question", "q", "--top-k", "0"],
        &["answer", "--model", "m", "--question", "q", "--doc-stride", "0"],
        &["answer", "--model", "m", "--question", "q", "--max-question", "0"],
        &["tokens", "--model", "m", "--question", "q", "--max-length", "0"],
        &["inspect", "m", "--sequence", "0"],
        &["eval", "glue", "--task", "sst-2", "--model", "m", "--data", "d", "--max-length", "0"],
        &["bench", "--model", "m", "--sequence", "8,0"],
        &["classify", "--model", "m", "--device", "tpu", "text"],
        &["classify", "--model", "m", "--threads", "0", "text"],
        &["classify", "--model", "m", "--schedule", "unheard-of", "text"],
        &["run", "--model", "m", "--input", "i"],
        &["eval", "glue", "--task", "unheard-of", "--model", "m", "--data", "d"],
        &["eval", "squad", "--model", "m"],
        &["eval", "squad", "--model", "m", "--data", "d", "--version", "3.0"],
        &["quantize", "--model", "m", "--dtype", "q3", "--out", "o"],
        &["bench"],
        &["bench", "--model", "m", "--batch", "0"],
        &["bench", "--model", "m", "--batch", "1,4000000000"],
        &["bench", "--model", "m", "--runs", "18446744073709551615"],
        &["tokens", "--model", "m", "text", "--question", "q"],
        &["tokens", "--model", "m", "text", "--context", "p"],
        &["tokens", "--model", "m", "--squad", "s", "--context", "p"],
    ] {
        let ran = mobilebert(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert_eq!(ran.stdout, "");
        assert!(!ran.stderr.is_empty());
    }
}

#[test]
fn without_a_model_the_shipped_one_is_used_or_named_as_missing() {
    let elsewhere = tempfile::tempdir().unwrap();
    for (arguments, name) in [
        (&["classify", "text"][..], "mobilebert-sst2"),
        (&["answer", "--question", "q", "--context", "p"][..], "mobilebert-squad"),
        (&["fill-mask", "A [MASK]."][..], "mobilebert-base"),
    ] {
        std::fs::write(elsewhere.path().join("p"), "A passage.").unwrap();
        let ran = command(arguments).current_dir(elsewhere.path()).output().unwrap();
        assert_eq!(ran.status.code(), Some(1));
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(said.contains(name) && said.contains("--model"), "{said}");
    }
    let ran =
        command(&["classify", "A wonderful film.", "--device", "cpu"]).current_dir(ROOT).output().unwrap();
    assert!(String::from_utf8(ran.stdout).unwrap().contains("positive"), "the shipped model did not answer");
    let ran = command(&["fill-mask", "She closed the door and went up the [MASK].", "--device", "cpu"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(
        String::from_utf8(ran.stdout).unwrap().contains("up the "),
        "the shipped encoder filled nothing in"
    );
}

#[test]
fn help_and_version_go_to_stdout() {
    for command in [
        "answer",
        "classify",
        "label",
        "fill-mask",
        "encode",
        "tokens",
        "run",
        "inspect",
        "quantize",
        "bench",
    ] {
        let help = mobilebert(&[command, "--help"]).done();
        for option in ["--device", "--threads", "--schedule"] {
            assert!(help.contains(option), "{command} has no {option}");
        }
    }
    for set in ["squad", "glue"] {
        assert!(mobilebert(&["eval", set, "--help"]).done().contains("--device"));
    }
    assert!(mobilebert(&["--version"]).done().contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn empty_questions_and_passages_are_rejected() {
    let model = TinyModel::new("ForQuestionAnswering");
    let answer = |question: &str, passage: &[u8]| {
        let arguments = ["answer", "--device", "cpu", "--model", model.argument(), "--question", question];
        mobilebert_reading(&arguments, passage)
    };
    answer("", b"the cat sat").failed(&["question"]);
    answer("  \u{200b} ", b"the cat sat").failed(&["question"]);
    answer("who?", b"").failed(&["context"]);
    answer("who?", b" \n\t ").failed(&["context"]);
    answer("who?", b"the cat sat").done();
}

#[test]
fn the_error_for_invalid_utf8_names_its_position() {
    let model = TinyModel::new("ForQuestionAnswering");
    let context = model.write("latin1.txt", b"the cat sat\non a m\xe4t");
    let arguments =
        ["answer", "--device", "cpu", "--model", model.argument(), "--question", "who?", "--context"];
    mobilebert(&[&arguments[..], &[text(&context)]].concat()).failed(&["latin1.txt", "UTF-8", "line 2"]);
    mobilebert_reading(&[&arguments[..], &["-"]].concat(), b"\xff").failed(&["standard input", "UTF-8"]);
}

#[test]
fn missing_files_are_named() {
    let model = TinyModel::new("ForQuestionAnswering");
    let passage = model.write("passage.txt", b"the cat sat");
    let arguments = |more: &[&str]| {
        let all = [&["answer", "--device", "cpu", "--model", model.argument()], more].concat();
        mobilebert(&all)
    };
    arguments(&["--question", "who?", "--context", "/nowhere/p.txt"]).failed(&["/nowhere/p.txt"]);
    arguments(&["--questions", "/nowhere/q.txt", "--context", text(&passage)]).failed(&["/nowhere/q.txt"]);
    let blank = model.write("questions.txt", b"who?\n\nwho?\n");
    arguments(&["--questions", text(&blank), "--context", text(&passage)])
        .failed(&["questions.txt", "line 2"]);
}

#[test]
fn a_window_without_room_is_rejected() {
    let model = TinyModel::new("ForQuestionAnswering");
    let passage = model.write("passage.txt", b"the cat sat");
    let arguments = [
        "answer",
        "--device",
        "cpu",
        "--model",
        model.argument(),
        "--question",
        "who?",
        "--context",
        text(&passage),
        "--max-length",
        "3",
    ];
    mobilebert(&arguments).failed(&["max_length"]);
}

#[test]
fn standard_input_is_not_read_twice() {
    let model = TinyModel::new("ForSequenceClassification");
    let zero_shot = ["zero-shot", "--device", "cpu", "--model", model.argument(), "--labels-file", "-"];
    for texts in [&[][..], &["-"], &["--file", "-"]] {
        mobilebert_reading(&[&zero_shot[..], texts].concat(), b"cat\n")
            .failed(&["labels-file", "can't both come from standard input"]);
    }
}

#[test]
fn a_dash_is_not_the_name_of_an_output() {
    let model = TinyModel::new("Model");
    let encode = ["encode", "--device", "cpu", "--model", model.argument(), "the cat", "--output", "-"];
    let ran = Ran::of(command(&encode).current_dir(model.path()).output().unwrap());
    ran.failed(&["output", "/dev/stdout"]);
    assert!(!model.file("-").exists());
}

#[test]
fn the_line_at_fault_is_named() {
    let model = TinyModel::new("ForMaskedLM");
    let fill = ["fill-mask", "--device", "cpu", "--json", "--model", model.argument()];
    let ran = mobilebert_reading(&fill, b"the [MASK]\nno mask\n");
    assert!(ran.code == Some(1) && ran.stderr.contains("`text`: line 2 has no [MASK]"), "{ran:?}");
    let targets = [&fill[..], &["--targets", "\u{2603}"]].concat();
    let said = mobilebert_reading(&targets, b"the [MASK]\na [MASK]\n").failed(&["targets"]);
    assert!(!said.contains("line"), "{said}");
    let model = TinyModel::new("ForQuestionAnswering");
    let passage = model.write("passage.txt", b"the cat sat");
    let questions = model.write("questions.txt", "who sat?\nwho?\n\u{200b}\n".as_bytes());
    let answer = ["answer", "--device", "cpu", "--model", model.argument(), "--questions", text(&questions)];
    let ran = mobilebert(&[&answer[..], &["--context", text(&passage)]].concat());
    assert!(ran.code == Some(1) && ran.stderr.contains("`question`: line 3 has no text"), "{ran:?}");
}

#[test]
fn texts_that_cannot_be_read_are_not_called_damaged() {
    let model = TinyModel::new("ForSequenceClassification");
    for (content, problem) in [(&b"the cat\n\n"[..], "line 2 is blank"), (b"", "no text"), (b"\xff", "UTF-8")]
    {
        let line = mobilebert_reading(&["classify", "--model", model.argument()], content)
            .failed(&["standard input", problem]);
        assert!(!line.contains("damaged"), "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_of_files_need_not_be_utf8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let model = TinyModel::new("ForSequenceClassification");
    let file = model.path().join(OsStr::from_bytes(b"t\xe4xt.txt"));
    std::fs::write(&file, "the cat\nthe mat\n").unwrap();
    let mut command =
        command(&["classify", "--device", "cpu", "--model", model.argument(), "--json", "--file"]);
    assert_eq!(Ran::of(command.arg(&file).output().unwrap()).json_lines().len(), 2);
}
