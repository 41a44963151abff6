//! `cargo xtask demo`: builds what changed, serves it, and prints the address.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::{models, pages, process, serve, size};

/// Builds, serves and prints the address; runs until interrupted.
pub fn run(port: Option<u16>, named: &[PathBuf], open: bool, isolated: bool) -> Result<ExitCode> {
    let models = models::find(named)?;
    // Before the build, so that a port in use is reported immediately.
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(serve::listen(port))?;
    pages::build()?;
    size::report()?;
    for model in &models {
        println!("model {}: {} ({})", model.name, model.task, model.folder.display());
    }
    if models.is_empty() {
        println!(
            "no model found: pass one with --model DIR, set MOBILEBERT_MODELS to a folder of models, or pick one on the page"
        );
    }
    let router = serve::router(&models, isolated)?;
    let address = format!("http://{}/", listener.local_addr()?);
    println!("serving the page (Ctrl-C to stop):");
    // On its own line: the browser tests read it.
    println!("{address}");
    if open {
        open_browser(&address);
    }
    runtime.block_on(async {
        let interrupted = async {
            let _ = tokio::signal::ctrl_c().await;
        };
        axum::serve(listener, router).with_graceful_shutdown(interrupted).await.context("the server stopped")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the page if there is a desktop; otherwise the printed address has to suffice.
fn open_browser(address: &str) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let desktop = !cfg!(target_os = "linux")
        || std::env::var_os("DISPLAY").is_some()
        || std::env::var_os("WAYLAND_DISPLAY").is_some();
    if desktop && process::find(opener).is_some() {
        let _ = Command::new(opener).arg(address).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
}
