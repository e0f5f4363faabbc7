//! An upstream's `Retry-After` that is uncapped, ignored, or read as 0 s because it is a date.

use crate::timing::{Runs, assert_took, timed};
use hardening::{Classify, Rejected, retryable};
use std::time::{Duration, SystemTime};

/// What an upstream answers, with its header as it came.
#[derive(Debug, Clone, PartialEq, Classify)]
enum Upstream {
    #[transient(after = retry_after)]
    Busy { retry_after: Option<String> },
    #[classify(forward)]
    Rejected(Rejected),
}

impl From<Rejected> for Upstream {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

/// Fails once, with this header.
fn fail_once(runs: &Runs, retry_after: Option<&str>) -> Result<(), Upstream> {
    match runs.up() {
        1 => Err(Upstream::Busy {
            retry_after: retry_after.map(str::to_owned),
        }),
        _ => Ok(()),
    }
}

/// Without a bound of its own: two minutes are waited for, and no more.
#[retryable(max_attempts = 3, base_delay = 0.5, jitter = "none", budget = false)]
async fn unbounded(runs: &Runs, retry_after: Option<&str>) -> Result<(), Upstream> {
    fail_once(runs, retry_after)
}

#[retryable(
    max_attempts = 3,
    base_delay = 0.5,
    jitter = "none",
    max_elapsed = "1h",
    budget = false
)]
async fn bounded(runs: &Runs, retry_after: Option<&str>) -> Result<(), Upstream> {
    fail_once(runs, retry_after)
}

#[retryable(
    max_attempts = 3,
    base_delay = 0.5,
    jitter = "none",
    max_elapsed = "1h",
    budget = false
)]
fn blocking(runs: &Runs, retry_after: Option<&str>) -> Result<(), Upstream> {
    fail_once(runs, retry_after)
}

/// The date so many seconds from now, as a server writes it.
fn date(seconds: u64) -> String {
    httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(seconds))
}

/// Whether the wait was for a date 600 s ahead. Dates have no fractions, and are compared with the
/// system's clock, which has moved on since the text was made.
#[track_caller]
fn assert_ten_minutes(seconds: f64) {
    assert!((570.0..=600.02).contains(&seconds), "took {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn seconds_are_waited_for_exactly() {
    for (text, wait) in [
        ("7", 7.0),
        (" 7\t", 7.0),
        ("1.25", 1.25),
        ("60", 60.0),
        ("120", 120.0),
    ] {
        let runs = Runs::new();
        let (result, took) = timed(unbounded(&runs, Some(text))).await;
        assert_eq!((result, runs.get()), (Ok(()), 2), "{text:?}");
        assert_took(took, wait);
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_is_no_wait_of_0_s() {
    let runs = Runs::new();
    let (result, took) = timed(bounded(&runs, Some(&date(600)))).await;
    assert_eq!((result, runs.get()), (Ok(()), 2));
    assert_ten_minutes(took);
}

#[tokio::test(start_paused = true)]
async fn what_says_less_than_the_backoff_or_nothing_leaves_the_backoff() {
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    for header in [
        None,
        Some("0"),
        Some("0.25"),
        Some(past),
        Some("soon"),
        Some("-7"),
        Some(""),
    ] {
        let runs = Runs::new();
        let (result, took) = timed(unbounded(&runs, header)).await;
        assert_eq!((result, runs.get()), (Ok(()), 2), "{header:?}");
        assert_took(took, 0.5);
    }
}

#[tokio::test(start_paused = true)]
async fn what_asks_too_much_gives_the_error_back_at_once() {
    let (hour, year) = (date(3 * 3600), date(365 * 86_400));
    for header in ["7200", "86400", "99999999999999999999999", &hour, &year] {
        for is_bounded in [false, true] {
            let runs = Runs::new();
            let (result, took) = if is_bounded {
                timed(bounded(&runs, Some(header))).await
            } else {
                timed(unbounded(&runs, Some(header))).await
            };
            let retry_after = Some(header.to_owned());
            assert_eq!(result, Err(Upstream::Busy { retry_after }), "unchanged");
            assert_eq!(runs.get(), 1, "{header}");
            assert_took(took, 0.0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_blocking_function_waits_as_long() {
    for (header, seconds) in [("7".to_owned(), Some(7.0)), (date(600), None)] {
        let runs = Runs::new();
        let (result, took) = timed(async { blocking(&runs, Some(&header)) }).await;
        assert_eq!((result, runs.get()), (Ok(()), 2), "{header}");
        match seconds {
            Some(seconds) => assert_took(took, seconds),
            None => assert_ten_minutes(took),
        }
    }
}
