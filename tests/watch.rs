//! `hardening::watch()` and `runtime.watch`. Each test runs in a process of its own, on a file of its
//! own.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

#[path = "support/log.rs"]
mod log;
mod support;

use hardening::{ConfigurationSnapshot, retryable, watch};
use log::Log;
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};
use support::{AppError, AppResult, Runs, child, folder, is_child};

#[retryable(policy = "expensive", base_delay = 0)]
async fn retried(runs: &Runs) -> AppResult<()> {
    runs.up();
    Err(AppError::Busy)
}

#[retryable(policy = "expensive", base_delay = 0)]
fn retried_blocking(runs: &Runs) -> AppResult<()> {
    runs.up();
    Err(AppError::Busy)
}

async fn attempts() -> u32 {
    let runs = Runs::new();
    let _ = retried(&runs).await;
    runs.get()
}

fn attempts_blocking() -> u32 {
    let runs = Runs::new();
    let _ = retried_blocking(&runs);
    runs.get()
}

fn file(attempts: u32) -> String {
    format!("runtime: {{retry: {{expensive_policy: {{max_attempts: {attempts}}}}}}}\n")
}

fn watched(attempts: u32, every: &str) -> String {
    file(attempts).replace("runtime: {", &format!("runtime: {{watch: {every}, "))
}

/// Runs the test `name` as a child in a folder with a file, which its variable names.
#[track_caller]
fn in_child(name: &str, text: &str) {
    let folder = folder(name);
    let path = folder.join("hardening.yaml");
    fs::write(&path, text).unwrap();
    let variable = [("HARDENING_CONFIG", path.to_str().unwrap())];
    child(name, &folder, &variable);
    fs::remove_dir_all(folder).unwrap();
}

fn path() -> PathBuf {
    env::var_os("HARDENING_CONFIG").map_or_else(|| "hardening.yaml".into(), PathBuf::from)
}

fn write(text: &str) {
    fs::write(path(), text).unwrap();
}

fn configuration() -> ConfigurationSnapshot {
    hardening::snapshot().configuration
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn sleep(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_taken_over_after_the_interval() {
    if !is_child() {
        return in_child("a_changed_file_is_taken_over_after_the_interval", &file(2));
    }
    hardening::init!().unwrap();
    let _ = watch(seconds(5));
    write(&file(4));
    sleep(5.05).await;
    assert_eq!(attempts().await, 2, "seen once: it may be half written");
    sleep(0.1).await;
    assert_eq!(attempts().await, 4);
    let shown = configuration();
    assert_eq!((shown.reloads, shown.failed_reloads), (1, 0));
    assert!(shown.file.unwrap().ends_with("hardening.yaml"));
    sleep(3600.0).await;
    assert_eq!(configuration().reloads, 1, "no change, no reload");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_watched_unless_it_is_asked_for() {
    if !is_child() {
        return in_child("nothing_is_watched_unless_it_is_asked_for", &file(2));
    }
    hardening::init!().unwrap();
    write(&file(4));
    sleep(3600.0).await;
    assert_eq!(attempts().await, 2);
    assert_eq!(configuration().watched_every, None);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_keeps_length_and_time_is_seen() {
    if !is_child() {
        return in_child("a_change_that_keeps_length_and_time_is_seen", &file(2));
    }
    hardening::init!().unwrap();
    let _ = watch(seconds(5));
    let before = fs::metadata(path()).unwrap().modified().unwrap();
    write(&file(4));
    let changed = File::options().write(true).open(path()).unwrap();
    changed.set_modified(before).unwrap();
    sleep(6.0).await;
    assert_eq!(attempts().await, 4);
}

/// As the kubelet mounts a `ConfigMap`: the file is a link through a link that is swapped.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_swapped_link_is_seen() {
    use std::os::unix::fs::symlink;
    if !is_child() {
        return in_child("a_swapped_link_is_seen", &file(2));
    }
    fs::remove_file(path()).unwrap();
    for (version, attempts) in [("v1", 2), ("v2", 4)] {
        fs::create_dir(version).unwrap();
        fs::write(Path::new(version).join("hardening.yaml"), file(attempts)).unwrap();
    }
    symlink("v1", "..data").unwrap();
    symlink("..data/hardening.yaml", path()).unwrap();
    hardening::init!().unwrap();
    let _ = watch(seconds(5));
    assert_eq!(attempts().await, 2);
    symlink("v2", "..data_tmp").unwrap();
    fs::rename("..data_tmp", "..data").unwrap();
    sleep(6.0).await;
    assert_eq!(attempts().await, 4);
}

#[tokio::test(start_paused = true)]
async fn a_bad_file_is_reported_once_and_the_next_good_one_works() {
    if !is_child() {
        let name = "a_bad_file_is_reported_once_and_the_next_good_one_works";
        return in_child(name, &file(2));
    }
    let log = Log::of_the_process();
    hardening::init!().unwrap();
    let _ = watch(seconds(5));
    write(&file(0));
    sleep(600.0).await;
    assert_eq!(attempts().await, 2);
    assert_eq!(log.count("reload refused"), 1, "once, and not at each look");
    let shown = configuration();
    assert_eq!((shown.reloads, shown.failed_reloads), (0, 1));
    assert!(shown.outdated);
    let error = shown.last_error.unwrap();
    assert!(error.text.contains("max_attempts"), "{}", error.text);
    assert!((594..=595).contains(&error.ago.as_secs()), "{error:?}");
    write("runtime: [");
    sleep(600.0).await;
    assert_eq!(log.count("reload refused"), 2, "another mistake is news");
    write(&file(5));
    sleep(6.0).await;
    assert_eq!(attempts().await, 5);
    let shown = configuration();
    assert_eq!((shown.reloads, shown.failed_reloads), (1, 2));
    assert!(!shown.outdated && shown.last_error.is_some());
    assert_eq!(log.count("INFO message=reloaded"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_gone_for_a_moment_is_not_missed() {
    if !is_child() {
        return in_child("a_file_that_is_gone_for_a_moment_is_not_missed", &file(2));
    }
    let log = Log::of_the_process();
    hardening::init!().unwrap();
    let _ = watch(seconds(5));
    fs::remove_file(path()).unwrap();
    sleep(5.05).await;
    write(&file(4));
    sleep(5.2).await;
    assert_eq!(attempts().await, 4);
    assert_eq!((log.count("ERROR"), log.count("reloaded")), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_stays_away_is_reported_once_and_changes_nothing() {
    if !is_child() {
        let name = "a_file_that_stays_away_is_reported_once_and_changes_nothing";
        return in_child(name, &file(2));
    }
    let log = Log::of_the_process();
    hardening::init!().unwrap();
    let _ = watch(seconds(5));
    fs::remove_file(path()).unwrap();
    sleep(600.0).await;
    assert_eq!((attempts().await, log.count("ERROR")), (2, 1));
    write(&file(2));
    sleep(6.0).await;
    assert_eq!((attempts().await, log.count("ERROR")), (2, 1));
    assert!(!configuration().outdated);
}

/// Without the variable, what was compiled in would take the file's place.
#[tokio::test(start_paused = true)]
async fn a_deleted_file_of_the_working_directory_is_not_replaced_by_what_was_compiled_in() {
    if !is_child() {
        let name =
            "a_deleted_file_of_the_working_directory_is_not_replaced_by_what_was_compiled_in";
        let folder = folder(name);
        fs::write(folder.join("hardening.yaml"), file(2)).unwrap();
        child(name, &folder, &[]);
        return fs::remove_dir_all(folder).unwrap();
    }
    let log = Log::of_the_process();
    hardening::init!().unwrap();
    let _ = watch(seconds(5));
    fs::remove_file(path()).unwrap();
    sleep(600.0).await;
    assert_eq!(attempts().await, 2);
    assert_eq!(log.count("the file is gone"), 1);
    assert!(configuration().outdated);
    hardening::reload().unwrap();
    assert_eq!(attempts().await, 5, "who asks for it gets it");
    sleep(600.0).await;
    assert_eq!(log.count("ERROR"), 1);
    write(&file(3));
    sleep(6.0).await;
    assert_eq!(attempts().await, 3, "a file that appears is taken over");
}

/// What was compiled in was in force before: there is no file that anybody could put back.
#[tokio::test(start_paused = true)]
async fn a_bad_file_that_appears_and_goes_away_again_leaves_what_was_compiled_in() {
    if !is_child() {
        let name = "a_bad_file_that_appears_and_goes_away_again_leaves_what_was_compiled_in";
        let folder = folder(name);
        child(name, &folder, &[]);
        return fs::remove_dir_all(folder).unwrap();
    }
    let log = Log::of_the_process();
    assert!(hardening::init!().unwrap().embedded);
    let _ = watch(seconds(5));
    write("runtime: [");
    sleep(6.0).await;
    assert!(configuration().outdated);
    fs::remove_file(path()).unwrap();
    sleep(6.0).await;
    assert_eq!((attempts().await, log.count("ERROR")), (5, 1));
    let shown = configuration();
    assert!(shown.embedded && !shown.outdated, "{shown:?}");
}

/// What the first call finds, where nobody says `init!()`.
#[tokio::test(start_paused = true)]
async fn a_file_that_was_wrong_from_the_start_can_be_corrected_while_it_is_watched() {
    if !is_child() {
        let name = "a_file_that_was_wrong_from_the_start_can_be_corrected_while_it_is_watched";
        return in_child(name, &watched(0, "5s"));
    }
    let log = Log::of_the_process();
    assert_eq!(attempts().await, 5, "that of the built-in policy");
    assert_eq!(
        log.count("the configuration is wrong"),
        1,
        "{:?}",
        log.with("wrong")
    );
    assert_eq!(configuration().watched_every, Some(seconds(5)));
    write(&watched(4, "5s"));
    sleep(6.0).await;
    assert_eq!(attempts().await, 4);
    assert!(!configuration().outdated);
}

#[tokio::test(start_paused = true)]
async fn the_file_itself_says_whether_and_how_often() {
    if !is_child() {
        let name = "the_file_itself_says_whether_and_how_often";
        return in_child(name, &watched(2, "5"));
    }
    assert_eq!(attempts().await, 2, "the first call loads it");
    assert_eq!(configuration().watched_every, Some(seconds(5)));
    write(&watched(3, "60"));
    sleep(5.2).await;
    assert_eq!(attempts().await, 3);
    assert_eq!(configuration().watched_every, Some(seconds(60)));
    write(&watched(4, "1"));
    sleep(59.0).await;
    assert_eq!(attempts().await, 3, "the new interval");
    sleep(1.2).await;
    assert_eq!(attempts().await, 4);
    write(&file(5));
    sleep(1.2).await;
    assert_eq!(attempts().await, 5);
    assert_eq!(configuration().watched_every, None);
    write(&file(6));
    sleep(3600.0).await;
    assert_eq!(attempts().await, 5, "not watched any more");
}

#[tokio::test(start_paused = true)]
async fn the_files_interval_beats_the_programs() {
    if !is_child() {
        return in_child("the_files_interval_beats_the_programs", &watched(2, "60"));
    }
    hardening::init!().unwrap();
    let handle = watch(seconds(1));
    assert_eq!(configuration().watched_every, Some(seconds(60)));
    write(&file(3));
    sleep(61.0).await;
    assert_eq!(attempts().await, 3);
    assert_eq!(configuration().watched_every, Some(seconds(1)));
    write(&watched(4, "60"));
    sleep(1.5).await;
    handle.stop();
    assert_eq!(configuration().watched_every, Some(seconds(60)));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_watcher_looks_no_more_and_there_is_one_at_most() {
    if !is_child() {
        let name = "a_stopped_watcher_looks_no_more_and_there_is_one_at_most";
        return in_child(name, &file(2));
    }
    hardening::init!().unwrap();
    let first = watch(seconds(1));
    let second = watch(seconds(10));
    assert_eq!(configuration().watched_every, Some(seconds(10)));
    write(&file(3));
    sleep(9.0).await;
    assert_eq!(attempts().await, 2, "the first one is gone");
    first.stop();
    sleep(1.2).await;
    assert_eq!(attempts().await, 3, "and says nothing about the second");
    second.stop();
    assert_eq!(configuration().watched_every, None);
    write(&file(4));
    sleep(3600.0).await;
    assert_eq!(attempts().await, 3);
    let _ = watch(Duration::ZERO);
    let shortest = Some(Duration::from_millis(100));
    assert_eq!(configuration().watched_every, shortest);
    sleep(0.3).await;
    assert_eq!(attempts().await, 4);
}

#[test]
fn without_a_runtime_a_thread_watches() {
    if !is_child() {
        return in_child("without_a_runtime_a_thread_watches", &file(2));
    }
    let log = Log::of_the_process();
    hardening::init!().unwrap();
    let handle = watch(Duration::from_millis(100));
    write(&file(4));
    log.wait_for("reloaded", 1);
    assert_eq!(attempts_blocking(), 4);
    handle.stop();
    assert_eq!(configuration().watched_every, None);
}

#[test]
fn when_the_runtime_ends_a_thread_goes_on() {
    if !is_child() {
        return in_child("when_the_runtime_ends_a_thread_goes_on", &file(2));
    }
    let log = Log::of_the_process();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        hardening::init!().unwrap();
        let _ = watch(Duration::from_millis(100));
        tokio::task::yield_now().await;
    });
    drop(runtime);
    write(&file(4));
    log.wait_for("reloaded", 1);
    assert_eq!(attempts_blocking(), 4);
}
