//! What a package's `Cargo.toml` says of our crate: under which name it depends on it, and where its
//! re-export is, if it says so. A reader of the few forms that matter is a hundred lines; a TOML
//! crate would be compiled before every user's first macro.

mod toml;

use std::{
    fs,
    path::{Path, PathBuf},
};
use toml::{Entry, entries};

/// Where generated code finds our crate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Root {
    /// Under this name, that of a dependency.
    Dependency(String),
    /// At this path: `[package.metadata.hardening]` says so.
    Configured(String),
    /// Nowhere: the manifest lists its dependencies, and ours is none of them.
    Missing,
}

/// What the manifest at `path` says, and that of its workspace where it inherits.
pub(crate) fn root(path: &Path) -> Root {
    let Ok(text) = fs::read_to_string(path) else {
        // Not built by cargo: nothing is certain.
        return Root::Dependency(OURS.to_owned());
    };
    let entries = entries(&text);
    let inherited = || workspace(path, &entries).map(|text| toml::entries(&text));
    root_of(&entries, inherited)
}

const OURS: &str = "hardening";

fn root_of(entries: &[Entry], workspace: impl FnOnce() -> Option<Vec<Entry>>) -> Root {
    let said = |path: &[&str]| entries.iter().find(|entry| entry.path == path);
    if let Some(entry) = said(&["package", "metadata", OURS, "crate"]) {
        return Root::Configured(entry.value.clone());
    }
    let known = named(entries).or_else(|| inherited(entries, &workspace()?));
    let is_ours = || said(&["package", "name"]).is_some_and(|entry| entry.value == OURS);
    match known {
        Some(name) => Root::Dependency(name.replace('-', "_")),
        None if is_ours() => Root::Dependency(OURS.to_owned()),
        None => Root::Missing,
    }
}

/// The key of the dependency on our crate: what all targets use before what tests use.
fn named(entries: &[Entry]) -> Option<String> {
    let ours = entries.iter().filter_map(|entry| {
        let (rank, key, rest) = entry.dependency()?;
        let is_ours = match rest {
            ["package"] => entry.value == OURS,
            _ => key == OURS && !is_renamed(entries, key),
        };
        is_ours.then_some((rank, key))
    });
    ours.min_by_key(|(rank, _)| *rank)
        .map(|(_, key)| key.to_owned())
}

/// Whether the dependency `key` is another package.
fn is_renamed(entries: &[Entry], key: &str) -> bool {
    entries.iter().any(|entry| {
        matches!(entry.dependency(), Some((_, other, ["package"])) if other == key)
            && entry.value != OURS
    })
}

/// The key of a dependency that is ours by the words of the workspace.
fn inherited(entries: &[Entry], workspace: &[Entry]) -> Option<String> {
    let renamed = workspace
        .iter()
        .filter_map(|entry| match entry.names()[..] {
            ["workspace", "dependencies", key, "package"] if entry.value == OURS => Some(key),
            _ => None,
        });
    let mut renamed = renamed.filter(|renamed| {
        entries.iter().any(
            |entry| matches!(entry.dependency(), Some((_, key, ["workspace"])) if key == *renamed),
        )
    });
    renamed.next().map(str::to_owned)
}

/// The text of the manifest of the workspace that the one at `path` belongs to.
fn workspace(path: &Path, entries: &[Entry]) -> Option<String> {
    let folder = path.parent()?;
    let said = entries
        .iter()
        .find(|entry| entry.path == ["package", "workspace"]);
    if let Some(entry) = said {
        return fs::read_to_string(folder.join(&entry.value).join("Cargo.toml")).ok();
    }
    let manifests = folder
        .ancestors()
        .map(|folder: &Path| -> PathBuf { folder.join("Cargo.toml") });
    manifests
        .filter_map(|path| fs::read_to_string(path).ok())
        .find(|text| {
            text.lines()
                .any(|line| line.trim_start().starts_with("[workspace"))
        })
}

impl Entry {
    fn names(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// For an entry of a dependency: how many others come before its kind, its key, and what the
    /// entry says of it.
    fn dependency(&self) -> Option<(u8, &str, [&str; 1])> {
        const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
        let names = self.names();
        let (rank, rest) = match names[..] {
            ["target", _, ref rest @ ..] => (1, rest),
            ref rest => (0, rest),
        };
        let (kind, rest) = rest.split_first()?;
        let rank = rank + 2 * u8::try_from(KINDS.iter().position(|known| known == kind)?).ok()?;
        let name = |index: usize| {
            let at = names.len() - rest.len() + index;
            self.path.get(at).map(String::as_str)
        };
        Some((rank, name(0)?, [name(1).unwrap_or("version")]))
    }
}

#[cfg(test)]
mod tests {
    use super::{Root, entries, root_of};

    fn root(manifest: &str) -> Root {
        root_of(&entries(manifest), || None)
    }

    fn name(name: &str) -> Root {
        Root::Dependency(name.to_owned())
    }

    #[test]
    fn a_dependency_is_found_in_every_table_and_form() {
        for manifest in [
            "[dependencies]\nhardening = \"1\"",
            "[dependencies]\nhardening.path = \"..\" # here",
            "[ dependencies . hardening ]\npath = '..'",
            "[dev-dependencies]\n\"hardening\" = { version = \"1\", features = [\"x\"] }",
            "[target.'cfg(unix)'.dependencies]\nhardening.workspace = true",
            "[target.\"cfg(all())\".dev-dependencies.hardening]\nworkspace = true",
            "[build-dependencies]\nhardening = \"1\"",
            "dependencies.hardening = \"1\"",
            "dependencies = { hardening = \"1\" }",
            "[package]\nname = \"hardening\"",
        ] {
            assert_eq!(root(manifest), name("hardening"), "{manifest}");
        }
    }

    #[test]
    fn a_renamed_dependency_is_found_in_every_form() {
        for manifest in [
            "[dependencies]\nh-d = { package = \"hardening\", version = \"1\" }",
            "[dependencies]\nh-d = {\n  version = \"1\", # TOML 1.1\n  package = 'hardening',\n}",
            "[dependencies.h-d]\npath = \"..\"\npackage = \"hardening\"",
            "[dependencies]\nh-d.version = \"1\"\nh-d.package = \"hardening\"",
            "[target.'cfg(unix)'.dependencies]\nh-d = { package=\"hardening\" }",
            "[dependencies]\nh-d = {package = \"hardening\"}\n[dev-dependencies]\nhardening = \"1\"",
            "[dev-dependencies]\nhardening = \"1\"\n[dependencies]\nh-d = {package = \"hardening\"}",
        ] {
            assert_eq!(root(manifest), name("h_d"), "{manifest}");
        }
    }

    #[test]
    fn what_is_no_dependency_of_ours_is_not_taken_for_one() {
        for manifest in [
            "",
            "[package]\nname = \"app\"\n[dependencies]\nframework = \"1\"",
            "[package]\nname = \"app\"\nkeywords = [\n \"hardening\", # [dependencies]\n \"x\",\n]",
            "[dependencies]\n# hardening = \"1\"\nhardening-config = \"1\"",
            "[dependencies]\nhardening = { package = \"other\" }",
            "[package]\ndescription = \"\"\"\n[dependencies]\nhardening = '1'\n\"\"\"",
            "[features]\nhardening = []\n[patch.crates-io]\nhardening = { path = \"..\" }",
            "[dependencies]\n{{{ = }",
        ] {
            assert_eq!(root(manifest), Root::Missing, "{manifest}");
        }
    }

    #[test]
    fn the_package_may_say_where_it_is() {
        let manifest = "[dependencies]\nhardening = \"1\"\n[package.metadata.hardening]\ncrate = \"framework::hardening\"";
        let expected = Root::Configured("framework::hardening".to_owned());
        assert_eq!(root(manifest), expected);
    }

    #[test]
    fn a_name_may_be_the_workspaces() {
        let workspace = "[workspace.dependencies]\nhd = { package = \"hardening\", path = \"..\" }";
        let root = |manifest| root_of(&entries(manifest), || Some(entries(workspace)));
        let inherits = "[dev-dependencies]\nhd.workspace = true";
        assert_eq!(root(inherits), name("hd"));
        let inline = "[dependencies]\nhd = { workspace = true, features = [\"x\"] }";
        assert_eq!(root(inline), name("hd"));
        assert_eq!(
            root("[dependencies]\nother.workspace = true"),
            Root::Missing
        );
    }
}
