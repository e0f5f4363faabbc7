//! `/health` and its groups.

use super::{is_zero, json, shorten};
use crate::{
    circuit_breaker::State,
    health::{Group, HealthReport, Status, registry},
    site,
};
use axum::{http::StatusCode, response::Response};
use serde::Serialize;
use std::collections::BTreeMap;

/// The report, as on the page *Health*, and the circuits beside it.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    report: HealthReport,
    /// Checks and circuits that are not in the answer, as it would be too long.
    #[serde(skip_serializing_if = "is_zero")]
    omitted: usize,
    #[serde(rename = "circuitBreaker")]
    circuits: BTreeMap<&'static str, &'static str>,
}

pub(super) async fn answer(group: Option<Group>) -> Response {
    let report = match group {
        None => registry().run_all().await,
        Some(group) => registry().run_group(group).await,
    };
    respond(report, circuits())
}

fn respond(
    mut report: HealthReport,
    mut circuits: BTreeMap<&'static str, &'static str>,
) -> Response {
    let status = status(report.overall_status);
    let omitted = shorten(&mut report.checks) + shorten(&mut circuits);
    let mut response = json(&Answer {
        report,
        omitted,
        circuits,
    });
    if status != StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

/// Degraded is fit to serve: taking the process out of service would make it worse.
const fn status(overall: Status) -> StatusCode {
    match overall {
        Status::Healthy | Status::Degraded => StatusCode::OK,
        Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The state of each circuit that is in force, by its name, or by the path of its function.
fn circuits() -> BTreeMap<&'static str, &'static str> {
    let layers = site::all().filter_map(|site| site.live().circuit_breaker.as_ref());
    let snapshots = layers.map(|layer| layer.state.snapshot(&layer.policy));
    snapshots
        .map(|circuit| (circuit.name, word(circuit.state)))
        .collect()
}

const fn word(state: State) -> &'static str {
    match state {
        State::Closed => "CLOSED",
        State::Open => "OPEN",
        State::HalfOpen => "HALF_OPEN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degraded_process_is_still_served_and_an_unhealthy_one_is_not() {
        assert_eq!(status(Status::Healthy), 200);
        assert_eq!(status(Status::Degraded), 200);
        assert_eq!(status(Status::Unhealthy), 503);
    }
}
