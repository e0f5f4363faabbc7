//! `/sites`: what the functions are set to, and how they fare.

use super::{MOST, json};
use crate::report::{SiteInfo, Snapshot, sites, snapshot};
use axum::response::Response;
use serde::Serialize;

#[derive(Serialize)]
struct Answer {
    /// Each annotated function, with its settings.
    sites: Vec<SiteInfo>,
    /// Their figures, and the ops and the configuration.
    snapshot: Snapshot,
    /// Functions and ops that are not in the answer, as it would be too long.
    omitted: usize,
}

pub(super) async fn answer() -> Response {
    let (mut sites, mut snapshot) = (sites(), snapshot());
    let omitted = shorten(&mut sites) + shorten(&mut snapshot.ops);
    shorten(&mut snapshot.sites); // the same functions again
    json(&Answer {
        sites,
        snapshot,
        omitted,
    })
}

/// Takes out what is too much; how many those are.
fn shorten<T>(list: &mut Vec<T>) -> usize {
    let omitted = list.len().saturating_sub(MOST);
    list.truncate(MOST);
    omitted
}
