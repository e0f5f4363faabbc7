//! What the page asks for, where it is served, and what it does without its server.

use crate::sites::{pay, price};
use page_tests::Page;

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
    let other: Vec<_> = page
        .complaints()
        .into_iter()
        .filter(|told| !told.contains("net::ERR_"))
        .collect();
    assert_eq!(other, [""; 0], "but that nobody answered");
}
