//! From answers to a status.

use super::{
    super::history::{Finding, History, Thresholds},
    *,
};
use proptest::prelude::*;

const DEFAULT: Thresholds = Thresholds {
    failures: 3,
    successes: 1,
};

fn after(findings: &[Finding], thresholds: Thresholds) -> History {
    let next = |history: History, finding: &Finding| history.after(*finding, thresholds);
    findings.iter().fold(History::NEW, next)
}

fn status(findings: &[Finding], thresholds: Thresholds) -> Option<Status> {
    after(findings, thresholds).status()
}

use Finding::{Failed, Reserved, Silent, Well};

#[test]
fn a_check_is_degraded_until_it_has_failed_often_enough_in_a_row() {
    assert_eq!(status(&[], DEFAULT), None);
    assert_eq!(status(&[Well], DEFAULT), Some(Status::Healthy));
    assert_eq!(status(&[Failed], DEFAULT), Some(Status::Degraded));
    assert_eq!(status(&[Failed; 2], DEFAULT), Some(Status::Degraded));
    assert_eq!(status(&[Failed; 3], DEFAULT), Some(Status::Unhealthy));
    let interrupted = [Failed, Failed, Well, Failed, Failed];
    assert_eq!(status(&interrupted, DEFAULT), Some(Status::Degraded));
}

#[test]
fn a_check_is_healthy_again_after_enough_successes_in_a_row() {
    let twice = Thresholds {
        failures: 2,
        successes: 2,
    };
    let down = [Failed, Failed];
    assert_eq!(
        status(&[&down[..], &[Well]].concat(), twice),
        Some(Status::Unhealthy)
    );
    assert_eq!(
        status(&[&down[..], &[Well, Failed, Well]].concat(), twice),
        Some(Status::Unhealthy)
    );
    assert_eq!(
        status(&[&down[..], &[Well, Well]].concat(), twice),
        Some(Status::Healthy)
    );
    assert_eq!(status(&[Failed, Well], twice), Some(Status::Degraded));
    assert_eq!(status(&[Well], twice), Some(Status::Healthy), "at start");
    assert_eq!(
        status(&[&down[..], &[Well]].concat(), DEFAULT),
        Some(Status::Healthy)
    );
}

#[test]
fn a_check_that_answers_degraded_has_succeeded_with_reservations() {
    assert_eq!(status(&[Reserved], DEFAULT), Some(Status::Degraded));
    assert_eq!(status(&[Reserved; 9], DEFAULT), Some(Status::Degraded));
    let between = [Failed, Failed, Reserved, Failed];
    assert_eq!(status(&between, DEFAULT), Some(Status::Degraded));
    assert_eq!(after(&between, DEFAULT).failures(), 1);
    let twice = Thresholds {
        failures: 1,
        successes: 2,
    };
    assert_eq!(
        status(&[Failed, Reserved, Well], twice),
        Some(Status::Healthy)
    );
    assert_eq!(
        status(&[Reserved, Well], twice),
        Some(Status::Healthy),
        "there was no failure to recover from"
    );
}

#[test]
fn silence_is_a_failure_and_at_the_first_run_unhealthy_at_once() {
    assert_eq!(status(&[Silent], DEFAULT), Some(Status::Unhealthy));
    assert_eq!(status(&[Well, Silent], DEFAULT), Some(Status::Degraded));
    assert_eq!(status(&[Failed, Silent], DEFAULT), Some(Status::Degraded));
    let in_a_row = [Well, Silent, Failed, Silent];
    assert_eq!(status(&in_a_row, DEFAULT), Some(Status::Unhealthy));
    assert_eq!(after(&in_a_row, DEFAULT).failures(), 3);
}

#[test]
fn a_threshold_of_zero_means_one() {
    let zero = Thresholds {
        failures: 0,
        successes: 0,
    };
    assert_eq!(status(&[Failed], zero), Some(Status::Unhealthy));
    assert_eq!(status(&[Failed, Well], zero), Some(Status::Healthy));
}

#[test]
fn new_thresholds_do_not_rewrite_what_was_decided() {
    let down = after(&[Failed; 3], DEFAULT);
    let patient = Thresholds {
        failures: 10,
        successes: 1,
    };
    let still = down.after(Failed, patient);
    assert_eq!(still.status(), Some(Status::Unhealthy));
    assert_eq!(still.after(Well, patient).status(), Some(Status::Healthy));
}

/// The rules again, by looking at the whole past each time.
fn model(findings: &[Finding], thresholds: Thresholds) -> Option<Status> {
    let failed = |finding: &Finding| matches!(finding, Failed | Silent);
    let is_passing = |past: &[Finding]| {
        let successes = past.iter().rev().take_while(|f| !failed(f)).count();
        successes == past.len() || (successes > 0 && successes >= thresholds.successes as usize)
    };
    let last = findings.last()?;
    if is_passing(findings) {
        return Some(match last {
            Reserved => Status::Degraded,
            _ => Status::Healthy,
        });
    }
    let trouble_began = (0..findings.len())
        .rev()
        .find(|&length| is_passing(&findings[..length]));
    let trouble = &findings[trouble_began.unwrap_or(0)..];
    let longest = trouble
        .split(|finding| !failed(finding))
        .map(<[Finding]>::len)
        .max();
    let down = longest.unwrap_or(0) >= thresholds.failures.max(1) as usize;
    Some(
        if down || findings[0] == Silent && trouble.len() == findings.len() {
            Status::Unhealthy
        } else {
            Status::Degraded
        },
    )
}

proptest! {
    #[test]
    fn the_status_is_what_a_look_at_the_whole_past_says(
        findings in prop::collection::vec(
            prop::sample::select(vec![Well, Reserved, Failed, Failed, Silent]), 0..30),
        failures in 0_u32..5,
        successes in 0_u32..4,
    ) {
        let thresholds = Thresholds { failures, successes };
        prop_assert_eq!(status(&findings, thresholds), model(&findings, thresholds));
        let last_row = findings.iter().rev().take_while(|f| matches!(f, Failed | Silent)).count();
        prop_assert_eq!(after(&findings, thresholds).failures() as usize, last_row);
    }
}
