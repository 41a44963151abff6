//! Installs prerequisites. Every installation is announced before it starts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, command, find, output, root, run};

/// Held while rustup may change the toolchain.
static RUSTUP: Mutex<()> = Mutex::new(());

/// Installs the standard library of a Rust target with rustup.
pub fn wasm_target(target: &str) -> Result<()> {
    let _turn = RUSTUP.lock();
    let sysroot = output(
        command(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).args(["--print", "sysroot"]),
    )?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(target).join("lib").is_dir() {
        return Ok(());
    }
    if find("rustup").is_none() {
        bail!(
            "the Rust target {target} is missing and there is no rustup to add it; install rustup from https://rustup.rs, or your toolchain's package for {target}"
        );
    }
    println!("installing the Rust target {target} with rustup");
    run(command("rustup").args(["target", "add", target]))
}

/// Describes what is missing for a tool that is a rustup component, after trying rustup; `command` is the tool's cargo
/// subcommand.
pub fn missing_rust_component(component: &str, command: &str) -> Option<String> {
    let _turn = RUSTUP.lock();
    let is_installed = || {
        let version = cargo().args([command, "--version"]).output();
        version.is_ok_and(|output| output.status.success())
    };
    if is_installed() {
        return None;
    }
    if find("rustup").is_none() {
        return Some(format!("missing: {component}, and no rustup to add it"));
    }
    println!("installing {component} with rustup");
    if let Err(error) = run(Command::new("rustup").args(["component", "add", component])) {
        println!("rustup could not install {component}: {error:#}");
    }
    (!is_installed()).then(|| format!("missing: {component}"))
}

/// Checks that Node has a version that the package supports.
pub fn node() -> Result<()> {
    if find("node").is_none() || find("npm").is_none() {
        bail!(
            "Node.js 20 or later and npm are required; install them from https://nodejs.org or with your system's package manager"
        );
    }
    let version = output(command("node").arg("--version"))?;
    let major =
        version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= 20 => Ok(()),
        _ => bail!("Node.js 20 or later is required; `node --version` says {}", version.trim()),
    }
}

/// Installs the packages in a folder's `package-lock.json` with `npm ci`.
pub fn npm_packages(folder: &str) -> Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    node()?;
    let folder = root().join(folder);
    let lock = std::fs::read(folder.join("package-lock.json"))
        .with_context(|| folder.join("package-lock.json").display().to_string())?;
    let stamp = folder.join("node_modules/.installed-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    println!("installing the npm packages of {} (npm ci)", folder.display());
    run(command("npm").args(["ci", "--no-fund", "--no-audit"]).current_dir(&folder))?;
    std::fs::write(stamp, lock)?;
    Ok(())
}

/// A program in a folder's `node_modules`.
pub fn npm_program(folder: &str, program: &str) -> PathBuf {
    root().join(folder).join("node_modules/.bin").join(program)
}

/// A Debian package, and how to tell whether its contents are installed.
pub struct SystemPackage {
    /// Its name, for apt and in messages.
    pub name: &'static str,
    /// True if this package or an equivalent is installed.
    pub is_installed: fn() -> bool,
}

/// Chromium.
pub const CHROMIUM: SystemPackage = SystemPackage { name: "chromium", is_installed: || chromium().is_some() };
/// Firefox.
pub const FIREFOX: SystemPackage =
    SystemPackage { name: "firefox-esr", is_installed: || firefox().is_some() };
/// Vulkan on the CPU.
pub const SOFTWARE_VULKAN: SystemPackage =
    SystemPackage { name: "mesa-vulkan-drivers", is_installed: || software_vulkan().is_some() };
/// Python's virtual environments, which Debian packages separately.
pub const PYTHON_VENV: SystemPackage = SystemPackage { name: "python3-venv", is_installed: python_venv };

/// Chromium's program.
pub fn chromium() -> Option<PathBuf> {
    from_environment("CHROMIUM")
        .or_else(|| ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find))
}

/// Firefox's program.
pub fn firefox() -> Option<PathBuf> {
    from_environment("FIREFOX").or_else(|| ["firefox-esr", "firefox"].into_iter().find_map(find))
}

fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_file())
}

/// The manifest of Mesa's lavapipe for the Vulkan loader.
pub fn software_vulkan() -> Option<PathBuf> {
    let folder = Path::new("/usr/share/vulkan/icd.d");
    let entries = std::fs::read_dir(folder).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("lvp_icd"))
}

fn python_venv() -> bool {
    // Debian's python3 package lacks `ensurepip`.
    command("python3")
        .args(["-c", "import ensurepip, venv"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Installs missing packages with apt if possible. Returns the names of those that are still missing.
pub fn system_packages(packages: &[&SystemPackage]) -> Vec<&'static str> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    let missing = || {
        packages
            .iter()
            .filter(|package| !(package.is_installed)())
            .map(|package| package.name)
            .collect::<Vec<_>>()
    };
    let wanted = missing();
    if wanted.is_empty() {
        return wanted;
    }
    if !(find("apt-get").is_some() && is_root()) {
        println!("missing: {} (installing them takes root on Debian)", wanted.join(", "));
        return wanted;
    }
    println!("installing with apt: {}", wanted.join(", "));
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-qq", "-o=Dpkg::Use-Pty=0"]).args(arguments);
        run(&mut apt)
    };
    let install = [&["install", "--yes", "--no-install-recommends"][..], &wanted[..]].concat();
    if let Err(error) = apt(&["update"]).and_then(|()| apt(&install)) {
        println!("apt could not install them: {error:#}");
    }
    missing()
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
