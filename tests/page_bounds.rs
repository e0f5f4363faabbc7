//! How much the page `/hardening` takes: viewers, tokens, time and tasks. Every test takes the program's state for
//! itself.

mod support;

#[path = "support/viewer.rs"]
mod viewer;

use hardening::{
    cached,
    http::{end_streams, router},
    retryable, snapshot, testing,
};
use serde_json::json;
use std::time::Duration;
use support::{AppResult, assert_took, child, folder, is_child, timed};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use viewer::{Viewer, get, header, site};

#[cached(ttl = "1h", max_entries = 50)]
async fn looked_up(item: u32) -> AppResult<u32> {
    Ok(item)
}

#[retryable(max_attempts = 1)]
async fn never_called() -> AppResult<()> {
    Ok(())
}

fn tokens_of_the_routes() -> u32 {
    let snapshot = snapshot();
    let op = snapshot.ops.iter().find(|op| op.op == "health_check");
    op.expect("it is in use").limits[0].remaining
}

#[tokio::test(start_paused = true)]
async fn the_history_is_a_minute_of_points_and_no_more() {
    let _alone = testing::alone();
    let app = router(); // the sampler starts here, before anybody looks
    tokio::time::sleep(Duration::from_millis(500)).await;
    for second in 0..100_u32 {
        for item in 0..=second {
            looked_up(item).await.expect("an item");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut viewer = Viewer::of(get(app, "/hardening/events").await);
    let all = viewer.expect("all").await;
    let history = site(&all, "looked_up").1["history"]
        .as_array()
        .expect("a history");
    let calls: Vec<_> = history.iter().map(|point| point[0].as_f64()).collect();
    let last_minute: Vec<_> = (41..=100).map(|calls| Some(f64::from(calls))).collect();
    assert_eq!(calls, last_minute);
    assert_eq!(
        site(&all, "never_called").1["history"],
        json!([]),
        "nothing to tell"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_missed_seconds_gets_everything_anew() {
    let _alone = testing::alone();
    let mut viewer = Viewer::open().await;
    let first = viewer.expect("all").await["tick"].as_u64();
    tokio::time::sleep(Duration::from_millis(500)).await;
    for item in 0..5 {
        looked_up(item).await.expect("an item");
        tokio::time::sleep(Duration::from_secs(1)).await; // nobody reads
    }
    let all = viewer.expect("all").await;
    assert_eq!(all["tick"].as_u64(), first.map(|tick| tick + 5));
    assert_eq!(site(&all, "looked_up").1["figures"]["calls"], 5);
    viewer.expect("tick").await;
}

#[tokio::test(start_paused = true)]
async fn sixteen_may_look_and_a_place_is_free_when_one_goes_away() {
    let _alone = testing::alone();
    let mut viewers = Vec::new();
    for _ in 0..16 {
        viewers.push(Viewer::open().await);
    }
    let refused = get(router(), "/hardening/events").await;
    assert_eq!(refused.status(), 503);
    assert_eq!(header(refused.headers(), "retry-after"), "61");
    assert_eq!(header(refused.headers(), "cache-control"), "no-store");
    assert_eq!(
        get(router(), "/hardening").await.status(),
        200,
        "the page itself is there"
    );

    viewers.pop();
    viewers.push(Viewer::open().await);
    assert_eq!(get(router(), "/hardening/events").await.status(), 503);

    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut seventeenth = Viewer::open().await; // none of them reads: their time is over all the same
    seventeenth.expect("all").await;
    viewers.clear();
    seventeenth.expect("tick").await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_a_minute_and_says_so() {
    let _alone = testing::alone();
    let mut viewer = Viewer::open().await;
    let events = async {
        let mut names = Vec::new();
        while let Some(event) = viewer.next().await {
            names.push(event.name);
        }
        names
    };
    let (names, took) = timed(events).await;
    assert_took(took, 60.0);
    assert_eq!(
        (names[0].as_str(), names.last().map(String::as_str)),
        ("all", Some("end"))
    );
    let ticks = names.iter().filter(|name| *name == "tick").count();
    assert!((58..=60).contains(&ticks), "{ticks}");
}

#[tokio::test(start_paused = true)]
async fn a_page_and_its_stream_cost_a_token_each_and_the_events_none() {
    let _alone = testing::alone();
    let app = router();
    get(app.clone(), "/hardening").await;
    assert_eq!(tokens_of_the_routes(), 99);
    let mut viewer = Viewer::of(get(app.clone(), "/hardening/events").await);
    assert_eq!(tokens_of_the_routes(), 98);
    for _ in 0..30 {
        viewer.next().await.expect("an event");
    }
    assert_eq!(tokens_of_the_routes(), 100, "it refills meanwhile");
    for _ in 0..100 {
        get(app.clone(), "/hardening").await;
    }
    assert_eq!(get(app.clone(), "/hardening").await.status(), 429);
    assert_eq!(get(app, "/hardening/events").await.status(), 429);
    viewer.expect("tick").await;
}

#[tokio::test(start_paused = true)]
async fn many_routers_have_one_sampler() {
    let _alone = testing::alone();
    let routers: Vec<_> = (0..5).map(|_| router()).collect();
    let mut viewer = Viewer::of(get(routers[0].clone(), "/hardening/events").await);
    let first = viewer.expect("all").await["tick"].as_u64().expect("a tick");
    for later in 1..=5 {
        let mut other = Viewer::of(get(routers[4].clone(), "/hardening/events").await);
        other.expect("all").await;
        assert_eq!(viewer.expect("tick").await["tick"], first + later);
    }
}

#[test]
fn the_sampler_starts_again_when_its_runtime_is_gone_and_needs_none_to_begin_with() {
    let _alone = testing::alone();
    let app = router(); // no runtime: the first request starts it
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    let first = runtime();
    let mut left = first.block_on(async {
        let mut viewer = Viewer::of(get(app.clone(), "/hardening/events").await);
        viewer.expect("all").await;
        viewer.expect("tick").await;
        viewer
    });
    drop(first);
    runtime().block_on(async {
        assert!(left.next().await.is_none(), "its sampler is gone");
        let mut viewer = Viewer::of(get(app, "/hardening/events").await);
        viewer.expect("all").await;
        let (_, took) = timed(viewer.expect("tick")).await;
        assert_took(took, 1.0);
    });
}

#[tokio::test]
async fn a_graceful_shutdown_that_ends_the_streams_waits_for_none() {
    let _alone = testing::alone();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (shut_down, asked) = tokio::sync::oneshot::channel::<()>();
    let serving = axum::serve(listener, router()).with_graceful_shutdown(async {
        asked.await.ok();
        end_streams();
    });
    let server = tokio::spawn(async move { serving.await });

    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = "GET /hardening/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut start = [0; 512];
    let read = stream.read(&mut start).await.expect("an answer");
    assert!(start[..read].starts_with(b"HTTP/1.1 200 OK\r\n"));
    shut_down.send(()).expect("it listens");
    let ended = tokio::time::timeout(Duration::from_secs(20), server).await;
    ended
        .expect("it does not wait a minute")
        .expect("no panic")
        .expect("served");
}

#[test]
fn a_router_that_is_made_before_init_loads_no_configuration_in_its_place() {
    let name = "a_router_that_is_made_before_init_loads_no_configuration_in_its_place";
    if !is_child() {
        let folder = folder("page-init");
        std::fs::write(folder.join("hardening.yaml"), "runtime: {retry: 1}").expect("written");
        return child(name, &folder, &[]);
    }
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let _app = router();
        tokio::time::sleep(Duration::from_secs(3)).await;
        std::fs::write("hardening.yaml", "runtime: {}").expect("written");
        hardening::init!().expect("nobody read the mistake");
        assert_eq!(snapshot().configuration.failed_reloads, 0);
    });
}
