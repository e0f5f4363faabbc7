//! What follows from a look at the file.

use crate::source::Found;
use std::time::Duration;

/// A change counts once it is seen twice, this long apart: a file may be half written, or gone for
/// the moment between two steps of its replacement.
const SETTLE: Duration = Duration::from_millis(100);

/// What the watcher has seen that is not settled yet.
#[derive(Debug, Default)]
pub(super) struct Eye {
    unsettled: Option<Found>,
}

/// What the watcher does next.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Looks again after its interval.
    Rest,
    /// Looks again soon.
    LookAgain,
    /// Takes over what it has seen.
    TakeOver(Found),
}

impl Next {
    /// How long it waits.
    pub(super) fn pause(&self, interval: Duration) -> Duration {
        match self {
            Self::LookAgain => SETTLE.min(interval),
            Self::Rest | Self::TakeOver(_) => interval,
        }
    }
}

impl Eye {
    /// `is_known` says whether it has been dealt with before, put in force or refused.
    pub(super) fn sees(&mut self, seen: Found, is_known: bool) -> Next {
        let before = self.unsettled.take();
        if is_known {
            Next::Rest
        } else if before.as_ref() == Some(&seen) {
            Next::TakeOver(seen)
        } else {
            self.unsettled = Some(seen);
            Next::LookAgain
        }
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;

    fn file(content: &str) -> Found {
        let (name, content) = ("hardening.yaml".to_owned(), content.into());
        Found::File { name, content }
    }

    #[test]
    fn a_change_counts_when_it_is_seen_twice_in_a_row() {
        let mut eye = Eye::default();
        assert_eq!(eye.sees(file("a"), true), Next::Rest);
        assert_eq!(eye.sees(file("b"), false), Next::LookAgain);
        assert_eq!(eye.sees(file("b"), false), Next::TakeOver(file("b")));
        assert_eq!(eye.sees(file("b"), true), Next::Rest);
    }

    #[test]
    fn a_file_that_is_being_written_is_waited_for() {
        let mut eye = Eye::default();
        for part in ["", "runtime:", "runtime: {watch: 5"] {
            assert_eq!(eye.sees(file(part), false), Next::LookAgain);
        }
        assert_eq!(eye.sees(file("whole"), false), Next::LookAgain);
        assert_eq!(
            eye.sees(file("whole"), false),
            Next::TakeOver(file("whole"))
        );
    }

    #[test]
    fn a_file_that_is_gone_for_a_moment_is_no_change() {
        let mut eye = Eye::default();
        assert_eq!(eye.sees(Found::Nothing, false), Next::LookAgain);
        assert_eq!(eye.sees(file("a"), true), Next::Rest);
        assert_eq!(eye.sees(Found::Nothing, false), Next::LookAgain);
    }

    #[test]
    fn the_second_look_comes_soon_and_never_later_than_the_interval() {
        let second = Duration::from_secs(1);
        assert_eq!(Next::Rest.pause(second), second);
        assert_eq!(Next::LookAgain.pause(second), SETTLE);
        assert_eq!(Next::LookAgain.pause(SETTLE / 2), SETTLE / 2);
    }
}
