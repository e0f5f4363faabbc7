//! What the file overrides, held against the functions of the program.

use crate::{
    config::{Config, ConfigError, LayerKind, Origin, Problem},
    site::{self, Site},
};

/// Overrides that were meant for this program and change nothing in it: of a function that its crate
/// does not have, or of a layer that its function does not have.
pub(crate) fn wrong(config: &Config) -> Vec<ConfigError> {
    let paths: Vec<String> = site::all().map(Site::path).collect();
    let mut wrong = Vec::new();
    for (path, origin) in config.overridden() {
        if paths.iter().any(|known| known == path) {
            wrong.extend(layers_that_are_not_there(config, path));
        } else if is_of(&paths, path) {
            wrong.push(unknown(&paths, path, &origin));
        }
    }
    wrong
}

/// Overrides of functions in crates of which this program has none: one file may serve several programs.
pub(crate) fn of_other_programs(config: &Config) -> Vec<ConfigError> {
    let paths: Vec<String> = site::all().map(Site::path).collect();
    let known = |path: &str| paths.iter().any(|known| known == path) || is_of(&paths, path);
    let unused = config.overrides_unused(known).into_iter();
    unused
        .map(|(path, mut error)| {
            let nearest = crate::config::suggest(path, paths.iter().map(String::as_str));
            error.problem.suggestion = nearest.map(str::to_owned);
            error
        })
        .collect()
}

/// Whether `path` can only be meant for one of the crates that these functions are in.
fn is_of(paths: &[String], path: &str) -> bool {
    let Some(of) = crate_of(path) else {
        return true; // no path at all
    };
    paths.iter().any(|known| crate_of(known) == Some(of))
}

/// The crate that a path begins with: `shop` of `shop::place`, of `<shop::Orders as api::Store>::get` and
/// of `<u8 as shop::Store>::get`.
fn crate_of(path: &str) -> Option<&str> {
    let is_sign = |c: char| !c.is_alphanumeric() && c != '_';
    let begins = path.split(" as ").filter_map(|part| {
        let (first, _) = part.trim_start_matches(is_sign).split_once("::")?;
        Some(first)
    });
    let mut crates = begins.filter(|first| !["alloc", "core", "std"].contains(first));
    crates.next()
}

fn unknown(paths: &[String], path: &str, origin: &Origin) -> ConfigError {
    let known = paths.iter().map(String::as_str);
    let problem = Problem::unknown("no annotated function has this path", path, known);
    ConfigError::new(origin, "runtime.overrides", problem)
}

/// Several functions may have one path: what one of them has is there.
fn layers_that_are_not_there(config: &Config, path: &str) -> Vec<ConfigError> {
    let here = || site::all().filter(|site| site.path() == path);
    let is_missing = |kind| !here().any(|site| site.layer(kind).is_some());
    let overridden = config.overridden_at(path).into_iter();
    overridden
        .filter(|(kind, ..)| is_missing(*kind))
        .map(|(kind, name, origin)| {
            let mut there = here().flat_map(Site::layers).collect::<Vec<_>>();
            there.sort_by_key(|layer| layer.kind);
            there.dedup_by_key(|layer| layer.kind);
            let sections = there.iter().filter_map(|layer| layer.kind.section());
            let key = format!("runtime.overrides.\"{path}\".{name}");
            ConfigError::new(&origin, &key, no_such_layer(kind, sections))
        })
        .collect()
}

fn no_such_layer<'a>(kind: LayerKind, there: impl Iterator<Item = &'a str>) -> Problem {
    let there: Vec<String> = there.map(|section| format!("`{section}`")).collect();
    let there = match there.as_slice() {
        [] => "it has none that can be overridden".to_owned(),
        there => format!("it has {}", there.join(", ")),
    };
    Problem::new(format!(
        "the function has no `#[{}]`, so this changes nothing: {there}",
        kind.attribute()
    ))
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::crate_of;

    #[test]
    fn a_path_knows_its_crate() {
        for (path, of) in [
            ("shop::orders::place", Some("shop")),
            ("<shop::Orders as api::Store>::get", Some("shop")),
            ("<&shop::Orders as api::Store>::get", Some("shop")),
            ("<u8 as shop::Store>::get", Some("shop")),
            ("<alloc::vec::Vec as shop::Store>::get", Some("shop")),
            ("place", None),
            ("", None),
        ] {
            assert_eq!(crate_of(path), of, "{path}");
        }
    }
}
