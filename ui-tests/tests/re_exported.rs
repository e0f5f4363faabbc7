//! Packages outside of the workspace that know `hardening` by another name, or only through a framework
//! that re-exports it. They are built offline, with the workspace's lock file.
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A workspace of two packages, `framework` and `app`, in a folder that goes when it is dropped.
struct Scratch {
    folder: PathBuf,
    /// The name of the package `app`. Members of two workspaces in one target folder are the same to
    /// cargo when they are called the same.
    app: String,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("hardening-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let app = format!("app-{name}");
        let scratch = Self { folder, app };
        let lock = fs::read_to_string(Path::new(WORKSPACE).join("Cargo.lock")).unwrap();
        scratch.write("Cargo.lock", &lock);
        scratch.write("Cargo.toml", ROOT);
        scratch.write("framework/Cargo.toml", &package("framework", FRAMEWORK));
        scratch.write(
            "framework/src/lib.rs",
            "pub use hardening;\npub use hardening::*;\n",
        );
        scratch
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("WORKSPACE", WORKSPACE)).unwrap();
    }

    /// The package `app`, with this behind `[package]` in its manifest.
    fn app(&self, manifest: &str, code: &str) -> &Self {
        self.write("app/Cargo.toml", &package(&self.app, manifest));
        self.write("app/src/lib.rs", code);
        self
    }

    /// `cargo check` of the package `app`, its tests included: whether it went well, and what it said.
    fn check(&self) -> (bool, String) {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("re_exported");
        let output = Command::new(env!("CARGO"))
            .args([
                "check",
                "--offline",
                "--color=never",
                "--tests",
                "-p",
                &self.app,
            ])
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

    /// What the compiler says, mistake by mistake.
    #[track_caller]
    fn fails(&self) -> Vec<String> {
        let (success, said) = self.check();
        assert!(!success, "it compiled: {said}");
        let mut errors: Vec<String> = said.split("\n\n").map(str::to_owned).collect();
        errors.retain(|error| error.contains("error") && !error.contains("could not compile"));
        errors.sort();
        errors.dedup();
        errors
    }
}

const ROOT: &str = r#"
[workspace]
members = ["framework", "app"]
resolver = "3"

[workspace.dependencies]
framework = { path = "framework" }
hd = { package = "hardening", path = "WORKSPACE" }
"#;

const FRAMEWORK: &str = r#"
[dependencies]
hardening = { path = "WORKSPACE" }
"#;

fn package(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n{rest}")
}

/// What an application writes with every macro, `ROOT` being what it knows our crate as.
const CODE: &str = r#"#![deny(warnings)]
#![forbid(unsafe_code)]
USED

use ROOT::{Classify, Rejected, circuit_breaker, retryable};

#[derive(Debug, Classify)]
pub enum AppError {
    #[transient]
    Busy,
    #[classify(forward)]
    Rejected(Rejected),
}

impl From<Rejected> for AppError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

#[ROOT::fallback(|_| Ok(0))]
#[ROOT::cached(ttl = 3600)]
#[ROOT::timeout("15s")]
#[ROOT::rate_limited(op = "search", key = user)]
#[retryable(policy = "expensive")]
#[circuit_breaker]
#[ROOT::bulkhead(priority = ROOT::Priority::Urgent)]
pub async fn search(user: u64) -> Result<u64, AppError> {
    Ok(user)
}

pub struct Client;

#[circuit_breaker]
#[retryable]
impl Client {
    #[hardening(skip)]
    pub fn new() -> Self {
        Self
    }

    #[cfg_attr(all(), ROOT::cached)]
    pub fn ask(&self, id: u64) -> Result<u64, AppError> {
        Ok(id)
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

#[ROOT::health_check]
pub fn database() -> bool {
    true
}

pub fn start() {
    ROOT::init!().unwrap();
}

#[test]
fn they_all_wrap() {
    let layers = ROOT::sites().iter().map(|site| site.layers.len()).sum::<usize>();
    assert_eq!(layers, 10);
}
"#;

fn code(root: &str) -> String {
    CODE.replace("ROOT", root).replace("USED", "")
}

/// The same, all of it for tests alone.
fn in_tests(root: &str) -> String {
    CODE.replace("ROOT", root).replace("USED", "#![cfg(test)]")
}

#[test]
fn the_crate_may_be_renamed_wherever_dependencies_stand() {
    let renamed = "{ package = \"hardening\", path = \"WORKSPACE\" }";
    let scratch = Scratch::new("renamed");
    let everywhere = [
        format!("[dependencies]\nhd = {renamed}"),
        format!("[target.'cfg(unix)'.dependencies]\nhd = {renamed}"),
        "[dependencies.hd]\npackage = \"hardening\"\npath = \"WORKSPACE\"".to_owned(),
        "[dependencies]\nhd.workspace = true".to_owned(),
        "[dependencies]\nhd = { workspace = true, features = [\"anyhow\"] }".to_owned(),
    ];
    for manifest in everywhere {
        scratch.app(&manifest, &code("hd")).passes();
    }
    for manifest in [
        format!("[dev-dependencies]\nhd = {renamed}"),
        "[dev-dependencies]\nhd.workspace = true".to_owned(),
    ] {
        scratch.app(&manifest, &in_tests("hd")).passes();
    }
    let hyphen = format!("[dependencies]\nmy-hardening = {renamed}");
    scratch.app(&hyphen, &code("my_hardening")).passes();
}

const ON_FRAMEWORK: &str = "[dependencies]\nframework.workspace = true\n";

#[test]
fn a_framework_may_re_export_it() {
    let scratch = Scratch::new("re-export");
    for root in ["framework::hardening", "framework"] {
        let manifest =
            format!("{ON_FRAMEWORK}\n[package.metadata.hardening]\ncrate = \"{root}\"\n");
        scratch.app(&manifest, &code(root)).passes();
    }
    let own =
        format!("{ON_FRAMEWORK}\n[package.metadata.hardening]\ncrate = \"crate::hardening\"\n");
    let reached = code("crate::hardening").replacen("use", "pub use framework::hardening;\nuse", 1);
    scratch.app(&own, &reached).passes();
}

#[test]
fn an_attribute_may_say_it_for_itself() {
    let code = "
#[derive(framework::Classify)]
#[classify(transient, crate = framework::hardening)]
pub struct Busy;

#[framework::retryable(crate = framework::hardening, retry_if = |_| true)]
#[framework::hardening::timeout(\"5s\")]
pub async fn ask() -> std::io::Result<()> {
    Ok(())
}

#[framework::health_check(crate = framework)]
pub fn check() -> bool {
    true
}

pub fn start() {
    framework::init!(crate = framework::hardening).unwrap();
}
"
    .replace("transient, crate", "crate")
    .replace("pub struct Busy", "#[transient]\npub struct Busy");
    Scratch::new("argument").app(ON_FRAMEWORK, &code).passes();
}

#[test]
fn a_package_that_does_not_say_where_it_is_is_told_once_what_to_write() {
    let scratch = Scratch::new("missing");
    let errors = scratch
        .app(ON_FRAMEWORK, &code("framework::hardening"))
        .fails();
    let [error] = &*errors else {
        panic!("one mistake, not {}: {}", errors.len(), errors.join("\n\n"));
    };
    for part in [
        "`cargo add hardening`",
        "[package.metadata.hardening]",
        "crate = \"framework::hardening\"",
        "the argument `crate = framework::hardening`",
    ] {
        assert!(error.contains(part), "no {part} in {error}");
    }

    let manifest =
        format!("{ON_FRAMEWORK}\n[package.metadata.hardening]\ncrate = \"framework/hardening\"\n");
    let errors = scratch
        .app(&manifest, &code("framework::hardening"))
        .fails();
    assert_eq!(errors.len(), 1, "{}", errors.join("\n\n"));
    assert!(
        errors[0].contains("`framework/hardening` is no path"),
        "{}",
        errors[0]
    );
}
