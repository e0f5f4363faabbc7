//! `cargo hardening check`: every mistake in the file, with its place.

use anyhow::bail;
use hardening_config::{Config, ConfigError, ConfigErrors, LayerKind};
use serde_json::{Value, json};

use crate::{
    Answer,
    args::Check,
    file::{self, Read},
    picture::{Colour, painted, wrapped},
};

pub(crate) fn run(options: &Check, colours: bool) -> anyhow::Result<Answer> {
    let Some(read) = file::read(options.file.as_deref(), options.env)? else {
        bail!(
            "there is no hardening.yaml or hardening.yml here or above, up to the workspace's \
             folder: give its path, or write one with `cargo hardening init`"
        );
    };
    let text = if options.json {
        format!("{:#}\n", as_json(&read))
    } else {
        as_text(&read, colours)
    };
    Ok(match read.config {
        Ok(_) => Answer::sound(text),
        Err(_) => Answer::mistakes(text),
    })
}

fn as_text(read: &Read, colours: bool) -> String {
    let name = read.name.as_deref().unwrap_or("built-in");
    match &read.config {
        Ok(config) => {
            let warnings: String = config
                .warnings()
                .iter()
                .map(|warning| warned(warning, colours))
                .collect();
            let found = match config.warnings().len() {
                0 => String::new(),
                1 => ", 1 warning".to_owned(),
                count => format!(", {count} warnings"),
            };
            format!(
                "{warnings}{name}: no mistakes{found} ({})\n",
                summary(config)
            )
        }
        Err(errors) => mistakes(errors, colours),
    }
}

/// The mistakes as text, one paragraph each, and how many there are.
pub(crate) fn mistakes(errors: &ConfigErrors, colours: bool) -> String {
    let label = painted("error", Colour::Red, colours);
    let listed: String = errors
        .iter()
        .map(|error| paragraph(error, &label))
        .collect();
    let count = match (errors.len(), errors.iter().len()) {
        (1, _) => "1 mistake".to_owned(),
        (all, shown) if all > shown => format!("{all} mistakes, of which {shown} are shown"),
        (all, _) => format!("{all} mistakes"),
    };
    format!("{listed}{count}\n")
}

fn warned(warning: &ConfigError, colours: bool) -> String {
    paragraph(warning, &painted("warning", Colour::Yellow, colours))
}

/// `file:line:column: error: key`, where editors and `grep` look for it, then the reason.
fn paragraph(error: &ConfigError, label: &str) -> String {
    let key = match error.key.as_str() {
        "" => String::new(),
        key => format!(" {key}"),
    };
    let reason = wrapped(&error.problem.to_string(), 2);
    format!("{}: {label}:{key}\n{reason}\n", error.origin)
}

fn summary(config: &Config) -> String {
    let counted = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let policies = LayerKind::ALL
        .into_iter()
        .filter(|kind| *kind != LayerKind::RateLimit);
    let policies = policies.map(|kind| config.names(kind).len()).sum();
    let parts = [
        counted(config.names(LayerKind::RateLimit).len(), "op", "ops"),
        counted(policies, "policy", "policies"),
        counted(config.named_checks().len(), "health check", "health checks"),
        counted(config.overridden().len(), "override", "overrides"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

fn as_json(read: &Read) -> Value {
    let list =
        |errors: &mut dyn Iterator<Item = &ConfigError>| errors.map(entry).collect::<Vec<_>>();
    let (errors, warnings) = match &read.config {
        Ok(config) => (Vec::new(), list(&mut config.warnings().iter())),
        Err(errors) => (list(&mut errors.iter()), Vec::new()),
    };
    json!({
        "file": read.name,
        "valid": read.config.is_ok(),
        "errors": errors,
        "warnings": warnings,
    })
}

fn entry(error: &ConfigError) -> Value {
    json!({
        "origin": error.origin.to_string(),
        "file": error.file(),
        "line": error.line(),
        "column": error.column(),
        "key": error.key,
        "message": error.reason(),
        "suggestion": error.suggestion(),
        "known": error.problem.choices,
    })
}
