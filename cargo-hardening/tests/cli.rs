//! The program as people run it: what it prints, and its exit status.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p cargo-hardening --test cli` writes `snapshots/` anew; read the
//! difference before committing it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// Runs it in the folder of these tests, without any variable that it looks at.
fn run(args: &[&str]) -> Output {
    run_in(&Path::new(HERE).join("tests"), args, &[])
}

fn run_in(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-hardening"));
    command.args(args).current_dir(folder);
    for variable in ["HARDENING_CONFIG", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// A folder of its own for the test `name`.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What `args` print is what the file `snapshots/NAME.txt` holds.
fn matches_snapshot(name: &str, expected_status: i32, args: &[&str]) {
    let output = run(args);
    assert_eq!(
        status(&output),
        expected_status,
        "{name}: {}",
        stderr(&output)
    );
    let printed = stdout(&output) + &stderr(&output);
    let file = Path::new(HERE).join(format!("tests/snapshots/{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(file, printed).unwrap();
        return;
    }
    assert_eq!(printed, fs::read_to_string(file).unwrap(), "{name}");
}

#[test]
fn check_tells_every_mistake_with_its_place() {
    matches_snapshot("check_broken", 1, &["check", "broken.yaml"]);
    matches_snapshot(
        "check_broken_json",
        1,
        &["check", "broken.yaml", "--format", "json"],
    );
}

#[test]
fn check_of_a_sound_file_says_what_is_in_it() {
    matches_snapshot("check_sound", 0, &["check", "shop.yaml"]);
    matches_snapshot(
        "check_sound_json",
        0,
        &["check", "--format=json", "shop.yaml"],
    );
}

#[test]
fn what_is_doubtful_is_a_warning_and_no_mistake() {
    matches_snapshot("check_doubtful", 0, &["check", "doubtful.yaml"]);
}

#[test]
fn explain_draws_each_kind_of_policy() {
    for name in [
        "expensive",
        "nightly",
        "off",
        "search",
        "api",
        "payments",
        "checkout",
        "database",
        "prices",
        "timeout.default",
        "circuit_breaker.default",
        "health_checks.database",
    ] {
        let name_of_bulkhead = if name == "database" {
            "bulkhead.database"
        } else {
            name
        };
        let snapshot = format!("explain_{}", name_of_bulkhead.replace('.', "_"));
        matches_snapshot(
            &snapshot,
            0,
            &["explain", name_of_bulkhead, "--file", "shop.yaml"],
        );
    }
    let args = [
        "explain",
        "expensive",
        "--attempt",
        "2s",
        "--file",
        "shop.yaml",
    ];
    matches_snapshot("explain_with_attempts", 0, &args);
}

#[test]
fn explain_without_a_name_lists_the_names() {
    matches_snapshot("explain", 0, &["explain", "--file", "shop.yaml"]);
}

#[test]
fn explain_of_an_unknown_name_suggests_and_of_a_shared_one_asks() {
    matches_snapshot(
        "explain_unknown",
        2,
        &["explain", "expansive", "--file", "shop.yaml"],
    );
    matches_snapshot(
        "explain_policy_key",
        2,
        &["explain", "nightly_policy", "--file", "shop.yaml"],
    );
    matches_snapshot(
        "explain_shared",
        2,
        &["explain", "database", "--file", "shop.yaml"],
    );
    matches_snapshot(
        "explain_of_a_broken_file",
        1,
        &["explain", "--file", "broken.yaml"],
    );
}

#[test]
fn every_printed_line_fits_into_eighty_columns() {
    let mut snapshots = 0;
    for entry in fs::read_dir(Path::new(HERE).join("tests/snapshots")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("json") {
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let fits = line.chars().count() <= 80 || line.starts_with("error: ");
            assert!(fits, "{}: {line}", path.display());
        }
        snapshots += 1;
    }
    assert!(snapshots > 10);
}

#[test]
fn check_judges_the_corpus_as_the_reader_does() {
    for (kind, expected) in [("valid", 0), ("broken", 1)] {
        let corpus = Path::new(HERE)
            .join("../hardening-config/tests/corpus")
            .join(kind);
        for entry in fs::read_dir(corpus).unwrap() {
            let path = entry.unwrap().path();
            let output = run(&["check", path.to_str().unwrap()]);
            assert_eq!(status(&output), expected, "{}", path.display());
        }
    }
}

#[test]
fn the_documentation_shows_what_is_printed() {
    let page = fs::read_to_string(Path::new(HERE).join("../docs/cargo-hardening.md")).unwrap();
    let args = [
        "explain",
        "expensive",
        "--attempt",
        "2s",
        "--file",
        "shop.yaml",
    ];
    let explained = stdout(&run(&args));
    let (timeline, _) = explained.split_once("\n\n  Budget").unwrap();
    assert!(page.contains(timeline), "{timeline}");
    let checked = stdout(&run(&["check", "broken.yaml"]));
    let first: Vec<&str> = checked.lines().take(3).collect();
    assert!(page.contains(&first.join("\n")), "{checked}");
}

#[test]
fn cargo_passes_the_name_of_the_command_along() {
    let direct = run(&["check", "shop.yaml"]);
    let by_cargo = run(&["hardening", "check", "shop.yaml"]);
    assert_eq!(stdout(&direct), stdout(&by_cargo));
    assert_eq!(status(&by_cargo), 0);
}

#[test]
fn schema_prints_the_checked_in_schema() {
    let checked_in = include_str!("../../hardening-config/hardening.schema.json");
    assert_eq!(stdout(&run(&["schema"])), checked_in);
}

#[test]
fn init_writes_a_sound_file_and_replaces_none() {
    let folder = folder("init");
    let run = |args: &[&str]| run_in(&folder, args, &[]);
    assert_eq!(status(&run(&["init"])), 0);
    let written = fs::read_to_string(folder.join("hardening.yaml")).unwrap();
    assert_eq!(status(&run(&["check", "hardening.yaml"])), 0);

    fs::write(folder.join("hardening.yaml"), "runtime: {}\n").unwrap();
    let again = run(&["init"]);
    assert_eq!(status(&again), 2);
    assert_eq!(
        stderr(&again),
        "error: hardening.yaml exists: `--force` replaces it\n"
    );
    assert_eq!(
        fs::read_to_string(folder.join("hardening.yaml")).unwrap(),
        "runtime: {}\n"
    );

    assert_eq!(status(&run(&["init", "--force"])), 0);
    assert_eq!(
        fs::read_to_string(folder.join("hardening.yaml")).unwrap(),
        written
    );
    assert_eq!(status(&run(&["init", "conf/none.yaml"])), 2);
}

#[test]
fn the_file_is_the_one_that_the_compiler_would_use() {
    let folder = folder("found");
    fs::create_dir_all(folder.join("package/src")).unwrap();
    fs::write(folder.join("Cargo.toml"), "[workspace]\n").unwrap();
    fs::write(
        folder.join("hardening.yml"),
        "runtime: {retry: {above_policy: {}}}\n",
    )
    .unwrap();
    let package = folder.join("package");
    let found = run_in(&package, &["explain"], &[]);
    assert!(
        stdout(&found).contains("default, above"),
        "{}",
        stdout(&found)
    );

    let variable = [("HARDENING_CONFIG", "other.yaml")];
    assert_eq!(status(&run_in(&package, &["check"], &variable)), 2);
    fs::write(
        package.join("other.yaml"),
        "runtime: {retry: {other_policy: {}}}\n",
    )
    .unwrap();
    let named = run_in(&package, &["explain"], &variable);
    assert!(
        stdout(&named).contains("default, other"),
        "{}",
        stdout(&named)
    );
}

#[test]
fn without_a_file_check_says_what_to_do_and_explain_shows_what_is_built_in() {
    let folder = folder("nothing");
    fs::write(folder.join("Cargo.toml"), "[workspace]\n").unwrap();
    let check = run_in(&folder, &["check"], &[]);
    assert_eq!(status(&check), 2);
    assert!(
        stderr(&check).contains("cargo hardening init"),
        "{}",
        stderr(&check)
    );
    let explain = run_in(&folder, &["explain"], &[]);
    assert!(
        stdout(&explain).contains("quick, conservative"),
        "{}",
        stdout(&explain)
    );
}

#[test]
fn variables_of_the_shell_count_when_asked_for() {
    let folder = folder("variables");
    let file = "runtime: {retry: {a_policy: {max_attempts: \"${ATTEMPTS}\"}}}\n";
    fs::write(folder.join("h.yaml"), file).unwrap();
    let check = |args: &[&str], variables: &[(&str, &str)]| {
        status(&run_in(
            &folder,
            &[&["check", "h.yaml"], args].concat(),
            variables,
        ))
    };
    assert_eq!(check(&[], &[]), 0);
    assert_eq!(check(&["--env"], &[]), 1);
    assert_eq!(check(&["--env"], &[("ATTEMPTS", "7")]), 0);
    assert_eq!(check(&["--env"], &[("ATTEMPTS", "lots")]), 1);
    assert_eq!(
        check(
            &["--env"],
            &[("ATTEMPTS", "7"), ("HARDENING__RETRY__B__JITTER", "full")]
        ),
        1
    );
}

#[test]
fn explain_draws_nothing_that_depends_on_unknown_variables() {
    let folder = folder("unknown");
    let file =
        "runtime: {rate_limiting: {defaults: {a: {capacity: \"${C}\", window_seconds: 60}}}}\n";
    fs::write(folder.join("h.yaml"), file).unwrap();
    let args = ["explain", "a", "--file", "h.yaml"];
    let without = stdout(&run_in(&folder, &args, &[]));
    assert!(
        without.contains("${C}") && without.contains("not known here"),
        "{without}"
    );
    assert!(!without.contains("steady rate"), "{without}");
    let with = stdout(&run_in(
        &folder,
        &[&args[..], &["--env"]].concat(),
        &[("C", "30")],
    ));
    assert!(with.contains("30 a minute"), "{with}");
}

#[test]
fn what_cannot_be_done_has_another_status_than_a_mistake() {
    for args in [
        &["chekc"][..],
        &["check", "no_such_file.yaml"],
        &["check", "."],
        &["check", "a", "b"],
        &["check", "--formt", "json"],
        &["check", "--format", "xml"],
        &["explain", "search", "--attempt", "soon"],
        &["schema", "x"],
    ] {
        let output = run(args);
        assert_eq!(status(&output), 2, "{args:?}");
        assert!(
            stderr(&output).starts_with("error: "),
            "{args:?}: {}",
            stderr(&output)
        );
        assert!(stdout(&output).is_empty(), "{args:?}");
    }
    assert!(stderr(&run(&["chekc"])).contains("did you mean `check`?"));
}

#[test]
fn help_and_the_version_are_no_mistakes() {
    for args in [
        &[][..],
        &["--help"],
        &["help"],
        &["check", "-h"],
        &["init", "--help"],
        &["hardening"],
    ] {
        let output = run(args);
        assert_eq!(status(&output), 0);
        assert!(
            stdout(&output).contains("Usage: cargo hardening <command>"),
            "{args:?}"
        );
    }
    assert!(stdout(&run(&["--version"])).starts_with("cargo-hardening "));
}

#[test]
fn there_is_no_colour_where_no_terminal_is() {
    assert!(!stdout(&run(&["check", "broken.yaml"])).contains('\x1B'));
}
