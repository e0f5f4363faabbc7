//! The nearest of the names that exist.

/// Longer than any name that somebody typed: not worth comparing.
const TOO_LONG: usize = 64;

/// The candidate that `given` was probably meant to be, if any is near enough.
#[must_use]
pub fn suggest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if given.len() > TOO_LONG {
        return None;
    }
    let plain = given.to_lowercase().replace(['-', ' '], "_");
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= TOO_LONG)
        .map(|candidate| (likeness(&plain, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

/// 1 for equal, 0 for nothing in common; a name that continues the other is always near.
fn likeness(given: &str, candidate: &str) -> f64 {
    let candidate = candidate.to_lowercase();
    let edits = strsim::normalized_damerau_levenshtein(given, &candidate);
    let continues =
        given.len() >= 3 && (candidate.starts_with(given) || given.starts_with(candidate.as_str()));
    if continues { edits.max(0.6) } else { edits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        let names = ["max_attempts", "base_delay", "max_delay", "window_seconds"];
        assert_eq!(suggest("max_atempts", names), Some("max_attempts"));
        assert_eq!(suggest("maxAttempts", names), Some("max_attempts"));
        assert_eq!(suggest("base-delay", names), Some("base_delay"));
        assert_eq!(suggest("window", names), Some("window_seconds"));
        assert_eq!(suggest("MAX_DELAY", names), Some("max_delay"));
    }

    #[test]
    fn something_else_finds_nothing() {
        assert_eq!(suggest("colour", ["max_attempts", "jitter"]), None);
        assert_eq!(suggest("", ["a"]), None);
        assert_eq!(
            suggest(&"max_attempts".repeat(1000), ["max_attempts"]),
            None
        );
    }
}
