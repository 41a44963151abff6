//! Runs the checks in order, with preparations and a few checks in the background.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use super::background::Background;
use super::{BACKGROUND, BUILDS, Check, INSTALLATIONS, NEED_PYTORCH, WAITING, select};
use crate::outcome::{Outcome, summary};

/// Runs the checks and prints a table; the exit code says whether all that ran passed.
pub fn run(skip_training: bool, only: &[String]) -> Result<ExitCode> {
    let chosen = select(only)?;
    let is_left_out = |name: &str| skip_training && NEED_PYTORCH.contains(&name);
    prepare(&|name| !is_left_out(name) && chosen.iter().any(|check| check.name == name));
    let in_background: Vec<_> = chosen
        .iter()
        .copied()
        .filter(|check| BACKGROUND.contains(&check.name) && !is_left_out(check.name))
        .collect();
    let mut background = None;
    let start = Instant::now();
    let mut rows = Vec::new();
    for check in chosen {
        if background.is_none() && WAITING.contains(&check.name) && !in_background.is_empty() {
            let names: Vec<_> = in_background.iter().map(|check| check.name).collect();
            println!("\nfrom here on in the background, reported below: {}", names.join(", "));
            background = Some(Background::start(in_background.clone()));
        }
        println!("\n=== {}", check.name);
        let start = Instant::now();
        let (outcome, time) = if is_left_out(check.name) {
            (Ok(Outcome::Skipped("--skip-training".to_owned())), start.elapsed())
        } else if let Some(background) = background.as_ref().filter(|background| background.runs(check.name))
        {
            background.wait(check.name)
        } else {
            let outcome = (check.run)();
            (outcome, start.elapsed())
        };
        if let Err(error) = &outcome {
            println!("failed: {error:#}");
        }
        rows.push((check.name, outcome, time));
    }
    Ok(summary(&rows, start.elapsed()))
}

/// Starts the preparations of the checks that are wanted.
fn prepare(is_wanted: &dyn Fn(&str) -> bool) {
    for preparations in [INSTALLATIONS, BUILDS] {
        let wanted: Vec<_> =
            preparations.iter().filter(|(name, _)| is_wanted(name)).map(|(_, prepare)| prepare).collect();
        std::thread::spawn(move || wanted.into_iter().for_each(|prepare| drop(prepare())));
    }
}

/// Installs what a check needs, or waits until the background has.
pub fn prepared(check: &Check) {
    for (_, prepare) in INSTALLATIONS.iter().filter(|(name, _)| *name == check.name) {
        drop(prepare());
    }
}
