//! Prerequisites of the scripts that drive real browsers.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::process::{command, root, run};
use crate::{models, pages, setup};

/// Describes what is missing on this machine, after trying apt.
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

/// Builds everything, and returns Node with the paths of the browsers and of this program, which serves the page.
pub fn node() -> Result<Command> {
    let (Some(chromium), Some(firefox)) = (setup::chromium(), setup::firefox()) else {
        bail!("Chromium and Firefox are required; CHROMIUM and FIREFOX can be set to their paths");
    };
    pages::build()?;
    setup::npm_packages("tests/browser")?;
    let server = std::env::current_exe().context("finding this program's path")?;
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
