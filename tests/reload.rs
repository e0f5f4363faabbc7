//! `hardening::reload()`. Each test runs in a process of its own, on a file of its own.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{
    Class, Classify, Rejected, bulkhead, cached, circuit_breaker, classify_status, rate_limited,
    reload, retryable, timeout,
};
use std::{env, fs, time::Duration};
use support::{AppError, AppResult, Runs, child, folder, is_child, pass};

#[retryable(policy = "expensive", base_delay = 0)]
async fn retried(runs: &Runs) -> AppResult<()> {
    runs.up();
    Err(AppError::Busy)
}

#[circuit_breaker(name = "upstream")]
async fn guarded(fail: bool) -> AppResult<()> {
    if fail { Err(AppError::Busy) } else { Ok(()) }
}

#[rate_limited(op = "search")]
async fn limited() -> AppResult<()> {
    Ok(())
}

#[cached(key = ())]
async fn remembered(runs: &Runs) -> AppResult<u32> {
    Ok(runs.up())
}

#[bulkhead]
#[timeout]
async fn slow(seconds: u64) -> AppResult<()> {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    Ok(())
}

/// The whole file, with some numbers.
fn file(attempts: u32, failures: u32, capacity: u32, ttl: u32, concurrent: u32) -> String {
    format!(
        "
runtime:
  retry: {{expensive_policy: {{max_attempts: {attempts}}}}}
  circuit_breaker: {{default_policy: {{failure_threshold: {failures}, open_for: 60}}}}
  rate_limiting: {{defaults: {{search: {{capacity: {capacity}, window_seconds: 60}}}}}}
  cache: {{default_policy: {{ttl: {ttl}}}}}
  bulkhead: {{default_policy: {{max_concurrent: {concurrent}, max_queue: 0}}}}
"
    )
}

/// Runs the test `name` as a child that has a file.
#[track_caller]
fn in_child(name: &str) {
    let folder = folder(name);
    let path = folder.join("hardening.yaml");
    fs::write(&path, file(2, 2, 2, 60, 1)).unwrap();
    child(
        name,
        &folder,
        &[("HARDENING_CONFIG", path.to_str().unwrap())],
    );
    fs::remove_dir_all(folder).unwrap();
}

fn write(text: &str) {
    fs::write(env::var("HARDENING_CONFIG").unwrap(), text).unwrap();
}

async fn attempts() -> u32 {
    let runs = Runs::new();
    let _ = retried(&runs).await;
    runs.get()
}

#[tokio::test(start_paused = true)]
async fn a_reload_swaps_the_settings_everywhere() {
    if !is_child() {
        return in_child("a_reload_swaps_the_settings_everywhere");
    }
    assert_eq!(attempts().await, 2);
    hardening::retry("expensive", || async { AppResult::Ok(()) })
        .await
        .unwrap();
    write(&file(4, 2, 2, 60, 2));
    assert_eq!(attempts().await, 2, "not before it is asked for");
    reload().unwrap();
    assert_eq!(attempts().await, 4);
    let runs = Runs::new();
    let by_name = hardening::retry("expensive", || async {
        runs.up();
        Err::<(), _>(AppError::Busy)
    });
    let _ = by_name.await;
    assert_eq!(runs.get(), 4, "by name too");
    let (a, b, c) = tokio::join!(slow(1), slow(1), slow(1));
    assert!(a.is_ok() && b.is_ok() && c.is_err(), "two places now");
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_a_circuits_window_and_state() {
    if !is_child() {
        return in_child("a_reload_keeps_a_circuits_window_and_state");
    }
    let _ = guarded(true).await;
    write(&file(2, 3, 2, 60, 1));
    reload().unwrap();
    let _ = guarded(true).await;
    assert_eq!(
        guarded(true).await,
        Err(AppError::Busy),
        "the third failure, one from before"
    );
    let open = guarded(false).await.unwrap_err().rejected();
    assert_eq!(open.retry_after(), Some(Duration::from_secs(60)));
    pass(10.0).await;
    reload().unwrap();
    let open = guarded(false).await.unwrap_err().rejected();
    assert_eq!(
        open.retry_after(),
        Some(Duration::from_secs(50)),
        "open since then"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_tokens_and_results() {
    if !is_child() {
        return in_child("a_reload_keeps_tokens_and_results");
    }
    let runs = Runs::new();
    limited().await.unwrap();
    limited().await.unwrap();
    assert_eq!(remembered(&runs).await, Ok(1));
    reload().unwrap();
    assert!(limited().await.is_err());
    assert_eq!(remembered(&runs).await, Ok(1));
    write(&file(2, 2, 2, 5, 1));
    reload().unwrap();
    assert_eq!(remembered(&runs).await, Ok(1));
    pass(6.0).await;
    assert_eq!(
        remembered(&runs).await,
        Ok(2),
        "a shorter ttl binds what is there, too"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_under_way_keeps_the_settings_with_which_it_began() {
    if !is_child() {
        return in_child("a_call_under_way_keeps_the_settings_with_which_it_began");
    }
    let call = tokio::spawn(slow(10));
    tokio::task::yield_now().await;
    write(&format!(
        "{}  timeout: {{default_policy: {{call: 1}}}}\n",
        file(2, 2, 2, 60, 1)
    ));
    reload().unwrap();
    assert_eq!(call.await.unwrap(), Ok(()));
    assert!(slow(10).await.is_err(), "the next has the new ones");
}

#[tokio::test(start_paused = true)]
async fn a_bad_file_changes_nothing_and_the_next_good_one_works() {
    if !is_child() {
        return in_child("a_bad_file_changes_nothing_and_the_next_good_one_works");
    }
    hardening::init!().unwrap();
    assert_eq!(attempts().await, 2);
    let _ = guarded(true).await;
    for (bad, word) in [
        ("runtime: [", "hardening.yaml:1"),
        (
            "runtime: {retry: {expensive_policy: {max_attempts: 0}}}",
            "max_attempts",
        ),
        ("runtime: {retry: {quick_policy: {}}}", "expensive"),
    ] {
        write(bad);
        let text = reload().unwrap_err().to_string();
        assert!(text.contains(word), "{text}");
        assert_eq!(attempts().await, 2, "{bad}");
    }
    fs::remove_file(env::var("HARDENING_CONFIG").unwrap()).unwrap();
    assert!(reload().is_err(), "the file is gone");
    assert_eq!(attempts().await, 2);
    write(&file(5, 2, 2, 60, 1));
    reload().unwrap();
    assert_eq!(attempts().await, 5);
    let _ = guarded(true).await;
    assert!(
        guarded(false).await.is_err(),
        "the circuit remembers its first failure"
    );
}

/// What code asks for by name has no attribute: it is known once it was asked for.
#[tokio::test(start_paused = true)]
async fn every_name_that_is_in_use_and_gone_from_the_file_is_told() {
    if !is_child() {
        return in_child("every_name_that_is_in_use_and_gone_from_the_file_is_told");
    }
    let more = "one_policy: {}, two_policy: {}, expensive_policy";
    write(&file(2, 2, 2, 60, 1).replace("expensive_policy", more));
    for name in ["one", "two"] {
        let by_name = hardening::retry(name, || async { AppResult::Ok(()) });
        by_name.await.unwrap();
    }
    write(&file(2, 2, 2, 60, 1));
    let told = reload().unwrap_err().to_string();
    for name in ["one", "two"] {
        let message = format!("defines no retry policy `{name}`");
        assert!(told.contains(&message), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_can_be_switched_off_and_on_again() {
    if !is_child() {
        return in_child("a_layer_can_be_switched_off_and_on_again");
    }
    limited().await.unwrap();
    limited().await.unwrap();
    assert!(limited().await.is_err());
    write(&file(2, 2, 2, 60, 1).replace("rate_limiting: {", "rate_limiting: {enabled: false, "));
    reload().unwrap();
    for _ in 0..5 {
        limited().await.unwrap();
    }
    write(&file(2, 2, 2, 60, 1));
    reload().unwrap();
    assert!(limited().await.is_err(), "with the tokens of before");
}

/// An answer of a server, by its status code.
struct Answer(u16);

impl Classify for Answer {
    fn classify(&self) -> Class {
        classify_status(self.0)
    }
}

impl From<Rejected> for Answer {
    fn from(rejected: Rejected) -> Self {
        panic!("{rejected}")
    }
}

#[retryable(policy = "expensive", base_delay = 0)]
async fn answered(runs: &Runs, status: u16) -> Result<(), Answer> {
    runs.up();
    Err(Answer(status))
}

/// How many attempts there are for each status code.
async fn attempts_for(statuses: [u16; 3]) -> [u32; 3] {
    let runs = Runs::new();
    let mut attempts = [0; 3];
    for (attempts, status) in attempts.iter_mut().zip(statuses) {
        let _ = answered(&runs, status).await;
        *attempts = runs.take();
    }
    attempts
}

#[tokio::test(start_paused = true)]
async fn the_status_codes_worth_another_try_are_those_of_the_file() {
    if !is_child() {
        return in_child("the_status_codes_worth_another_try_are_those_of_the_file");
    }
    let built_in = file(2, 2, 2, 60, 1);
    let codes = |codes: &str| {
        let retry = format!("retry: {{retryable_codes: {codes}, ");
        write(&built_in.replace("retry: {", &retry));
    };
    let statuses = [418, 503, 404];
    codes("[418]");
    assert_eq!(classify_status(503), Class::Transient, "not loaded yet");
    assert_eq!(
        attempts_for(statuses).await,
        [2, 1, 1],
        "loaded by the call"
    );
    codes("[404, 503]");
    assert_eq!(
        attempts_for(statuses).await,
        [2, 1, 1],
        "not before it is asked for"
    );
    reload().unwrap();
    assert_eq!(attempts_for(statuses).await, [1, 2, 2]);
    codes("[418, 600]");
    reload().unwrap_err();
    assert_eq!(
        attempts_for(statuses).await,
        [1, 2, 2],
        "a mistake changes nothing"
    );
    codes("[]");
    reload().unwrap();
    assert_eq!(attempts_for(statuses).await, [1, 1, 1]);
    write(&built_in);
    reload().unwrap();
    assert_eq!(
        attempts_for(statuses).await,
        [1, 2, 1],
        "the built-in ones again"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_refused_start_the_first_call_loads_what_is_there_then() {
    if !is_child() {
        return in_child("after_a_refused_start_the_first_call_loads_what_is_there_then");
    }
    write(&format!(
        "{}  overrides: {{\"reload::no_such_site\": {{retry: {{max_attempts: 9}}}}}}\n",
        file(7, 2, 2, 60, 1)
    ));
    assert!(hardening::init!().is_err());
    write(&file(3, 2, 2, 60, 1));
    assert_eq!(attempts().await, 3);
    let shown = hardening::snapshot().configuration;
    assert_eq!((shown.failed_reloads, shown.outdated), (1, false));
}
