//! Filter, sort, details and theme, by mouse and by keyboard.

use crate::sites::{orders, pay, price};
use page_tests::{FOCUS, Page};
use serde_json::{Value, json};

const ALL: [&str; 7] = [
    "page::sites::flaky",
    "page::sites::odd",
    "page::sites::orders::pack",
    "page::sites::orders::place",
    "page::sites::pay",
    "page::sites::price",
    "page::sites::refund",
];
const ORDERS: [&str; 2] = [ALL[2], ALL[3]];
const PAY: &str = ALL[4];
const PRICE: &str = ALL[5];
const THEME: &str = "document.documentElement.dataset.theme";

/// The page after a few calls: most of `price`, and `pay` fails until its circuit opens.
fn visited() -> Option<Page> {
    let page = Page::open()?;
    page.server.run(async {
        for of in 0..9 {
            let _ = price(of).await;
        }
        for _ in 0..4 {
            let _ = pay(false).await;
        }
        let _ = orders::place(true).await;
    });
    page.until_field("page::sites::orders::place", "calls", 1);
    page.until_field(PAY, "breaker", "open");
    Some(page)
}

fn until_shown(page: &Page, sites: &[&str]) {
    page.until(&format!(
        "JSON.stringify([...document.querySelectorAll('[data-site]')].filter(row => row.checkVisibility()).map(row => row.dataset.site)) === {}",
        json!(json!(sites).to_string())
    ));
}

/// Presses Tab until the focus is where `is` says.
fn tab_to(page: &Page, is: impl Fn(&str) -> bool) {
    for _ in 0..60 {
        page.press("Tab");
        if page.value(FOCUS)["id"].as_str().is_some_and(&is) {
            return;
        }
    }
    panic!("no Tab leads there");
}

fn sorted(key: &str) -> String {
    format!(
        "(button => (button.closest('[aria-sort]') ?? button).getAttribute('aria-sort') ?? button.ariaPressed)(document.querySelector('button[data-sort={key}]'))"
    )
}

#[test]
fn a_filter_leaves_the_sites_whose_paths_have_the_text() {
    let Some(page) = visited() else { return };
    assert_eq!(page.shown(), ALL);
    page.click("#filter");
    page.write("ORDERS");
    until_shown(&page, &ORDERS);
    let _ = page.server.run(price(100));
    page.until_field(PRICE, "calls", 10);
    assert_eq!(page.shown(), ORDERS, "also after the next update");
    page.write("nothing of the kind");
    until_shown(&page, &[]);
    page.photograph("nothing-found");
    page.run("document.querySelector('#filter').select()");
    page.press("Delete");
    until_shown(&page, &ALL);
    page.assert_sound();
}

#[test]
fn only_troubled_sites_are_shown_on_demand() {
    let Some(page) = visited() else { return };
    page.click("#troubled");
    until_shown(&page, &[PAY]);
    page.click("#troubled");
    until_shown(&page, &ALL);
    page.assert_sound();
}

#[test]
fn sites_are_sorted_by_path_rate_errors_and_duration_and_stay_so() {
    let Some(page) = visited() else { return };
    page.click("button[data-sort=errors]");
    page.until(&format!("/desc|true/.test({})", sorted("errors")));
    page.until("document.querySelector('[data-site]').dataset.site === 'page::sites::pay'");
    page.click("button[data-sort=rate]");
    page.until(&format!("/desc|true/.test({})", sorted("rate")));
    let _ = page.messages(page.messages(1).len() + 2);
    let rates = "[...document.querySelectorAll('[data-site] [data-field=rate]')].map(rate => Number(rate.dataset.value))";
    page.until(&format!(
        "(rates => rates.every((rate, at) => at === 0 || rates[at - 1] >= rate))({rates})"
    ));
    page.click("button[data-sort=p95]");
    page.until(&format!("/desc|true/.test({})", sorted("p95")));
    page.click("button[data-sort=path]");
    until_shown(&page, &ALL);
    page.assert_sound();
}

#[test]
fn the_theme_follows_the_system_until_it_is_chosen_and_the_choice_is_kept() {
    let Some(page) = Page::prepared("") else {
        return;
    };
    page.prefer(&[("prefers-color-scheme", "light")]);
    page.visit();
    assert_eq!(page.value(THEME), "light");
    page.prefer(&[("prefers-color-scheme", "dark")]);
    page.until(&format!("{THEME} === 'dark'"));
    page.click("#theme");
    page.until(&format!("{THEME} === 'light'"));
    page.reload();
    page.until_live();
    assert_eq!(page.value(THEME), "light");
    page.assert_sound();
}

#[test]
fn details_of_a_site_open_and_close_and_stay_through_updates() {
    let Some(page) = visited() else { return };
    let button = "[data-site=\"page::sites::pay\"] [data-details], [data-details][data-site=\"page::sites::pay\"]";
    let expanded = format!("document.querySelector('{button}').ariaExpanded");
    assert_eq!(page.value(&expanded), "false");
    page.click(button);
    page.until(&format!("{expanded} === 'true'"));
    page.until("document.body.innerText.includes('failure_threshold')");
    let _ = page.server.run(price(100));
    page.until_field(PRICE, "calls", 10);
    assert_eq!(page.value(&expanded), "true");
    page.photograph("details");
    page.click(button);
    page.until(&format!("{expanded} === 'false'"));
    page.until("!document.body.innerText.includes('failure_threshold')");
    page.assert_sound();
}

#[test]
fn all_of_it_works_by_keyboard_alone() {
    let Some(page) = visited() else { return };
    page.press("/");
    page.until("document.activeElement.id === 'filter'");
    page.write("orders/");
    assert_eq!(
        page.value("document.querySelector('#filter').value"),
        "orders/"
    );
    page.press("Backspace");
    until_shown(&page, &ORDERS);
    page.run("document.querySelector('#filter').select()");
    page.press("Delete");
    until_shown(&page, &ALL);

    page.run("document.activeElement.blur()");
    tab_to(&page, |id| id == "troubled");
    page.press("Space");
    until_shown(&page, &[PAY]);
    page.press("Space");
    until_shown(&page, &ALL);

    page.run("document.activeElement.blur()");
    tab_to(&page, |id| id.starts_with("data-sort errors"));
    page.press("Enter");
    page.until("document.querySelector('[data-site]').dataset.site === 'page::sites::pay'");
    assert_eq!(
        page.value(FOCUS)["id"]
            .as_str()
            .map(|id| id.starts_with("data-sort errors")),
        Some(true),
        "the focus stays"
    );

    tab_to(&page, |id| id == "data-details page::sites::pay");
    page.press("Enter");
    page.until("document.body.innerText.includes('failure_threshold')");
    let _ = page.server.run(price(100));
    page.until_field(PRICE, "calls", 10);
    assert_eq!(
        page.value(FOCUS)["id"],
        "data-details page::sites::pay",
        "an update leaves the focus"
    );
    page.press("Space");
    page.until("!document.body.innerText.includes('failure_threshold')");

    page.run("document.activeElement.blur()");
    let before = page.value(THEME);
    tab_to(&page, |id| id == "theme");
    page.press("Enter");
    page.until(&format!("{THEME} !== {before}"));
    page.assert_sound();
}

#[test]
fn the_tab_key_goes_through_every_control_once_in_the_order_of_the_page_and_one_sees_where_it_is() {
    let Some(page) = visited() else { return };
    for width in [400, 1600] {
        page.resize(width, 900);
        page.visit();
        let mut stops = Vec::new();
        while let stop @ Value::Object(_) = {
            page.press("Tab");
            page.value(FOCUS)
        } {
            assert!(stops.len() < 60, "no end of {stops:?}");
            stops.push(stop);
        }
        for stop in &stops {
            assert_eq!(stop["tabindex"], 0, "{stop}");
            assert_eq!(stop["visible"], true, "at {width} pixels: {stop}");
            assert_eq!(stop["inside"], true, "at {width} pixels: {stop}");
        }
        let ids: Vec<_> = stops
            .iter()
            .filter_map(|stop| stop["id"].as_str())
            .collect();
        for wanted in ["filter", "troubled", "theme"] {
            assert_eq!(
                ids.iter().filter(|id| **id == wanted).count(),
                1,
                "{wanted} in {ids:?}"
            );
        }
        for site in ALL {
            let wanted = format!("data-details {site}");
            assert!(ids.contains(&&*wanted), "{wanted} in {ids:?}");
        }
        page.press("Shift+Tab");
        assert_eq!(
            page.value(FOCUS)["id"],
            *ids.last().expect("stops"),
            "and back"
        );
    }
    page.assert_sound();
}
