//! `cargo hardening init`: a file to start from.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use anyhow::{Context as _, bail};
use hardening_config::{BUILT_IN, REFERENCE};

use crate::Answer;

const HEAD: &str = "\
# Policies of hardening. What is switched off with `# ` shows the default: remove the `# ` to change it.
#
# An editor that knows YAML completes and checks this file after
#   cargo hardening schema > hardening.schema.json
# with this as its first line:
#   # yaml-language-server: $schema=hardening.schema.json
#
";

pub(crate) fn run(file: &Path, force: bool) -> anyhow::Result<Answer> {
    let name = file.display();
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let mut opened = match options.open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("{name} exists: `--force` replaces it")
        }
        opened => opened.with_context(|| name.to_string())?,
    };
    opened
        .write_all(starter().as_bytes())
        .with_context(|| name.to_string())?;
    Ok(Answer::sound(format!(
        "wrote {name}: what is in force without it, and every key as a comment\n"
    )))
}

/// The reference with all settings as comments, and the built-in policies, which a file replaces.
fn starter() -> String {
    let mut text = HEAD.to_owned();
    let mut section = "";
    for line in REFERENCE.lines() {
        let setting = line.trim_start();
        if line.len() == setting.len() + 2 {
            section = setting.trim_end_matches(':');
        }
        text.extend([as_comment(line).as_str(), "\n"]);
        let is_place = match section {
            "rate_limiting" => setting.starts_with("defaults:"),
            "retry" => setting.starts_with("retryable_codes:"),
            _ => false,
        };
        if is_place {
            text.push_str(&built_in_of(section));
        }
    }
    text
}

/// What stays: comments, and the mappings that hold settings. All else becomes a comment.
fn as_comment(line: &str) -> String {
    let trimmed = line.trim_start();
    let indent = line.len() - trimmed.len();
    let setting = trimmed.split(" #").next().unwrap_or_default().trim_end();
    let holds = matches!(setting, "default_policy:" | "defaults:" | "providers:") || indent <= 2;
    if trimmed.is_empty() || trimmed.starts_with('#') || (setting.ends_with(':') && holds) {
        return line.to_owned();
    }
    format!("{}# {trimmed}", " ".repeat(indent))
}

/// The built-in policies of a section, but for `default`.
fn built_in_of(section: &str) -> String {
    let of_section = BUILT_IN
        .lines()
        .skip_while(|line| line.trim() != format!("{section}:"));
    let own = of_section
        .skip(1)
        .take_while(|line| line.starts_with("    "));
    let policies = own.filter(|line| line.ends_with('}') && !line.contains("default_policy"));
    policies.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use hardening_config::{Config, Environment, LayerKind};

    use super::*;

    fn read(text: &str) -> Config {
        Config::parse(text.as_bytes(), "h.yaml", &Environment::none()).unwrap()
    }

    #[test]
    fn the_starter_changes_nothing() {
        let (starter, built_in) = (read(&starter()), Config::builtin());
        assert!(starter.warnings().is_empty());
        for kind in LayerKind::ALL {
            let mut names = starter.names(kind);
            let mut expected = built_in.names(kind);
            names.sort_unstable();
            expected.sort_unstable();
            assert_eq!(names, expected);
        }
        assert_eq!(starter.health(), built_in.health());
        let selection = hardening_config::Selection {
            name: Some("quick"),
            ..Default::default()
        };
        let policy = |config: &Config| {
            config
                .resolve::<hardening_config::RetryPolicy>(&selection)
                .unwrap()
                .policy
        };
        assert_eq!(policy(&starter), policy(&built_in));
    }

    #[test]
    fn without_its_comment_signs_it_is_the_reference() {
        let restored: Vec<String> = REFERENCE
            .lines()
            .map(|line| match as_comment(line) {
                same if same == line => same,
                comment => comment.replacen("# ", "", 1),
            })
            .collect();
        assert_eq!(restored.join("\n") + "\n", REFERENCE);
        let comments = |text: &str| {
            text.lines()
                .filter(|line| line.trim_start().starts_with('#'))
                .count()
        };
        assert!(comments(&starter()) > comments(REFERENCE) + 60);
    }
}
