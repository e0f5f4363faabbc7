//! What the page looks like: widths, themes, contrast, motion. The pictures are in `target/page`.

use crate::sites::{orders, pay, price};
use hardening::health::registry;
use page_tests::{FAINT, OUTSIDE, Page};
use serde_json::json;

const WIDTHS: [u32; 5] = [320, 400, 1024, 1280, 1600];
const THEMES: [&str; 2] = ["dark", "light"];

fn calm(page: &Page) {
    registry().register("warehouse", || async { true });
    page.server.run(async {
        for of in 0..20 {
            let _ = (
                price(of % 4).await,
                pay(true).await,
                orders::place(true).await,
            );
        }
        registry().run_all().await;
    });
    page.until_field("page::sites::price", "calls", 20);
    page.until("document.querySelector('#health').dataset.status === 'healthy'");
}

fn troubled(page: &Page) {
    registry().register("a check with quite a long name for a narrow window", || async {
        Err("the connection to warehouse-7.internal.example.org:5432 was refused after 3 attempts")
    });
    page.server.run(async {
        for _ in 0..30 {
            let _ = (pay(false).await, orders::place(false).await);
        }
        registry().run_all().await;
    });
    page.until_field("page::sites::pay", "breaker", "open");
    page.until("document.querySelector('#health').dataset.status !== 'healthy'");
}

/// `look` at the page in each width and theme.
fn in_every_dress(page: &Page, look: impl Fn(&str)) {
    for theme in THEMES {
        page.prefer(&[("prefers-color-scheme", theme)]);
        page.until(&format!(
            "document.documentElement.dataset.theme === '{theme}'"
        ));
        for width in WIDTHS {
            page.resize(width, 900);
            page.unroll();
            look(&format!("{width}-{theme}"));
        }
    }
}

#[test]
fn everything_fits_every_width_and_every_text_stands_out_in_both_themes() {
    let Some(page) = Page::open() else { return };
    let look = |name: &str| {
        if name.contains("-400-") || name.contains("-1600-") {
            page.photograph(name);
        }
        assert_eq!(page.value(OUTSIDE), json!([]), "{name}");
        assert_eq!(page.value(FAINT), json!([]), "{name}");
    };
    calm(&page);
    in_every_dress(&page, |dress| look(&format!("shop-calm-{dress}")));
    troubled(&page);
    in_every_dress(&page, |dress| look(&format!("shop-troubled-{dress}")));
    page.run("document.querySelectorAll('[data-details]').forEach(button => button.click())");
    page.until("document.body.innerText.includes('failure_threshold')");
    in_every_dress(&page, |dress| look(&format!("shop-details-{dress}")));
    page.assert_sound();
}

#[test]
fn no_width_makes_the_page_scroll_sideways() {
    let Some(page) = Page::open() else { return };
    troubled(&page);
    for width in (320..=1920).step_by(40) {
        page.resize(width, 5000);
        assert_eq!(page.value(OUTSIDE), json!([]), "at {width}");
    }
    page.assert_sound();
}

#[test]
fn nothing_moves_for_those_who_asked_for_less_motion() {
    let Some(page) = Page::prepared("") else {
        return;
    };
    page.prefer(&[("prefers-reduced-motion", "reduce")]);
    page.visit();
    troubled(&page);
    let moving = "[...document.querySelectorAll('*')].filter(element => {
        const style = getComputedStyle(element);
        const lasts = text => text.split(',').some(time => parseFloat(time) > 0.01);
        return (style.animationName !== 'none' && lasts(style.animationDuration)) || lasts(style.transitionDuration)
            || style.scrollBehavior === 'smooth';
    }).map(element => element.outerHTML.slice(0, 80))";
    assert_eq!(page.value(moving), json!([]));
    assert_eq!(page.value("document.getAnimations().length"), 0);
    page.assert_sound();
}

#[test]
fn text_twice_as_large_still_fits() {
    let Some(page) = Page::open() else { return };
    troubled(&page);
    page.resize(640, 900);
    page.unroll();
    page.run("document.documentElement.style.fontSize = '200%'");
    page.photograph("large-text");
    assert_eq!(page.value(OUTSIDE), json!([]));
    page.assert_sound();
}
