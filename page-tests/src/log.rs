//! What a tab asked the network for, and what it complained of.

use crate::chromium::PATIENCE;
use serde_json::Value;
use std::sync::{Condvar, Mutex, MutexGuard};

/// The events of a tab, in their order.
#[derive(Default)]
pub(crate) struct Log {
    events: Mutex<Vec<Value>>,
    grown: Condvar,
}

impl Log {
    pub(crate) fn write(&self, event: Value) {
        self.lock().push(event);
        self.grown.notify_all();
    }

    /// What each event of `method` says.
    pub(crate) fn of(&self, method: &str) -> Vec<Value> {
        of(&self.lock(), method)
    }

    /// The same, once there are `count`.
    pub(crate) fn wait_for(&self, method: &str, count: usize) -> Vec<Value> {
        let events = self.lock();
        let few = |events: &mut Vec<Value>| of(events, method).len() < count;
        let waited = self.grown.wait_timeout_while(events, PATIENCE, few);
        let (events, timeout) = waited.expect("no panic");
        assert!(!timeout.timed_out(), "{count} of {method} never came");
        of(&events, method)
    }

    /// Errors and warnings of the console, exceptions, policies violated: anything that a developer
    /// would see in red or yellow.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let events = self.lock();
        events.iter().filter_map(complaint).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Value>> {
        self.events.lock().expect("no panic")
    }
}

fn of(events: &[Value], method: &str) -> Vec<Value> {
    let of_it = events.iter().filter(|event| event["method"] == method);
    of_it.map(|event| event["params"].clone()).collect()
}

fn complaint(event: &Value) -> Option<String> {
    let says = &event["params"];
    let told = match event["method"].as_str()? {
        "Runtime.exceptionThrown" | "Audits.issueAdded" => true,
        "Runtime.consoleAPICalled" => says["type"] != "log",
        "Log.entryAdded" => says["entry"]["level"] != "verbose" && says["entry"]["level"] != "info",
        "Network.loadingFailed" => says["canceled"] != true,
        "Network.responseReceived" => says["response"]["status"].as_u64() >= Some(400),
        _ => false,
    };
    told.then(|| format!("{}: {says}", event["method"]))
}
