//! What the page asks for, where it is served, and what it does without its server.

use crate::sites::{pay, price};
use page_tests::{PATIENCE, Page, REPLAY};
use std::{
    io::{Read, Write},
    net::TcpStream,
};

const CONNECTION: &str = "document.documentElement.dataset.connection";
const PAY: &str = "page::sites::pay";

#[test]
fn the_page_asks_its_own_server_for_itself_and_its_events_and_nobody_for_anything_else() {
    let Some(page) = Page::open() else { return };
    let _ = page.messages(2);
    let path = page.server.path();
    let origin = page.server.origin();
    assert_eq!(
        page.requests(),
        [format!("{origin}{path}"), format!("{origin}{path}/events")]
    );
    assert_eq!(page.server.asked(), [path.clone(), path + "/events"]);
    let loaded = page.value("performance.getEntriesByType('resource').map(entry => entry.name)");
    let loaded: Vec<String> = serde_json::from_value(loaded).expect("a list");
    assert!(
        loaded.iter().all(|name| name.ends_with("/events")),
        "{loaded:?}"
    );
    page.assert_sound();
}

#[test]
fn the_page_works_under_a_prefix() {
    let Some(page) = Page::prepared("/internal/tools") else {
        return;
    };
    page.visit();
    let _ = page.server.run(pay(true));
    page.until_field(PAY, "calls", 1);
    let links = page.value("[...document.links].map(link => new URL(link.href).pathname)");
    let links: Vec<String> = serde_json::from_value(links).expect("paths");
    assert!(
        links
            .iter()
            .all(|path| path.starts_with("/internal/tools/")),
        "{links:?}"
    );
    assert_eq!(
        page.server.asked(),
        [
            "/internal/tools/hardening",
            "/internal/tools/hardening/events"
        ]
    );
    page.assert_sound();
}

#[test]
fn updates_arrive_without_loading_the_page_again() {
    let Some(page) = Page::open() else { return };
    page.run("window.mark = true");
    for calls in 1..=3 {
        let _ = page.server.run(price(calls));
        page.until_field("page::sites::price", "calls", calls);
    }
    assert_eq!(page.value("window.mark"), true);
    page.assert_sound();
}

#[test]
fn a_lost_connection_is_shown_and_taken_up_again_without_loading_the_page_again() {
    let Some(mut page) = Page::open() else { return };
    page.run("window.mark = true");
    let told = "document.querySelector('#summary, header, body').innerText.length";
    assert!(page.value(told).as_u64() > Some(0));

    page.server.stop();
    page.until(&format!("{CONNECTION} === 'lost'"));
    page.photograph("lost");
    assert!(!page.shown().is_empty(), "the last figures stay");

    page.server.start_again();
    page.until(&format!("{CONNECTION} === 'live'"));
    let _ = page.server.run(pay(true));
    page.until_field(PAY, "calls", 1);
    assert_eq!(page.value("window.mark"), true);
    page.assert_at_home();
    assert_only(&page, "net::ERR_");
}

/// That the browser had nothing to complain of but that nobody, or not who was asked, answered.
fn assert_only(page: &Page, expected: &str) {
    let mut other = page.complaints();
    other.retain(|told| !told.contains(expected));
    assert_eq!(other, [""; 0]);
}

#[test]
fn a_stream_that_ends_in_its_time_is_followed_by_the_next_and_nobody_notices() {
    let Some(page) = Page::prepared("") else {
        return;
    };
    page.prepare(REPLAY);
    page.visit();
    page.run("window.states = []");
    page.run("new MutationObserver(() => states.push(document.documentElement.dataset.connection)).observe(document.documentElement, {attributeFilter: ['data-connection']})");
    page.run("replay([['end', '{}']], 1)");
    let _ = page.server.run(pay(true));
    page.until_field(PAY, "calls", 1);
    let events = page.server.path() + "/events";
    let streams = page
        .server
        .asked()
        .into_iter()
        .filter(|path| *path == events);
    assert_eq!(streams.count(), 2);
    assert_eq!(page.value("states"), serde_json::json!([]));
    page.assert_sound();
}

/// Looks at the events, without a browser, until it is dropped.
fn look(page: &Page) -> TcpStream {
    let address = page.server.origin().replace("http://", "");
    let mut stream = TcpStream::connect(&address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let path = page.server.path();
    write!(
        stream,
        "GET {path}/events HTTP/1.1\r\nHost: {address}\r\n\r\n"
    )
    .expect("sent");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, *b"HTTP/1.1 200");
    stream
}

#[test]
fn where_as_many_look_as_may_the_page_says_so_and_waits_for_its_turn() {
    let Some(page) = Page::prepared("") else {
        return;
    };
    let others: Vec<_> = (0..16).map(|_| look(&page)).collect();
    page.open(&(page.server.origin() + &page.server.path()));
    page.until(&format!("{CONNECTION} === 'lost'"));
    page.until("document.querySelector('#lost').checkVisibility()");
    drop(others);
    page.until_live();
    page.assert_at_home();
    assert_only(&page, "503");
}
