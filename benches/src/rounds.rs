//! Rounds: every contender in turn, again and again.

use crate::{contender::Contender, goal::Goal, spread::Spread};
use std::time::Duration;

const ROUNDS: usize = 61;
const BATCH: Duration = Duration::from_millis(2);

/// The same work, done by each of the contenders.
pub(crate) struct Scenario {
    pub(crate) what: &'static str,
    pub(crate) contenders: Vec<Contender>,
    pub(crate) goals: Vec<Goal>,
    /// How many threads do it at once: each of these is measured.
    pub(crate) threads: &'static [u64],
    /// Calls in a batch; none is as many as fill two milliseconds.
    pub(crate) calls: Option<u64>,
    pub(crate) rounds: usize,
}

impl Scenario {
    /// A scenario on one and on two threads.
    pub(crate) fn new(what: &'static str, contenders: Vec<Contender>, goals: Vec<Goal>) -> Self {
        Self {
            what,
            contenders,
            goals,
            threads: &[1, 2],
            calls: None,
            rounds: ROUNDS,
        }
    }

    pub(crate) fn measure(self) -> Measured {
        let calls = self.threads.iter().map(|&threads| {
            let batches = self.contenders.iter();
            let calls = batches.map(|contender| match self.calls {
                Some(calls) => calls,
                None => calls_in_a_batch(contender, threads),
            });
            calls.collect::<Vec<u64>>()
        });
        let calls: Vec<Vec<u64>> = calls.collect();
        let mut nanos =
            vec![vec![Vec::with_capacity(self.rounds); self.contenders.len()]; self.threads.len()];
        for round in 0..self.rounds {
            for (column, &threads) in self.threads.iter().enumerate() {
                for turn in 0..self.contenders.len() {
                    let who = (turn + round) % self.contenders.len();
                    nanos[column][who]
                        .push(self.contenders[who].nanos(threads, calls[column][who]));
                }
            }
        }
        Measured {
            scenario: self,
            nanos,
        }
    }
}

/// As many as take the time of a batch; the runs on the way there warm up what is measured.
fn calls_in_a_batch(contender: &Contender, threads: u64) -> u64 {
    let mut calls = 16;
    loop {
        let nanos = contender.nanos(threads, calls) * calls as f64;
        if nanos >= BATCH.as_secs_f64() * 1e9 || calls >= 1 << 22 {
            return calls;
        }
        calls *= 2;
    }
}

/// What came of a scenario.
pub(crate) struct Measured {
    pub(crate) scenario: Scenario,
    /// By number of threads, contender and round.
    nanos: Vec<Vec<Vec<f64>>>,
}

impl Measured {
    /// Nanoseconds of a call, by the position of the number of threads and of the contender.
    pub(crate) fn nanos(&self, column: usize, who: usize) -> Spread {
        Spread::of(self.nanos[column][who].iter().copied())
    }

    /// How many times as long as `other` one takes: of the figures of the same round.
    pub(crate) fn ratio(&self, column: usize, who: usize, other: usize) -> Spread {
        let rounds = &self.nanos[column];
        Spread::of(rounds[who].iter().zip(&rounds[other]).map(|(a, b)| a / b))
    }

    /// How many nanoseconds more than `other` one takes.
    pub(crate) fn difference(&self, column: usize, who: usize, other: usize) -> Spread {
        let rounds = &self.nanos[column];
        Spread::of(rounds[who].iter().zip(&rounds[other]).map(|(a, b)| a - b))
    }
}
