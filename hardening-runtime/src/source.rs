//! Where the configuration of the running program comes from.

use crate::config::{
    Config, ConfigError, ConfigErrors, Environment, Mistaken, Origin, Position, Problem, find,
};
use std::{
    env, fs,
    sync::{Mutex, PoisonError},
};

/// A file's text that was compiled into the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// Its path then.
    pub path: &'static str,
    /// Its text then.
    pub text: &'static [u8],
}

/// What an `init!()` compiled in, which the linker finds: a call may come before `init!()` has run.
#[derive(Clone, Copy, Debug)]
pub struct Compiled {
    /// The text, if there was a file.
    pub embedded: Option<Embedded>,
    /// Whether it stands in the program's own crate, and not in a library.
    pub in_binary: bool,
}

inventory::collect!(Compiled);

/// Which `init!()` has run.
#[derive(Clone, Copy)]
enum Ran {
    None,
    /// The last one compiled this in.
    Last(Option<Embedded>),
}

static RAN: Mutex<Ran> = Mutex::new(Ran::None);

/// Remembers the text for when no file is found.
pub(crate) fn embed(embedded: Option<Embedded>) {
    *RAN.lock().unwrap_or_else(PoisonError::into_inner) = Ran::Last(embedded);
}

/// The text that counts when no file is found.
fn embedded() -> Option<Embedded> {
    match *RAN.lock().unwrap_or_else(PoisonError::into_inner) {
        Ran::Last(embedded) => embedded,
        Ran::None => first_of(inventory::iter::<Compiled>.into_iter().copied()),
    }
}

/// The text of the program's own `init!()`; of libraries, the one that they all have. Among different ones
/// nobody can say which is meant before one of them runs.
fn first_of(compiled: impl Iterator<Item = Compiled> + Clone) -> Option<Embedded> {
    if let Some(own) = compiled.clone().find(|compiled| compiled.in_binary) {
        return own.embedded;
    }
    let mut texts = compiled.map(|compiled| compiled.embedded);
    let first = texts.next()?;
    first.filter(|_| texts.all(|text| text == first))
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
        Found::Nothing => match embedded() {
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

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;

    const fn compiled(text: &'static [u8], in_binary: bool) -> Compiled {
        let path = "hardening.yaml";
        Compiled {
            embedded: Some(Embedded { path, text }),
            in_binary,
        }
    }

    fn text(compiled: &[Compiled]) -> Option<&'static [u8]> {
        first_of(compiled.iter().copied()).map(|embedded| embedded.text)
    }

    #[test]
    fn the_text_of_the_program_itself_counts_before_those_of_its_libraries() {
        let library = compiled(b"library", false);
        assert_eq!(text(&[library, compiled(b"own", true)]), Some(&b"own"[..]));
        let without = Compiled {
            embedded: None,
            in_binary: true,
        };
        assert_eq!(text(&[library, without]), None);
    }

    #[test]
    fn libraries_have_a_text_if_it_is_the_same() {
        let (one, other) = (compiled(b"one", false), compiled(b"other", false));
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[one]), Some(&b"one"[..]));
        assert_eq!(text(&[one, one]), Some(&b"one"[..]));
        assert_eq!(text(&[one, other]), None);
    }
}
