//! What annotated functions cost the compiler: `cargo run --release -p benches --bin compile_cost`.
//!
//! Three generated crates of 1,000 functions are checked in turn, with their dependencies built: one
//! with two of our attributes on each function, one with `#[tracing::instrument]`, one with nothing.
//! Then the attributes themselves are built from nothing. What is counted is the processors' time,
//! which other work on the machine disturbs least; each figure is the least of its rounds: five, or as
//! many as the argument says.
#![forbid(unsafe_code)]

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

const FUNCTIONS: usize = 1000;
const ROUNDS: usize = 5;

/// One generated crate.
struct Subject {
    name: &'static str,
    dependency: &'static str,
    prelude: &'static str,
    attributes: &'static str,
    signature: &'static str,
}

const ERROR: &str = "
#[derive(Debug)]
pub struct AppError;
";

const OUR_ERROR: &str = "
use hardening::{bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout};

#[derive(Debug, hardening::Classify)]
pub enum AppError {
    #[permanent]
    Missing,
    #[classify(forward)]
    Rejected(hardening::Rejected),
}

impl From<hardening::Rejected> for AppError {
    fn from(rejected: hardening::Rejected) -> Self {
        Self::Rejected(rejected)
    }
}
";

const ASYNC: &str = "pub async fn";
const BLOCKING: &str = "pub fn";

const SUBJECTS: [Subject; 17] = [
    plain("plain", ASYNC),
    ours(
        "retryable + rate_limited",
        "#[retryable(max_attempts = 5)]\n#[rate_limited(op = \"search\", key = id)]",
        ASYNC,
    ),
    ours(
        "retryable + circuit_breaker",
        "#[retryable]\n#[circuit_breaker]",
        ASYNC,
    ),
    ours(
        "circuit_breaker + timeout",
        "#[circuit_breaker]\n#[timeout(\"5s\")]",
        ASYNC,
    ),
    ours(
        "timeout + bulkhead",
        "#[timeout(\"5s\")]\n#[bulkhead]",
        ASYNC,
    ),
    ours(
        "rate_limited + bulkhead",
        "#[rate_limited(op = \"search\", key = id)]\n#[bulkhead]",
        ASYNC,
    ),
    ours(
        "fallback + retryable",
        "#[fallback(|_error| Ok(id))]\n#[retryable]",
        ASYNC,
    ),
    ours(
        "cached + bulkhead",
        "#[cached(ttl = 60)]\n#[bulkhead]",
        ASYNC,
    ),
    ours(
        "cached + retryable",
        "#[cached(ttl = 60)]\n#[retryable]",
        ASYNC,
    ),
    ours(
        "cached + rate_limited",
        "#[cached(ttl = 60, key = id)]\n#[rate_limited(op = \"search\", key = (id, name))]",
        ASYNC,
    ),
    instrument("instrument", ASYNC),
    plain("plain, blocking", BLOCKING),
    ours(
        "retryable + circuit_breaker, blocking",
        "#[retryable]\n#[circuit_breaker]",
        BLOCKING,
    ),
    ours(
        "retryable + rate_limited, blocking",
        "#[retryable(max_attempts = 5)]\n#[rate_limited(op = \"search\", key = id)]",
        BLOCKING,
    ),
    ours(
        "cached + bulkhead, blocking",
        "#[cached(ttl = 60)]\n#[bulkhead]",
        BLOCKING,
    ),
    ours(
        "cached + retryable, blocking",
        "#[cached(ttl = 60)]\n#[retryable]",
        BLOCKING,
    ),
    instrument("instrument, blocking", BLOCKING),
];

const fn plain(name: &'static str, signature: &'static str) -> Subject {
    Subject {
        name,
        dependency: "",
        prelude: ERROR,
        attributes: "",
        signature,
    }
}

const fn ours(name: &'static str, attributes: &'static str, signature: &'static str) -> Subject {
    Subject {
        name,
        dependency: "hardening",
        prelude: OUR_ERROR,
        attributes,
        signature,
    }
}

const fn instrument(name: &'static str, signature: &'static str) -> Subject {
    Subject {
        name,
        dependency: "tracing",
        prelude: ERROR,
        attributes: "#[tracing::instrument]",
        signature,
    }
}

impl Subject {
    fn is_ours(&self) -> bool {
        self.dependency == "hardening"
    }

    fn error(&self) -> &'static str {
        if self.is_ours() {
            "AppError::Missing"
        } else {
            "AppError"
        }
    }

    fn source(&self) -> String {
        let mut source = format!("#![allow(unused_imports)]\n{}", self.prelude);
        let Self {
            attributes,
            signature,
            ..
        } = self;
        let error = self.error();
        for number in 0..FUNCTIONS {
            let _ = write!(
                source,
                "\n{attributes}\n{signature} f{number}(id: u64, name: &str) -> Result<u64, AppError> {{\n    \
                 if name.is_empty() {{\n        return Err({error});\n    }}\n    Ok(id + {number})\n}}\n"
            );
        }
        source
    }

    fn manifest(&self, workspace: &Path) -> String {
        let dependency = match self.dependency {
            "" => String::new(),
            "hardening" => format!(
                "hardening = {{ path = {:?} }}\n",
                workspace.display().to_string()
            ),
            other => format!("{other} = \"*\"\n"),
        };
        format!(
            "[package]\nname = \"subject\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{dependency}\n[workspace]\n"
        )
    }
}

fn main() -> io::Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."));
    let room = workspace.join("target/compile-cost");
    let packages: Vec<PathBuf> = SUBJECTS
        .iter()
        .enumerate()
        .map(|(index, subject)| written(subject, workspace, &room.join(index.to_string())))
        .collect::<io::Result<_>>()?;
    // One for all, so that what they depend on is built once.
    let target = room.join("target");
    for package in &packages {
        cargo(&["check", "--quiet"], package, &target)?;
    }
    let rounds = env::args().nth(1).and_then(|rounds| rounds.parse().ok());
    let mut least = vec![f64::INFINITY; packages.len()];
    for _ in 0..rounds.unwrap_or(ROUNDS) {
        for (least, package) in least.iter_mut().zip(&packages) {
            touch(&package.join("src/lib.rs"))?;
            *least = least.min(cargo(&["check", "--quiet"], package, &target)?);
        }
    }
    report(&least);
    clean_builds(workspace, &room)
}

/// Writes the crate of `subject`.
fn written(subject: &Subject, workspace: &Path, package: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(package.join("src"))?;
    fs::write(package.join("Cargo.toml"), subject.manifest(workspace))?;
    fs::copy(workspace.join("Cargo.lock"), package.join("Cargo.lock"))?;
    fs::write(package.join("src/lib.rs"), subject.source())?;
    Ok(package.to_owned())
}

fn touch(file: &Path) -> io::Result<()> {
    let source = fs::read(file)?;
    fs::write(file, source)
}

/// Runs cargo in `folder`; the seconds that processors worked for it.
fn cargo(args: &[&str], folder: &Path, target: &Path) -> io::Result<f64> {
    let before = children()?;
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(args)
        .current_dir(folder)
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", target)
        .status()?;
    if status.success() {
        Ok(children()? - before)
    } else {
        Err(io::Error::other(format!(
            "cargo {args:?} failed in {}",
            folder.display()
        )))
    }
}

/// The seconds that processors have worked for the children of this process, as Linux counts them.
fn children() -> io::Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat")?;
    // `cutime` and `cstime` are the 16th and 17th fields; the second is a name in parentheses.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(13).take(2);
    Ok(ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS_PER_SECOND)
}

fn report(least: &[f64]) {
    println!("`cargo check` of {FUNCTIONS} functions, dependencies built:\n");
    println!("| attributes of each function | processor seconds | of `#[tracing::instrument]` |");
    println!("|---|---|---|");
    for (subject, seconds) in SUBJECTS.iter().zip(least) {
        let peer = SUBJECTS
            .iter()
            .position(|peer| peer.dependency == "tracing" && peer.signature == subject.signature);
        let ratio = peer.map_or(f64::NAN, |peer| seconds / least[peer]);
        println!("| {} | {seconds:.2} | {ratio:.2} × |", subject.name);
    }
}

/// What a user waits for before the first function: the attributes' crate and all under it.
fn clean_builds(workspace: &Path, room: &Path) -> io::Result<()> {
    println!("\nFrom nothing, `cargo check`:\n");
    println!("| crate, with all that it needs | processor seconds |");
    println!("|---|---|");
    for package in ["hardening-macros", "hardening"] {
        let target = room.join("clean");
        if target.exists() {
            fs::remove_dir_all(&target)?;
        }
        let args = ["check", "--quiet", "--package", package];
        println!("| {package} | {:.1} |", cargo(&args, workspace, &target)?);
    }
    Ok(())
}
