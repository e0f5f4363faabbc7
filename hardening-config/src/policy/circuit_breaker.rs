//! `circuit_breaker`: stop calling what is down.

use std::time::Duration;

/// When a circuit opens, for how long, and what closes it again.
#[derive(Clone, Debug, PartialEq)]
pub struct CircuitBreakerPolicy {
    /// Failures in a row that open the circuit. Default 5.
    pub failure_threshold: u32,
    /// The share of failures over the window, above 0 up to 1, that opens the circuit. Default none.
    pub failure_rate: Option<f64>,
    /// Calls that the window must hold before a rate counts. Default 10.
    pub minimum_calls: u32,
    /// The time over which rates are taken. Default 30 s.
    pub window: Duration,
    /// Take rates over the last N calls instead of over `window`. Default none.
    pub window_calls: Option<u32>,
    /// A success slower than this counts for `slow_call_rate`. Default none.
    pub slow_call: Option<Duration>,
    /// The share of slow calls over the window that opens the circuit. Default none.
    pub slow_call_rate: Option<f64>,
    /// How long an open circuit rejects before it admits probes. Default 60 s.
    pub open_for: Duration,
    /// Each reopening in a row lasts this many times the one before. Default 1.
    pub open_for_multiplier: f64,
    /// No opening lasts longer than this. Default 600 s.
    pub open_for_max: Duration,
    /// Probes admitted together while half-open. Default 1.
    pub half_open_calls: u32,
    /// Probes that must succeed to close the circuit. Default 1.
    pub success_threshold: u32,
}

impl Default for CircuitBreakerPolicy {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            failure_rate: None,
            minimum_calls: 10,
            window: Duration::from_secs(30),
            window_calls: None,
            slow_call: None,
            slow_call_rate: None,
            open_for: Duration::from_secs(60),
            open_for_multiplier: 1.0,
            open_for_max: Duration::from_secs(600),
            half_open_calls: 1,
            success_threshold: 1,
        }
    }
}
