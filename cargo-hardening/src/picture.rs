//! Text for terminals of 80 columns: tables, bars, wrapped lines.

use std::time::Duration;

/// What fits into one line.
pub(crate) const COLUMNS: usize = 80;

#[derive(Clone, Copy)]
pub(crate) enum Colour {
    Red,
    Yellow,
}

/// `text` in a colour, where colours are wanted.
pub(crate) fn painted(text: &str, colour: Colour, colours: bool) -> String {
    let code = match colour {
        Colour::Red => 31,
        Colour::Yellow => 33,
    };
    if colours {
        format!("\x1B[1;{code}m{text}\x1B[0m")
    } else {
        text.to_owned()
    }
}

/// `text` in lines that fit, each indented by `indent`. A longer word has a line of its own.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always one");
        let length = line.chars().count() + 1 + word.chars().count();
        if line.is_empty() {
            line.push_str(word);
        } else if indent + length <= COLUMNS {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    let indented: Vec<String> = lines
        .iter()
        .map(|line| format!("{:indent$}{line}", ""))
        .collect();
    indented.join("\n")
}

/// Rows in columns, indented by two.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    lines(rows.iter().map(|row| {
        let cells = row.iter().zip(&widths);
        cells
            .map(|(cell, width)| format!("  {cell:<width$}"))
            .collect::<Vec<_>>()
            .concat()
    }))
}

/// Lines without spaces at their ends.
pub(crate) fn lines(lines: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for line in lines {
        text.extend([line.trim_end(), "\n"]);
    }
    text
}

/// The part of a bar `width` wide that lies between `from` and `to`, where the whole is `of`.
/// Something is always drawn.
pub(crate) fn span(from: Duration, to: Duration, of: Duration, width: usize, sign: char) -> String {
    let (start, end) = (cell(from, of, width), cell(to, of, width));
    let start = start.min(width - 1);
    let length = end.saturating_sub(start).max(1);
    let mut text = " ".repeat(start);
    text.extend(std::iter::repeat_n(sign, length));
    text
}

/// The cell of a bar that the moment `at` is in.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of the width, which is small"
)]
fn cell(at: Duration, of: Duration, width: usize) -> usize {
    if of.is_zero() {
        return 0;
    }
    let share = at.as_secs_f64() / of.as_secs_f64();
    ((share * width as f64).round() as usize).min(width)
}

/// A duration as people read it, in at most two units and so rounded: `333ms`, `1.5s`, `2m5s`, `1h30m`, `12d4h`.
pub(crate) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match duration.as_nanos() {
        0 => "0s".to_owned(),
        1..1_000 => format!("{}ns", duration.as_nanos()),
        1_000..1_000_000 => format!("{}us", number(seconds * 1e6)),
        1_000_000..1_000_000_000 => format!("{}ms", number(seconds * 1e3)),
        1_000_000_000..60_000_000_000 => format!("{}s", number(seconds)),
        60_000_000_000..3_600_000_000_000 => two_units(duration, (60, "m"), (1, "s")),
        3_600_000_000_000..86_400_000_000_000 => two_units(duration, (3_600, "h"), (60, "m")),
        86_400_000_000_000..8_640_000_000_000_000 => {
            two_units(duration, (86_400, "d"), (3_600, "h"))
        }
        _ => format!("{}d", duration.as_secs() / 86_400),
    }
}

fn two_units(duration: Duration, large: (u64, &str), small: (u64, &str)) -> String {
    let smalls = (duration.as_secs().saturating_add(small.0 / 2)) / small.0;
    let each = large.0 / small.0;
    match (smalls / each, smalls % each) {
        (count, 0) => format!("{count}{}", large.1),
        (count, rest) => format!("{count}{}{rest}{}", large.1, small.1),
    }
}

/// `a – b`, or one of them when they are equal.
pub(crate) fn range(from: Duration, to: Duration) -> String {
    if from == to {
        time(from)
    } else {
        format!("{} – {}", time(from), time(to))
    }
}

/// A number without a tail of digits that nobody reads.
pub(crate) fn number(value: f64) -> String {
    let text = if value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    };
    match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (nanos, text) in [
            (0, "0s"),
            (7, "7ns"),
            (1_500, "1.5us"),
            (333_333_333, "333ms"),
            (1_500_000_000, "1.5s"),
            (59_999_000_000, "60s"),
            (60_000_000_000, "1m"),
            (125_400_000_000, "2m5s"),
            (5_400_000_000_000, "1h30m"),
            (86_399_000_000_000, "24h"),
            (315_360_000_000_000_000, "3650d"),
        ] {
            assert_eq!(time(Duration::from_nanos(nanos)), text);
        }
        assert!(time(Duration::MAX).len() < 22);
    }

    #[test]
    fn lines_end_before_the_last_column() {
        let text = wrapped(&"word ".repeat(100), 4);
        assert!(
            text.lines()
                .all(|line| line.len() <= COLUMNS && line.starts_with("    word"))
        );
        assert!(wrapped(&"x".repeat(200), 2).len() == 202);
    }

    #[test]
    fn a_part_of_a_bar_is_never_invisible_nor_outside() {
        let second = Duration::from_secs;
        assert_eq!(span(second(0), second(5), second(10), 10, '#'), "#####");
        assert_eq!(
            span(second(5), second(10), second(10), 10, '#'),
            "     #####"
        );
        assert_eq!(
            span(second(10), second(10), second(10), 10, '#'),
            "         #"
        );
        assert_eq!(span(second(0), second(0), second(0), 10, '#'), "#");
    }
}
