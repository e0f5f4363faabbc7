//! `cargo hardening`: checks `hardening.yaml` and explains what is in it.
#![forbid(unsafe_code)]

mod args;
mod check;
mod explain;
mod file;
mod init;
mod picture;

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use args::Command;

/// What a command has to say.
pub(crate) struct Answer {
    text: String,
    /// Whether the file is free of mistakes.
    sound: bool,
}

impl Answer {
    pub(crate) fn sound(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            sound: true,
        }
    }

    pub(crate) fn mistakes(text: impl Into<String>) -> Self {
        Self {
            sound: false,
            ..Self::sound(text)
        }
    }
}

/// 0: sound, 1: the file has mistakes, 2: what was asked for cannot be done.
fn main() -> ExitCode {
    match args::parse(std::env::args_os()).and_then(run) {
        Ok(answer) => {
            // A reader that went away (`| head`) is no mistake.
            let _ = std::io::stdout().write_all(answer.text.as_bytes());
            ExitCode::from(u8::from(!answer.sound))
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<Answer> {
    match command {
        Command::Help(text) => Ok(Answer::sound(text)),
        Command::Schema => Ok(Answer::sound(hardening_config::json_schema())),
        Command::Check(options) => check::run(&options, colours()),
        Command::Explain(options) => explain::run(&options, colours()),
        Command::Init { file, force } => init::run(&file, force),
    }
}

/// Only for people who want them: <https://no-color.org>.
fn colours() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !unwanted
}
