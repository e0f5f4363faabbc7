//! What the compiler tells a user, case by case: `<attribute>/fail/<mistake>.rs` with its `.stderr`,
//! and `<attribute>/pass/*.rs`, which must compile without a warning, run and end well. After a
//! change of a message, `TRYBUILD=overwrite cargo test -p ui-tests` writes the `.stderr` files anew:
//! read them as a user before you commit them. What the compiler itself adds to a message differs from
//! release to release: the files are those of the current stable one.
//!
//! The cases are compiled as a package of trybuild's, in `target/tests/trybuild/ui-tests`. The
//! macros look for `hardening.yaml` in the folder of the package that they compile, so this program
//! puts `tests/hardening.yaml` there. The cases of `config` are about broken files, each with the
//! file beside it: the macros are led to that one by `HARDENING_CONFIG`, which a program cannot set
//! for itself without `unsafe`; so it runs itself again with the variable set.
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The folder of the package that the cases are compiled in.
fn package() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let package = target.join("tests/trybuild").join(env!("CARGO_PKG_NAME"));
    fs::create_dir_all(&package).unwrap();
    package
}

/// Puts a file beside the package's manifest, unless it is there already.
fn put(from: &Path, name: &str) {
    let (to, text) = (package().join(name), fs::read(from).unwrap());
    if fs::read(&to).ok().as_ref() != Some(&text) {
        fs::write(to, text).unwrap();
    }
}

fn folders() -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir("tests").unwrap();
    let folders = entries.map(|entry| entry.unwrap().path());
    folders.filter(|path| path.is_dir() && !path.ends_with("config"))
}

#[test]
fn a_mistake_is_told_once_at_its_token_with_what_to_write_instead() {
    put(Path::new("tests/hardening.yaml"), "hardening.yaml");
    let cases = trybuild::TestCases::new();
    for folder in folders().filter(|folder| folder.join("fail").is_dir()) {
        cases.compile_fail(folder.join("fail/*.rs"));
    }
}

#[test]
fn what_is_right_compiles_without_warnings_and_runs() {
    put(Path::new("tests/hardening.yaml"), "hardening.yaml");
    let cases = trybuild::TestCases::new();
    for folder in folders().filter(|folder| folder.join("pass").is_dir()) {
        cases.pass(folder.join("pass/*.rs"));
    }
}

/// Names the case of a run of this program by itself.
const CASE: &str = "HARDENING_UI_CASE";

#[test]
fn a_broken_file_is_told_once_with_file_line_and_column() {
    for entry in fs::read_dir("tests/config/fail").unwrap() {
        let case = entry.unwrap().path();
        if case.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let file = case.with_extension("yaml");
        let name = file.file_name().unwrap().to_str().unwrap();
        if file.is_file() {
            put(&file, name);
        }
        let run = Command::new(env::current_exe().unwrap())
            .args(["--exact", "a_case_with_a_file_of_its_own", "--ignored"])
            .arg("--nocapture")
            .env("HARDENING_CONFIG", name)
            .env(CASE, &case)
            .status();
        assert!(run.unwrap().success(), "{}", case.display());
    }
}

#[test]
#[ignore = "run by the test above, once for each case"]
fn a_case_with_a_file_of_its_own() {
    if let Some(case) = env::var_os(CASE) {
        trybuild::TestCases::new().compile_fail(case);
    }
}
