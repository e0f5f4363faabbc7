//! Rate, errors and duration of one call: in flight while it runs, then counted by its outcome, its
//! duration in a histogram. The clock is read twice, as each crate's users read it.
//!
//! The limit is plain cells of each thread that nobody else can read, and the same clock as ours.

use crate::{
    contender::{
        Contender,
        Whose::{Limit, Ours, Peer},
    },
    goal::{Against, Goal},
    rounds::Scenario,
};
use hardening::{
    clock,
    metrics::{Outcome, SiteMetrics},
};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts};
use prometheus_client::metrics::{
    counter::Counter,
    family::Family,
    gauge::Gauge,
    histogram::{Histogram, exponential_buckets},
};
use std::{cell::Cell, hint::black_box, time::Instant};

pub(crate) fn scenarios() -> Vec<Scenario> {
    static FIGURES: SiteMetrics = SiteMetrics::new();
    let (client, looked_up) = (Client::default(), Prometheus::new());
    let contenders = vec![
        Contender::blocking(Limit, "cells of a thread", |call| {
            let began = clock::now();
            by_hand::begin();
            black_box(call);
            let elapsed = clock::now().as_nanos() - began.as_nanos();
            by_hand::record(0, elapsed);
        }),
        Contender::blocking(Ours, "hardening", |call| {
            let began = clock::now();
            FIGURES.begin();
            black_box(call);
            let elapsed = clock::now().as_nanos() - began.as_nanos();
            FIGURES.record_nanos(Outcome::Success, elapsed, 1);
        }),
        Contender::blocking(Peer, "prometheus-client", move |call| {
            let began = Instant::now();
            client.begin();
            black_box(call);
            client.record(true, began);
        }),
        Contender::blocking(Peer, "prometheus", move |call| {
            let began = Instant::now();
            looked_up.begin();
            black_box(call);
            looked_up.record("success", began);
        }),
    ];
    vec![Scenario::new(
        "RED figures of one call",
        contenders,
        vec![
            Goal::times(0.5, Against::BestPeer).on(1),
            Goal::times(0.15, Against::BestPeer).on(2),
        ],
    )]
}

/// The buckets of a histogram, from a microsecond on.
const BUCKETS: u16 = 16;

/// What a program that uses the crate with care holds for one function: the families are looked up once,
/// but for the outcomes that are rare.
pub(super) struct Client {
    in_flight: Gauge,
    successes: Counter,
    others: Family<[(&'static str, &'static str); 2], Counter>,
    seconds: Histogram,
}

const FUNCTION: (&str, &str) = ("function", "shop::orders::place");

impl Default for Client {
    fn default() -> Self {
        Self {
            in_flight: Gauge::default(),
            successes: Counter::default(),
            others: Family::default(),
            seconds: Histogram::new(exponential_buckets(1e-6, 4.0, BUCKETS)),
        }
    }
}

impl Client {
    pub(super) fn begin(&self) {
        self.in_flight.inc();
    }

    pub(super) fn record(&self, is_ok: bool, began: Instant) {
        let seconds = began.elapsed().as_secs_f64();
        self.in_flight.dec();
        if is_ok {
            self.successes.inc();
        } else {
            let outcome = [FUNCTION, ("outcome", "error")];
            self.others.get_or_create(&outcome).inc();
        }
        self.seconds.observe(seconds);
    }
}

struct Prometheus {
    in_flight: IntGaugeVec,
    calls: IntCounterVec,
    seconds: HistogramVec,
}

impl Prometheus {
    fn new() -> Self {
        let buckets = prometheus::exponential_buckets(1e-6, 4.0, BUCKETS.into());
        let seconds =
            HistogramOpts::new("seconds", "Durations").buckets(buckets.expect("growing buckets"));
        let valid = "the names are valid";
        Self {
            in_flight: IntGaugeVec::new(Opts::new("in_flight", "Calls"), &["function"])
                .expect(valid),
            calls: IntCounterVec::new(Opts::new("calls", "Calls"), &["function", "outcome"])
                .expect(valid),
            seconds: HistogramVec::new(seconds, &["function"]).expect(valid),
        }
    }

    fn begin(&self) {
        self.in_flight.with_label_values(&[FUNCTION.1]).inc();
    }

    fn record(&self, outcome: &str, began: Instant) {
        let seconds = began.elapsed().as_secs_f64();
        self.in_flight.with_label_values(&[FUNCTION.1]).dec();
        self.calls.with_label_values(&[FUNCTION.1, outcome]).inc();
        self.seconds
            .with_label_values(&[FUNCTION.1])
            .observe(seconds);
    }
}

/// Plain cells of each thread, which nobody else could read.
pub(super) mod by_hand {
    use super::{BUCKETS, Cell, black_box};

    struct Figures {
        begun: Cell<u64>,
        nanos: Cell<u64>,
        outcomes: [Cell<u64>; 4],
        buckets: [Cell<u64>; BUCKETS as usize],
    }

    thread_local! {
        static FIGURES: Figures = const {
            Figures {
                begun: Cell::new(0),
                nanos: Cell::new(0),
                outcomes: [const { Cell::new(0) }; 4],
                buckets: [const { Cell::new(0) }; BUCKETS as usize],
            }
        };
    }

    #[inline]
    pub(crate) fn begin() {
        FIGURES.with(|figures| {
            let figures = black_box(figures); // it could stay in a register otherwise
            figures.begun.set(figures.begun.get() + 1);
        });
    }

    #[inline]
    pub(crate) fn record(outcome: usize, nanos: u64) {
        FIGURES.with(|figures| {
            let figures = black_box(figures);
            let bucket = (nanos >> 10).checked_ilog2().map_or(0, |log| log / 2 + 1);
            let bucket = &figures.buckets[bucket.min(u32::from(BUCKETS) - 1) as usize];
            bucket.set(bucket.get() + 1);
            figures.nanos.set(figures.nanos.get().wrapping_add(nanos));
            figures.outcomes[outcome].set(figures.outcomes[outcome].get() + 1);
        });
    }
}
