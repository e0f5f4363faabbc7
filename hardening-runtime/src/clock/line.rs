//! The scale as a straight line over the processor's counter: pure arithmetic.
//!
//! The counter runs evenly, at a rate that has to be measured. The line is drawn anew about once a
//! second from what the system's clock says, so that it follows that clock when it is slewed, and after
//! the machine was suspended or moved to another host.

/// Between two looks at the system's clock, at least: its noise of some 50 ns is then 5 in a million.
const SHORTEST: u64 = 10_000_000;
/// A line holds for so long at most, in nanoseconds: 500 in a million, the fastest that clocks are slewed,
/// come to half a millisecond then.
const LONGEST: u64 = 1_000_000_000;
/// A rate that differs from the former by more than one in so many is no slew but a jump of the counter
/// or of the system's clock.
const STEADY: u64 = 1_000;

/// Where the scale stands at which count, and how it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The count at which it begins.
    pub(super) ticks: u64,
    /// Nanoseconds on our scale at that count.
    pub(super) nanos: u64,
    /// Nanoseconds in a tick, times 2^32.
    pub(super) rate: u64,
    /// For how many ticks it holds; 0 while the rate is not known.
    pub(super) span: u64,
}

/// The two clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) ticks: u64,
    /// Nanoseconds of the system's clock, on our scale.
    pub(super) system: u64,
}

impl Line {
    /// Before anything is known.
    pub(super) const NONE: Self = Self {
        ticks: 0,
        nanos: 0,
        rate: 0,
        span: 0,
    };

    /// The scale at `ticks`, if the line holds there. It does not before its beginning either: a counter
    /// that went backwards was set back.
    #[inline]
    pub(super) const fn at(&self, ticks: u64) -> Option<u64> {
        let after = ticks.wrapping_sub(self.ticks);
        if after < self.span {
            Some(self.ahead(after))
        } else {
            None
        }
    }

    /// The most that the line may have said by `ticks`: time does not go back behind it.
    pub(super) fn said(&self, ticks: u64) -> u64 {
        self.ahead(ticks.saturating_sub(self.ticks).min(self.span))
    }

    /// Whether it is time to draw the next line, at `system` on the system's clock.
    pub(super) const fn is_due(&self, system: u64) -> bool {
        self.span > 0 || system.saturating_sub(self.nanos) >= SHORTEST
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // a second or so
    const fn ahead(&self, ticks: u64) -> u64 {
        let nanos = (ticks as u128 * self.rate as u128) >> 32;
        self.nanos.wrapping_add(nanos as u64) // 584 years hence
    }
}

/// What the lines are drawn from.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) line: Line,
    /// The last look.
    last: Pair,
    /// The rate between the last two, if they told one; the line's own is bent towards the system's clock.
    rate: Option<u64>,
}

impl Drawn {
    pub(super) const NONE: Self = Self {
        line: Line::NONE,
        last: Pair {
            ticks: 0,
            system: 0,
        },
        rate: None,
    };

    /// Draws the next line, from a look at both clocks. It begins where the former one is, or further on.
    pub(super) fn draw(&mut self, now: Pair) {
        let (before, last) = (self.rate, self.last);
        self.last = now;
        self.rate = rate_between(last, now)
            .filter(|&rate| last.system > 0 && before.is_none_or(|before| is_steady(before, rate)));
        let nanos = now.system.max(self.line.said(now.ticks));
        let holds = (now.system - last.system.min(now.system)).saturating_mul(4);
        let holds = holds.clamp(SHORTEST, LONGEST);
        let (rate, span) = match self.rate {
            Some(rate) => bent(rate, holds, nanos - now.system),
            None => (0, 0),
        };
        self.line = Line {
            ticks: now.ticks,
            nanos,
            rate,
            span,
        };
    }
}

/// The rate of a line of `holds` nanoseconds that begins `ahead` of the system's clock and ends with it, or
/// comes nearer at half its speed; and its span.
fn bent(rate: u64, holds: u64, ahead: u64) -> (u64, u64) {
    let span = ratio(holds, rate).unwrap_or(0);
    let less = ratio(ahead, span).unwrap_or(0).min(rate / 2);
    (rate - less, span)
}

fn rate_between(one: Pair, other: Pair) -> Option<u64> {
    let ticks = other.ticks.checked_sub(one.ticks)?;
    let nanos = other.system.checked_sub(one.system)?;
    ratio(nanos, ticks).filter(|&rate| rate > 0)
}

const fn is_steady(before: u64, rate: u64) -> bool {
    before.abs_diff(rate) <= before / STEADY
}

/// `amount / by`, times 2^32.
fn ratio(amount: u64, by: u64) -> Option<u64> {
    let ratio = (u128::from(amount) << 32).checked_div(u128::from(by))?;
    u64::try_from(ratio).ok()
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;
    const START: u64 = 1 << 55;

    /// A counter of `ghz`, looked at whenever its line has ended, while `system` goes on in `steps`.
    fn run(ghz: f64, steps: impl IntoIterator<Item = u64>) -> Vec<(u64, u64)> {
        let (mut drawn, mut system, mut said) = (Drawn::NONE, START, Vec::new());
        for step in steps {
            system += step;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let ticks = ((system - START) as f64 * ghz) as u64 + 77;
            let now = drawn.line.at(ticks).unwrap_or_else(|| {
                if drawn.line.is_due(system) {
                    drawn.draw(Pair { ticks, system });
                }
                system.max(drawn.line.said(ticks))
            });
            said.push((system, now));
        }
        said
    }

    #[test]
    fn after_two_looks_the_counter_alone_tells_the_time() {
        let mut drawn = Drawn::NONE;
        drawn.draw(Pair {
            ticks: 1_000,
            system: START,
        });
        assert_eq!(drawn.line.at(1_001), None);
        drawn.draw(Pair {
            ticks: 1_000 + 25_000_000,
            system: START + SECOND / 100,
        });
        let at = drawn.line.at(1_000 + 50_000_000).expect("40 ms");
        assert!(at.abs_diff(START + SECOND / 50) <= 1, "{at}");
        assert_eq!(drawn.line.at(999), None);
        assert_eq!(drawn.line.at(1_000 + 225_000_000), None);
    }

    #[test]
    fn a_counter_that_ran_on_while_the_system_slept_is_measured_anew() {
        let mut drawn = Drawn::NONE;
        for look in 0..6 {
            drawn.draw(Pair {
                ticks: look * SECOND,
                system: START + look * SECOND,
            });
        }
        let hour = 3600 * SECOND;
        let woke = Pair {
            ticks: 5 * SECOND + hour,
            system: START + 5 * SECOND + 1,
        };
        assert_eq!(drawn.line.at(woke.ticks), None);
        drawn.draw(woke);
        assert_eq!(drawn.line.span, 0, "the rate is in doubt");
        assert!(drawn.line.nanos <= woke.system + SECOND);
    }

    #[test]
    fn a_counter_that_was_set_back_is_measured_anew() {
        let mut drawn = Drawn::NONE;
        for look in 0..3 {
            drawn.draw(Pair {
                ticks: (9 + look) * SECOND,
                system: START + look * SECOND,
            });
        }
        let woke = Pair {
            ticks: 5,
            system: START + 2 * SECOND + 1,
        };
        assert_eq!(drawn.line.at(woke.ticks), None);
        drawn.draw(woke);
        assert_eq!((drawn.line.span, drawn.line.nanos), (0, woke.system));
    }

    #[test]
    fn a_line_that_ran_ahead_ends_with_the_systems_clock() {
        let rate = 1 << 32;
        let (bent, span) = bent(rate, SECOND, 500_000);
        let line = Line {
            ticks: 0,
            nanos: 500_000,
            rate: bent,
            span,
        };
        assert!(line.said(span).abs_diff(SECOND) <= 2, "{}", line.said(span));
    }

    proptest! {
        #[test]
        fn it_never_goes_back_and_stays_with_the_systems_clock(
            ghz in 0.02..6.0_f64,
            steps in prop::collection::vec(
                prop_oneof![4 => 20_u64..5_000_000, 1 => 5_000_000_u64..5 * SECOND], 1..400),
        ) {
            let mut before = 0;
            for (system, now) in run(ghz, steps) {
                prop_assert!(now >= before, "{} after {}", now, before);
                // A tick of the slowest counter is 50 ns, and so is a look's error.
                prop_assert!(now.abs_diff(system) < 20_000, "{} at {}", now, system);
                before = now;
            }
        }
    }
}
