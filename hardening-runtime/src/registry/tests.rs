//! What a reload leaves behind.

use super::*;
use crate::{
    config::{Environment, LayerKind},
    site::Registered,
};

static SITE: Site = Site::new(
    || "registry::tests::place::here",
    "src/registry/tests.rs",
    "cached 1\nrate_limited 1\n policy search\nretryable 1\ncircuit_breaker 1\nbulkhead 1\n",
);

inventory::submit! { Registered(&SITE) }

fn put(yaml: &str) -> &'static Live {
    let config = Config::parse(yaml.as_bytes(), "test.yaml", &Environment::none()).unwrap();
    put_in_force(config, Vec::new()).unwrap();
    SITE.live_now().unwrap()
}

fn with_attempts(attempts: u32) -> String {
    format!(
        "runtime:
  retry: {{default_policy: {{max_attempts: {attempts}}}}}
  rate_limiting: {{defaults: {{search: {{capacity: 1, window_seconds: 1}}}}}}
"
    )
}

fn kept() -> usize {
    with(|states| states.lives[&address(&SITE)].len())
}

fn origin_of_attempts() -> String {
    let report = with(|states| states.report(&SITE)).unwrap();
    let retry = report.layers.iter().find(|of| of.kind == LayerKind::Retry);
    let settings = &retry.unwrap().settings;
    let setting = settings.iter().find(|set| set.key == "max_attempts");
    setting.unwrap().origin.to_string()
}

/// One test, because what is in force is the program's.
#[test]
fn a_reload_keeps_what_is_new_and_nothing_else() {
    SITE.live(); // what is built in, unless another test was first
    let before = kept();
    let two = put(&with_attempts(2));
    assert_eq!(origin_of_attempts(), "test.yaml:2:28");
    let moved = format!("# a comment\n\n{}", with_attempts(2));
    assert!(std::ptr::eq(two, put(&moved)), "only places have changed");
    assert_eq!(origin_of_attempts(), "test.yaml:4:28", "and they are told");
    for _ in 0..100 {
        let three = put(&with_attempts(3));
        assert!(!std::ptr::eq(two, three));
        assert_eq!(three.retry.as_ref().unwrap().policy.max_attempts, 3);
        assert!(std::ptr::eq(two, put(&with_attempts(2))));
    }
    let observed = with_attempts(2).replace("capacity", "mode: observe, capacity");
    assert!(put(&observed).rate_limit.as_ref().unwrap().observe);
    let off = with_attempts(2).replace("default_policy", "enabled: false, default_policy");
    assert!(put(&off).retry.is_none());
    assert_eq!(kept() - before, 4);
    // The figure that the pages give.
    assert!(size_of::<Live>() <= 640, "{}", size_of::<Live>());
}
