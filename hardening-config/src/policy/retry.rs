//! `retry`: run again on transient failure.

use std::time::Duration;

use crate::{
    error::Problem,
    file::{Node, Value},
    group::{read_group, settings, show_group},
    kind::LayerKind,
    schema::{Broken, Clash, DURATION, Expects, Policy, Setting, number, whole},
    setting::words,
};

settings! {
    /// How often, and after which waits, a failed call is tried again.
    pub struct RetryPolicy {
        /// Attempts in all, from 1 to 100; counts the first. Default 3.
        pub max_attempts: u32 = 3, whole(1, 100);
        /// The wait before the first retry, before jitter. Default 0.5 s.
        pub base_delay: Duration = Duration::from_millis(500), DURATION;
        /// No wait is longer than this, jitter included. Default 5 s.
        pub max_delay: Duration = Duration::from_secs(5), DURATION;
        /// Each wait is this many times the one before, from 1 to 100. Default 2.
        pub exponential_base: f64 = 2.0, number(1.0, 100.0);
        /// How waits are spread; `true` is full, `false` none. Default full.
        pub jitter: Jitter = Jitter::Full, Expects::WordOrSwitch(Jitter::WORDS);
        /// No attempt starts, and no wait begins, that would end after this. Default none.
        pub max_elapsed: Option<Duration> = None, crate::schema::POSITIVE;
        /// How many retries the policy's calls may make together. Default ratio 0.2, 10 per second.
        pub budget: Option<Budget> = Some(Budget::default()), Expects::KeysOrSwitch(Budget::KEYS);
    }
}

/// How a wait is drawn from the computed backoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// The backoff itself.
    None,
    /// Between zero and the backoff.
    Full,
    /// Between half of the backoff and the backoff.
    Equal,
    /// Between `base_delay` and three times the wait before.
    Decorrelated,
}

words!(Jitter {
    None = "none",
    Full = "full",
    Equal = "equal",
    Decorrelated = "decorrelated",
});

impl Jitter {
    fn from_node(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Bool(true) => Some(Self::Full),
            Value::Bool(false) => Some(Self::None),
            Value::Text(word) => Self::from_word(word),
            _ => None,
        }
    }
}

settings! {
    /// A bound on retries shared by all calls under one policy.
    #[derive(Copy)]
    pub struct Budget {
        /// Retries allowed per call made, from 0 to 1,000. Default 0.2.
        pub ratio: f64 = 0.2, number(0.0, 1000.0);
        /// Retries allowed per second whatever the traffic, from 0 to 1,000,000. Default 10.
        pub min_per_second: f64 = 10.0, number(0.0, 1_000_000.0);
    }
}

/// `false` is no bound, `true` the default one.
impl Setting for Option<Budget> {
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        match node.value {
            Value::Bool(false) => Ok(None),
            Value::Bool(true) => Ok(Some(Budget::default())),
            Value::Map(_) => read_group(node).map(Some),
            _ => Err(expects.refuse(node)),
        }
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "false".to_owned(), show_group)
    }
}

/// How long its waits are, whatever the dice say.
impl RetryPolicy {
    /// The longest that the wait before retry number `retry` can be; the first is 1.
    ///
    /// What a failure itself asks for (`Retry-After`) can make a wait longer.
    #[must_use]
    pub fn longest_wait(&self, retry: u32) -> Duration {
        match self.jitter {
            Jitter::Decorrelated => self.grown(3.0, retry.max(1)),
            _ => self.backoff(retry),
        }
    }

    /// The shortest that the wait before retry number `retry` can be.
    #[must_use]
    pub fn shortest_wait(&self, retry: u32) -> Duration {
        match self.jitter {
            Jitter::None => self.backoff(retry),
            Jitter::Full => Duration::ZERO,
            Jitter::Equal => self.backoff(retry) / 2,
            Jitter::Decorrelated => self.base_delay.min(self.max_delay),
        }
    }

    /// The longest waits of one call, in order.
    pub(crate) fn longest_waits(&self) -> impl Iterator<Item = Duration> {
        (1..self.max_attempts).map(|retry| self.longest_wait(retry))
    }

    /// The mean waits of one call, in order; those of `decorrelated` jitter near the cap are a bit shorter.
    pub(crate) fn mean_waits(&self) -> impl Iterator<Item = Duration> {
        let mut before = self.base_delay;
        (1..self.max_attempts).map(move |retry| {
            let longest = match self.jitter {
                // Each is drawn from the one before, and not from the longest that that could be.
                Jitter::Decorrelated => before.saturating_mul(3).min(self.max_delay),
                _ => self.longest_wait(retry),
            };
            let shortest = self.shortest_wait(retry);
            before = shortest + longest.saturating_sub(shortest) / 2;
            before
        })
    }

    fn backoff(&self, retry: u32) -> Duration {
        self.grown(self.exponential_base, retry.saturating_sub(1))
    }

    /// `base_delay` times `factor` to the power of `times`, up to `max_delay`.
    fn grown(&self, factor: f64, times: u32) -> Duration {
        if self.base_delay.is_zero() {
            return Duration::ZERO; // 0 * infinity is no number
        }
        let seconds = self.base_delay.as_secs_f64() * factor.powf(f64::from(times));
        let grown = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        grown.min(self.max_delay)
    }
}

impl Policy for RetryPolicy {
    const KIND: LayerKind = LayerKind::Retry;

    fn rules(&self) -> Vec<Broken> {
        let mut broken = Vec::new();
        if self.base_delay > self.max_delay {
            broken.push(Broken::clash(
                &["base_delay", "max_delay"],
                &Clash {
                    what: "`base_delay` ({base_delay}) is longer than `max_delay` ({max_delay})",
                    alone: "which caps every wait",
                    inherited: "which caps every wait",
                    instead: "raise `max_delay` or lower `base_delay`",
                },
            ));
        }
        let retries = self.max_attempts > 1;
        let surely_too_late = |max| max < self.backoff(1) && self.jitter == Jitter::None;
        if retries && self.max_elapsed.is_some_and(surely_too_late) {
            broken.push(Broken::clash(
                &["max_elapsed", "base_delay", "jitter"],
                &Clash {
                    what: "`max_elapsed` ({max_elapsed}) is over before the first wait of `base_delay` \
                           ({base_delay}) is",
                    alone: "so that nothing would ever be retried",
                    inherited: "so that nothing is retried",
                    instead: "raise `max_elapsed` or lower `base_delay`",
                },
            ));
        }
        broken
    }
}
