//! What became of the configurations that were read, for `snapshot()` and for whoever watches.

use crate::{
    clock::{self, Moment},
    health::rfc3339,
    source::Found,
    watch,
};
use serde::{Serialize, Serializer};
use std::{
    fmt::Display,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// Which configuration is in force, and how reloads went.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ConfigurationSnapshot {
    /// The file in force, as messages call it; none for the built-in policies, and before anything was
    /// loaded.
    pub file: Option<String>,
    /// Whether no such file was found, and its text is the one that was compiled in.
    pub embedded: bool,
    /// Reloads that were put in force, by [`reload`](crate::reload) or by watching.
    pub reloads: u64,
    /// Configurations that were refused, at start or by a reload.
    pub failed_reloads: u64,
    /// Whether the last one was refused, so that what is in force is older than the file.
    pub outdated: bool,
    /// The last one that was refused, also after a good one.
    pub last_error: Option<FailedReload>,
    /// How often the file is looked at; none while it is not watched. Serialised as seconds.
    #[serde(serialize_with = "seconds")]
    pub watched_every: Option<Duration>,
}

/// A configuration that was refused.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FailedReload {
    /// Everything that is wrong with it.
    pub text: String,
    /// When it was refused, by the wall clock. Serialised as RFC 3339.
    #[serde(serialize_with = "wall_clock")]
    pub at: SystemTime,
    /// How long ago that was. Serialised as seconds.
    #[serde(serialize_with = "whole")]
    pub ago: Duration,
}

#[allow(clippy::ref_option)] // serde's signature
fn seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|it| it.as_secs_f64()).serialize(serializer)
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn whole<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

fn wall_clock<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}

struct Journal {
    /// What was found last, good or not: the watcher compares with it.
    seen: Option<Found>,
    file: Option<String>,
    embedded: bool,
    reloads: u64,
    failed: u64,
    outdated: bool,
    last_error: Option<(String, SystemTime, Moment)>,
}

const EMPTY: Journal = Journal {
    seen: None,
    file: None,
    embedded: false,
    reloads: 0,
    failed: 0,
    outdated: false,
    last_error: None,
};

static JOURNAL: Mutex<Journal> = Mutex::new(EMPTY);

fn journal() -> MutexGuard<'static, Journal> {
    JOURNAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was found is in force; `file` is its name. Says whether it is what was compiled in.
pub(crate) fn in_force(found: Found, file: Option<String>) -> bool {
    let mut journal = journal();
    journal.embedded = found == Found::Nothing && file.is_some();
    journal.seen = Some(found);
    journal.file = file;
    journal.outdated = false;
    journal.embedded
}

/// What was put in force was a reload.
pub(crate) fn reloaded() {
    journal().reloads += 1;
}

/// What was found is refused.
pub(crate) fn refused(found: Found, errors: &dyn Display) {
    let error = (errors.to_string(), SystemTime::now(), clock::now());
    let mut journal = journal();
    journal.seen = Some(found);
    journal.failed += 1;
    journal.outdated = true;
    journal.last_error = Some(error);
}

/// What was found last. The first look of a watcher, when nothing was loaded from there, is `seen`.
pub(crate) fn is_known(seen: &Found) -> bool {
    journal().seen.get_or_insert_with(|| seen.clone()) == seen
}

/// The file in force, if it was found as a file.
pub(crate) fn file_in_force() -> Option<String> {
    let journal = journal();
    journal.file.clone().filter(|_| !journal.embedded)
}

/// What is shown of it.
pub(crate) fn snapshot() -> ConfigurationSnapshot {
    let watched_every = watch::interval();
    let (journal, now) = (journal(), clock::now());
    let last_error = journal.last_error.as_ref();
    ConfigurationSnapshot {
        file: journal.file.clone(),
        embedded: journal.embedded,
        reloads: journal.reloads,
        failed_reloads: journal.failed,
        outdated: journal.outdated,
        last_error: last_error.map(|(text, at, moment)| FailedReload {
            text: text.clone(),
            at: *at,
            ago: now.since(*moment),
        }),
        watched_every,
    }
}

/// Forgets everything.
#[cfg(feature = "test-util")]
pub(crate) fn forget() {
    *journal() = EMPTY;
}
