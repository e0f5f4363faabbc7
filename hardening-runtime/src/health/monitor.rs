//! The background monitor: each check at its own interval.

use super::registry::{Enabled, Shared};
use crate::{
    chance,
    clock::{self, Moment},
    sync::{Mutex, lock},
};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};
use tokio::{
    runtime::{self, Handle},
    sync::watch,
    task::AbortHandle,
};

/// The checks that run in the background. Dropping it stops nothing: they run for as long as their
/// runtime, or until [`Self::stop`].
pub struct Monitor {
    shared: Arc<Shared>,
    task: AbortHandle,
}

impl Monitor {
    /// The monitor of this runtime; spawned, if there is none.
    pub(super) fn spawn(shared: &Arc<Shared>) -> Self {
        let task = shared.monitors.of(Handle::current().id(), || {
            let watching = watch(Arc::clone(shared), shared.changed.subscribe());
            tokio::spawn(watching).abort_handle()
        });
        let shared = Arc::clone(shared);
        Self { shared, task }
    }

    /// Ends it. Runs of checks that are under way go on, and are recorded.
    pub fn stop(&self) {
        self.shared.monitors.forget(&self.task);
        self.task.abort();
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Monitor").field(&self.task.id()).finish()
    }
}

/// The monitors of a registry: one in each runtime, so that nobody who spawns another makes the checks run
/// twice as often. Each of several tests has a runtime of its own, and a clock.
#[derive(Default)]
pub(super) struct Monitors(Mutex<Vec<(runtime::Id, AbortHandle)>>);

impl Monitors {
    fn of(&self, runtime: runtime::Id, spawn: impl FnOnce() -> AbortHandle) -> AbortHandle {
        let mut monitors = lock(&self.0);
        // Those of a runtime that has ended have ended with it.
        monitors.retain(|(_, task)| !task.is_finished());
        if let Some((_, task)) = monitors.iter().find(|(of, _)| *of == runtime) {
            return task.clone();
        }
        let task = spawn();
        monitors.push((runtime, task.clone()));
        task
    }

    fn forget(&self, task: &AbortHandle) {
        lock(&self.0).retain(|(_, known)| known.id() != task.id());
    }

    /// Ends all of them.
    #[cfg(feature = "test-util")]
    pub(super) fn stop(&self) {
        let monitors = std::mem::take(&mut *lock(&self.0));
        for (_, task) in monitors {
            task.abort();
        }
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
        if plan.is_due(entry.id, settings.interval, now, dice) {
            drop(entry.start(&settings));
        }
    }
}

/// A test that counts runs on the paused clock wants intervals as they are written.
fn dice() -> f64 {
    if cfg!(feature = "test-util") {
        0.5
    } else {
        chance::fraction()
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
