//! Where the configuration of the running program comes from.

use crate::config::{
    Config, ConfigError, ConfigErrors, Environment, Mistaken, Origin, Position, Problem, find,
};
use std::{
    env, fs,
    sync::{Mutex, PoisonError},
};

/// A file's text that was compiled into the program.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    /// Its path then.
    pub path: &'static str,
    /// Its text then.
    pub text: &'static [u8],
}

/// What `init!()` compiled in, once it has run.
static EMBEDDED: Mutex<Option<Embedded>> = Mutex::new(None);

/// Remembers the text for when no file is found.
pub(crate) fn embed(embedded: Option<Embedded>) {
    *EMBEDDED.lock().unwrap_or_else(PoisonError::into_inner) = embedded;
}

/// `HARDENING_CONFIG`, else `hardening.yaml` or `.yml` in the working directory or up to three
/// parents, else the text that was compiled in, else the built-in policies.
pub(crate) fn load() -> Result<Config, ConfigErrors> {
    read().map_err(|mistaken| mistaken.errors)
}

/// The same, with what could be read of a configuration with mistakes.
pub(crate) fn read() -> Result<Config, Mistaken> {
    let environment = Environment::process();
    let here = env::current_dir().unwrap_or_default();
    let named = env::var("HARDENING_CONFIG").ok();
    match find::run_time(&here, named.as_deref()).map_err(ConfigErrors::from)? {
        Some(file) => {
            let shown = find::shown(&file);
            let bytes = fs::read(&file).map_err(|error| unreadable(&shown, &error))?;
            Config::read(&bytes, &shown, &environment)
        }
        None => match *EMBEDDED.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(embedded) => Config::read(embedded.text, embedded.path, &environment),
            None => Config::read_builtin(&environment),
        },
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> ConfigErrors {
    let position = Position { line: 1, column: 1 };
    let origin = Origin::File {
        file: file.into(),
        position,
    };
    ConfigError::new(
        &origin,
        "",
        Problem::new(format!("cannot be read: {error}")),
    )
    .into()
}
