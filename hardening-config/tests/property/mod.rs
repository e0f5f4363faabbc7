//! What holds of every file whatever is in it. Shared by the tests and the fuzz targets.

use hardening_config::{
    BulkheadPolicy, CachePolicy, CircuitBreakerPolicy, Config, ConfigErrors, Effective,
    Environment, LayerKind, Policy, RateLimitPolicy, RetryPolicy, Selection, TimeoutPolicy,
    check_setting,
};

/// A file is read or refused alike each time; its mistakes have a place in it; and of a file that
/// is taken, everything that has a name can be used.
///
/// # Panics
/// When one of these does not hold.
pub(crate) fn holds(bytes: &[u8]) {
    let set = Environment::from_pairs([("A", "1"), ("EMPTY", ""), ("TEXT", "{a: [*b")]);
    for env in [Environment::compiling(), Environment::none(), set] {
        let read = || Config::parse(bytes, "h.yaml", &env);
        match (read(), read()) {
            (Ok(config), Ok(_)) => usable(&config),
            (Err(errors), Err(again)) => {
                assert_eq!(errors, again);
                readable(bytes, &errors);
            }
            _ => panic!("taken once, refused once"),
        }
    }
}

fn readable(bytes: &[u8], errors: &ConfigErrors) {
    let text = errors.to_string();
    assert!(errors.len() > 0 && !text.is_empty());
    assert!(text.len() < 200_000, "{} bytes of mistakes", text.len());
    let breaks = bytes.iter().filter(|byte| b"\r\n".contains(byte)).count();
    for error in errors {
        let position = error.position().expect("a mistake in the file has a place");
        let (line, column) = (position.line as usize, position.column as usize);
        assert!((1..=breaks + 2).contains(&line), "{error}");
        assert!((1..=bytes.len() + 2).contains(&column), "{error}");
    }
}

fn usable(config: &Config) {
    resolves::<RetryPolicy>(config);
    resolves::<RateLimitPolicy>(config);
    resolves::<CircuitBreakerPolicy>(config);
    resolves::<TimeoutPolicy>(config);
    resolves::<BulkheadPolicy>(config);
    resolves::<CachePolicy>(config);
    for (name, _) in config.named_checks() {
        config.health_check(name, "", &[]).unwrap();
    }
    for (site, _) in config.overridden() {
        assert!(config.overridden_at(site).len() <= LayerKind::ALL.len());
    }
    assert!(config.warnings().len() < 100_000);
}

/// Every policy, and that what is shown of its settings reads back.
fn resolves<P: Policy>(config: &Config) {
    for name in config.names(P::KIND).into_iter().take(20) {
        let name = Some(name);
        let selection = Selection {
            name,
            ..Selection::default()
        };
        let resolved = config.resolve::<P>(&selection).unwrap();
        let known = |setting: &&Effective| !setting.value.contains("${");
        for setting in resolved.settings.iter().filter(known) {
            let read = check_setting(P::KIND, setting.key, &setting.value);
            read.unwrap_or_else(|problem| panic!("{}: {}: {problem}", setting.key, setting.value));
        }
    }
}
