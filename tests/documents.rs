//! The documents say what the code says.

use hardening::config::LayerKind;
use std::{fs, path::Path};

const HEADINGS: [&str; 8] = [
    "# About",
    "# Example",
    "# Arguments",
    "# Rules",
    "# Order",
    "# Errors",
    "# Metrics",
    "# When not to use",
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn page(attribute: &str) -> String {
    read(&format!("docs/{attribute}.md"))
}

#[test]
fn every_page_has_the_same_headings_in_the_same_order() {
    let attributes = LayerKind::ALL.map(LayerKind::attribute);
    for attribute in attributes.into_iter().chain(["health_check"]) {
        let page = page(attribute);
        let headings: Vec<_> = page
            .lines()
            .filter(|line| HEADINGS.contains(line))
            .collect();
        assert_eq!(headings, HEADINGS, "docs/{attribute}.md");
    }
}

#[test]
fn every_setting_has_a_row_on_the_page_of_its_attribute() {
    for kind in LayerKind::ALL {
        let page = page(kind.attribute());
        for key in kind.keys() {
            let row = format!("\n| `{}` |", key.name);
            assert!(page.contains(&row), "{}: `{}`", kind.attribute(), key.name);
        }
    }
}

#[test]
fn the_configuration_page_holds_the_reference_file() {
    let (page, reference) = (
        read("docs/configuration.md"),
        read("hardening-config/reference.yaml"),
    );
    assert!(
        page.contains(&format!("```yaml\n{reference}```")),
        "copy hardening-config/reference.yaml into docs/configuration.md"
    );
}

#[test]
fn every_link_of_the_readme_to_a_file_leads_to_one() {
    let readme = read("README.md");
    let targets: Vec<_> = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .filter(|target| !target.starts_with("http"))
        .collect();
    assert!(targets.len() >= 12, "{targets:?}");
    for target in targets {
        read(target);
    }
}

/// What an operator finds in the log stands on the page *Operating*.
#[test]
fn every_warning_and_error_has_a_row_on_the_page_for_operators() {
    let page = read("docs/operating.md");
    let source = read("hardening-runtime/src/event.rs");
    let events = source.lines().map(str::trim_start);
    let mut told = 0;
    for event in events.filter(|line| line.starts_with("tell")) {
        let (_, told_with) = event.split_once('(').unwrap();
        let Some((level, fields)) = told_with.split_once([',', ' ']) else {
            continue; // of several lines, which is none of the kind
        };
        let Some(message) = fields.rsplit('"').nth(1) else {
            continue; // the macro's own
        };
        let level = level.to_uppercase();
        if message.starts_with('{') {
            continue; // any other text
        }
        if !level.starts_with("ERROR") && !level.starts_with("WARN") {
            assert!(page.contains(&format!("`{message}`")), "{event}");
            continue;
        }
        let message = message.split_once(":\\n").map_or(message, |(said, _)| said);
        let row = format!("\n| `{level}` | `{message}");
        assert!(page.contains(&row), "{event}");
        told += 1;
    }
    assert!(told >= 12, "{told}");
}
