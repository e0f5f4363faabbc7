//! Durations as text: one grammar for the attributes, the file and the environment.

use std::{fmt::Write as _, time::Duration};

use crate::error::Problem;

/// The units, largest first, in nanoseconds.
const UNITS: [(&str, u128); 8] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// A duration: a number of seconds (`"0.5"`), or numbers with units (`"500ms"`, `"15s"`, `"2m"`, `"1h30m"`).
///
/// The units are `ns`, `us` or `µs`, `ms`, `s`, `m` (minutes), `h` and `d`, larger ones first.
///
/// # Errors
/// Says what is wrong with any other text, and what to write instead.
pub fn parse_duration(text: &str) -> Result<Duration, Problem> {
    read(text.trim()).ok_or_else(|| {
        let text: String = text.chars().take(40).collect();
        Problem::new(format!("`{text}` is no duration: write {A_DURATION}"))
    })
}

/// What it is, to go after "write ".
pub(crate) const A_DURATION: &str =
    r#"a number of seconds, or text such as "500ms", "15s", "2m", "1h""#;

fn read(text: &str) -> Option<Duration> {
    if text.len() > 60 {
        return None;
    }
    let (first, rest) = number(text)?;
    if rest.is_empty() {
        return seconds(first.times(1_000_000_000)?);
    }
    let (mut total, mut last_unit, mut rest) = (0_u128, u128::MAX, text);
    while !rest.is_empty() {
        let (number, after) = number(rest)?;
        let (unit, after) = unit(after.trim_start())?;
        if unit >= last_unit {
            return None;
        }
        total = total.checked_add(number.times(unit)?)?;
        (last_unit, rest) = (unit, after.trim_start());
    }
    seconds(total)
}

fn seconds(nanos: u128) -> Option<Duration> {
    let whole = u64::try_from(nanos / 1_000_000_000).ok()?;
    Some(Duration::new(whole, (nanos % 1_000_000_000) as u32))
}

/// A decimal number, exactly: `digits / 10^places`.
struct Decimal {
    digits: u128,
    places: u32,
}

impl Decimal {
    /// That many units, in nanoseconds, to the nearest.
    fn times(&self, unit: u128) -> Option<u128> {
        let divisor = 10_u128.checked_pow(self.places)?;
        Some((self.digits.checked_mul(unit)? + divisor / 2) / divisor)
    }
}

fn number(text: &str) -> Option<(Decimal, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let digits = format!("{whole}{fraction}").parse().ok()?;
    let places = u32::try_from(fraction.len()).ok()?;
    Some((Decimal { digits, places }, rest))
}

fn unit(text: &str) -> Option<(u128, &str)> {
    let end = text
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let (_, nanos) = UNITS.iter().find(|(unit, _)| *unit == name)?;
    Some((*nanos, rest))
}

/// A duration as text that [`parse_duration`] reads back exactly: `500ms`, `15s`, `1h`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let exact = UNITS
        .iter()
        .find(|(_, unit)| nanos.is_multiple_of(*unit))
        .filter(|(_, unit)| *unit >= 1_000_000_000 || nanos < 1_000_000_000);
    match exact {
        _ if nanos == 0 => "0s".to_owned(),
        Some((name, unit)) => format!("{}{name}", nanos / unit),
        None => decimal_seconds(duration),
    }
}

fn decimal_seconds(duration: Duration) -> String {
    let mut text = duration.as_secs().to_string();
    let _ = write!(text, ".{:09}", duration.subsec_nanos());
    format!("{}s", text.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_seconds_and_units_are_read() {
        for (text, millis) in [
            ("0", 0),
            ("0.5", 500),
            (".5", 500),
            ("60", 60_000),
            ("500ms", 500),
            (" 15 s ", 15_000),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1h30m", 5_400_000),
            ("1h 30m 15s", 5_415_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(
                parse_duration(text).unwrap(),
                Duration::from_millis(millis),
                "{text}"
            );
        }
        assert_eq!(parse_duration("3µs").unwrap(), Duration::from_micros(3));
        assert_eq!(parse_duration("3us").unwrap(), Duration::from_micros(3));
        assert_eq!(parse_duration("7ns").unwrap(), Duration::from_nanos(7));
    }

    #[test]
    fn anything_else_is_refused_with_what_to_write() {
        for text in [
            "",
            "s",
            ".",
            "10 parsecs",
            "-5s",
            "1M",
            "5S",
            "1.2.3s",
            "1m1h",
            "5s5s",
            "1h30",
            "1e3s",
            "NaN",
            "inf",
            "99999999999999999999999999999999999999999d",
            "１s",
            "1s,",
        ] {
            let error = parse_duration(text).unwrap_err().to_string();
            assert!(error.contains("\"500ms\""), "{text}: {error}");
        }
        assert_eq!(
            parse_duration("10 parsecs").unwrap_err().to_string(),
            "`10 parsecs` is no duration: write a number of seconds, or text such as \
             \"500ms\", \"15s\", \"2m\", \"1h\""
        );
    }

    #[test]
    fn durations_are_shown_as_people_write_them() {
        for text in [
            "0s", "500ms", "15s", "2m", "1h", "1d", "90s", "1.5s", "250us", "7ns",
        ] {
            assert_eq!(show_duration(parse_duration(text).unwrap()), text);
        }
    }

    proptest! {
        #[test]
        fn every_shown_duration_reads_back_exactly(seconds in 0_u64.., nanos in 0_u32..1_000_000_000) {
            let duration = Duration::new(seconds, nanos);
            prop_assert_eq!(parse_duration(&show_duration(duration)).unwrap(), duration);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = parse_duration(&text);
        }
    }
}
