//! The file that a command is about.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use hardening_config::{Config, ConfigErrors, Environment, find};

/// A file and what was read in it.
pub(crate) struct Read {
    /// The file as it is shown; `None` for the built-in policies.
    pub(crate) name: Option<String>,
    pub(crate) config: Result<Config, ConfigErrors>,
}

/// Reads `file`, or the one that the compiler would use.
///
/// Like the compiler it takes `${VAR:-default}` for its default and does not look into `${VAR}`,
/// unless `env` says that the variables of this shell are those of the program.
pub(crate) fn read(file: Option<&Path>, env: bool) -> anyhow::Result<Option<Read>> {
    let path = match file {
        Some(file) => file.to_owned(),
        None => match found()? {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    if path.is_dir() {
        bail!("{} is a folder: give a file", path.display());
    }
    let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
    let name = find::shown(&path);
    Ok(Some(Read {
        config: Config::parse(&bytes, &name, &variables(env)),
        name: Some(name),
    }))
}

/// As [`read`]; without any file, the policies that are built in.
pub(crate) fn read_or_built_in(file: Option<&Path>, env: bool) -> anyhow::Result<Read> {
    let read = read(file, env)?;
    Ok(read.unwrap_or_else(|| Read {
        name: None,
        config: Config::builtin_in(&variables(env)),
    }))
}

fn variables(env: bool) -> Environment {
    if env {
        Environment::process()
    } else {
        Environment::compiling()
    }
}

fn found() -> anyhow::Result<Option<PathBuf>> {
    let here = std::env::current_dir().context("the working directory")?;
    let variable = std::env::var("HARDENING_CONFIG").ok();
    Ok(find::compile_time(&here, variable.as_deref())?)
}
