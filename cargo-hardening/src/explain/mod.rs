//! `cargo hardening explain NAME`: what a policy comes to, as a timeline.

mod bulkhead;
mod cache;
mod circuit_breaker;
mod health;
mod name;
mod rate_limit;
mod retry;
mod timeout;

use std::time::Duration;

use anyhow::anyhow;
use hardening_config::{
    BulkheadPolicy, CachePolicy, CircuitBreakerPolicy, Config, ConfigErrors, LayerKind, Policy,
    RateLimitPolicy, Resolved, RetryPolicy, Selection, TimeoutPolicy,
};

use self::name::Named;
use crate::{
    Answer,
    args::Explain,
    check,
    file::{self, Read},
    picture::{COLUMNS, lines, table, wrapped},
};

pub(crate) fn run(options: &Explain, colours: bool) -> anyhow::Result<Answer> {
    let Read { name, config } = file::read_or_built_in(options.file.as_deref(), options.env)?;
    let config = match config {
        Ok(config) => config,
        Err(errors) => return Ok(Answer::mistakes(check::mistakes(&errors, colours))),
    };
    let file =
        name.unwrap_or_else(|| "There is no file: these are the built-in policies".to_owned());
    let Some(wanted) = &options.name else {
        return Ok(Answer::sound(format!("{file}\n\n{}", name::list(&config))));
    };
    let named = name::find(&config, wanted).map_err(|reason| anyhow!(reason))?;
    match explain(&config, &named, options.attempt) {
        Ok(text) => Ok(Answer::sound(text)),
        Err(errors) => Ok(Answer::mistakes(check::mistakes(&errors, colours))),
    }
}

const UNKNOWN: &str = "What the variables hold is not known here, and there is nothing to draw without it: \
                       `--env` takes them from this shell.";

fn explain(config: &Config, named: &Named, attempt: Duration) -> Result<String, ConfigErrors> {
    let name = named.name.as_str();
    Ok(match named.kind {
        None => health::explain(config, name),
        Some(LayerKind::Retry) => {
            layer(config, named, |p: &RetryPolicy| retry::explain(p, attempt))?
        }
        Some(LayerKind::RateLimit) => {
            layer(config, named, |p: &RateLimitPolicy| rate_limit::explain(p))?
        }
        Some(LayerKind::CircuitBreaker) => layer(config, named, |p: &CircuitBreakerPolicy| {
            circuit_breaker::explain(p)
        })?,
        Some(LayerKind::Timeout) => layer(config, named, |p: &TimeoutPolicy| timeout::explain(p))?,
        Some(LayerKind::Bulkhead) => {
            layer(config, named, |p: &BulkheadPolicy| bulkhead::explain(p))?
        }
        Some(LayerKind::Cache) => layer(config, named, |p: &CachePolicy| cache::explain(p))?,
        // It has no section, so nothing there has a name.
        Some(LayerKind::Fallback) => String::new(),
    })
}

/// The settings of a policy with where each came from, then what `timeline` makes of them.
fn layer<P: Policy>(
    config: &Config,
    named: &Named,
    timeline: impl Fn(&P) -> String,
) -> Result<String, ConfigErrors> {
    let selection = Selection {
        name: Some(&named.name),
        ..Selection::default()
    };
    let resolved = config.resolve::<P>(&selection)?;
    let settings = resolved.settings.iter();
    let settings = settings.map(|s| [s.key.to_owned(), s.value.clone(), s.origin.to_string()]);
    let head = format!("{named}\n\n{}\n{}", rows(settings), switches(&resolved));
    if resolved
        .settings
        .iter()
        .any(|setting| setting.value.contains("${"))
    {
        return Ok(head + &paragraph(UNKNOWN));
    }
    Ok(head + &timeline(&resolved.policy))
}

fn switches<P>(resolved: &Resolved<P>) -> String {
    if !resolved.enabled {
        return paragraph("It is switched off: every call passes. If it were on:");
    }
    if resolved.observe {
        return paragraph("It only observes: what it would reject is counted, and passes.");
    }
    String::new()
}

/// Key, value and origin in columns; a line that would be too long has its origin below.
fn rows(settings: impl Iterator<Item = [String; 3]>) -> String {
    let settings: Vec<[String; 3]> = settings.collect();
    let longest = |column: usize| {
        let lengths = settings.iter().map(|row| row[column].chars().count());
        lengths.filter(|length| *length <= 24).max().unwrap_or(0)
    };
    let (keys, values) = (longest(0), longest(1));
    let indent = keys + 4;
    lines(settings.iter().map(|[key, value, origin]| {
        let line = format!("  {key:<keys$}  {value:<values$}  {origin}");
        if line.trim_end().chars().count() <= COLUMNS {
            return line;
        }
        let value = wrapped(value, indent);
        format!(
            "  {key:<keys$}  {}\n{:indent$}{origin}",
            value.trim_start(),
            ""
        )
    }))
}

/// Text in lines that fit, and an empty line.
fn paragraph(text: &str) -> String {
    format!("{}\n\n", wrapped(text, 2))
}

/// A table, and an empty line.
fn figure(rows: &[Vec<String>]) -> String {
    format!("{}\n", table(rows))
}

/// Cells of a table's row.
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$(String::from($cell)),*] };
}
use row;
