//! The background monitor: each check at its own interval.

use super::registry::{Enabled, Shared};
use crate::{
    chance,
    clock::{self, Moment},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

/// Runs the checks in the background until it is dropped.
#[derive(Debug)]
#[must_use = "the monitor stops when its handle is dropped"]
pub struct Monitor {
    task: JoinHandle<()>,
}

impl Monitor {
    pub(super) fn spawn(shared: Arc<Shared>) -> Self {
        let changed = shared.changed.subscribe();
        Self {
            task: tokio::spawn(watch(shared, changed)),
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the monitor waits when nothing is planned; a change wakes it before.
const IDLE: Duration = Duration::from_secs(3600);

async fn watch(shared: Arc<Shared>, mut changed: watch::Receiver<()>) {
    let mut plan = Plan::default();
    loop {
        changed.mark_unchanged();
        let now = clock::now();
        start_due(&mut plan, now, shared.monitored());
        let rest = plan.next().map_or(IDLE, |next| next.since(now));
        let _ = tokio::time::timeout(rest, changed.changed()).await;
    }
}

/// Starts what is due. Waits for nothing: a check that hangs delays only itself.
fn start_due(plan: &mut Plan, now: Moment, checks: Vec<Enabled>) {
    plan.keep(|id| checks.iter().any(|(entry, _)| entry.id == id));
    for (entry, settings) in checks {
        if plan.is_due(entry.id, settings.interval, now, chance::fraction) {
            drop(entry.start(&settings));
        }
    }
}

/// When each check runs next.
#[derive(Default)]
pub(super) struct Plan(BTreeMap<u64, Next>);

struct Next {
    at: Moment,
    interval: Duration,
}

impl Plan {
    /// Whether the check is to run now; plans its next run if so. A new check runs at once. One
    /// whose interval changed is planned anew, counted from now.
    pub(super) fn is_due(
        &mut self,
        id: u64,
        interval: Duration,
        now: Moment,
        dice: impl FnOnce() -> f64,
    ) -> bool {
        let due = match self.0.get(&id) {
            None => true,
            Some(next) if next.at <= now => true,
            Some(next) if next.interval == interval => return false,
            Some(_) => false,
        };
        let at = now.plus(jittered(interval, dice()));
        self.0.insert(id, Next { at, interval });
        due
    }

    /// Forgets the checks that are gone.
    pub(super) fn keep(&mut self, exists: impl Fn(u64) -> bool) {
        self.0.retain(|id, _| exists(*id));
    }

    /// When the first of the planned runs is due.
    pub(super) fn next(&self) -> Option<Moment> {
        self.0.values().map(|next| next.at).min()
    }
}

/// The shortest interval, so that a mistaken zero does not keep a processor busy.
const SHORTEST: Duration = Duration::from_millis(100);

/// `interval`, at most a tenth shorter or longer: the processes of a fleet that started together
/// must not ask a shared dependency together for ever.
pub(super) fn jittered(interval: Duration, dice: f64) -> Duration {
    let interval = interval.max(SHORTEST);
    interval
        .checked_mul(1000)
        .map_or(interval, |_| interval.mul_f64(0.9 + 0.2 * dice))
}
