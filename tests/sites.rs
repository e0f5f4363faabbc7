//! `hardening::sites()` and `hardening::snapshot()`.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{
    LayerInfo, SiteInfo, bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable,
    sites, snapshot, timeout,
};
use std::{future::pending, time::Duration};
use support::{AppError, AppResult, Runs};

fn site(path: &str) -> SiteInfo {
    let mut sites = sites().into_iter().filter(|site| site.path == path);
    let site = sites.next().unwrap_or_else(|| panic!("no site {path}"));
    assert!(sites.next().is_none(), "{path} twice");
    site
}

fn layer(site: &SiteInfo, attribute: &str) -> LayerInfo {
    let found = site
        .layers
        .iter()
        .find(|layer| layer.attribute == attribute);
    found.unwrap_or_else(|| panic!("no {attribute}")).clone()
}

fn setting(layer: &LayerInfo, key: &str) -> (String, String) {
    let found = layer.settings.iter().find(|setting| setting.key == key);
    let setting = found.unwrap_or_else(|| panic!("no setting {key} in {layer:?}"));
    (setting.value.clone(), setting.origin.clone())
}

mod shop {
    use super::*;

    pub(super) const LINE: u32 = line!() + 1;
    #[bulkhead(name = "shop")]
    #[retryable(policy = "expensive", max_attempts = 7)]
    #[fallback(|error| Err(error))]
    #[rate_limited(op = "search", key = id)]
    #[cached(ttl = 5)]
    #[timeout("10s", allow = ["retries_exceed_timeout"])]
    #[circuit_breaker(enabled = false)]
    pub(super) async fn place(id: u8) -> AppResult<u8> {
        Ok(id)
    }

    pub(super) struct Orders;
    pub(super) struct Generic<T>(pub(super) T);
    pub(super) trait Repository {
        fn find(&self) -> AppResult<u8>;
    }
    #[retryable]
    impl Orders {
        pub(super) fn list(&self) -> AppResult<u8> {
            Ok(1)
        }
    }
    #[retryable]
    impl Repository for Orders {
        fn find(&self) -> AppResult<u8> {
            Ok(1)
        }
    }
    impl<T: Copy> Generic<T> {
        #[retryable]
        pub(super) fn get(&self) -> AppResult<T> {
            Ok(self.0)
        }
    }
}

#[test]
fn every_annotated_function_is_listed_called_or_not() {
    use shop::Repository as _;
    let _ = (
        shop::Orders.list(),
        shop::Orders.find(),
        shop::Generic(1_u8).get(),
    );
    for path in [
        "sites::shop::place",
        "sites::shop::Orders::list",
        "<sites::shop::Orders as sites::shop::Repository>::find",
        "sites::shop::Generic::get",
        "sites::every_annotated_function_is_listed_called_or_not::inner",
    ] {
        site(path);
    }
    #[retryable]
    #[allow(dead_code)]
    fn inner() -> AppResult<()> {
        Ok(())
    }
    let paths: Vec<_> = sites().into_iter().map(|site| site.path).collect();
    assert!(paths.is_sorted(), "{paths:?}");
}

#[test]
fn a_site_tells_its_file_its_line_and_its_layers_outside_in() {
    let site = site("sites::shop::place");
    assert!(site.file.ends_with("tests/sites.rs"), "{}", site.file);
    assert_eq!(site.line, shop::LINE);
    let layers: Vec<_> = site.layers.iter().map(|layer| layer.attribute).collect();
    assert_eq!(
        layers,
        [
            "fallback",
            "cached",
            "timeout",
            "rate_limited",
            "retryable",
            "circuit_breaker",
            "bulkhead"
        ]
    );
    let retry = layer(&site, "retryable");
    assert_eq!(
        (retry.policy, retry.name, retry.enabled),
        (Some("expensive"), None, true)
    );
    assert_eq!(layer(&site, "rate_limited").policy, Some("search"));
    assert_eq!(layer(&site, "bulkhead").name, Some("shop"));
    assert!(!layer(&site, "circuit_breaker").enabled);
}

#[test]
fn each_setting_tells_where_it_came_from() {
    let site = site("sites::shop::place");
    let retry = layer(&site, "retryable");
    let (value, origin) = setting(&retry, "max_attempts");
    assert_eq!(value, "7");
    let line = shop::LINE + 1;
    assert_eq!(origin, format!("attribute at {}:{line}", site.file));
    let (value, origin) = setting(&retry, "max_delay");
    assert_eq!(value, "10s");
    assert!(origin.contains("hardening.yaml:4:"), "{origin}");
    let (value, origin) = setting(&retry, "jitter");
    assert_eq!(value, "none");
    assert!(origin.contains("hardening.yaml:3:"), "inherited: {origin}");
    let (value, origin) = setting(&retry, "exponential_base");
    assert_eq!((value.as_str(), origin.as_str()), ("2", "built-in"));
    let (value, origin) = setting(&layer(&site, "timeout"), "allow");
    assert_eq!(value, "[retries_exceed_timeout]");
    assert!(origin.starts_with("attribute at "), "{origin}");
    let (value, origin) = setting(&layer(&site, "rate_limited"), "capacity");
    assert_eq!(value, "30");
    assert!(origin.contains("hardening.yaml:"), "{origin}");
}

#[test]
fn names_and_settings_reach_the_site_as_they_are_written() {
    #[retryable(policy = "sites \"two  words\" \\ {ß} 🦀", base_delay = "7ms")]
    #[circuit_breaker(
        name = " sites: \"two  words\" \\ 'ß' # 🦀: [, ",
        window_calls = 20,
        failure_threshold = 9
    )]
    #[bulkhead(name = r#"policy "name" \n"#, max_queue = 7)]
    #[rate_limited(limits = [(capacity = 2, window_seconds = "1h"), (capacity = 1, window_seconds = 0.5)])]
    #[allow(dead_code)]
    fn odd() -> AppResult<()> {
        Ok(())
    }
    let site = site("sites::names_and_settings_reach_the_site_as_they_are_written::odd");
    let retry = layer(&site, "retryable");
    assert_eq!(retry.policy, Some("sites \"two  words\" \\ {ß} 🦀"));
    assert_eq!(setting(&retry, "max_attempts").0, "6");
    assert_eq!(setting(&retry, "base_delay").0, "7ms");
    let circuit = layer(&site, "circuit_breaker");
    let name = " sites: \"two  words\" \\ 'ß' # 🦀: [, ";
    assert_eq!((circuit.policy, circuit.name), (None, Some(name)));
    assert_eq!(setting(&circuit, "window_calls").0, "20");
    let places = layer(&site, "bulkhead");
    let name = r#"policy "name" \n"#;
    assert_eq!((places.policy, places.name), (None, Some(name)));
    assert_eq!(setting(&places, "max_queue").0, "7");
    let (limits, origin) = setting(&layer(&site, "rate_limited"), "limits");
    assert!(
        limits.contains("1h") && limits.contains("500ms"),
        "{limits}"
    );
    assert!(origin.starts_with("attribute at "), "{origin}");
}

#[test]
fn sites_can_be_serialised() {
    let text = serde_json::to_string(&sites()).unwrap();
    assert!(text.contains(r#""path":"sites::shop::place""#), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_kinds_of_outcome_sum_to_the_calls() {
    #[timeout("1s")]
    #[rate_limited(
        op = "search",
        capacity = 6,
        key = "the_kinds_of_outcome_sum_to_the_calls"
    )]
    #[retryable(max_attempts = 2, base_delay = "100ms")]
    async fn ask(what: u8) -> AppResult<u8> {
        match what {
            0 => Ok(0),
            1 => Err(AppError::Gone),
            2 => Err(AppError::Busy),
            3 => pending().await,
            _ => panic!("a body of the test"),
        }
    }
    for what in [0, 0, 1, 2, 3] {
        let _ = ask(what).await;
    }
    assert!(tokio::spawn(ask(4)).await.unwrap_err().is_panic());
    assert!(
        matches!(ask(0).await, Err(AppError::Rejected(_))),
        "limited"
    );
    let _ = tokio::time::timeout(Duration::ZERO, ask(3)).await;
    support::pass(3600.0).await;
    let _ = tokio::time::timeout(Duration::from_millis(1), ask(3)).await;
    let mut under_way = Box::pin(ask(3));
    let _ = futures_poll(under_way.as_mut());
    let snapshot = snapshot();
    let figures = &snapshot
        .site("the_kinds_of_outcome_sum_to_the_calls::ask")
        .unwrap()
        .figures;
    let kinds = (
        figures.success,
        figures.error,
        figures.timed_out,
        figures.panicked,
        figures.dropped,
    );
    assert_eq!(kinds, (2, 2, 1, 1, 1));
    assert_eq!(figures.rate_limited, 2);
    assert_eq!(figures.in_flight, 1);
    assert_eq!(figures.calls(), 9);
    assert_eq!(
        (figures.attempts, figures.retries),
        (2 + 1 + 2 + 1 + 1 + 1, 1)
    );
    assert_eq!(figures.latency.max, Duration::from_secs(1));
}

/// Polls once, with nobody to wake.
fn futures_poll<F: Future>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_shows_live_state_and_serialises() {
    #[cached(key = runs.get())]
    #[circuit_breaker(name = "sites: circuit", failure_threshold = 1)]
    #[bulkhead(name = "sites: places", max_concurrent = 3)]
    #[rate_limited(capacity = 5, window_seconds = 60, key = runs.get())]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    let _ = (ask(&runs).await, ask(&runs).await);
    let text = serde_json::to_value(snapshot()).unwrap();
    let path = "sites::a_snapshot_shows_live_state_and_serialises::ask";
    let found = text["sites"]
        .as_array()
        .unwrap()
        .iter()
        .find(|site| site["path"] == path);
    let found = found.unwrap();
    assert_eq!(found["circuit"]["state"], "open", "{found}");
    assert_eq!(found["rate_limit_keys"], 2, "{found}");
    assert_eq!(found["figures"]["error"], 1);
    assert_eq!(found["figures"]["circuit_open"], 1);
    assert_eq!(found["figures"]["rejected_by"]["circuit_breaker"], 1);
    assert_eq!(found["cache"]["misses"], 2, "{found}");
    assert!(found["bulkhead"].is_object());
    let total = &text["total"];
    assert!(total["error"].as_u64() >= Some(1), "{total}");
}
