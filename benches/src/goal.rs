//! What a scenario is to come to.

use crate::{contender::Whose, rounds::Measured, spread::Spread};

/// A bound on ours, against another contender of the same scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    pub(crate) against: Against,
    pub(crate) bound: Bound,
    /// Of these numbers of threads; none is of all.
    pub(crate) threads: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Against {
    /// The one of this name.
    Named(&'static str),
    /// The fastest of the peers.
    BestPeer,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// At most so many times as long.
    Times(f64),
    /// At most so many nanoseconds more.
    Plus(f64),
}

impl Goal {
    pub(crate) const fn times(times: f64, against: Against) -> Self {
        Self {
            against,
            bound: Bound::Times(times),
            threads: None,
        }
    }

    pub(crate) const fn plus(nanos: f64, against: Against) -> Self {
        Self {
            against,
            bound: Bound::Plus(nanos),
            threads: None,
        }
    }

    pub(crate) const fn on(self, threads: u64) -> Self {
        Self {
            threads: Some(threads),
            ..self
        }
    }
}

/// A goal beside what came of it, on one number of threads.
pub(crate) struct Verdict {
    pub(crate) threads: u64,
    /// Whom ours was compared with.
    pub(crate) against: &'static str,
    pub(crate) bound: Bound,
    pub(crate) reached: Spread,
}

impl Verdict {
    pub(crate) fn met(&self) -> bool {
        let (Bound::Times(most) | Bound::Plus(most)) = self.bound;
        self.reached.median <= most
    }
}

/// Every goal of the scenario on each number of threads that it is for.
pub(crate) fn verdicts(measured: &Measured) -> Vec<Verdict> {
    let scenario = &measured.scenario;
    let ours = position(measured, |_, whose| whose == Whose::Ours);
    let mut verdicts = Vec::new();
    for goal in &scenario.goals {
        for (column, &threads) in scenario.threads.iter().enumerate() {
            if goal.threads.is_some_and(|only| only != threads) {
                continue;
            }
            let other = match goal.against {
                Against::Named(wanted) => position(measured, |name, _| name == wanted),
                Against::BestPeer => best_peer(measured, column),
            };
            verdicts.push(Verdict {
                threads,
                against: scenario.contenders[other].name,
                bound: goal.bound,
                reached: match goal.bound {
                    Bound::Times(_) => measured.ratio(column, ours, other),
                    Bound::Plus(_) => measured.difference(column, ours, other),
                },
            });
        }
    }
    verdicts
}

fn position(measured: &Measured, is: impl Fn(&str, Whose) -> bool) -> usize {
    measured
        .scenario
        .contenders
        .iter()
        .position(|contender| is(contender.name, contender.whose))
        .expect("a goal names a contender of its scenario")
}

fn best_peer(measured: &Measured, column: usize) -> usize {
    let contenders = &measured.scenario.contenders;
    (0..contenders.len())
        .filter(|&who| contenders[who].whose == Whose::Peer)
        .min_by(|&one, &other| {
            let median = |who| measured.nanos(column, who).median;
            median(one).total_cmp(&median(other))
        })
        .expect("a scenario with this goal has a peer")
}
