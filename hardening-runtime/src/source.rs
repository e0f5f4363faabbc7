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

/// What one look at the place of the configuration found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// A file, under the name that messages call it, and all of its content: a name or a time of
    /// change says less (a `ConfigMap` is swapped by a link, and two writes may fall into one second).
    File { name: String, content: Vec<u8> },
    /// No file: the text that was compiled in counts, else the built-in policies.
    Nothing,
    /// A file that cannot be read, or is not where `HARDENING_CONFIG` says.
    Unreadable(ConfigErrors),
}

/// `HARDENING_CONFIG`, else `hardening.yaml` or `.yml` in the working directory or up to three
/// parents.
pub(crate) fn look() -> Found {
    let here = env::current_dir().unwrap_or_default();
    let named = env::var("HARDENING_CONFIG").ok();
    let file = match find::run_time(&here, named.as_deref()) {
        Ok(Some(file)) => file,
        Ok(None) => return Found::Nothing,
        Err(error) => return Found::Unreadable(error.into()),
    };
    let name = find::shown(&file);
    match fs::read(&file) {
        Ok(content) => Found::File { name, content },
        Err(error) => Found::Unreadable(of_file(&name, format!("cannot be read: {error}")).into()),
    }
}

/// The configuration that was found, else that which was compiled in, else the built-in policies; or
/// what could be read of one with mistakes.
pub(crate) fn read(found: &Found) -> Result<Config, Mistaken> {
    let environment = Environment::process();
    match found {
        Found::File { name, content } => Config::read(content, name, &environment),
        Found::Unreadable(errors) => Err(errors.clone().into()),
        Found::Nothing => match *EMBEDDED.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(embedded) => Config::read(embedded.text, embedded.path, &environment),
            None => Config::read_builtin(&environment),
        },
    }
}

/// What is wrong with a file as a whole.
pub(crate) fn of_file(name: &str, message: String) -> ConfigError {
    let position = Position { line: 1, column: 1 };
    let origin = Origin::File {
        file: name.into(),
        position,
    };
    ConfigError::new(&origin, "", Problem::new(message))
}
