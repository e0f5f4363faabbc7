//! `/metrics` and `/metrics.json`.

use super::{is_zero, json, shorten};
use crate::{
    expose::{self, Summary},
    health::registry,
    snapshot,
};
use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// The series of every site: they are as many as the program was linked with, and a series that is left out would look
/// like one that ended. Checks come and go, so they have a bound.
pub(super) async fn text() -> impl IntoResponse {
    let mut report = registry().last_report();
    shorten(&mut report.checks);
    let mut text = expose::prometheus(&snapshot());
    text += &expose::prometheus_of_health(&report);
    ([(CONTENT_TYPE, expose::PROMETHEUS_CONTENT_TYPE)], text)
}

pub(super) async fn short() -> Response {
    json(&Short::of(expose::json(&snapshot())))
}

#[derive(Serialize)]
struct Short {
    #[serde(flatten)]
    summary: Summary,
    /// Sites that are not in the answer, as it would be too long; they are in the totals.
    #[serde(skip_serializing_if = "is_zero")]
    omitted: usize,
}

impl Short {
    fn of(mut summary: Summary) -> Self {
        let omitted = shorten(&mut summary.sites);
        Self { summary, omitted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::MOST;
    use serde_json::{Value, to_value};

    fn of_sites(number: usize) -> Value {
        let mut summary = expose::json(&crate::Snapshot::default());
        let site = |n| (format!("shop::f{n:04}"), summary.total.clone());
        summary.sites = (0..number).map(site).collect();
        to_value(Short::of(summary)).expect("JSON")
    }

    #[test]
    fn the_small_json_holds_a_thousand_sites_and_says_how_many_more_there_are() {
        let all = of_sites(MOST);
        assert_eq!(
            all["sites"].as_object().map(serde_json::Map::len),
            Some(MOST)
        );
        assert_eq!(all.get("omitted"), None);
        let more = of_sites(MOST + 3);
        assert_eq!(
            more["sites"].as_object().map(serde_json::Map::len),
            Some(MOST)
        );
        assert_eq!(more["omitted"], 3);
    }
}
