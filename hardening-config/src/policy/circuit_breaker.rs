//! `circuit_breaker`: stop calling what is down.

use std::time::Duration;

use crate::{
    Doubt,
    group::settings,
    kind::LayerKind,
    schema::{Broken, Clash, POSITIVE, Policy, RATE, number, whole},
};

settings! {
    /// When a circuit opens, for how long, and what closes it again.
    pub struct CircuitBreakerPolicy {
        /// Failures in a row that open the circuit, from 1 to 1,000,000. Default 5.
        pub failure_threshold: u32 = 5, whole(1, 1_000_000);
        /// The share of failures over the window, above 0 up to 1, that opens the circuit. Default none.
        pub failure_rate: Option<f64> = None, RATE;
        /// Calls that the window must hold before a rate counts, from 1 to 1,000,000. Default 10, or
        /// `window_calls` where that is less.
        pub minimum_calls: u32 = 10, whole(1, 1_000_000);
        /// The time over which rates are taken. Default 30 s.
        pub window: Duration = Duration::from_secs(30), POSITIVE;
        /// Take rates over the last N calls, from 1 to 1,000,000, instead of over `window`. Default none.
        pub window_calls: Option<u32> = None, whole(1, 1_000_000);
        /// A success slower than this counts for `slow_call_rate`. Default none.
        pub slow_call: Option<Duration> = None, POSITIVE;
        /// The share of slow calls over the window, above 0 up to 1, that opens the circuit. Default none.
        pub slow_call_rate: Option<f64> = None, RATE;
        /// How long an open circuit rejects before it admits probes. Default 60 s.
        pub open_for: Duration = Duration::from_secs(60), POSITIVE;
        /// Each reopening in a row lasts this many times the one before, from 1 to 100. Default 1.
        pub open_for_multiplier: f64 = 1.0, number(1.0, 100.0);
        /// No opening lasts longer than this. Default 600 s, or `open_for` where that is longer.
        pub open_for_max: Duration = Duration::from_secs(600), POSITIVE;
        /// Probes admitted together while half-open, from 1 to 1,000. Default 1.
        pub half_open_calls: u32 = 1, whole(1, 1000);
        /// Probes that must succeed to close the circuit, from 1 to 1,000. Default 1.
        pub success_threshold: u32 = 1, whole(1, 1000);
    }
}

impl Policy for CircuitBreakerPolicy {
    const KIND: LayerKind = LayerKind::CircuitBreaker;

    fn settle(&mut self, given: &dyn Fn(&str) -> bool) {
        if !given("open_for_max") {
            self.open_for_max = self.open_for_max.max(self.open_for);
        }
        if let (Some(calls), false) = (self.window_calls, given("minimum_calls")) {
            self.minimum_calls = self.minimum_calls.min(calls);
        }
    }

    fn give_way(&mut self) {
        self.settle(&|_| false);
    }

    fn rules(&self) -> Vec<Broken> {
        let mut broken = Vec::new();
        if self.open_for > self.open_for_max {
            broken.push(Broken::clash(
                &["open_for", "open_for_max"],
                &Clash {
                    what: "`open_for` ({open_for}) is longer than `open_for_max` ({open_for_max})",
                    alone: "which no opening is to outlast",
                    inherited: "so each opening lasts `open_for`",
                    instead: "raise `open_for_max` or lower `open_for`",
                },
            ));
        }
        broken.extend(self.slow_call_rule());
        broken.extend(self.window_rule());
        broken
    }
}

impl CircuitBreakerPolicy {
    fn slow_call_rule(&self) -> Option<Broken> {
        match (self.slow_call, self.slow_call_rate) {
            (None, Some(_)) => {
                let message =
                    "`slow_call_rate` never counts without `slow_call`: say how slow is slow";
                let broken = Broken::fatal(&["slow_call_rate", "slow_call"], message);
                Some(Broken {
                    // Where nobody wrote it, it is forgotten; `null` is a word.
                    needs: Some("slow_call"),
                    ..broken.or_inherited(message)
                })
            }
            (Some(_), None) => Some(Broken::doubtful(
                Doubt::SlowCallWithoutRate,
                &["slow_call", "slow_call_rate"],
                "`slow_call` changes nothing without `slow_call_rate`",
            )),
            _ => None,
        }
    }

    fn window_rule(&self) -> Option<Broken> {
        let calls = self.window_calls?;
        if self.failure_rate.is_none() && self.slow_call_rate.is_none() {
            return Some(Broken::doubtful(
                Doubt::WindowCallsWithoutRate,
                &["window_calls", "failure_rate", "slow_call_rate"],
                "`window_calls` changes nothing without `failure_rate` or `slow_call_rate`",
            ));
        }
        (calls < self.minimum_calls).then(|| {
            Broken::clash(
                &["window_calls", "minimum_calls"],
                &Clash {
                    what: "`window_calls` ({window_calls}) is less than `minimum_calls` ({minimum_calls})",
                    alone: "so that no rate would ever count",
                    inherited: "so rates count once the window is full",
                    instead: "raise `window_calls` or lower `minimum_calls`",
                },
            )
        })
    }
}
