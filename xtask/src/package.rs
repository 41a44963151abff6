//! The npm package: TypeScript bundled by esbuild, and its declarations by tsc, into `pkg/dist/`.

use std::path::PathBuf;

use anyhow::Result;

use crate::process::{command, root, run, target};
use crate::{fingerprint, setup, wasm};

/// Folder of the built package.
pub fn folder() -> PathBuf {
    root().join("pkg/dist")
}

/// Builds the wasm module and the package around it, unless they are up to date.
pub fn build() -> Result<()> {
    setup::npm_packages("pkg")?;
    wasm::build()?;
    let root = root();
    let inputs = [
        "pkg/src",
        "pkg/package.json",
        "pkg/package-lock.json",
        "pkg/tsconfig.json",
        "pkg/wasm/mobilebert.js",
        "pkg/wasm/mobilebert.d.ts",
        "pkg/wasm/benchmark/mobilebert.js",
        "xtask/src/package.rs",
    ]
    .map(|path| root.join(path));
    let fingerprint = fingerprint::of(&inputs, "package")?;
    let stamp = folder().join(".fingerprint");
    let outputs = [
        "index.js",
        "index.d.ts",
        "worker.js",
        "service-worker.js",
        "bench.js",
        "bench.d.ts",
        "bench-worker.js",
    ]
    .map(|name| folder().join(name));
    if fingerprint::is_fresh(&stamp, &fingerprint, &outputs) {
        return Ok(());
    }
    println!("building the npm package");
    if folder().exists() {
        std::fs::remove_dir_all(folder())?;
    }
    bundle()?;
    run(command(setup::npm_program("pkg", "tsc")).args(["--project", "pkg/tsconfig.json"]))?;
    fingerprint::write(&stamp, &fingerprint)
}

/// Generates the API reference from the types, if anything changed. A type, method or field without a
/// description is an error.
pub fn reference() -> Result<PathBuf> {
    // TypeScript reads the package's types and those of Node.
    setup::npm_packages("pkg")?;
    setup::npm_packages("pkg/reference")?;
    wasm::build()?;
    let root = root();
    let inputs = [
        "pkg/src",
        "pkg/README.md",
        "pkg/tsconfig.json",
        "pkg/wasm/mobilebert.d.ts",
        "pkg/reference/package-lock.json",
        "pkg/reference/tsconfig.json",
        "pkg/reference/typedoc.json",
    ]
    .map(|path| root.join(path));
    let fingerprint = fingerprint::of(&inputs, "reference")?;
    let out = target().join("reference");
    let stamp = out.join(".fingerprint");
    if !fingerprint::is_fresh(&stamp, &fingerprint, &[out.join("index.html")]) {
        let typedoc = setup::npm_program("pkg/reference", "typedoc");
        run(command(typedoc).args(["--options", "pkg/reference/typedoc.json", "--out"]).arg(&out))?;
        fingerprint::write(&stamp, &fingerprint)?;
    }
    Ok(out)
}

/// `importBuiltin` of `pkg/src/node.ts`. Footers keep their comments.
const IMPORT_BUILTIN: &str = "--footer:js=function importBuiltin(name) { return import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name); }";

/// Bundles three published entry points and two of the latency page. `index.js` is small and loads the wasm module's glue
/// code (`#wasm`) only when it runs without a worker. The worker is a single file, because bundlers turn it into a classic worker,
/// which can't import chunks.
fn bundle() -> Result<()> {
    let bundle = |entry: &str, wasm: PathBuf| {
        let mut esbuild = command(setup::npm_program("pkg", "esbuild"));
        esbuild.arg(format!("--alias:#wasm={}", wasm.join("mobilebert.js").display()));
        esbuild.arg(entry).args([
            "--bundle",
            "--minify",
            "--sourcemap",
            "--format=esm",
            "--target=es2022",
            "--legal-comments=none",
            "--outdir=pkg/dist",
            "--log-level=warning",
        ]);
        esbuild
    };
    let esbuild = |entry| bundle(entry, wasm::folder());
    // Node prints the line of an error that nothing catches. Shorter lines would cost more bytes.
    let lines = "--line-limit=800";
    run(esbuild("pkg/src/index.ts").args(["--splitting", "--chunk-names=[name]", lines, IMPORT_BUILTIN]))?;
    // One file each: the published files contain nothing that only the latency page needs.
    run(esbuild("pkg/src/worker/worker.ts").arg(IMPORT_BUILTIN))?;
    run(esbuild("pkg/src/service-worker.ts").arg("--define:STATIC_BUILD=true"))?;
    bundle_command_line()?;
    run(&mut esbuild("pkg/src/bench.ts"))?;
    run(&mut bundle("pkg/src/bench/bench-worker.ts", wasm::benchmark_folder()))
}

/// Bundles the program `mobilebert` of the npm package, for Node only.
fn bundle_command_line() -> Result<()> {
    run(command(setup::npm_program("pkg", "esbuild")).arg("pkg/src/cli/main.ts").args([
        "--bundle",
        "--minify",
        "--format=esm",
        "--platform=node",
        "--target=node20",
        "--line-limit=200",
        "--banner:js=#!/usr/bin/env node",
        &format!("--alias:#wasm={}", wasm::folder().join("mobilebert.js").display()),
        IMPORT_BUILTIN,
        "--legal-comments=none",
        "--outfile=pkg/dist/cli/main.js",
        "--log-level=warning",
    ]))
}
