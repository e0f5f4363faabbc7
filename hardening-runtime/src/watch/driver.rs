//! The watcher itself: a task or a thread that looks, and waits.

use super::{
    is_current,
    look::{Eye, Next},
    went_away,
};
use crate::{clock, event, journal, source, start};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{self, Thread},
    time::Duration,
};
use tokio::{runtime::Handle, task::AbortHandle};

/// What can be ended.
pub(super) enum Driver {
    Task(AbortHandle),
    Thread(Thread),
}

impl Driver {
    /// A task of the runtime that this is called in, else a thread.
    pub(super) fn start(id: u64, interval: Duration) -> Option<Self> {
        match Handle::try_current() {
            Ok(runtime) => {
                let task = runtime.spawn(follow(Watcher::new(id, interval)));
                Some(Self::Task(task.abort_handle()))
            }
            Err(_) => Self::start_thread(id, interval),
        }
    }

    pub(super) fn start_thread(id: u64, interval: Duration) -> Option<Self> {
        let mut watcher = Watcher::new(id, interval);
        let started = thread::Builder::new()
            .name("hardening-watch".to_owned())
            .spawn(move || watcher.follow_blocking());
        match started {
            Ok(thread) => Some(Self::Thread(thread.thread().clone())),
            Err(error) => {
                event::doubtful(&format!(
                    "the configuration file is not watched: no thread could be started: {error}"
                ));
                None
            }
        }
    }

    pub(super) fn end(self) {
        match self {
            Self::Task(task) => task.abort(),
            Self::Thread(thread) => thread.unpark(),
        }
    }
}

struct Watcher {
    id: u64,
    interval: Duration,
    eye: Eye,
    pause: Duration,
}

impl Watcher {
    fn new(id: u64, interval: Duration) -> Self {
        Self {
            id,
            interval,
            eye: Eye::default(),
            pause: interval,
        }
    }

    /// One look, and what follows from it.
    fn look(&mut self) {
        let seen = source::look();
        let is_known = journal::is_known(&seen);
        let next = self.eye.sees(seen, is_known);
        self.pause = next.pause(self.interval);
        let Next::TakeOver(settled) = next else {
            return;
        };
        // Whatever panics in there (a subscriber of events, for one), the next good file works.
        if catch_unwind(AssertUnwindSafe(|| start::take_over(&settled))).is_err() {
            journal::refused(settled, &"taking it over panicked");
        }
    }

    fn follow_blocking(&mut self) {
        while is_current(self.id) {
            let until = clock::now().plus(self.pause);
            while is_current(self.id) && clock::now() < until {
                clock::park_until(until);
            }
            if is_current(self.id) {
                self.look();
            }
        }
    }
}

/// The file is read on the pool for blocking work: a disk that hangs holds up no task.
async fn follow(mut watcher: Watcher) {
    let _guard = Handover(watcher.id);
    while is_current(watcher.id) {
        clock::sleep_until(clock::now().plus(watcher.pause)).await;
        let looked = tokio::task::spawn_blocking(move || {
            watcher.look();
            watcher
        });
        match looked.await {
            Ok(back) => watcher = back,
            Err(_) => return, // the runtime ends
        }
    }
}

/// Goes on elsewhere when the runtime ends the task.
struct Handover(u64);

impl Drop for Handover {
    fn drop(&mut self) {
        went_away(self.0);
    }
}
