//! The feature `http`: the routes, refusals as responses, request ids. Every test takes the program's
//! state for itself, as the registry of health checks is one for all.

mod support;

#[path = "support/log.rs"]
mod log;

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode},
    response::IntoResponse,
    routing::get,
};
use hardening::{
    Class, Rejected, RequestId, cached, circuit_breaker,
    health::{HealthSettings, registry},
    http::{RequestIdLayer, router},
    rate_limited, request_id, retryable, testing,
};
use log::Log;
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};
use support::{AppError, AppResult, child, folder, is_child, pass};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;

const ROUTES: [&str; 7] = [
    "/health",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/metrics.json",
    "/sites",
    "/hardening",
];

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Got {
    async fn of(response: axum::response::Response) -> Self {
        let (head, body) = response.into_parts();
        let body = to_bytes(body, 1 << 22).await.expect("a bounded body");
        Self {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).expect("text"),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

fn request(method: &str, path: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    request.body(Body::empty()).expect("a request")
}

async fn ask(service: Router, request: Request<Body>) -> Got {
    let response = service.oneshot(request).await.expect("infallible");
    Got::of(response).await
}

async fn fetch(path: &str) -> Got {
    ask(router(), request("GET", path)).await
}

fn critical() -> HealthSettings {
    HealthSettings {
        critical: true,
        failure_threshold: 1,
        ..HealthSettings::default()
    }
}

#[retryable(base_delay = 0)]
async fn measured(runs: &support::Runs) -> AppResult<u32> {
    match runs.up() {
        1 => Err(AppError::Busy),
        run => Ok(run),
    }
}

#[tokio::test(start_paused = true)]
async fn the_figures_are_served_for_prometheus_and_as_small_json() {
    let _alone = testing::alone();
    measured(&support::Runs::new())
        .await
        .expect("the second attempt");
    let text = fetch("/metrics").await;
    assert_eq!(text.status, StatusCode::OK);
    assert_eq!(
        text.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert_eq!(text.header("cache-control"), Some("no-store"));
    let figures = hardening::metrics::prometheus(&hardening::snapshot());
    let report = registry().last_report();
    let health = hardening::metrics::prometheus_of_health(&report);
    assert_eq!(text.body, figures + &health);
    assert!(health.contains("hardening_health_status{status=\"healthy\"} 1"));
    assert!(
        text.body.contains("site=\"http::measured\""),
        "{}",
        text.body
    );
    let small = fetch("/metrics.json").await.json();
    assert_eq!(small["requests"]["total"], 1);
    assert_eq!(small["requests"]["success"], 1);
    assert_eq!(small["requests"]["errorRate"], 0.0);
    assert_eq!(small["sites"]["http::measured"]["requests"]["total"], 1);
    for (of, keys) in [
        ("cache", vec!["hits", "misses", "hitRate"]),
        ("duration", vec!["avg", "p95", "p99"]),
        ("queue", vec!["queueSize", "processing", "urgent"]),
    ] {
        for key in keys {
            assert!(small[of][key].is_number(), "{of}.{key} in {small}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn health_is_200_until_a_critical_check_is_unhealthy() {
    let _alone = testing::alone();
    registry().register_with("http fine", critical(), || async { true });
    registry().register("http shaky", || async { Err("a little late") });
    let got = fetch("/health").await;
    assert_eq!(got.status, 200);
    let report = got.json();
    assert_eq!(
        (&report["overall_status"], &report["healthy"]),
        (&"degraded".into(), &false.into())
    );
    let check = &report["checks"]["http shaky"];
    assert_eq!(
        (&check["status"], &check["message"]),
        (&"degraded".into(), &"a little late".into())
    );
    for key in [
        "duration_ms",
        "consecutive_failures",
        "last_success",
        "check_type",
    ] {
        assert!(check.get(key).is_some(), "{key} in {check}");
    }

    registry().register_with("http fine", critical(), || async { Err("gone") });
    assert_eq!(fetch("/health").await.status, 503);
    assert_eq!(fetch("/health/ready").await.status, 503);
    assert_eq!(
        fetch("/health/live").await.status,
        200,
        "no reason to restart"
    );
}

#[tokio::test(start_paused = true)]
async fn circuits_are_in_the_report_by_name_or_path_and_never_fail_liveness() {
    #[circuit_breaker(
        name = "aiService",
        failure_threshold = 1,
        open_for = 10,
        success_threshold = 2
    )]
    async fn ai(fails: bool) -> AppResult<()> {
        if fails { Err(AppError::Busy) } else { Ok(()) }
    }
    #[circuit_breaker]
    async fn unnamed() -> AppResult<()> {
        Ok(())
    }

    let _alone = testing::alone();
    let state = async |path| fetch(path).await.json()["circuitBreaker"]["aiService"].clone();
    assert_eq!(state("/health").await, "CLOSED");
    let _ = ai(true).await;
    assert_eq!(state("/health/ready").await, "OPEN");
    let live = fetch("/health/live").await;
    assert_eq!(
        (live.status, live.json()["overall_status"].clone()),
        (StatusCode::OK, "healthy".into())
    );
    unnamed().await.expect("a call");
    let circuits = fetch("/health").await.json()["circuitBreaker"].clone();
    let circuits = circuits.as_object().expect("an object");
    assert!(
        circuits.keys().any(|name| name.ends_with("::unnamed")),
        "{circuits:?}"
    );
    pass(10.0).await;
    ai(false).await.expect("a probe");
    assert_eq!(state("/health").await, "HALF_OPEN");
    ai(false).await.expect("the second that it takes");
    assert_eq!(state("/health").await, "CLOSED");
}

#[tokio::test(start_paused = true)]
async fn sites_are_served_with_settings_and_figures() {
    #[retryable(max_attempts = 2, base_delay = 0)]
    async fn listed() -> AppResult<()> {
        Ok(())
    }

    let _alone = testing::alone();
    listed().await.expect("a call");
    let got = fetch("/sites").await;
    assert_eq!(
        (got.status, got.header("content-type")),
        (StatusCode::OK, Some("application/json"))
    );
    let answer = got.json();
    let of_ours = |list: &Value| {
        let list = list.as_array().expect("a list");
        let found = list.iter().find(|site| {
            site["path"]
                .as_str()
                .is_some_and(|path| path.ends_with("::listed"))
        });
        found.expect("the site").clone()
    };
    assert_eq!(
        of_ours(&answer["sites"])["layers"][0]["attribute"],
        "retryable"
    );
    assert_eq!(
        of_ours(&answer["snapshot"]["sites"])["figures"]["success"],
        1
    );
    assert_eq!(answer["omitted"], 0);
}

#[tokio::test(start_paused = true)]
async fn the_routes_are_read_only_and_nothing_is_stored() {
    let _alone = testing::alone();
    for path in ROUTES {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let got = ask(router(), request(method, path)).await;
            assert_eq!(got.status, 405, "{method} {path}");
            assert_eq!(got.header("allow"), Some("GET,HEAD"));
            assert_eq!(got.header("cache-control"), Some("no-store"));
            assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
        }
        let head = ask(router(), request("HEAD", path)).await;
        assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
        assert_eq!(head.header("cache-control"), Some("no-store"));
        assert_eq!(head.header("x-content-type-options"), Some("nosniff"));
    }
    assert_eq!(fetch("/nothing").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn an_answer_holds_a_thousand_checks_and_its_status_is_that_of_all() {
    let _alone = testing::alone();
    for number in 0..1002 {
        registry().register(format!("check {number:04}"), || async { true });
    }
    registry().register_with("worst, and the last by name", critical(), || async {
        false
    });
    for path in ["/health", "/health/ready"] {
        let got = fetch(path).await;
        assert_eq!(got.status, 503, "{path}");
        let report = got.json();
        let checks = report["checks"].as_object().expect("checks");
        assert_eq!((checks.len(), &report["omitted"]), (1000, &3.into()));
        assert!(!checks.contains_key("worst, and the last by name"));
    }
    let text = fetch("/metrics").await.body;
    let of_checks = |line: &&str| line.starts_with("hardening_health_check_duration_seconds{");
    assert_eq!(text.lines().filter(of_checks).count(), 1000);
    assert!(text.contains("hardening_health_status{status=\"unhealthy\"} 1"));
}

#[tokio::test(start_paused = true)]
async fn no_route_tells_a_key_an_argument_a_result_or_an_error_of_a_call() {
    #[cached]
    #[rate_limited(capacity = 1, window_seconds = 3600, key = user)]
    #[retryable(max_attempts = 2, base_delay = 0)]
    #[circuit_breaker(failure_threshold = 2)]
    async fn secretive(user: &str, item: &str) -> Result<String, std::io::Error> {
        match item {
            "sonnet-18" => Ok("a-summers-day".to_owned()),
            _ => Err(std::io::Error::other("no-such-sonnet")),
        }
    }

    let _alone = testing::alone();
    for _ in 0..2 {
        let read = secretive("will@example.org", "sonnet-18").await;
        assert_eq!(read.expect("a sonnet"), "a-summers-day");
    }
    for item in ["sonnet-155", "sonnet-156"] {
        secretive("anne@example.org", item).await.expect_err("none");
    }
    for path in ROUTES {
        let got = fetch(path).await;
        for secret in ["example.org", "sonnet", "summers-day"] {
            let is_told =
                got.body.contains(secret) || format!("{:?}", got.headers).contains(secret);
            assert!(!is_told, "{secret} at {path}: {}", got.body);
        }
    }
    let figures = fetch("/sites").await.body;
    assert!(
        figures.contains("secretive"),
        "the site is there: {figures}"
    );
}

#[tokio::test(start_paused = true)]
async fn each_peer_may_ask_a_hundred_times_a_minute() {
    async fn from(peer: [u8; 4]) -> Got {
        let mut request = request("GET", "/health/live");
        let port = 1024 + u16::from(peer[3]);
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::from((peer, port))));
        ask(router(), request).await
    }

    let _alone = testing::alone();
    for _ in 0..100 {
        assert_eq!(from([192, 0, 2, 1]).await.status, 200);
    }
    let limited = from([192, 0, 2, 1]).await;
    assert_eq!(limited.status, 429);
    assert_eq!(limited.header("retry-after"), Some("1"));
    assert_eq!(limited.header("cache-control"), Some("no-store"));
    assert_eq!(
        limited.header("ratelimit"),
        Some("\"health_check\";r=0;t=1")
    );
    assert_eq!(
        limited.header("ratelimit-policy"),
        Some("\"health_check\";q=100;w=60")
    );
    assert_eq!(limited.json()["error"], "rate_limited");
    assert_eq!(from([192, 0, 2, 2]).await.status, 200, "another peer");
    assert_eq!(
        fetch("/health/live").await.status,
        200,
        "and those that nobody knows"
    );
    pass(1.0).await;
    assert_eq!(from([192, 0, 2, 1]).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_a_response_without_the_callers_key() {
    #[rate_limited(op = "http_search", key = user, cost = 1)]
    async fn search(user: &str) -> Result<&'static str, Rejected> {
        Ok("found")
    }

    let _alone = testing::alone();
    let app = || Router::new().route("/", get(|| search("ann@example.org")));
    let asked = async || ask(app(), request("GET", "/")).await;
    assert_eq!(
        (asked().await.body, asked().await.status),
        ("found".to_owned(), StatusCode::OK)
    );
    let got = asked().await;
    assert_eq!(
        (got.status, got.header("content-type")),
        (StatusCode::TOO_MANY_REQUESTS, Some("application/json"))
    );
    assert_eq!(got.header("retry-after"), Some("30"));
    assert_eq!(got.header("ratelimit"), Some("\"http_search\";r=0;t=30"));
    assert_eq!(
        got.header("ratelimit-policy"),
        Some("\"http_search\";q=2;w=60")
    );
    let body = got.json();
    assert_eq!(
        (&body["error"], &body["op"]),
        (&"rate_limited".into(), &"http_search".into())
    );
    assert_eq!(body["retry_after"], 30);
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|text| text.contains("rate limit"))
    );
    assert!(!format!("{:?}{}", got.headers, got.body).contains("ann"));
}

#[tokio::test(start_paused = true)]
async fn each_refusal_has_its_status() {
    let _alone = testing::alone();
    let wait = Duration::from_millis(1500);
    let cases = [
        (
            Rejected::RateLimited {
                op: "http_windows",
                retry_after: Some(wait),
            },
            429,
            "rate_limited",
            Some("2"),
        ),
        (
            Rejected::RateLimited {
                op: "http_search",
                retry_after: None,
            },
            429,
            "rate_limited",
            None,
        ),
        (
            Rejected::CircuitOpen {
                name: "ai",
                retry_after: Some(wait),
            },
            503,
            "circuit_open",
            Some("2"),
        ),
        (
            Rejected::CircuitOpen {
                name: "ai",
                retry_after: None,
            },
            503,
            "circuit_open",
            None,
        ),
        (
            Rejected::BulkheadFull { name: "ai" },
            503,
            "bulkhead_full",
            None,
        ),
        (
            Rejected::TimedOut {
                name: "ai",
                after: wait,
            },
            504,
            "timed_out",
            None,
        ),
        (
            Rejected::LoadFailed {
                name: "ai",
                reason: "hunter2".into(),
                class: Class::TransientAfter(wait),
            },
            503,
            "load_failed",
            Some("2"),
        ),
    ];
    for (rejected, status, error, retry_after) in cases {
        let told = format!("{rejected:?}");
        let got = Got::of(rejected.into_response()).await;
        assert_eq!(
            (got.status.as_u16(), got.header("retry-after")),
            (status, retry_after),
            "{told}"
        );
        let body = got.json();
        assert_eq!(body["error"], error, "{told}");
        assert_eq!(
            body["retry_after"].is_null(),
            retry_after.is_none(),
            "{told}"
        );
        assert!(
            !got.body.contains("hunter2"),
            "another caller's error: {}",
            got.body
        );
        assert_eq!(got.header("ratelimit").is_some(), status == 429, "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_valid_request_id_is_taken_and_any_other_is_replaced() {
    async fn handler(Extension(id): Extension<RequestId>, headers: HeaderMap) -> String {
        tokio::task::yield_now().await;
        let inside = request_id().expect("an id");
        assert_eq!(
            (inside.as_str(), headers["x-request-id"].to_str().ok()),
            (id.as_str(), Some(id.as_str()))
        );
        id.to_string()
    }
    async fn with(id: Option<&[u8]>) -> Got {
        let app = Router::new()
            .route("/", get(handler))
            .layer(RequestIdLayer::new());
        let mut request = request("GET", "/");
        if let Some(id) = id {
            let id = axum::http::HeaderValue::from_bytes(id).expect("a header");
            request.headers_mut().insert("x-request-id", id);
        }
        ask(app, request).await
    }

    let _alone = testing::alone();
    for id in ["a", "order-7/x:y", &"x".repeat(128)] {
        let got = with(Some(id.as_bytes())).await;
        assert_eq!(
            (got.header("x-request-id"), got.body.as_str()),
            (Some(id), id)
        );
    }
    let long = "x".repeat(129);
    let bad: [&[u8]; 6] = [
        b"",
        b"a b",
        b"a\"b",
        b"it's",
        "ü".as_bytes(),
        long.as_bytes(),
    ];
    for id in bad.into_iter().map(Some).chain([None]) {
        let got = with(id).await;
        let made = got.header("x-request-id").expect("an id").to_owned();
        assert_eq!(made, got.body);
        let digits = made.strip_prefix("req-").expect("our own");
        assert!(
            digits.len() == 12 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{made}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_events_of_a_request_carry_its_id() {
    #[retryable(max_attempts = 2, base_delay = "1s", jitter = "none")]
    async fn handled() -> Result<(), AppError> {
        Err(AppError::Busy)
    }

    let _alone = testing::alone();
    let log = Log::of_the_process();
    let app = Router::new()
        .route(
            "/",
            get(|| async { handled().await.map_err(|error| error.to_string()) }),
        )
        .layer(RequestIdLayer::new());
    let mut request = request("GET", "/");
    request
        .headers_mut()
        .insert("x-request-id", "from-outside".parse().expect("a header"));
    ask(app, request).await;
    let told = log.with("::handled\"");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter()
            .all(|line| line.contains("request_id=\"from-outside\"")),
        "{told:?}"
    );
}

const NO_OP: &str = "runtime: {rate_limiting: {defaults: {other: {capacity: 1, window_seconds: 60, allow: [unused]}, http_search: {capacity: 2, window_seconds: 60}}}}";

#[test]
fn the_routes_limit_needs_no_op_in_the_file_and_follows_the_one_that_is_there() {
    let name = "the_routes_limit_needs_no_op_in_the_file_and_follows_the_one_that_is_there";
    if !is_child() {
        let folder = folder("http-op");
        std::fs::write(folder.join("hardening.yaml"), NO_OP).expect("written");
        return child(name, &folder, &[]);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(async {
        let until_limited = async || {
            let mut admitted = 0;
            while fetch("/health/live").await.status == 200 {
                admitted += 1;
            }
            admitted
        };
        hardening::init!().expect("a sound file");
        assert_eq!(until_limited().await, 100, "the built-in limit");

        let small = "{health_check: {capacity: 10, window_seconds: 10}, other:";
        std::fs::write("hardening.yaml", NO_OP.replace("{other:", small)).expect("written");
        let started = hardening::init!().expect("a sound file");
        let told = |warning: &&String| warning.contains("health_check");
        assert_eq!(
            started.warnings.iter().find(told),
            None,
            "the routes use it"
        );
        pass(60.0).await;
        assert_eq!(until_limited().await, 10);

        std::fs::write("hardening.yaml", NO_OP).expect("written");
        hardening::reload().expect("it may go again");
        pass(60.0).await;
        assert_eq!(until_limited().await, 100);
    });
}

#[tokio::test]
async fn a_real_server_answers_over_a_socket() {
    async fn exchange(address: SocketAddr, head: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let request = format!(
            "{head} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: socket-1\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    }

    let _alone = testing::alone();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let app = router().layer(RequestIdLayer::new());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let health = exchange(address, "GET /health").await;
    assert!(health.starts_with("HTTP/1.1 200 OK\r\n"), "{health}");
    for part in [
        "x-request-id: socket-1",
        "cache-control: no-store",
        "\"overall_status\":",
    ] {
        assert!(health.contains(part), "{part} in {health}");
    }
    let head = exchange(address, "HEAD /sites").await;
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    let post = exchange(address, "POST /health").await;
    assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
    let mut statuses = Vec::new();
    for _ in 0..110 {
        statuses.push(
            exchange(address, "GET /health/live")
                .await
                .starts_with("HTTP/1.1 200 "),
        );
    }
    assert!(
        statuses[..90].iter().all(|ok| *ok) && statuses.contains(&false),
        "limited by peer"
    );
    server.abort();
}
