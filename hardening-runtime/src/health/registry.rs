//! Which checks there are, and the settings in force.

use super::{
    check::{AnyCheck, IntoCheck, Manner},
    entry::{End, Entry},
    monitor::{Monitor, Monitors},
    probe::{Probe, probes},
    report::{HealthReport, Line},
    settings::{Group, HealthSettings},
    status::{HealthResult, Status},
};
use crate::{
    config::Derive,
    sync::{Mutex, lock},
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
};
use tokio::sync::watch;

/// The registry with every `#[health_check]` of the program in it, before the configuration says
/// anything of them.
#[must_use]
pub(crate) fn linked() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::with(probes()));
    &REGISTRY
}

/// A set of checks and their results.
///
/// Clones share both. The program's own is [`registry`](super::registry); a further one is of use in tests.
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

/// What the clones of a registry, and its monitors, share.
pub(super) struct Shared {
    /// The checks that were there at the beginning.
    #[cfg(feature = "test-util")]
    probes: Vec<&'static Probe>,
    inner: Mutex<Inner>,
    pub(super) monitors: Monitors,
    /// Changes whenever a check or a setting does.
    pub(super) changed: watch::Sender<()>,
}

#[derive(Default)]
struct Inner {
    entries: BTreeMap<Arc<str>, Arc<Entry>>,
    defaults: HealthSettings,
    providers: BTreeMap<String, HealthSettings>,
    /// The configuration stops the monitors.
    unmonitored: bool,
    /// What the configuration derives each of its checks from, by name, and the entry's identity.
    derived: BTreeMap<Arc<str>, (u64, (Derive, String))>,
}

/// A check that the configuration derives from a layer.
pub(crate) struct Derived {
    /// Its name.
    pub(crate) check: String,
    /// The kind and the name of the layer.
    pub(crate) from: (Derive, String),
    pub(crate) answer: Arc<dyn Fn() -> HealthResult + Send + Sync>,
}

/// A check that is enabled, and its settings in force.
pub(super) type Enabled = (Arc<Entry>, HealthSettings);

impl Inner {
    /// The settings in force: the configuration's, else the registration's, else the defaults.
    fn settings<'a>(&'a self, entry: &'a Entry) -> &'a HealthSettings {
        self.providers
            .get(&*entry.name)
            .or(entry.own.as_ref())
            .unwrap_or(&self.defaults)
    }

    fn derive(&mut self, wanted: Vec<Derived>) {
        let before = std::mem::take(&mut self.derived);
        let stays = |name: &str, from: &(Derive, String)| {
            let mut wanted = wanted.iter();
            wanted.any(|derived| derived.check == name && derived.from == *from)
        };
        for (name, (id, from)) in before {
            let is_ours = self.entries.get(&name).is_some_and(|entry| entry.id == id);
            match (is_ours, stays(&name, &from)) {
                (true, true) => drop(self.derived.insert(name, (id, from))),
                (true, false) => drop(self.entries.remove(&name)),
                (false, _) => {}
            }
        }
        for Derived {
            check,
            from,
            answer,
        } in wanted
        {
            let name: Arc<str> = check.into();
            if !self.entries.contains_key(&name) {
                let check = AnyCheck::derived(from.0.as_str(), move || answer());
                let entry = Arc::new(Entry::new(Arc::clone(&name), check, None));
                self.derived.insert(Arc::clone(&name), (entry.id, from));
                self.entries.insert(name, entry);
            }
        }
    }

    fn enabled(&self) -> impl Iterator<Item = Enabled> {
        self.entries.values().filter_map(|entry| {
            let settings = self.settings(entry);
            settings
                .enabled
                .then(|| (Arc::clone(entry), settings.clone()))
        })
    }
}

impl Shared {
    /// What the monitors run.
    pub(super) fn monitored(&self) -> Vec<Enabled> {
        let inner = lock(&self.inner);
        if inner.unmonitored {
            return Vec::new();
        }
        inner.enabled().collect()
    }

    fn change<R>(&self, change: impl FnOnce(&mut Inner) -> R) -> R {
        let result = change(&mut lock(&self.inner));
        self.changed.send_replace(());
        result
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// A registry without checks.
    #[must_use]
    pub fn new() -> Self {
        Self::with([])
    }

    pub(super) fn with(probes: impl IntoIterator<Item = &'static Probe>) -> Self {
        let probes: Vec<_> = probes.into_iter().collect();
        let inner = Inner {
            entries: entries(&probes),
            ..Inner::default()
        };
        let shared = Shared {
            #[cfg(feature = "test-util")]
            probes,
            inner: Mutex::new(inner),
            monitors: Monitors::default(),
            changed: watch::Sender::new(()),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Registers `check` under `name`, in place of the check of that name, if there is one (a
    /// `#[health_check]` included); its results are forgotten then. It stays until it is replaced
    /// or taken out with [`Self::unregister`].
    ///
    /// `check` is an async closure or function (`|| async { … }`), a blocking one (it runs on a
    /// thread of its own), or a [`super::Check`]. It returns `Result<(), E>` where `E: Display`,
    /// `bool` or [`HealthResult`]. What an async closure captures it clones for each run:
    ///
    /// ```
    /// # use hardening_runtime as hardening;
    /// # #[derive(Clone)] struct Pool; impl Pool { async fn ping(&self) -> Result<(), String> { Ok(()) } }
    /// # let (registry, pool) = (hardening::health::Registry::new(), Pool);
    /// registry.register("pool", move || {
    ///     let pool = pool.clone();
    ///     async move { pool.ping().await }
    /// });
    /// ```
    pub fn register<Kind>(&self, name: impl Into<Arc<str>>, check: impl IntoCheck<Kind>) {
        self.add(name.into(), check.into_check(), None);
    }

    /// As [`Self::register`], with settings for where the configuration says nothing of `name`.
    pub fn register_with<Kind>(
        &self,
        name: impl Into<Arc<str>>,
        settings: HealthSettings,
        check: impl IntoCheck<Kind>,
    ) {
        self.add(name.into(), check.into_check(), Some(settings));
    }

    /// Registers a check that is derived from what the program knows anyway, such as a circuit's
    /// state or a bulkhead's queue. `answer` must not block. Its answer is its status, without
    /// thresholds; and it is never in the group `liveness`, whatever the settings say: an open
    /// circuit is no reason to restart the process.
    pub fn register_derived(
        &self,
        name: impl Into<Arc<str>>,
        answer: impl Fn() -> HealthResult + Send + Sync + 'static,
    ) {
        self.add(name.into(), AnyCheck::derived("derived", answer), None);
    }

    /// Puts the checks in force that the configuration derives from layers, in the place of those that
    /// it derived before. One that stays the same keeps its results; a check that was registered
    /// under its name stays.
    pub(crate) fn derive(&self, wanted: Vec<Derived>) {
        self.shared.change(|inner| inner.derive(wanted));
    }

    fn add(&self, name: Arc<str>, check: AnyCheck, own: Option<HealthSettings>) {
        let entry = Arc::new(Entry::new(Arc::clone(&name), check, own));
        // The replaced check is dropped outside the lock: its captures are the user's.
        let _replaced = self
            .shared
            .change(|inner| inner.entries.insert(name, entry));
    }

    /// Takes the check called `name` out; says whether there was one.
    #[allow(clippy::must_use_candidate)] // most callers know
    pub fn unregister(&self, name: &str) -> bool {
        let removed = self.shared.change(|inner| inner.entries.remove(name));
        removed.is_some()
    }

    /// Runs all enabled checks at once, each within its own timeout, and reports. A check that is
    /// running already is not run again: its last result is reported, or, if it has none, the one
    /// that comes. Runs go on, and are recorded, when the caller goes away.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn run_all(&self) -> HealthReport {
        self.run(None).await
    }

    /// As [`Self::run_all`], for the checks of one group only.
    pub async fn run_group(&self, group: Group) -> HealthReport {
        self.run(Some(group)).await
    }

    async fn run(&self, group: Option<Group>) -> HealthReport {
        let chosen = self.chosen(group);
        let start = |(entry, settings): &Enabled| entry.start(settings);
        let ends: Vec<End> = chosen.iter().filter_map(start).collect();
        for end in ends {
            end.wait().await;
        }
        report(&chosen)
    }

    fn chosen(&self, group: Option<Group>) -> Vec<Enabled> {
        let inner = lock(&self.shared.inner);
        let chosen = inner.enabled();
        match group {
            None => chosen.collect(),
            Some(group) => chosen
                .filter(|(entry, settings)| belongs(entry, settings, group))
                .collect(),
        }
    }

    /// The last results, without running anything. A check that has not run yet is degraded.
    #[must_use]
    pub fn last_report(&self) -> HealthReport {
        report(&self.chosen(None))
    }

    /// The last results of one group, without running anything.
    #[must_use]
    pub fn last_report_of(&self, group: Group) -> HealthReport {
        report(&self.chosen(Some(group)))
    }

    /// Whether, by the last results, every check is healthy. False until each has run.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        let healthy = |(entry, _): &Enabled| entry.status() == Some(Status::Healthy);
        self.chosen(None).iter().all(healthy)
    }

    /// The checks that are not healthy by their last results, in order of their names. Those that
    /// have not run yet are not among them.
    #[must_use]
    pub fn failed_checks(&self) -> Vec<String> {
        let failed = |entry: &Entry| !matches!(entry.status(), None | Some(Status::Healthy));
        let chosen = self.chosen(None);
        let failed = chosen.iter().filter(|(entry, _)| failed(entry));
        failed.map(|(entry, _)| entry.name.to_string()).collect()
    }

    /// The names of all registered checks, those that are not enabled included.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let inner = lock(&self.shared.inner);
        inner.entries.keys().map(ToString::to_string).collect()
    }

    /// Puts settings in force: `providers` by the name of the check, `defaults` for the others.
    /// Results are kept. Until the first time, the built-in defaults are in force.
    pub fn apply(&self, defaults: HealthSettings, providers: BTreeMap<String, HealthSettings>) {
        self.shared.change(|inner| {
            inner.defaults = defaults;
            inner.providers = providers;
        });
    }

    /// Lets the monitors run checks, or not. Until the first time they do.
    pub(crate) fn set_monitored(&self, monitored: bool) {
        self.shared.change(|inner| inner.unmonitored = !monitored);
    }

    /// The names that the settings enable and no check has. Reported at start: the check is
    /// misspelt, or the linker dropped it because the program never names its crate.
    #[must_use]
    pub fn unregistered_providers(&self) -> Vec<String> {
        let inner = lock(&self.shared.inner);
        let missing = inner.providers.iter().filter(|(name, settings)| {
            settings.enabled && !inner.entries.contains_key(name.as_str())
        });
        missing.map(|(name, _)| name.clone()).collect()
    }

    /// Runs every check at its interval in the background, the first time at once, until
    /// [`Monitor::stop`] or the end of the runtime; the handle may be dropped. Follows checks and settings
    /// as they change. The results are in [`Self::last_report`].
    ///
    /// A program needs one: where one runs in this runtime already, this is a further handle of that.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[allow(clippy::must_use_candidate)] // most callers never stop it
    pub fn spawn_monitor(&self) -> Monitor {
        Monitor::spawn(&self.shared)
    }

    /// Forgets all results and all checks that were registered by hand, and ends the monitors; keeps the
    /// settings. A run under way ends unheard.
    #[cfg(feature = "test-util")]
    pub fn reset(&self) {
        self.shared.monitors.stop();
        let fresh = entries(&self.shared.probes);
        let _replaced = self.shared.change(|inner| {
            inner.derived.clear();
            std::mem::replace(&mut inner.entries, fresh)
        });
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("checks", &self.names())
            .finish_non_exhaustive()
    }
}

/// The entries of link-time checks. Of two with one name, the later carries its place in the
/// source, so that neither is lost.
fn entries(probes: &[&'static Probe]) -> BTreeMap<Arc<str>, Arc<Entry>> {
    let mut entries = BTreeMap::new();
    for probe in probes {
        let mut name: Arc<str> = probe.name.into();
        if entries.contains_key(&name) {
            name = format!("{} ({}:{})", probe.name, probe.file, probe.line).into();
        }
        let entry = Entry::new(Arc::clone(&name), AnyCheck::probe(probe), None);
        entries.insert(name, Arc::new(entry));
    }
    entries
}

fn belongs(entry: &Entry, settings: &HealthSettings, group: Group) -> bool {
    match entry.check.manner() {
        Manner::Derived => group == Group::Readiness,
        Manner::Async | Manner::Blocking => settings.groups.contains(&group),
    }
}

fn report(checks: &[Enabled]) -> HealthReport {
    HealthReport::of(checks.iter().map(|(entry, settings)| Line {
        name: entry.name.to_string(),
        critical: settings.critical,
        check: entry.report(settings),
    }))
}
