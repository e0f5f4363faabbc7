//! The text of a `Retry-After` header: how long to wait.

use std::time::{Duration, SystemTime};

/// No wait is longer, whatever the text says: ten years, as for every duration of the configuration.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// How long the text of a `Retry-After` header asks to wait.
///
/// It is a number of seconds or an HTTP date
/// ([RFC 9110, 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)), the two obsolete forms of
/// a date among them. White space around it does not matter. `None` for any other text: then nobody
/// said how long, which is not the same as no time at all.
///
/// - A date is compared with the system's clock, also where tokio's clock is paused. One that has
///   passed is no wait.
/// - A fraction of a second is not in the standard, but some services send it: `1.5` is taken at its word.
///   A sign or an exponent is not.
/// - Ten years are the most.
///
/// ```
/// # use hardening_runtime as hardening;
/// use std::time::Duration;
///
/// assert_eq!(hardening::parse_retry_after("120"), Some(Duration::from_secs(120)));
/// assert_eq!(hardening::parse_retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), Some(Duration::ZERO));
/// assert_eq!(hardening::parse_retry_after("soon"), None);
/// ```
#[must_use]
pub fn parse_retry_after(text: &str) -> Option<Duration> {
    parse(text, SystemTime::now())
}

fn parse(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let wait = seconds(text).or_else(|| until(text, now))?;
    Some(wait.min(LONGEST))
}

/// Digits, and perhaps a point with more of them. What is too large is as much as can be.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let whole = whole.parse().unwrap_or(u64::MAX);
    let nanos = format!("{fraction:0<9.9}").parse().unwrap_or(0);
    Some(Duration::new(whole, nanos))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn until(date: &str, now: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sunday, 6 November 1994, 08:49:37: the example of RFC 9110.
    const EXAMPLE: u64 = 784_111_777;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn parsed(text: &str) -> Option<Duration> {
        parse(text, at(EXAMPLE - 90))
    }

    #[test]
    fn digits_are_seconds() {
        for (text, seconds) in [
            ("0", 0),
            ("7", 7),
            ("007", 7),
            ("120", 120),
            (" \t120 ", 120),
        ] {
            assert_eq!(parsed(text), Some(Duration::from_secs(seconds)), "{text:?}");
        }
    }

    #[test]
    fn each_form_of_a_date_is_the_time_until_then() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "  Sun, 06 Nov 1994 08:49:37 GMT ",
        ] {
            assert_eq!(parsed(date), Some(Duration::from_secs(90)), "{date}");
        }
    }

    #[test]
    fn a_date_that_has_passed_is_no_wait() {
        for now in [EXAMPLE, EXAMPLE + 1, EXAMPLE + 1_000_000_000] {
            let wait = parse("Sun, 06 Nov 1994 08:49:37 GMT", at(now));
            assert_eq!(wait, Some(Duration::ZERO));
        }
    }

    #[test]
    fn a_part_of_a_second_of_the_clock_counts() {
        let now = at(EXAMPLE) - Duration::from_millis(250);
        let wait = parse("Sun, 06 Nov 1994 08:49:37 GMT", now);
        assert_eq!(wait, Some(Duration::from_millis(250)));
    }

    #[test]
    fn what_is_neither_says_nothing() {
        for text in [
            "",
            " ",
            "soon",
            "-1",
            "+1",
            "-1.5",
            "1.",
            ".5",
            ".",
            "1.5.5",
            "1,5",
            "1e3",
            "0x10",
            "NaN",
            "inf",
            "1 2",
            "5s",
            "PT5S",
            "٣",
            "Sun, 06 Nov 1994",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
            "120, Sun, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn fractions_are_taken_at_their_word() {
        for (text, nanos) in [
            ("1.5", 1_500_000_000),
            ("0.25", 250_000_000),
            ("0.000000001", 1),
            ("0.0000000019", 1),
            ("2.0", 2_000_000_000),
        ] {
            assert_eq!(parsed(text), Some(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn ten_years_are_the_most() {
        for text in [
            "315360001",
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999999999999999999999.9",
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ] {
            assert_eq!(parsed(text), Some(LONGEST), "{text}");
        }
        assert_eq!(parsed("315360000"), Some(LONGEST));
        assert_eq!(parsed("315359999"), Some(Duration::from_secs(315_359_999)));
    }

    proptest! {
        #[test]
        fn no_text_does_harm(text in ".{0,40}", digits in "[0-9]{1,40}(\\.[0-9]{1,40})?") {
            let _ = parsed(&text);
            prop_assert!(parsed(&digits).is_some_and(|wait| wait <= LONGEST));
        }

        #[test]
        fn dates_that_are_nearly_right_do_no_harm(
            date in "(Sun|Sunday|Xyz),? [0-9 ]{2}[ -](Nov|Feb)[ -][0-9]{2,4} [0-9]{2}:[0-9]{2}:[0-9]{2}( GMT|)",
            asctime in "(Sun|Mon) (Feb|Dec) [0-9 ]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}",
        ) {
            for text in [date, asctime] {
                prop_assert!(parsed(&text).is_none_or(|wait| wait <= LONGEST));
            }
        }

        #[test]
        fn every_date_that_is_written_is_read(seconds in 0_u64..253_402_300_800, ahead in 0_u64..100_000_000) {
            let now = seconds.saturating_sub(ahead);
            let text = httpdate::fmt_http_date(at(seconds));
            prop_assert_eq!(parse(&text, at(now)), Some(Duration::from_secs(seconds - now)));
        }
    }
}
