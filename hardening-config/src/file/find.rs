//! Where the file is.
#![allow(clippy::result_large_err, reason = "once per build or start")]

use std::path::{Path, PathBuf};

use crate::error::{ConfigError, Origin, Problem};

const NAMES: [&str; 2] = ["hardening.yaml", "hardening.yml"];
const VARIABLE: &str = "HARDENING_CONFIG";

/// The file that a package is compiled with: the one that `variable`, the value of
/// `HARDENING_CONFIG`, names; else `hardening.yaml` or `hardening.yml` in the package's folder or
/// the nearest folder above it, up to the root of its workspace.
///
/// A relative `HARDENING_CONFIG` is looked for in the same folders.
///
/// # Errors
/// `HARDENING_CONFIG` names no file.
pub fn compile_time(
    package: &Path,
    variable: Option<&str>,
) -> Result<Option<PathBuf>, ConfigError> {
    let folders = up_to_workspace(package);
    match given(variable) {
        Some(path) => named(path, &folders).map(Some),
        None => Ok(nearest(&folders)),
    }
}

/// The file that a program reads at start: the one that `variable`, the value of
/// `HARDENING_CONFIG`, names; else `hardening.yaml` or `hardening.yml` in `folder`, where it runs,
/// or one of three folders above it.
///
/// # Errors
/// `HARDENING_CONFIG` names no file.
pub fn run_time(folder: &Path, variable: Option<&str>) -> Result<Option<PathBuf>, ConfigError> {
    match given(variable) {
        Some(path) => named(path, &[folder]).map(Some),
        None => Ok(nearest(&folder.ancestors().take(4).collect::<Vec<_>>())),
    }
}

fn given(variable: Option<&str>) -> Option<&str> {
    variable.filter(|path| !path.trim().is_empty())
}

fn named(path: &str, folders: &[&Path]) -> Result<PathBuf, ConfigError> {
    let candidates = || folders.iter().map(|folder| folder.join(path));
    candidates().find(|path| path.is_file()).ok_or_else(|| {
        let tried: Vec<_> = candidates()
            .map(|path| path.display().to_string())
            .collect();
        let origin = Origin::Environment {
            name: VARIABLE.into(),
        };
        let message = format!(
            "there is no file `{}`: give its path, or unset the variable",
            tried.first().map_or(path, String::as_str)
        );
        ConfigError::new(&origin, "", Problem::new(message))
    })
}

fn nearest(folders: &[&Path]) -> Option<PathBuf> {
    let paths = folders
        .iter()
        .flat_map(|folder| NAMES.map(|name| folder.join(name)));
    paths.into_iter().find(|path| path.is_file())
}

/// The package's folder and those above it up to its workspace's. Without one, only its own.
fn up_to_workspace(package: &Path) -> Vec<&Path> {
    let root = package.ancestors().position(is_workspace).unwrap_or(0);
    package.ancestors().take(root + 1).collect()
}

fn is_workspace(folder: &Path) -> bool {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("[workspace]") || line.starts_with("[workspace.")
    })
}

/// `file` as it is shown to people: below the working directory, without it.
#[must_use]
pub fn shown(file: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    file.strip_prefix(here)
        .unwrap_or(file)
        .display()
        .to_string()
}
