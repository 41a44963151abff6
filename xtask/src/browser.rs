//! What the scripts that drive real browsers need.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::process::{command, root, run};
use crate::{models, pages, setup};

/// What cannot be had on this machine, in words, after apt was asked.
pub fn missing() -> Option<String> {
    let missing = setup::system_packages(&[&setup::CHROMIUM, &setup::FIREFOX, &setup::SOFTWARE_VULKAN]);
    if !missing.is_empty() {
        return Some(format!("missing: {}", missing.join(", ")));
    }
    let found = models::find(&[]).unwrap_or_default();
    let tasks = ["question-answering", "text-classification"];
    let lacking = tasks.into_iter().find(|task| !found.iter().any(|model| model.task == *task));
    lacking.map(|task| format!("no model for {task}: set MOBILEBERT_MODELS to a folder of model directories"))
}

/// Node, told where the browsers are and which program serves the page, with everything built.
pub fn node() -> Result<Command> {
    let (Some(chromium), Some(firefox)) = (setup::chromium(), setup::firefox()) else {
        bail!("Chromium and Firefox are needed; CHROMIUM and FIREFOX may name them");
    };
    pages::build()?;
    setup::npm_packages("tests/browser")?;
    let server = std::env::current_exe().context("the path of this program")?;
    let mut node = command("node");
    node.env("CHROMIUM", chromium).env("FIREFOX", firefox).env("XTASK", server);
    Ok(node)
}

/// Runs a script that drives browsers.
pub fn script(path: &str, rest: &[String]) -> Result<ExitCode> {
    if let Some(missing) = missing() {
        bail!("{missing}");
    }
    run(node()?.arg(root().join(path)).args(rest))?;
    Ok(ExitCode::SUCCESS)
}
