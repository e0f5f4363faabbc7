//! What the page says is what the program says.

use crate::sites::{flaky, odd, orders, pay, price};
use hardening::{SiteSnapshot, Snapshot, health::registry, snapshot};
use page_tests::Page;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What the fields of `site` have to be; null for a layer that it has not.
fn fields(site: &SiteSnapshot, all: &Snapshot) -> [(&'static str, Value); 9] {
    let figures = &site.figures;
    let op = site.op.map(|name| all.ops.iter().find(|op| op.op == name));
    let limit = op.map(|op| op.expect("its op").limits[0].remaining);
    [
        ("calls", json!(figures.calls())),
        ("errors", json!(figures.errors())),
        ("error_rate", json!(figures.error_rate())),
        ("p95", json!(figures.latency.p95.as_secs_f64())),
        ("in_flight", json!(figures.in_flight)),
        ("breaker", json!(site.circuit.as_ref().map(|it| it.state))),
        ("limit", json!(limit)),
        (
            "queue",
            json!(site.bulkhead.as_ref().map(|it| it.queued.total())),
        ),
        (
            "hit_rate",
            json!(site.cache.as_ref().map(|_| figures.hit_rate())),
        ),
    ]
}

/// A field as the page has it: a number, a word, or null.
fn shown(page: &Page, site: &str, field: &str) -> Value {
    let Value::String(text) = page.field(site, field) else {
        panic!("no {field} at {site}");
    };
    match text.parse::<f64>() {
        Ok(number) => json!(number),
        Err(_) if text.is_empty() => Value::Null,
        Err(_) => json!(text),
    }
}

fn as_float(value: &Value) -> Value {
    value
        .as_f64()
        .map_or_else(|| value.clone(), |number| json!(number))
}

fn assert_equal(page: &Page) {
    let now = snapshot();
    for site in &now.sites {
        for (field, value) in fields(site, &now) {
            let of = &site.path;
            assert_eq!(shown(page, of, field), as_float(&value), "{field} of {of}");
        }
    }
}

#[test]
fn every_figure_of_every_site_is_that_of_the_snapshot_before_and_after_calls() {
    let Some(page) = Page::open() else { return };
    assert_equal(&page);
    let gate = Arc::new(Semaphore::new(0));
    for _ in 0..5 {
        let gate = Arc::clone(&gate); // two run, three wait
        page.server
            .spawn(async move { orders::pack(&gate).await.expect("its turn") });
    }
    page.server.run(async {
        for id in 0..24 {
            let _ = (price(id % 7).await, orders::place(id % 5 > 0).await);
        }
        for _ in 0..5 {
            let _ = pay(false).await;
        }
    });
    page.until_field("page::sites::orders::pack", "queue", 3);
    page.until_field("page::sites::orders::pack", "in_flight", 5);
    page.until_field("page::sites::orders::place", "calls", 24);
    page.until_field("page::sites::pay", "calls", 5);
    page.until_field("page::sites::price", "calls", 24);
    assert_equal(&page);
    assert_eq!(page.field("page::sites::pay", "breaker"), "open");
    page.photograph("queue");

    gate.add_permits(5);
    page.until_field("page::sites::orders::pack", "calls", 5);
    page.until_field("page::sites::orders::pack", "queue", 0);
    assert_equal(&page);
    page.assert_sound();
}

#[test]
fn the_rate_rises_with_calls_and_falls_after_them() {
    let Some(page) = Page::open() else { return };
    page.server.run(async {
        for id in 0..50 {
            let _ = price(id).await;
        }
    });
    for of in ["[data-site=\"page::sites::price\"]", "#summary"] {
        let rate = format!(
            "Number(document.querySelector({}).dataset.value)",
            json!(format!("{of} [data-field=rate]"))
        );
        page.until(&format!("{rate} > 0"));
        let most = page.value(&rate);
        page.until(&format!("{rate} < {most} / 2"));
    }
    page.assert_sound();
}

#[test]
fn the_summary_counts_all_sites_together() {
    let Some(page) = Page::open() else { return };
    page.server.run(async {
        for id in 0..6 {
            let _ = (price(id).await, pay(id > 1).await);
        }
    });
    page.until_field("page::sites::pay", "calls", 6);
    let total = snapshot().total;
    let summary = |field: &str| {
        let value = page.value(&format!(
            "document.querySelector('#summary [data-field={field}]').dataset.value"
        ));
        value.as_str().and_then(|text| text.parse::<f64>().ok())
    };
    assert_eq!(summary("sites"), Some(snapshot().sites.len() as f64));
    assert_eq!(summary("error_rate"), Some(total.error_rate()));
    page.assert_sound();
}

#[test]
fn a_circuit_is_shown_closed_open_and_closed_again() {
    let Some(page) = Page::open() else { return };
    let site = "page::sites::flaky";
    assert_eq!(page.field(site, "breaker"), "closed");
    let _ = page.server.run(flaky(false));
    page.until_field(site, "breaker", "open");
    while page.server.run(flaky(true)).is_err() {} // as soon as a probe is admitted
    page.until_field(site, "breaker", "closed");
    page.assert_sound();
}

#[test]
fn the_health_section_is_the_report() {
    let Some(page) = Page::open() else { return };
    let is_neutral = "(style => style.borderLeftColor === style.borderTopColor)(getComputedStyle(document.querySelector('#health')))";
    page.until(is_neutral); // without checks, nothing is known to be well
    assert_eq!(
        page.value("document.querySelector('#no-checks').checkVisibility()"),
        true
    );

    registry().register("database", || async { true });
    registry().register("search", || async { Err("the index is being built") });
    let report = page.server.run(registry().run_all());
    for (name, check) in &report.checks {
        let row = format!("document.querySelector('[data-check={name}]')");
        page.until(&format!("{row}.dataset.status === '{}'", check.status));
        let text = page.value(&format!("{row}.innerText"));
        let text = text.as_str().expect("text");
        assert!(
            text.contains(check.message.as_deref().unwrap_or_default()),
            "{text}"
        );
    }
    let overall = page.value("document.querySelector('#health').dataset.status");
    assert_eq!(overall, report.overall_status.as_str());
    let count = page.value("document.querySelectorAll('[data-check]').length");
    assert_eq!(count, report.checks.len());

    registry().unregister("search");
    page.until("document.querySelectorAll('[data-check]').length === 1");
    page.until("document.querySelector('#health').dataset.status === 'healthy'");
    assert_eq!(page.value(is_neutral), false);

    registry().unregister("database");
    page.until(is_neutral);
    page.assert_sound();
}

#[test]
fn the_details_say_what_every_call_came_to() {
    let Some(page) = Page::open() else { return };
    page.server.run(async {
        for id in 0..40 {
            let _ = orders::place(id % 4 > 0).await; // 40 attempts are admitted, or fewer
        }
        for _ in 0..9 {
            let _ = orders::place(true).await;
        }
    });
    let path = "page::sites::orders::place";
    page.until_field(path, "calls", 49);
    page.click(&format!("[data-site='{path}'] [data-details]"));
    let figures = snapshot().site(path).expect("the site").figures.clone();
    let said = page.value(&format!(
        "Object.fromEntries([...document.querySelectorAll('[data-site=\"{path}\"] dt')].map(term => [term.innerText, term.nextElementSibling.innerText]))"
    ));
    for (kind, calls) in figures.by_outcome() {
        let title = match kind.as_str() {
            "dropped" => "Dropped by caller".to_owned(),
            kind => kind[..1].to_uppercase() + &kind[1..].replace('_', " "),
        };
        assert_eq!(said[&title], calls.to_string(), "{title} in {said}");
    }
    assert_eq!(said["Attempts"], figures.attempts.to_string());
    assert!(figures.rate_limited > 0 && figures.error > 0, "{figures:?}");
    page.assert_sound();
}

#[test]
fn what_looks_like_markup_is_text() {
    const IMAGE: &str = "<img src=x onerror=\"window.hurt = true\">";
    let Some(page) = Page::open() else { return };
    registry().register(format!("check {IMAGE}"), || async {
        Err(format!(
            "<script>window.hurt = true</script> {IMAGE} & so on"
        ))
    });
    page.server.run(async {
        let _ = odd().await;
        registry().run_all().await;
    });
    page.until("document.querySelector('#health').innerText.includes('<script>')");
    let said = page.value("document.querySelector('#health').innerText");
    assert!(
        said.as_str()
            .is_some_and(|said| said.contains(IMAGE) && said.contains("& so on")),
        "{said}"
    );
    page.run("document.querySelectorAll('[data-details]').forEach(button => button.click())");
    page.until(&format!(
        "document.querySelector('#sites').innerText.includes({})",
        json!(IMAGE)
    ));
    assert_eq!(page.value("document.querySelectorAll('img').length"), 0);
    assert_eq!(page.value("window.hurt ?? null"), Value::Null);
    page.assert_sound();
}
