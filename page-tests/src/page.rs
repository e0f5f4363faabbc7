//! The page under test: in a tab, from a server.

use crate::{chromium::Chromium, server::Server, tab::Tab};
use hardening::testing::{self, Alone};
use serde_json::{Value, json};
use std::ops::Deref;

/// The page in a tab, and its server. No other test has one at the same time, and the program's state
/// is as after its start.
pub struct Page {
    tab: Tab,
    /// Where it is served.
    pub server: Server,
    _alone: Alone, // the last to go
}

impl Page {
    /// An empty tab, and a server with our routes under `prefix`; none where there is no browser.
    #[must_use]
    pub fn prepared(prefix: &'static str) -> Option<Self> {
        let chromium = Chromium::get()?;
        let alone = testing::alone();
        Some(Self {
            tab: Tab::new(chromium),
            server: Server::start(prefix),
            _alone: alone,
        })
    }

    /// The page, live: it has shown a first event.
    #[must_use]
    pub fn open() -> Option<Self> {
        let page = Self::prepared("")?;
        page.visit();
        Some(page)
    }

    /// Opens the page and waits until it is live.
    pub fn visit(&self) {
        let address = self.server.origin() + &self.server.path();
        self.tab.open(&address);
        self.until_live();
    }

    /// Waits until the page is live and has rows.
    pub fn until_live(&self) {
        self.tab
            .until("document.documentElement.dataset.connection === 'live'");
        self.tab.until("document.querySelector('[data-site]')");
    }

    /// What stands at `field` of the site of this path, as it came from the server.
    #[must_use]
    pub fn field(&self, site: &str, field: &str) -> Value {
        self.tab
            .value(&format!("{}?.dataset.value ?? null", cell(site, field)))
    }

    /// Waits until `field` of the site of this path is `value`.
    pub fn until_field(&self, site: &str, field: &str, value: impl Into<Value>) {
        let value = match value.into() {
            Value::String(text) => text,
            value => value.to_string(),
        };
        self.tab.until(&format!(
            "{}.dataset.value === {}",
            cell(site, field),
            json!(value)
        ));
    }

    /// The paths of the sites that are shown, in the order in which they are.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        let shown = self.tab.value(
            "[...document.querySelectorAll('[data-site]')].filter(row => row.checkVisibility()).map(row => row.dataset.site)",
        );
        serde_json::from_value(shown).expect("a list of paths")
    }

    /// That nothing was asked of anybody but the page and its events of its own server, and nothing
    /// went wrong.
    #[track_caller]
    pub fn assert_sound(&self) {
        assert_eq!(self.tab.complaints(), [""; 0]);
        self.assert_at_home();
    }

    /// That nothing was asked of anybody but the page and its events of its own server.
    #[track_caller]
    pub fn assert_at_home(&self) {
        let path = self.server.path();
        let ours = [path.clone(), format!("{path}/events")];
        for address in self.tab.requests() {
            let path = address.strip_prefix(&self.server.origin());
            assert!(
                path.is_some_and(|path| ours.iter().any(|our| our == path)),
                "asked for {address}"
            );
        }
        for path in self.server.asked() {
            assert!(ours.contains(&path), "the server was asked for {path}");
        }
    }
}

/// What a visitor sees and does.
impl Deref for Page {
    type Target = Tab;

    fn deref(&self) -> &Tab {
        &self.tab
    }
}

fn cell(site: &str, field: &str) -> String {
    let selector = format!("[data-site=\"{site}\"] [data-field=\"{field}\"]");
    format!("document.querySelector({})", json!(selector))
}
