//! The page `/hardening` and what its events tell. Every test takes the program's state for itself.

mod support;

#[path = "support/viewer.rs"]
mod viewer;

use axum::Router;
use hardening::{
    bulkhead, cached, circuit_breaker,
    health::{HealthSettings, registry},
    http::router,
    rate_limited, retryable, snapshot, testing, timeout,
};
use serde_json::{Value, json};
use std::time::Duration;
use support::{AppError, AppResult, assert_took, child, folder, is_child, timed};
use viewer::{Viewer, get, header, site, text_of};

const ORDERED_AT: u32 = line!() + 1;
#[rate_limited(capacity = 3, window_seconds = 3600, key = user)]
#[circuit_breaker(failure_threshold = 2, open_for = "1h")]
#[bulkhead(max_concurrent = 4, max_queue = 7)]
async fn ordered(user: &str, works: bool) -> AppResult<()> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    if works { Ok(()) } else { Err(AppError::Busy) }
}

#[cached(ttl = "1h", max_entries = 50)]
async fn looked_up(item: u32) -> AppResult<u32> {
    Ok(item)
}

#[timeout("1s")]
#[retryable(max_attempts = 2, base_delay = 0)]
async fn failed() -> AppResult<()> {
    Err(AppError::Busy)
}

#[tokio::test(start_paused = true)]
async fn the_page_is_one_document_that_may_ask_for_nothing_but_its_events() {
    let _alone = testing::alone();
    let page = get(router(), "/hardening").await;
    assert_eq!(page.status(), 200);
    let headers = page.headers().clone();
    assert_eq!(header(&headers, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&headers, "cache-control"), "no-store");
    assert_eq!(header(&headers, "x-content-type-options"), "nosniff");
    assert_eq!(header(&headers, "referrer-policy"), "no-referrer");
    let policy = header(&headers, "content-security-policy");
    for part in [
        "default-src 'none'",
        "connect-src 'self'",
        "script-src 'sha256-",
        "style-src 'sha256-",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");

    let text = text_of(page).await;
    assert!(text.starts_with("<!doctype html>"), "{}", &text[..80]);
    assert!(text.contains("<link rel=\"icon\" href=\"data:"));
    assert!(
        text.contains("EventSource(\"hardening/events\")"),
        "relative"
    );
    assert!(
        !text.contains("src=\"") && !text.contains("https:"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_event_has_the_figures_of_the_snapshot() {
    let _alone = testing::alone();
    ordered("alice", true).await.expect("it works");
    ordered("alice", false).await.expect_err("busy");
    ordered("alice", false)
        .await
        .expect_err("busy, which opens the circuit");
    ordered("alice", true).await.expect_err("limited");
    for item in [1, 1, 1, 2] {
        looked_up(item).await.expect("an item");
    }
    failed().await.expect_err("busy, twice");

    let mut viewer = Viewer::open().await;
    let all = viewer.expect("all").await;
    let snapshot = snapshot();
    assert_eq!(
        all["sites"].as_array().map(Vec::len),
        Some(snapshot.sites.len())
    );
    for (shown, is) in all["sites"]
        .as_array()
        .expect("sites")
        .iter()
        .zip(&snapshot.sites)
    {
        let (shown, figures) = (&shown["figures"], &is.figures);
        assert_eq!(shown["calls"], figures.calls(), "{}", is.path);
        assert_eq!(shown["errors"], figures.errors());
        assert_eq!(shown["error_rate"], figures.error_rate());
        assert_eq!(shown["in_flight"], figures.in_flight);
        assert_eq!(shown["attempts"], figures.attempts);
        assert_eq!(shown["retries"], figures.retries);
        assert_eq!(shown["latency"], json!(figures.latency));
        for (kind, calls) in figures.by_outcome() {
            assert_eq!(
                shown["outcomes"][kind.as_str()].as_u64().unwrap_or(0),
                calls
            );
        }
    }
    assert_eq!(all["summary"]["sites"], snapshot.sites.len());
    assert_eq!(all["summary"]["calls"], snapshot.total.calls());
    assert_eq!(all["summary"]["error_rate"], snapshot.total.error_rate());

    let (_, order) = site(&all, "ordered");
    let figures = &order["figures"];
    assert_eq!(
        figures["outcomes"],
        json!({"success": 1, "error": 2, "rate_limited": 1})
    );
    assert_eq!(figures["breaker"]["state"], "open");
    let limit = &figures["limit"];
    assert_eq!(
        (&limit["remaining"], &limit["capacity"], &limit["keys"]),
        (&json!(0), &json!(3), &json!(1))
    );
    assert_eq!(figures["queue"]["max_concurrent"], 4);
    assert_eq!(
        figures["queue"]["queued"],
        json!({"urgent": 0, "high": 0, "normal": 0, "low": 0})
    );
    assert!(figures.get("cache").is_none(), "{figures}");
    assert_eq!(order["file"], file!());
    assert_eq!(order["line"], ORDERED_AT);
    let layers: Vec<_> = order["layers"]
        .as_array()
        .expect("layers")
        .iter()
        .map(|it| &it["attribute"])
        .collect();
    assert_eq!(layers, ["rate_limited", "circuit_breaker", "bulkhead"]);
    assert_eq!(order["layers"][0]["settings"][0], json!(["capacity", "3"]));

    let cache = &site(&all, "looked_up").1["figures"]["cache"];
    assert_eq!(
        (&cache["hits"], &cache["misses"], &cache["hit_rate"]),
        (&json!(2), &json!(2), &json!(0.5))
    );
    let text = all.to_string();
    assert!(!text.contains("alice"), "a key of a caller in {text}");
}

#[tokio::test(start_paused = true)]
async fn each_second_has_an_event_with_what_changed_and_nothing_else() {
    let _alone = testing::alone();
    let mut viewer = Viewer::open().await;
    let all = viewer.expect("all").await;
    let (ordered_at, _) = site(&all, "ordered");
    let (first, _) = timed(viewer.expect("tick")).await;
    assert_eq!(first["sites"], json!({}), "nothing happened");
    assert!(
        first.get("summary").is_none() && first.get("health").is_none(),
        "{first}"
    );

    let calls = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        for user in ["a", "b", "c"] {
            ordered(user, user != "b").await.ok();
        }
    };
    let (((), tick), took) = timed(async { tokio::join!(calls, viewer.expect("tick")) }).await;
    assert_took(took, 1.0);
    assert_eq!(
        tick["tick"].as_u64(),
        first["tick"].as_u64().map(|it| it + 1)
    );
    assert_eq!(tick["summary"]["calls"], 3);
    let sites = tick["sites"].as_object().expect("sites");
    assert_eq!(sites.len(), 1, "only what changed: {tick}");
    let change = &sites[&ordered_at.to_string()];
    let (calls, errors, p95) = (
        &change["point"][0],
        &change["point"][1],
        &change["point"][2],
    );
    assert_eq!((calls, errors), (&json!(3.0), &json!(1.0)));
    assert!(
        (0.02..0.022).contains(&p95.as_f64().expect("a p95")),
        "{p95}"
    );
    assert_eq!(change["figures"]["calls"], 3);
    assert_eq!(change["figures"]["recent"]["error_rate"], 0.3333);

    for _ in 0..5 {
        let (tick, took) = timed(viewer.expect("tick")).await;
        assert_took(took, 1.0);
        let change = &tick["sites"][ordered_at.to_string()];
        assert!(change.get("point").is_none(), "an idle second: {tick}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_p95_is_of_its_second_and_what_is_recent_of_some_ten() {
    let _alone = testing::alone();
    let mut viewer = Viewer::open().await;
    let (index, _) = site(&viewer.expect("all").await, "looked_up");
    for item in 0..40 {
        looked_up(item).await.expect("an item");
    }
    let recent = |tick: &Value| tick["sites"][index.to_string()]["figures"]["recent"].clone();
    assert_eq!(recent(&viewer.expect("tick").await)["rate"], 40.0);
    for _ in 0..8 {
        viewer.expect("tick").await;
    }
    let tenth = recent(&viewer.expect("tick").await);
    assert_eq!(tenth["rate"], 4.0, "40 in ten seconds");
    for _ in 0..9 {
        viewer.expect("tick").await;
    }
    let last = viewer.expect("tick").await;
    assert_eq!(
        recent(&last),
        json!({"rate": 0.0, "error_rate": 0.0, "p95": null}),
        "{last}"
    );
}

#[tokio::test(start_paused = true)]
async fn new_settings_are_sent_with_everything_else() {
    let _alone = testing::alone();
    let mut viewer = Viewer::open().await;
    viewer.expect("all").await;
    viewer.expect("tick").await;
    hardening::reload().expect("the same file again");
    viewer.expect("all").await;
    viewer.expect("tick").await;
}

const SWITCHED: &str = "runtime: {circuit_breaker: {enabled: true}}";

#[test]
fn a_layer_that_is_switched_off_leaves_the_page_and_the_minute_before_stays() {
    let name = "a_layer_that_is_switched_off_leaves_the_page_and_the_minute_before_stays";
    if !is_child() {
        let folder = folder("page-switched");
        std::fs::write(folder.join("hardening.yaml"), SWITCHED).expect("written");
        return child(name, &folder, &[]);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(async {
        hardening::reload().expect("a sound file");
        let mut viewer = Viewer::open().await;
        let all = viewer.expect("all").await;
        let before = site(&all, "switched").1;
        assert_eq!(before["figures"]["breaker"]["state"], "closed");
        switched().await.expect("a call");
        viewer.expect("tick").await;

        let off = SWITCHED.replace("true", "false");
        std::fs::write("hardening.yaml", off).expect("written");
        hardening::reload().expect("a sound file");
        let all = viewer.expect("all").await;
        let after = site(&all, "switched").1;
        assert!(after["figures"].get("breaker").is_none(), "{after}");
        assert_eq!(after["layers"][0]["enabled"], false);
        assert_eq!(after["figures"]["calls"], 1);
        assert_eq!(after["history"][0][0], 1.0);

        std::fs::write("hardening.yaml", SWITCHED).expect("written");
        hardening::reload().expect("a sound file");
        let all = viewer.expect("all").await;
        let again = site(&all, "switched").1;
        assert_eq!(again["figures"]["breaker"]["state"], "closed");
        assert_eq!(again["history"].as_array().map(Vec::len), Some(3));
    });
}

#[circuit_breaker]
async fn switched() -> AppResult<()> {
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn it_works_below_a_prefix() {
    let _alone = testing::alone();
    let app = Router::new().nest("/ops", router());
    let page = text_of(get(app.clone(), "/ops/hardening").await).await;
    assert!(
        page.contains("EventSource(\"hardening/events\")"),
        "relative to /ops/"
    );
    assert!(!page.contains("href=\"/"), "so are the links");
    Viewer::of(get(app, "/ops/hardening/events").await)
        .expect("all")
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_events_are_for_proxies_not_to_hold_back() {
    let _alone = testing::alone();
    let events = get(router(), "/hardening/events").await;
    assert_eq!(
        header(events.headers(), "content-type"),
        "text/event-stream"
    );
    assert_eq!(header(events.headers(), "cache-control"), "no-store");
    assert_eq!(header(events.headers(), "x-accel-buffering"), "no");
}

#[tokio::test(start_paused = true)]
async fn health_is_what_was_found_last_and_no_text_of_it_breaks_an_event() {
    let _alone = testing::alone();
    let runs = std::sync::Arc::new(support::Runs::new());
    let text = "</script><b>\"gone\"\n\ndata: {}\r\u{2028}";
    let settings = HealthSettings {
        critical: true,
        failure_threshold: 1,
        ..HealthSettings::default()
    };
    let counted = std::sync::Arc::clone(&runs);
    registry().register_with("page <i>", settings, move || {
        counted.up();
        async move { Err(text) }
    });
    let mut viewer = Viewer::open().await;
    let health = viewer.expect("all").await["health"].clone();
    assert_eq!(health, json!(registry().last_report()));
    assert_eq!(runs.get(), 0, "to look runs nothing");

    registry().run_all().await;
    let tick = viewer.expect("tick").await;
    assert_eq!(tick["health"]["overall_status"], "unhealthy");
    assert_eq!(tick["health"]["checks"]["page <i>"]["message"], text);
    assert_eq!(runs.get(), 1);
    assert!(
        viewer.expect("tick").await.get("health").is_none(),
        "told once"
    );
}

/// Its two functions have one path.
struct Shelf<T>(T);

impl Shelf<u8> {
    #[retryable(max_attempts = 1)]
    fn top(&self) -> AppResult<u8> {
        Ok(self.0)
    }
}

impl Shelf<u16> {
    #[bulkhead(max_concurrent = 1)]
    fn top(&self) -> AppResult<u16> {
        Ok(self.0)
    }
}

#[test]
fn functions_of_one_path_are_in_one_order_in_what_they_are_and_how_they_fare() {
    let _alone = testing::alone();
    Shelf(1_u8).top().expect("a value");
    Shelf(1_u16).top().expect("a value");
    for (info, fares) in hardening::sites().iter().zip(&snapshot().sites) {
        let layers: Vec<_> = info.layers.iter().map(|it| it.attribute).collect();
        assert_eq!((&info.path, layers), (&fares.path, fares.layers.clone()));
    }
}
