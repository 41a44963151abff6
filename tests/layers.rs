//! The crate's modules only use those below them, as in the table of layers in docs/architecture.md.

#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules from the lowest layer to the highest. Modules of the same layer don't use each other.
const LAYERS: [&[&str]; 11] = [
    &["error", "clock", "sorting", "trial", "profile"],
    &["json"],
    &["config", "text"],
    &["kernels", "task"],
    &["plan"],
    &["weights"],
    &["cpu", "gpu"],
    &["executor"],
    &["session"],
    &["model"],
    &["benchmark"],
];

/// The interface to JavaScript, which may use everything.
const TOP: &str = "wasm";

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The crate's modules that are named in code, excluding comments and tests.
fn used(code: &str) -> BTreeSet<&str> {
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let paths = lines.flat_map(|line| line.split("crate::").skip(1));
    // One path, or several in braces.
    let names = paths.flat_map(|rest| match rest.strip_prefix('{') {
        Some(several) => several.split(", ").collect(),
        None => vec![rest],
    });
    names
        .map(|name| name.split(|c: char| !(c.is_lowercase() || c == '_')).next().unwrap_or_default())
        .collect()
}

/// The modules used in the code of `module` that it must not use.
fn too_high<'a>(module: &str, code: &'a str) -> Vec<&'a str> {
    let own = layer(module);
    let is_wrong =
        |name: &&str| *name != module && layer(name).is_some_and(|other| own.is_some_and(|own| other >= own));
    used(code).into_iter().filter(is_wrong).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn modules_only_use_lower_layers() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut modules = BTreeSet::new();
    for path in files(&source).into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs")) {
        let below = path.strip_prefix(&source).unwrap().with_extension("");
        let module = below.iter().next().unwrap().to_str().unwrap().to_owned();
        let code = fs::read_to_string(&path).unwrap();
        let names = too_high(&module, &code).into_iter().map(str::to_owned).collect::<Vec<_>>();
        wrong.extend(names.into_iter().map(|name| format!("{} uses {name}", path.display())));
        modules.insert(module);
    }
    assert_eq!(wrong, Vec::<String>::new());
    let listed = LAYERS.concat().into_iter().chain([TOP, "lib"]).map(str::to_owned).collect();
    assert_eq!(modules, listed, "every module of src/ has a layer");
}

#[test]
fn a_module_of_a_higher_layer_or_the_same_is_found() {
    assert_eq!(too_high("kernels", "use crate::plan::Step;\n// use crate::model::Model;"), ["plan"]);
    assert_eq!(too_high("cpu", "let executor = crate::gpu::Executor::new();"), ["gpu"]);
    assert_eq!(too_high("weights", "use crate::{cpu, gpu};"), ["cpu", "gpu"]);
    assert!(too_high("plan", "use crate::kernels::Linear;\nuse crate::plan::Step;").is_empty());
}
