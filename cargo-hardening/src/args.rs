//! What was asked for.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use lexopt::{Arg, Parser, ValueExt as _};

const HELP: &str = "\
Checks hardening.yaml and explains what is in it

Usage: cargo hardening <command>

Commands:
  check [FILE]         Every mistake in the file, with its place
      --format FORMAT    text (default) or json
      --env              With the variables of this shell: ${VAR}, HARDENING__…
  explain [NAME]       What a policy, an op or a check comes to, as a timeline;
                       without NAME, the names. `retry.default` where several
                       sections have it
      --file FILE        Of this file
      --attempt TIME     Attempts take up to this long (\"2s\"); they take no time
                         otherwise
      --env              As above
  schema               The JSON Schema of the file, for editors
  init [FILE]          Write a commented hardening.yaml to start from
      --force            Even over one that exists

Without FILE: the one that HARDENING_CONFIG names, else hardening.yaml or
hardening.yml in this folder or above it, up to the workspace's.

Exit status: 0 sound, 1 mistakes in the file, 2 anything else that went wrong
";

/// A command with its options.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Help(String),
    Check(Check),
    Explain(Explain),
    Schema,
    Init { file: PathBuf, force: bool },
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Check {
    pub(crate) file: Option<PathBuf>,
    pub(crate) json: bool,
    pub(crate) env: bool,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Explain {
    pub(crate) name: Option<String>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) attempt: Duration,
    pub(crate) env: bool,
}

/// The command that `args`, the program's name first, ask for.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> anyhow::Result<Command> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    // `cargo hardening check` runs `cargo-hardening hardening check`.
    if args.get(1).is_some_and(|arg| arg == "hardening") {
        args.remove(1);
    }
    let mut parser = Parser::from_iter(args);
    match parser.next()? {
        None | Some(Arg::Short('h') | Arg::Long("help")) => Ok(Command::Help(HELP.to_owned())),
        Some(Arg::Short('V') | Arg::Long("version")) => Ok(version()),
        Some(Arg::Value(command)) => match command.to_str() {
            Some("help") => Ok(Command::Help(HELP.to_owned())),
            Some("check") => check(parser),
            Some("explain") => explain(parser),
            Some("schema") => schema(parser),
            Some("init") => init(parser),
            _ => bail!(unknown(&command.to_string_lossy())),
        },
        Some(other) => Err(other.unexpected()).context("see `cargo hardening --help`"),
    }
}

fn version() -> Command {
    Command::Help(format!("cargo-hardening {}\n", env!("CARGO_PKG_VERSION")))
}

fn unknown(command: &str) -> String {
    let commands = ["check", "explain", "schema", "init"];
    match hardening_config::suggest(command, commands) {
        Some(nearest) => format!("there is no command `{command}`; did you mean `{nearest}`?"),
        None => format!(
            "there is no command `{command}`: write {}",
            commands.join(", ")
        ),
    }
}

/// Whether it is `-h`, which every command has.
fn asks_for_help(arg: &Arg<'_>) -> bool {
    matches!(arg, Arg::Short('h') | Arg::Long("help"))
}

fn check(mut parser: Parser) -> anyhow::Result<Command> {
    let mut options = Check::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Value(file) if options.file.is_none() => options.file = Some(file.into()),
            Arg::Long("env") => options.env = true,
            Arg::Long("format") => {
                options.json = match parser.value()?.string()?.as_str() {
                    "json" => true,
                    "text" => false,
                    other => bail!("there is no format `{other}`: write `text` or `json`"),
                }
            }
            arg if asks_for_help(&arg) => return Ok(Command::Help(HELP.to_owned())),
            arg => return Err(arg.unexpected().into()),
        }
    }
    Ok(Command::Check(options))
}

fn explain(mut parser: Parser) -> anyhow::Result<Command> {
    let mut options = Explain::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Value(name) if options.name.is_none() => options.name = Some(name.string()?),
            Arg::Long("env") => options.env = true,
            Arg::Long("file") => options.file = Some(parser.value()?.into()),
            Arg::Long("attempt") => {
                let text = parser.value()?.string()?;
                let time = hardening_config::parse_duration(&text);
                options.attempt =
                    time.map_err(|problem| anyhow::anyhow!("--attempt: {problem}"))?;
            }
            arg if asks_for_help(&arg) => return Ok(Command::Help(HELP.to_owned())),
            arg => return Err(arg.unexpected().into()),
        }
    }
    Ok(Command::Explain(options))
}

fn schema(mut parser: Parser) -> anyhow::Result<Command> {
    match parser.next()? {
        None => Ok(Command::Schema),
        Some(arg) if asks_for_help(&arg) => Ok(Command::Help(HELP.to_owned())),
        Some(arg) => Err(arg.unexpected().into()),
    }
}

fn init(mut parser: Parser) -> anyhow::Result<Command> {
    let (mut file, mut force) = (None, false);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
            Arg::Long("force") => force = true,
            arg if asks_for_help(&arg) => return Ok(Command::Help(HELP.to_owned())),
            arg => return Err(arg.unexpected().into()),
        }
    }
    let file = file.unwrap_or_else(|| PathBuf::from("hardening.yaml"));
    Ok(Command::Init { file, force })
}
