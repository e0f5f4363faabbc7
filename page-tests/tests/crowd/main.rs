//! The live page with two hundred sites under load: what an update costs the browser.

mod sites;

use page_tests::{FAINT, OUTSIDE, Page, REPLAY};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// Milliseconds of scripts, styles and layout that an update may take: a frame is 16, and machines that
/// run tests are slow and busy. What is there to be found is work that grows with all that is shown.
const MOST: f64 = 50.0;

/// Calls every function again and again, some of which fail, until it is dropped.
struct Load(Arc<AtomicBool>);

impl Load {
    fn on(page: &Page) -> Self {
        let go = Arc::new(AtomicBool::new(true));
        let going = Arc::clone(&go);
        page.server.spawn(async move {
            let mut round = 0;
            while going.load(Relaxed) {
                for (at, function) in sites::all().enumerate() {
                    let succeeds = at % 11 > 0 || round % 3 > 0;
                    let _ = (function.call)(round % 40, succeeds).await;
                }
                round += 1;
                tokio::time::sleep(Duration::from_millis(20)).await; // a load, no wait of the test
            }
        });
        Self(go)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(false, Relaxed);
    }
}

/// The page after all sites were under load, and a few messages that it got meanwhile.
fn crowded() -> Option<(Page, Value)> {
    let page = Page::prepared("")?;
    page.prepare(REPLAY);
    let load = Load::on(&page);
    page.visit();
    page.until("document.querySelectorAll('[data-site]').length === 200");
    let messages = page.messages(4);
    let pair = |message: &Value| json!([message["eventName"], message["data"]]);
    let messages = messages.iter().skip(1).map(pair).collect();
    drop(load);
    Some((page, messages))
}

fn replay(page: &Page, messages: &Value, count: u32) {
    page.run(&format!("replay({messages}, {count})"));
}

#[test]
fn an_update_of_two_hundred_sites_is_little_work() {
    let Some((page, messages)) = crowded() else {
        return;
    };
    for (width, view) in [(1600, "wide"), (400, "narrow")] {
        page.resize(width, 900);
        replay(&page, &messages, 3);
        let before = page.metrics();
        replay(&page, &messages, 30);
        let after = page.metrics();
        let took = |name: &str| (after[name] - before[name]) * 1000.0 / 30.0;
        let [script, layout, style] =
            ["ScriptDuration", "LayoutDuration", "RecalcStyleDuration"].map(took);
        let all = took("ThreadTime");
        println!(
            "{view}: script {script:.1} ms, layout {layout:.1} ms, style {style:.1} ms; the main thread {all:.1} ms an update"
        );
        let work = script + layout + style;
        assert!(work < MOST, "{view}: {work} ms an update");
    }
    page.assert_sound();
}

#[test]
fn hours_of_updates_take_no_more_memory() {
    let Some((page, messages)) = crowded() else {
        return;
    };
    let state = || {
        page.call("HeapProfiler.collectGarbage", &json!({}));
        let metrics = page.metrics();
        ["JSHeapUsedSize", "Nodes", "JSEventListeners"].map(|name| metrics[name])
    };
    replay(&page, &messages, 62); // a minute of history is full
    let before = state();
    replay(&page, &messages, 120);
    let after = state();
    println!("heap, nodes and listeners: {before:?}, and after 120 updates {after:?}");
    assert!(
        after[0] < before[0] * 1.1 + 500_000.0,
        "{before:?} {after:?}"
    );
    assert!(after[1] <= before[1] * 1.02, "{before:?} {after:?}");
    assert!(after[2] <= before[2], "{before:?} {after:?}");
    page.assert_sound();
}

#[test]
fn two_hundred_sites_fit_and_are_filtered_as_a_few_are() {
    let Some((page, _)) = crowded() else {
        return;
    };
    let mut paths: Vec<_> = sites::all().map(|function| function.path).collect();
    paths.sort_unstable();
    assert_eq!(page.shown(), paths);
    for theme in ["dark", "light"] {
        page.prefer(&[("prefers-color-scheme", theme)]);
        page.until(&format!(
            "document.documentElement.dataset.theme === '{theme}'"
        ));
        for width in [400, 1600] {
            page.resize(width, 2400); // a part: the others are like it
            let name = format!("crowd-{width}-{theme}");
            page.photograph(&name);
            assert_eq!(page.value(OUTSIDE), json!([]), "{name}");
            assert_eq!(page.value(FAINT), json!([]), "{name}");
        }
    }
    page.click("#filter");
    page.write("billing::");
    page.until("[...document.querySelectorAll('[data-site]')].filter(row => row.checkVisibility()).length === 10");
    page.assert_sound();
}
