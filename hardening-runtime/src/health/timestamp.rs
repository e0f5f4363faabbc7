//! Moments of the calendar as text: RFC 3339, UTC, to the millisecond.

use serde::Serializer;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `at` as text, such as `2026-11-21T05:08:00.250Z`. What lies before 1970 reads as its beginning.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of the day `days` after 1970-01-01, in the Gregorian calendar
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // since 0000-03-01: leap days come last in a year
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153; // 0 is March
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year_of_era + next_year, month, day)
}

#[allow(clippy::ref_option)] // serde's signature
pub(super) fn serialize<S: Serializer>(
    at: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_some(&rfc3339(*at)),
        None => serializer.serialize_none(),
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;

    fn at(seconds: u64) -> String {
        rfc3339(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn dates_are_those_of_the_gregorian_calendar() {
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(at(1_709_251_199), "2024-02-29T23:59:59.000Z");
        assert_eq!(at(1_798_761_600), "2027-01-01T00:00:00.000Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00.000Z");
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut previous = civil(0);
        for days in 1..150_000 {
            let (year, month, day) = civil(days);
            let same_month = (year, month, day) == (previous.0, previous.1, previous.2 + 1);
            let next_month = (year, month, day) == (previous.0, previous.1 + 1, 1);
            let next_year = (year, month, day) == (previous.0 + 1, 1, 1) && previous.1 == 12;
            assert!(
                same_month || next_month || next_year,
                "{previous:?}, then {:?}",
                (year, month, day)
            );
            assert!(day <= 31 && month <= 12);
            previous = (year, month, day);
        }
    }

    #[test]
    fn what_lies_before_the_epoch_does_no_harm() {
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(rfc3339(before), at(0));
    }
}
