//! The two events of the stream: all of a board, and what changed from one to the next.

use super::{
    board::{Board, Seen},
    history::{History, Point},
};
use crate::report::{LayerInfo, SiteInfo};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The last event of a stream that ends in its time: it is no failure.
pub(super) const END: &str = "event: end\ndata: {}\n\n";

#[derive(Serialize)]
struct All<'a> {
    tick: u64,
    at: u64,
    summary: &'a RawValue,
    health: &'a RawValue,
    omitted: usize,
    sites: Vec<Site<'a>>,
}

#[derive(Serialize)]
struct Site<'a> {
    path: &'a str,
    file: &'a str,
    line: u32,
    layers: Vec<Layer<'a>>,
    figures: &'a RawValue,
    /// Oldest first, a second each; empty if nothing happened.
    history: Vec<Point>,
}

#[derive(Serialize)]
struct Layer<'a> {
    attribute: &'a str,
    policy: Option<&'a str>,
    name: Option<&'a str>,
    enabled: bool,
    observe: bool,
    /// Keys and values.
    settings: Vec<(&'a str, &'a str)>,
}

#[derive(Serialize)]
struct Changes<'a> {
    tick: u64,
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<&'a RawValue>,
    /// By their place in the list. A site that is not here has not changed and was not called.
    sites: BTreeMap<usize, Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<Point>,
}

/// Everything: what the page is built from.
pub(super) fn all(board: &Board, infos: &[SiteInfo], history: &History) -> String {
    let mut sites = Vec::new();
    for (index, (info, seen)) in infos.iter().zip(&board.sites).enumerate() {
        sites.push(Site::of(info, seen, history.points(index)));
    }
    let (summary, health) = (&*board.summary, &*board.health);
    let all = All {
        tick: board.tick,
        at: board.at,
        summary,
        health,
        omitted: board.omitted,
        sites,
    };
    frame("all", &all)
}

/// What is other on `now` than on `before`, and the points of this second.
pub(super) fn changes(before: &Board, now: &Board) -> String {
    let mut sites = BTreeMap::new();
    for (index, (was, is)) in before.sites.iter().zip(&now.sites).enumerate() {
        if let Some(change) = Change::between(was, is) {
            sites.insert(index, change);
        }
    }
    let changes = Changes {
        tick: now.tick,
        at: now.at,
        summary: other(&before.summary, &now.summary),
        health: other(&before.health, &now.health),
        sites,
    };
    frame("tick", &changes)
}

impl<'a> Site<'a> {
    fn of(info: &'a SiteInfo, seen: &'a Seen, history: Vec<Point>) -> Self {
        Self {
            path: &info.path,
            file: info.file,
            line: info.line,
            layers: info.layers.iter().map(Layer::of).collect(),
            figures: &seen.figures,
            history,
        }
    }
}

impl<'a> Change<'a> {
    fn between(before: &Seen, now: &'a Seen) -> Option<Self> {
        let figures = other(&before.figures, &now.figures);
        let point = Some(now.point).filter(|point| !point.is_idle());
        (figures.is_some() || point.is_some()).then_some(Self { figures, point })
    }
}

impl<'a> Layer<'a> {
    fn of(info: &'a LayerInfo) -> Self {
        let settings = info.settings.iter();
        Self {
            attribute: info.attribute,
            policy: info.policy,
            name: info.name,
            enabled: info.enabled,
            observe: info.observe,
            settings: settings.map(|it| (it.key, it.value.as_str())).collect(),
        }
    }
}

/// `now`, if it is other than `before`.
fn other<'a>(before: &RawValue, now: &'a RawValue) -> Option<&'a RawValue> {
    (before.get() != now.get()).then_some(now)
}

/// A server-sent event. JSON has its line breaks escaped, so the data is one line.
fn frame(event: &str, data: &impl Serialize) -> String {
    let data = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
    format!("event: {event}\ndata: {data}\n\n")
}
