//! What a screen reader is told: the accessibility tree as Chromium makes it.

use crate::sites::{orders, pay};
use hardening::health::registry;
use page_tests::Page;
use serde_json::{Value, json};

/// What is in the tree: of each node its role and name.
fn tree(page: &Page) -> Vec<(String, String, Value)> {
    let answer = page.call("Accessibility.getFullAXTree", &json!({}));
    let nodes = answer["nodes"].as_array().expect("a list").iter();
    let text = |value: &Value| {
        value["value"]
            .as_str()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    nodes
        .filter(|node| node["ignored"] != true)
        .map(|node| {
            (
                text(&node["role"]),
                text(&node["name"]),
                node["properties"].clone(),
            )
        })
        .collect()
}

fn names<'a>(tree: &'a [(String, String, Value)], role: &str) -> Vec<&'a str> {
    let of_role = tree.iter().filter(|(its, ..)| its == role);
    of_role.map(|(_, name, _)| name.as_str()).collect()
}

#[test]
fn a_screen_reader_finds_landmarks_headings_named_controls_and_a_table() {
    let Some(page) = Page::open() else { return };
    registry().register("warehouse", || async { true });
    page.server.run(async {
        registry().run_all().await;
        let _ = (pay(true).await, orders::place(false).await);
    });
    page.until_field("page::sites::pay", "calls", 1);
    page.until("document.querySelector('[data-check=warehouse]')");
    for (width, columns) in [(1600, 8), (400, 4)] {
        page.resize(width, 900);
        let tree = tree(&page);
        let count = |role: &str| names(&tree, role).len();
        assert_eq!((count("main"), count("banner")), (1, 1), "at {width}");
        assert!(names(&tree, "RootWebArea")[0].contains("hardening"));
        assert!(count("heading") >= 2, "{:?}", names(&tree, "heading"));
        for role in [
            "button",
            "checkbox",
            "searchbox",
            "textbox",
            "combobox",
            "link",
            "image",
            "img",
            "meter",
            "progressbar",
            "region",
            "table",
            "list",
        ] {
            let nameless = names(&tree, role)
                .iter()
                .filter(|name| name.is_empty())
                .count();
            let may_be = role == "list";
            assert!(
                may_be || nameless == 0,
                "at {width}: {nameless} {role} without a name"
            );
        }
        assert_eq!(count("searchbox") + count("textbox"), 1, "at {width}");
        assert!(count("button") >= 4 + 1 + 5, "{:?}", names(&tree, "button"));
        for site in ["page::sites::orders::place", "page::sites::pay"] {
            let named = tree.iter().filter(|(role, name, _)| {
                ["rowheader", "heading", "button", "listitem", "row"].contains(&&**role)
                    && name.contains(site)
            });
            assert!(named.count() >= 1, "at {width}: nobody says {site}");
        }
        assert!(count("table") >= 1, "at {width}");
        assert!(
            count("columnheader") >= columns,
            "at {width}: {:?}",
            names(&tree, "columnheader")
        );
        assert!(count("row") > 5, "at {width}");
    }
    assert_eq!(page.value("document.documentElement.lang"), "en");
    page.assert_sound();
}

#[test]
fn changes_of_state_are_announced_and_figures_are_not() {
    let Some(mut page) = Page::open() else { return };
    let live = "[...document.querySelectorAll('[aria-live]:not([aria-live=off]), [role=status], [role=alert]')]";
    assert!(page.value(&format!("{live}.length")).as_u64() > Some(0));
    assert_eq!(
        page.value(&format!(
            "{live}.filter(region => region.querySelector('[data-site], [data-field]')).length"
        )),
        0,
        "figures that change each second would never let one read"
    );
    let said = format!("{live}.map(region => region.textContent).join(' ')");
    page.server.stop();
    page.until(&format!("/lost|connect/i.test({said})"));
    page.server.start_again();
    page.until("document.documentElement.dataset.connection === 'live'");
}

#[test]
fn states_are_told_in_words_and_not_by_colour_alone() {
    let Some(page) = Page::open() else { return };
    registry().register("warehouse", || async { Err("refused") });
    page.server.run(async {
        registry().run_all().await;
        for _ in 0..4 {
            let _ = pay(false).await;
        }
    });
    page.until_field("page::sites::pay", "breaker", "open");
    page.until("/open/i.test(document.querySelector('[data-site=\"page::sites::pay\"] [data-field=breaker]').innerText)");
    page.until("/degraded/i.test(document.querySelector('[data-check=warehouse]').innerText)");
    page.until("/refused/.test(document.querySelector('#health').innerText)");
    page.assert_sound();
}

#[test]
fn without_scripts_the_page_says_where_the_figures_are() {
    let Some(page) = Page::prepared("") else {
        return;
    };
    page.call(
        "Emulation.setScriptExecutionDisabled",
        &json!({"value": true}),
    );
    page.open(&(page.server.origin() + &page.server.path()));
    let tree = tree(&page);
    let says = |part: &str| tree.iter().any(|(_, name, _)| name.contains(part));
    assert!(says("needs JavaScript"), "{tree:?}");
    assert!(names(&tree, "link").contains(&"metrics.json"), "{tree:?}");
}
