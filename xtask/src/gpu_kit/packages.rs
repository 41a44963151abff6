//! The Vulkan loader as Debian packages, for a machine that has a driver but no loader.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::folder;
use crate::process::{command, find, run as run_command, target};

/// The loader, and the dependencies of driver libraries.
const PACKAGES: [&str; 7] =
    ["libvulkan1", "libegl1", "libglvnd0", "libopengl0", "libgl1", "libglx0", "libgles2"];

/// Puts the packages into a folder. If there is no apt, or it fails, prints a line that names what is missing.
pub fn fetch(to: &Path) -> Result<()> {
    let cache = target().join("gpu-kit-packages");
    fs::create_dir_all(&cache)?;
    let missing: Vec<_> = PACKAGES.into_iter().filter(|name| !is_there(&cache, name)).collect();
    if !missing.is_empty() && find("apt-get").is_some() {
        println!("downloading Debian packages for the kit with apt-get: {}", missing.join(", "));
        let names = missing.iter().map(|name| format!("{name}:amd64"));
        let mut apt = command("apt-get");
        apt.args(["-qq", "-o=APT::Sandbox::User=root", "download"]).args(names).current_dir(&cache);
        if let Err(error) = run_command(&mut apt) {
            println!("apt-get could not download them: {error:#}");
        }
    }
    let missing: Vec<_> = PACKAGES.into_iter().filter(|name| !is_there(&cache, name)).collect();
    if !missing.is_empty() {
        println!(
            "the kit lacks Debian packages for a machine without a Vulkan loader: {} (amd64); put them into {}",
            missing.join(", "),
            cache.display()
        );
    }
    folder::copy(&cache, to, &|path| Ok(path.extension().is_some_and(|found| found == "deb")))
}

fn is_there(cache: &Path, name: &str) -> bool {
    let files = fs::read_dir(cache).into_iter().flatten().flatten();
    files.map(|file| file.file_name()).any(|file| {
        let file = file.to_string_lossy();
        file.starts_with(&format!("{name}_")) && file.ends_with(".deb")
    })
}
