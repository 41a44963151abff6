//! Compiles the crate to WebAssembly, with its JavaScript glue, into `pkg/wasm/`. The file also contains the
//! module with the relaxed SIMD kernels as a custom section, so that there is only one file to publish, fetch
//! and cache. A second build, only for the latency page, includes the benchmarks.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::{Bindgen, Output};
use wasm_encoder::{CustomSection, Section};

use crate::process::{cargo, root, run, target};
use crate::{fingerprint, setup};

const TARGET: &str = "wasm32-unknown-unknown";

/// Name of the section that contains the module with relaxed SIMD; `pkg/src/engine/relaxed.ts` reads it.
const RELAXED_SECTION: &str = "mobilebert.relaxed";

/// The main module's stack ends here. The other module's data and stack follow, then the main module's data.
/// The main module checks that they don't overlap.
const RELAXED_START: usize = 1 << 20;
const RELAXED_STACK: usize = 128 << 10;
const RELAXED_END: usize = RELAXED_START + (192 << 10);

/// Folder of the module and its glue.
pub fn folder() -> PathBuf {
    root().join("pkg/wasm")
}

/// Folder of the latency page's module and its glue, with the same names.
pub fn benchmark_folder() -> PathBuf {
    folder().join("benchmark")
}

/// The module with relaxed SIMD, which is contained in the main module's file.
pub fn relaxed() -> PathBuf {
    compiled("mobilebert-relaxed")
}

fn compiled(package: &str) -> PathBuf {
    target().join(TARGET).join("wasm").join(package.replace('-', "_")).with_extension("wasm")
}

/// Builds the module unless it is up to date.
pub fn build() -> Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    let root = root();
    let inputs = [
        "src",
        "compute",
        "relaxed",
        "shaders",
        "Cargo.toml",
        "Cargo.lock",
        ".cargo/config.toml",
        "xtask/src/wasm.rs",
    ]
    .map(|path| root.join(path));
    let fingerprint = fingerprint::of(&inputs, "wasm")?;
    let stamp = folder().join(".fingerprint");
    let folders = [folder(), benchmark_folder()];
    let names = ["mobilebert.js", "mobilebert.d.ts", "mobilebert_bg.wasm"];
    let outputs: Vec<_> = folders.iter().flat_map(|folder| names.map(|name| folder.join(name))).collect();
    if relaxed().exists() && fingerprint::is_fresh(&stamp, &fingerprint, &outputs) {
        return Ok(());
    }
    setup::wasm_target(TARGET)?;
    println!("building the wasm module (takes a few minutes from scratch)");
    let relaxed = compile(
        "mobilebert-relaxed",
        &[],
        &[
            "-Ctarget-feature=+relaxed-simd",
            "-Clink-arg=--import-memory",
            "-Clink-arg=--no-stack-first",
            "-Clink-arg=--strip-all",
            &format!("-Clink-arg=-zstack-size={RELAXED_STACK}"),
            &format!("-Clink-arg=--global-base={RELAXED_START}"),
        ],
    )?;
    let relaxed = std::fs::read(relaxed)?;
    for (folder, features) in [(benchmark_folder(), &["--features=benchmark"][..]), (folder(), &[])] {
        let module = compile(
            "mobilebert",
            features,
            &[
                "-Clink-arg=--export-table",
                "-Clink-arg=--growable-table",
                &format!("-Clink-arg=--global-base={RELAXED_END}"),
            ],
        )?;
        bind(&module, &folder)?;
        append_section(&folder.join("mobilebert_bg.wasm"), RELAXED_SECTION, &relaxed)?;
    }
    fingerprint::write(&stamp, &fingerprint)
}

/// Compiles a package with these features and options, and returns the module's path.
fn compile(package: &str, features: &[&str], options: &[&str]) -> Result<PathBuf> {
    let arguments = ["rustc", "--quiet", "--lib", "--profile=wasm", "--target", TARGET, "--package", package];
    run(cargo()
        .args(["--config", &remapped_registry()])
        .args(arguments)
        .args(features)
        .arg("--")
        .args(options))?;
    Ok(compiled(package))
}

/// A Cargo setting that removes this machine's dependency folder from panic messages, so that two machines
/// build the same module.
fn remapped_registry() -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).unwrap_or_default();
    let sources = std::fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten();
    let options = sources.map(|source| format!("--remap-path-prefix={}=", source.path().display()));
    let options: Vec<_> = options.collect();
    format!("target.{TARGET}.rustflags={options:?}")
}

/// Appends a custom section to a module.
fn append_section(module: &Path, name: &str, content: &[u8]) -> Result<()> {
    let mut bytes = std::fs::read(module)?;
    let section = CustomSection { name: name.into(), data: content.into() };
    section.append_to(&mut bytes);
    std::fs::write(module, bytes).with_context(|| module.display().to_string())
}

/// Writes a module with its glue to a folder. Does what `wasm-bindgen`'s command line does, at the version that `Cargo.lock` pins for both sides.
fn bind(module: &Path, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut generator = Bindgen::new();
    generator
        .input_path(module)
        .web(true)
        .and_then(|generator| {
            // The package locates the module itself, so that bundlers see one plain `new URL`.
            generator
                .typescript(true)
                // The function table.
                .keep_lld_exports(true)
                .omit_default_module_path(true)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate_output()
        })
        .and_then(|mut output| {
            let names = shorten_names(&mut output);
            // Lists the WebAssembly features that the module uses; browsers don't read it.
            output.wasm_mut().customs.remove_raw("target_features");
            output.emit(folder)?;
            let glue = folder.join("mobilebert.js");
            let mut code = std::fs::read_to_string(&glue)?;
            for (long, short) in names {
                code = code.replace(&long, &short);
            }
            Ok(std::fs::write(glue, code)?)
        })
        .with_context(|| format!("wasm-bindgen could not read {}", module.display()))
}

/// Shortens the names of imported and exported functions, and returns how the glue code refers to them before
/// and after. Each name is in the module, in the worker, and in the code that runs without a worker, and
/// those that `wasm-bindgen` generates for imports end in hashes, which don't compress.
fn shorten_names(output: &mut Output) -> Vec<(String, String)> {
    let glue = output.js().to_string();
    let module = output.wasm_mut();
    let mut names = Vec::new();
    for (index, import) in module.imports.iter_mut().enumerate() {
        let short = format!("i{index}");
        if glue.contains(&defined(&import.name)) {
            names.push((defined(&import.name), defined(&short)));
            import.name = short;
        }
    }
    for (index, export) in module.exports.iter_mut().enumerate() {
        let short = format!("e{index}");
        // Some functions are passed on instead of called; these keep their names.
        let is_passed =
            [",", ")", ";"].iter().any(|end| glue.contains(&format!("wasm.{}{end}", export.name)));
        if glue.contains(&called(&export.name)) && !is_passed {
            names.push((called(&export.name), called(&short)));
            export.name = short;
        }
    }
    names
}

/// The start of an imported function's definition in the glue code.
fn defined(name: &str) -> String {
    format!("{name}: function(")
}

/// The start of an exported function's call in the glue code.
fn called(name: &str) -> String {
    format!("wasm.{name}(")
}
