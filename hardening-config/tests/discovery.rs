//! Where the file is found.

use std::{
    fs,
    path::{Path, PathBuf},
};

use hardening_config::find;

/// An empty folder of its own for a test.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A workspace with a package two folders down.
fn workspace(test: &str) -> (PathBuf, PathBuf) {
    let root = folder(test).join("ws");
    let package = root.join("crates/a");
    put(
        &root.join("Cargo.toml"),
        "[workspace]\nmembers = [\"crates/*\"]\n",
    );
    put(&package.join("Cargo.toml"), "[package]\nname = \"a\"\n");
    (root, package)
}

fn compile_time(package: &Path, named: Option<&str>) -> Option<PathBuf> {
    find::compile_time(package, named).unwrap()
}

#[test]
fn the_package_comes_before_its_workspace_and_yaml_before_yml() {
    let (root, package) = workspace("nearest");
    assert_eq!(compile_time(&package, None), None);
    for file in [
        root.join("hardening.yml"),
        root.join("hardening.yaml"),
        root.join("crates/hardening.yaml"),
        package.join("hardening.yml"),
        package.join("hardening.yaml"),
    ] {
        put(&file, "");
        assert_eq!(compile_time(&package, None), Some(file));
    }
}

#[test]
fn nothing_above_the_workspace_is_read() {
    let (root, package) = workspace("above");
    put(&root.parent().unwrap().join("hardening.yaml"), "");
    assert_eq!(compile_time(&package, None), None);
}

#[test]
fn without_a_workspace_only_the_packages_own_folder_is_read() {
    // The folders of tests are inside of this workspace: make it end here.
    let (root, package) = workspace("alone");
    put(&root.join("hardening.yaml"), "");
    put(
        &package.join("Cargo.toml"),
        "[package]\nname = \"a\"\n[workspace.dependencies]\n",
    );
    assert_eq!(compile_time(&package, None), None);
    let nowhere = Path::new("/nowhere/at/all");
    assert_eq!(compile_time(nowhere, None), None);
}

#[test]
fn a_named_file_is_relative_to_the_package_or_absolute() {
    let (root, package) = workspace("named");
    put(&package.join("hardening.yaml"), "");
    put(&package.join("conf/h.yaml"), "");
    put(&root.join("shared.yaml"), "");
    let named = |name: &str| compile_time(&package, Some(name));
    assert_eq!(named("conf/h.yaml"), Some(package.join("conf/h.yaml")));
    assert_eq!(named("shared.yaml"), Some(root.join("shared.yaml")));
    let absolute = root.join("shared.yaml");
    assert_eq!(named(absolute.to_str().unwrap()), Some(absolute));
    assert_eq!(named(" "), Some(package.join("hardening.yaml")));
}

#[test]
fn a_named_file_that_does_not_exist_is_an_error() {
    let (_, package) = workspace("missing");
    put(&package.join("hardening.yaml"), "");
    let told = find::compile_time(&package, Some("h.yaml")).unwrap_err();
    let path = package.join("h.yaml");
    assert_eq!(
        told.to_string(),
        format!(
            "env HARDENING_CONFIG: there is no file `{}`: give its path, or unset the variable",
            path.display()
        )
    );
    // A folder is no file.
    assert!(find::run_time(&package, Some(".")).is_err());
}

#[test]
fn a_running_program_looks_in_its_folder_and_three_above() {
    let root = folder("running");
    let cwd = root.join("1/2/3");
    fs::create_dir_all(&cwd).unwrap();
    let run_time = || find::run_time(&cwd, None).unwrap();
    put(&root.parent().unwrap().join("hardening.yaml.not"), "");
    for file in [
        root.join("hardening.yaml"),
        root.join("1/hardening.yml"),
        root.join("1/2/hardening.yaml"),
        cwd.join("hardening.yml"),
    ] {
        put(&file, "");
        assert_eq!(run_time(), Some(file));
    }
    let deeper = root.join("a/b/c/d");
    fs::create_dir_all(&deeper).unwrap();
    assert_eq!(find::run_time(&deeper, None).unwrap(), None);
}
