//! Tells the program from which commit and for which target it is built, for `--version` and the metric `build_info`.
#![allow(
    clippy::disallowed_methods,
    reason = "a build script gets everything through its environment"
)]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=SURGECAST_COMMIT");
    // A build of an image has no repository, so that whoever starts it names the commit.
    let named = std::env::var("SURGECAST_COMMIT").ok().filter(|commit| !commit.trim().is_empty());
    // A build for development or tests does not name the commit: it would be built again after each.
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = named.or_else(|| if is_release { of_git() } else { None });
    let commit = commit.unwrap_or_else(|| "unknown".into());
    println!("cargo::rustc-env=SURGECAST_COMMIT={}", commit.trim());
    for name in ["TARGET", "PROFILE"] {
        let value = std::env::var(name).unwrap_or_else(|_| "unknown".into());
        println!("cargo::rustc-env=SURGECAST_{name}={value}");
    }
}

/// The commit of the checkout, with `+changed` if files differ from it. `None` if this folder is not a checkout.
fn of_git() -> Option<String> {
    let here = std::env::var("CARGO_MANIFEST_DIR").ok()?;
    let top = git(&["rev-parse", "--show-toplevel"])?;
    // Sources may lie inside the repository of another project.
    if Path::new(&top).canonicalize().ok()? != Path::new(&here).canonicalize().ok()? {
        return None;
    }
    // Git writes this file at every commit and checkout.
    for file in ["logs/HEAD", "HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
            break;
        }
    }
    for path in ["build.rs", "src", "models", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit}+changed") })
}

/// What a command of git prints.
fn git(args: &[&str]) -> Option<String> {
    let done = Command::new("git").arg("--no-optional-locks").args(args).output().ok()?;
    let text = String::from_utf8(done.stdout).ok()?;
    done.status.success().then(|| text.trim().to_owned())
}
