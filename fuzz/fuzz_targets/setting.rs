//! Any text as the value of one setting, in an attribute and in a variable.
#![no_main]

use hardening_config::{
    Config, Environment, LayerKind, check_health_setting, check_setting, parse_duration,
    show_duration,
};

libfuzzer_sys::fuzz_target!(|input: (u8, u8, &str)| {
    let (kind, key, text) = input;
    let kind = LayerKind::ALL[usize::from(kind) % LayerKind::ALL.len()];
    let Some(key) = kind.keys().get(usize::from(key) % kind.keys().len().max(1)) else {
        let _ = check_health_setting("interval", text);
        return;
    };
    let taken = check_setting(kind, key.name, text).is_ok();
    if let Ok(duration) = parse_duration(text) {
        assert_eq!(parse_duration(&show_duration(duration)), Ok(duration));
    }
    let section = kind.section().unwrap_or_default();
    let name = if kind == LayerKind::RateLimit {
        "SEARCH"
    } else {
        "DEFAULT"
    };
    let variable = format!("HARDENING__{section}__{name}__{}", key.name).to_uppercase();
    let read = Config::builtin_in(&Environment::from_pairs([(variable, text)]));
    // A value that is refused alone is refused in a variable; rules between keys may refuse more.
    assert!(taken || read.is_err(), "{} {text:?}", key.name);
});
