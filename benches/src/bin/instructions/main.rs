//! How many instructions a call executes along the hot paths, counted by callgrind: figures that a noisy machine
//! cannot change. `cargo run --release -p benches --bin instructions` compares them with `benches/instructions.txt`
//! and fails where a path has become dearer; `--update` writes them there. With another compiler or kind of machine than
//! the baseline's, the figures are shown and not judged.
//!
//! Each path runs in a process of its own, and is counted after a program's start and its first calls.
#![forbid(unsafe_code)]

mod baseline;
mod paths;

use baseline::{Baseline, Change};
use paths::{PATHS, Path};
use std::{
    env,
    error::Error,
    fs,
    process::{Command, ExitCode},
    sync::Mutex,
    thread,
    time::Duration,
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.txt");
const CALLS: u64 = 4_000;

type Any = Box<dyn Error + Send + Sync>;

fn main() -> Result<ExitCode, Any> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--child", name] => {
            walk(find(name)?);
            Ok(ExitCode::SUCCESS)
        }
        [] => compare(),
        ["--update"] => {
            fs::write(FILE, format!("{}\n{}", maker(), count_all()?))?;
            println!("written to benches/instructions.txt");
            Ok(ExitCode::SUCCESS)
        }
        _ => Err("no arguments compare with the baseline; --update writes it".into()),
    }
}

fn find(name: &str) -> Result<&'static Path, String> {
    let found = PATHS.iter().find(|path| path.name == name);
    found.ok_or_else(|| format!("there is no path {name:?}"))
}

/// The work of the child. The clock measures its rate over these pauses (again, if the first failed), and then
/// does without a look at the system's clock for a second.
fn walk(path: &Path) {
    for _ in 0..2 {
        (path.run)(1);
        thread::sleep(Duration::from_millis(260));
    }
    (path.run)(1);
    counted(path.run);
}

/// What callgrind counts.
#[inline(never)]
fn counted(run: fn(u64)) {
    run(CALLS);
}

fn compare() -> Result<ExitCode, Any> {
    let text = fs::read_to_string(FILE)?;
    let (made_by, figures) = text.split_once('\n').unwrap_or_default();
    let before: Baseline = figures.parse()?;
    let now = count_all()?;
    let mut failed = false;
    println!("| path | instructions | baseline | |\n|---|--:|--:|---|");
    for (name, count) in now.iter() {
        let change = Change::between(before.get(name), count);
        failed |= change.is_failure();
        let before = before
            .get(name)
            .map_or_else(String::new, |count| format!("{count:.1}"));
        println!("| {name} | {count:.1} | {before} | {change} |");
    }
    if made_by != maker() {
        println!(
            "\nnot judged: the baseline is of\n  {made_by}\nand this is\n  {}",
            maker()
        );
        return Ok(ExitCode::SUCCESS);
    }
    if failed {
        println!(
            "\na path has changed: where that is meant, run this with --update, and commit the file"
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// What the counts depend on beside the code: the compiler, the processor's kind, and whether the clock is read
/// off its counter. A baseline of others says nothing here.
fn maker() -> String {
    let rustc = Command::new(env::var("RUSTC").unwrap_or_else(|_| "rustc".into()))
        .arg("--version")
        .output();
    let rustc = rustc.map_or_else(
        |_| "an unknown compiler".into(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let clock =
        fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    let clock = clock.as_deref().map_or("unknown", str::trim);
    format!("# {rustc}, {}, clock source {clock}", env::consts::ARCH)
}

/// The instructions of a call along each path, counted on all processors.
fn count_all() -> Result<Baseline, Any> {
    let left = Mutex::new(PATHS.iter().enumerate());
    let counted = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let next = left.lock().expect("no panic").next();
                    let Some((position, path)) = next else { break };
                    let count = count(path);
                    counted
                        .lock()
                        .expect("no panic")
                        .push((position, path.name, count));
                }
            });
        }
    });
    let mut counted = counted.into_inner()?;
    counted.sort_by_key(|(position, ..)| *position);
    let named = counted
        .into_iter()
        .map(|(_, name, count)| Ok((name.to_owned(), count?)));
    named.collect()
}

/// The lesser of two counts: a process that was held up for long has the clock to look after again.
fn count(path: &Path) -> Result<f64, Any> {
    Ok(executed(path)?.min(executed(path)?))
}

/// The instructions of a call along `path`, in a process of its own.
fn executed(path: &Path) -> Result<f64, Any> {
    let valgrind = env::var("VALGRIND").unwrap_or_else(|_| "valgrind".into());
    let output = Command::new(&valgrind)
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=instructions::counted*")
        .arg(env::current_exe()?)
        .args(["--child", path.name])
        .output()
        .map_err(|error| format!("{valgrind} (of the variable VALGRIND): {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    match collected {
        Some((_, count)) if output.status.success() => {
            Ok(count.trim().parse::<f64>()? / CALLS as f64)
        }
        _ => Err(format!("{}: {said}", path.name).into()),
    }
}
