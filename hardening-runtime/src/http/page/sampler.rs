//! Takes a point a second: one task in the process, in whichever runtime asked for it first. If that runtime ends, the
//! next who asks starts another.

use super::{board::Board, history::History};
use crate::{
    clock::{self, Moment},
    health, registry,
    report::{Snapshot, snapshot},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::watch::{self, Receiver, Sender},
    task::AbortHandle,
};

const SECOND: Duration = Duration::from_secs(1);

/// What the sampler has, for those who look.
#[derive(Clone)]
pub(super) struct Feed {
    pub(super) history: Arc<Mutex<History>>,
    /// The last second's board. Whoever reads slowly misses some, and nothing is kept for them.
    pub(super) boards: Receiver<Option<Arc<Board>>>,
}

struct Running {
    feed: Feed,
    task: AbortHandle,
}

static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

fn running() -> MutexGuard<'static, Option<Running>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the sampler has; it is started, if it does not run and this is called in a runtime.
pub(super) fn feed() -> Option<Feed> {
    let mut running = running();
    let alive = running.as_ref().filter(|it| it.feed.is_alive());
    if let Some(alive) = alive {
        return Some(alive.feed.clone());
    }
    let started = start(&Handle::try_current().ok()?);
    Some(running.insert(started).feed.clone())
}

/// Ends the sampler, and with it all streams.
pub(super) fn stop() {
    if let Some(running) = running().take() {
        running.task.abort();
    }
}

fn start(runtime: &Handle) -> Running {
    let (sender, boards) = watch::channel(None);
    let history = History::from(&known().unwrap_or_default().sites, clock::now());
    let history = Arc::new(Mutex::new(history));
    let feed = Feed { history, boards };
    let task = runtime.spawn(sample(Arc::clone(&feed.history), sender));
    let task = task.abort_handle();
    Running { feed, task }
}

/// The figures, once there can be any. A router that is made before `init!()` must not load the configuration in its
/// place.
fn known() -> Option<Snapshot> {
    registry::is_loaded().then(snapshot)
}

impl Feed {
    /// The task holds the sender; it is gone when the task is.
    fn is_alive(&self) -> bool {
        self.boards.has_changed().is_ok()
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        locked(&self.history)
    }
}

fn locked(history: &Mutex<History>) -> MutexGuard<'_, History> {
    history.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn sample(history: Arc<Mutex<History>>, boards: Sender<Option<Arc<Board>>>) {
    let mut due = clock::now();
    loop {
        due = next(due, clock::now());
        clock::sleep_until(due).await;
        let (snapshot, now) = (known().unwrap_or_default(), clock::now());
        locked(&history).take(&snapshot.sites, now);
        if is_watched(&boards) {
            let board = board(snapshot, &locked(&history), now);
            boards.send_replace(Some(Arc::new(board)));
        }
    }
}

/// Whether anybody looks: one receiver is our own.
fn is_watched(boards: &Sender<Option<Arc<Board>>>) -> bool {
    boards.receiver_count() > 1
}

pub(super) fn board(snapshot: Snapshot, history: &History, now: Moment) -> Board {
    Board::of(snapshot, health::registry().last_report(), history, now)
}

/// A second after it was due; if that is over, a second from now.
fn next(due: Moment, now: Moment) -> Moment {
    let next = due.plus(SECOND);
    if next > now { next } else { now.plus(SECOND) }
}
