//! Watching the configuration file: who wants it, how often, and the one watcher that does it.

mod driver;
mod look;

use driver::Driver;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The shortest interval.
const SHORTEST: Duration = Duration::from_millis(100);

/// Looks at the configuration file every `interval` (at least 100 ms), and reloads when its content
/// has changed, as [`reload()`](crate::reload) does. The file's own setting `runtime.watch`, where it
/// is not null, is in force instead of `interval`.
///
/// The content is compared, so a swapped link (a mounted `ConfigMap`) is seen as well as a file that
/// was written over. A change counts once two looks 100 ms apart agree on it: no half-written file is
/// taken over, and one that is gone for a moment is not missed. A file that is wrong, or stays away,
/// is reported once and changes nothing.
///
/// There is one watcher: another call changes its interval. It is a task of the tokio runtime that
/// this is called in, else a thread; when the runtime ends, a thread goes on.
///
/// ```
/// let watch = hardening_runtime::watch(std::time::Duration::from_secs(5));
/// // …
/// watch.stop();
/// ```
#[allow(clippy::must_use_candidate)] // most programs watch for as long as they run
pub fn watch(interval: Duration) -> Watch {
    let mut wanted = watching();
    wanted.asks += 1;
    let id = wanted.asks;
    wanted.by_program = Some((id, interval.max(SHORTEST)));
    drop(wanted);
    adjust();
    Watch { id }
}

/// What [`watch()`] was asked for. Dropping it changes nothing.
#[derive(Debug)]
pub struct Watch {
    id: u64,
}

impl Watch {
    /// The program no longer asks for it: the watcher ends, unless the file itself says
    /// `runtime.watch`. A reload that is under way is finished. Where [`watch()`] has been called again since,
    /// this does nothing.
    pub fn stop(self) {
        let mut wanted = watching();
        if wanted.by_program.is_some_and(|(id, _)| id == self.id) {
            wanted.by_program = None;
        }
        drop(wanted);
        adjust();
    }
}

struct Watching {
    by_program: Option<(u64, Duration)>,
    by_file: Option<Duration>,
    running: Option<Running>,
    /// How often the program has asked.
    asks: u64,
    /// How many watchers there have been.
    watchers: u64,
}

struct Running {
    id: u64,
    interval: Duration,
    /// None until it is started.
    driver: Option<Driver>,
}

static WATCHING: Mutex<Watching> = Mutex::new(Watching {
    by_program: None,
    by_file: None,
    running: None,
    asks: 0,
    watchers: 0,
});

fn watching() -> MutexGuard<'static, Watching> {
    WATCHING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watching {
    fn wanted(&self) -> Option<Duration> {
        let by_program = self.by_program.map(|(_, interval)| interval);
        self.by_file.or(by_program)
    }
}

/// What the configuration in force says: `runtime.watch`.
pub(crate) fn set_by_file(interval: Option<Duration>) {
    watching().by_file = interval;
    adjust();
}

/// How often the file is looked at.
pub(crate) fn interval() -> Option<Duration> {
    watching().running.as_ref().map(|running| running.interval)
}

/// Whether the watcher `id` is the one in force.
fn is_current(id: u64) -> bool {
    watching()
        .running
        .as_ref()
        .is_some_and(|running| running.id == id)
}

/// Starts, replaces or ends the watcher, as it is wanted.
fn adjust() {
    let watching = watching();
    let wanted = watching.wanted();
    if watching.running.as_ref().map(|running| running.interval) == wanted {
        return;
    }
    replace(watching, wanted, Driver::start);
}

/// The watcher `id` was ended by its runtime, not by us: another one goes on, on a thread.
fn went_away(id: u64) {
    let watching = watching();
    if let Some(running) = watching.running.as_ref().filter(|running| running.id == id) {
        let interval = running.interval;
        replace(watching, Some(interval), Driver::start_thread);
    }
}

/// Starting and ending run foreign code (a runtime that shuts down drops what it is given), so
/// both are done with the lock given back.
fn replace(
    mut watching: MutexGuard<'static, Watching>,
    wanted: Option<Duration>,
    start: impl FnOnce(u64, Duration) -> Option<Driver>,
) {
    watching.watchers += 1;
    let id = watching.watchers;
    let running = wanted.map(|interval| Running {
        id,
        interval,
        driver: None,
    });
    let former = std::mem::replace(&mut watching.running, running);
    drop(watching);
    if let Some(driver) = former.and_then(|former| former.driver) {
        driver.end();
    }
    let Some(driver) = wanted.and_then(|interval| start(id, interval)) else {
        return;
    };
    let mut watching = self::watching();
    let running = watching.running.as_mut();
    if let Some(running) = running.filter(|running| running.id == id) {
        running.driver = Some(driver);
    } else {
        drop(watching);
        driver.end(); // replaced in the meantime
    }
}

/// Ends the watcher, and forgets who wanted it.
#[cfg(feature = "test-util")]
pub(crate) fn forget() {
    let mut watching = watching();
    (watching.by_program, watching.by_file) = (None, None);
    drop(watching);
    adjust();
}
