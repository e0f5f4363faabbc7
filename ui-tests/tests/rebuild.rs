//! A package outside of the workspace, as a user has it: what an edit of `hardening.yaml` does to
//! its next build. It is built offline, with the workspace's lock file.
use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A package in a folder of its own, which goes when it is dropped.
struct Scratch {
    folder: PathBuf,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Scratch {
    fn new(name: &str, manifest: &str) -> Self {
        let folder = env::temp_dir().join(format!("hardening-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("src")).unwrap();
        let scratch = Self { folder };
        let lock = fs::read_to_string(Path::new(WORKSPACE).join("Cargo.lock")).unwrap();
        scratch.write("Cargo.lock", &lock);
        let manifest = manifest.replace("WORKSPACE", WORKSPACE);
        scratch.write("Cargo.toml", &format!("[workspace]\n\n{manifest}"));
        scratch
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    /// `cargo check`: whether it went well, and what it said.
    fn check(&self) -> (bool, String) {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rebuild");
        let output: Output = Command::new(env!("CARGO"))
            .args(["check", "--offline", "--color=never"])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", target)
            .env_remove("HARDENING_CONFIG")
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said)
    }

    #[track_caller]
    fn passes(&self) {
        let (success, said) = self.check();
        assert!(success && !said.contains("warning"), "{said}");
    }

    /// What cargo says of the one mistake.
    #[track_caller]
    fn fails(&self) -> String {
        let (success, said) = self.check();
        assert!(!success, "it compiled: {said}");
        let errors = said
            .lines()
            .filter(|line| line.starts_with("error"))
            .count();
        assert_eq!(
            errors, 2,
            "one error, and cargo's that there was one: {said}"
        );
        said
    }
}

/// The place of `what` in `text`, as `line:column`.
fn place(text: &str, what: &str) -> String {
    let before = &text[..text.find(what).unwrap()];
    let line = before.lines().count() + usize::from(before.ends_with('\n'));
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    format!("{line}:{column}")
}

const MANIFEST: &str = r#"
[package]
name = "hardening-scratch"
version = "0.0.0"
edition = "2024"

[dependencies]
hardening = { path = "WORKSPACE" }
"#;

const CROSSBRIDGE: &str = include_str!("../../hardening-config/tests/files/crossbridge.yml");

const CODE: &str = r#"#![deny(warnings)]
#![forbid(unsafe_code)]
use hardening::{
    Priority, bulkhead, cached, circuit_breaker, fallback, health_check, rate_limited, retryable, timeout,
};

#[fallback(|error| if query.is_empty() { Err(error) } else { Ok(query.to_owned()) })]
#[cached(ttl = 3600)]
#[timeout("15s")]
#[rate_limited(op = "search", key = user)]
#[retryable(policy = "expensive")]
#[circuit_breaker(name = "ai")]
#[bulkhead(name = "ai", priority = Priority::Urgent)]
pub async fn search(user: u64, query: &str) -> std::io::Result<String> {
    Ok(format!("{user} {query}"))
}

#[health_check(name = "database")]
pub fn database() -> bool {
    true
}

pub fn start() {
    hardening::init!().unwrap();
}
"#;

#[test]
fn an_edit_of_the_configuration_is_checked_by_the_next_build() {
    let scratch = Scratch::new("rebuild", MANIFEST);
    scratch.write("src/lib.rs", CODE);
    scratch.write("hardening.yaml", CROSSBRIDGE);
    scratch.passes();

    let renamed = CROSSBRIDGE.replace("expensive_policy", "costly_policy");
    scratch.write("hardening.yaml", &renamed);
    let said = scratch.fails();
    let at = format!("--> src/lib.rs:{}\n", place(CODE, "\"expensive\""));
    assert!(said.contains(&at), "no {at} in {said}");
    assert!(said.contains("^^^^^^^^^^^\n"), "{said}");
    let message = "error: hardening.yaml defines no retry policy `expensive` \
                   (known: default, costly, quick, conservative)";
    assert!(said.contains(message), "{said}");

    scratch.write("hardening.yaml", CROSSBRIDGE);
    scratch.passes();

    let typo = CROSSBRIDGE.replacen("max_attempts", "max_atempts", 1);
    scratch.write("hardening.yaml", &typo);
    let said = scratch.fails();
    let at = format!("hardening.yaml:{}", place(&typo, "max_atempts"));
    assert!(said.contains(&at), "no {at} in {said}");
    assert!(said.contains("did you mean `max_attempts`?"), "{said}");

    scratch.write("hardening.yaml", CROSSBRIDGE);
    scratch.passes();

    // Without a file, the built-in policies of the same names are there.
    fs::remove_file(scratch.folder.join("hardening.yaml")).unwrap();
    scratch.passes();
}

#[test]
fn what_is_right_is_right_in_edition_2021_too() {
    let mut manifest = MANIFEST.replace("2024", "2021");
    manifest.push_str("ui-tests = { path = \"WORKSPACE/ui-tests\" }\n");
    manifest.push_str("tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n");
    for folder in fs::read_dir("tests").unwrap() {
        let folder = folder.unwrap().path().join("pass");
        let Ok(cases) = fs::read_dir(&folder) else {
            continue;
        };
        for (number, case) in cases.enumerate() {
            let case = fs::canonicalize(case.unwrap().path()).unwrap();
            let attribute = folder.parent().unwrap().file_name().unwrap();
            let attribute = attribute.to_str().unwrap();
            writeln!(
                manifest,
                "
[[bin]]
name = \"{attribute}-{number}\"
path = {case:?}"
            )
            .unwrap();
        }
    }
    let scratch = Scratch::new("edition", &manifest);
    let configuration = fs::read_to_string("tests/hardening.yaml").unwrap();
    scratch.write("hardening.yaml", &configuration);
    scratch.passes();
}
