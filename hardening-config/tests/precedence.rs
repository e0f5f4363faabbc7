//! Which value wins, for every section and every combination of places that say it.

use hardening_config::{
    BulkheadPolicy, CachePolicy, CircuitBreakerPolicy, Config, Environment, LayerKind, Policy,
    RateLimitPolicy, RetryPolicy, Selection, TimeoutPolicy,
};

/// Where a setting can be written, weakest first. Without any, the built-in default is in force.
const PLACES: [Place; 6] = [
    Place::DefaultPolicy,
    Place::Named,
    Place::Inline,
    Place::Override,
    Place::VariableOfDefault,
    Place::VariableOfNamed,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    DefaultPolicy,
    Named,
    Inline,
    Override,
    VariableOfDefault,
    VariableOfNamed,
}

/// One setting of a section, with as many values as there are places, and its default.
struct Row {
    key: &'static str,
    built_in: &'static str,
}

const HERE: &str = "src/lib.rs:30";

/// The value that is written at `place`.
fn value(place: Place) -> String {
    (11 + place as u8).to_string()
}

/// All combinations of places.
fn combinations() -> impl Iterator<Item = Vec<Place>> {
    let chosen = |mask: u32| move |place: &Place| mask & (1 << *place as u32) != 0;
    (0..1 << PLACES.len()).map(move |mask| PLACES.into_iter().filter(chosen(mask)).collect())
}

/// A file in which `key` stands at `places`; with `others`, a mapping of what has to be said besides.
fn file(kind: LayerKind, key: &str, places: &[Place], others: &str) -> String {
    let at = |place| {
        let written = places.contains(&place);
        if written {
            format!("{key}: {}", value(place))
        } else {
            String::new()
        }
    };
    let section = kind.section().unwrap();
    let (default, named) = (at(Place::DefaultPolicy), at(Place::Named));
    let policies = match kind {
        LayerKind::RateLimit => format!("    defaults:\n      named: {{{others}{named}}}\n"),
        _ => format!("    default_policy: {{{default}}}\n    named_policy: {{{named}}}\n"),
    };
    let site = at(Place::Override);
    format!(
        "runtime:\n  {section}:\n{policies}  overrides:\n    shop::place: {{{section}: {{{site}}}}}\n"
    )
}

fn environment(kind: LayerKind, key: &str, places: &[Place]) -> Environment {
    let section = kind.section().unwrap().to_uppercase();
    let variable = |place, name: &str| {
        let name = format!("HARDENING__{section}__{name}__{}", key.to_uppercase());
        places.contains(&place).then(|| (name, value(place)))
    };
    Environment::from_pairs(
        [
            variable(Place::VariableOfDefault, "DEFAULT"),
            variable(Place::VariableOfNamed, "NAMED"),
        ]
        .into_iter()
        .flatten(),
    )
}

/// The place that wins where the policy `named` is selected, or none.
fn winner(places: &[Place], named: bool) -> Option<Place> {
    let counts = |place: &Place| match place {
        Place::Named | Place::VariableOfNamed => named,
        // It stands where `default_policy` stands: what the policy says itself is not inherited.
        Place::VariableOfDefault => !named || !places.contains(&Place::Named),
        _ => true,
    };
    places.iter().copied().filter(counts).max()
}

/// Where the winning value has to have come from, as people read it.
fn origin(kind: LayerKind, key: &str, file: &str, place: Option<Place>) -> String {
    let section = kind.section().unwrap().to_uppercase();
    let key_in_capitals = key.to_uppercase();
    let position = |place| {
        let written = format!("{key}: {}", value(place));
        let (line, text) = file
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains(&written))
            .unwrap();
        format!("h.yaml:{}:{}", line + 1, text.find(&written).unwrap() + 1)
    };
    match place {
        None => "built-in".to_owned(),
        Some(Place::Inline) => format!("attribute at {HERE}"),
        Some(Place::VariableOfDefault) => {
            format!("env HARDENING__{section}__DEFAULT__{key_in_capitals}")
        }
        Some(Place::VariableOfNamed) => {
            format!("env HARDENING__{section}__NAMED__{key_in_capitals}")
        }
        Some(in_file) => position(in_file),
    }
}

fn every_combination<P: Policy + std::fmt::Debug>(
    row: &Row,
    others: &str,
    possible: impl Fn(Place) -> bool,
) {
    for mut places in combinations() {
        places.retain(|place| possible(*place));
        for named in [true, false] {
            if P::KIND == LayerKind::RateLimit && !named {
                continue; // an op is always named
            }
            let file = file(P::KIND, row.key, &places, others);
            let env = environment(P::KIND, row.key, &places);
            let config = Config::parse(file.as_bytes(), "h.yaml", &env).unwrap();
            let inline = value(Place::Inline);
            let inline = [(row.key, inline.as_str())];
            let selection = Selection {
                site: "shop::place",
                at: HERE,
                name: named.then_some("named"),
                inline: if places.contains(&Place::Inline) {
                    &inline
                } else {
                    &[]
                },
            };
            let resolved = config.resolve::<P>(&selection).unwrap();
            let mut settings = resolved.settings.iter();
            let setting = settings.find(|setting| setting.key == row.key).unwrap();
            let wins = winner(&places, named);
            let expected = wins.map_or(row.built_in.to_owned(), value);
            let shown = setting.value.trim_end_matches('s');
            assert_eq!(
                (shown, setting.origin.to_string()),
                (expected.as_str(), origin(P::KIND, row.key, &file, wins)),
                "{:?} {places:?} named: {named}\n{file}",
                P::KIND
            );
            assert_eq!(resolved.policy.get(row.key).unwrap(), setting.value);
        }
    }
}

#[test]
fn the_strongest_place_wins_in_every_section_whatever_else_is_written() {
    let all = |_| true;
    every_combination::<RetryPolicy>(
        &Row {
            key: "max_attempts",
            built_in: "3",
        },
        "",
        all,
    );
    let breaker = Row {
        key: "failure_threshold",
        built_in: "5",
    };
    every_combination::<CircuitBreakerPolicy>(&breaker, "", all);
    every_combination::<TimeoutPolicy>(
        &Row {
            key: "call",
            built_in: "15",
        },
        "",
        all,
    );
    let bulkhead = Row {
        key: "max_concurrent",
        built_in: "10",
    };
    every_combination::<BulkheadPolicy>(&bulkhead, "", all);
    every_combination::<CachePolicy>(
        &Row {
            key: "max_entries",
            built_in: "1000",
        },
        "",
        all,
    );
    // Ops inherit nothing: there is no default policy, nor a variable for one.
    let own = |place| !matches!(place, Place::DefaultPolicy | Place::VariableOfDefault);
    let op = Row {
        key: "max_keys",
        built_in: "100000",
    };
    every_combination::<RateLimitPolicy>(&op, "capacity: 1, window_seconds: 1, ", own);
}

/// The checks have a section instead of a default policy, and no overrides.
#[test]
fn the_strongest_place_wins_for_health_checks_too() {
    let variables = [
        ("HARDENING__HEALTH_CHECKS__INTERVAL", "14"),
        ("HARDENING__HEALTH_CHECKS__DATABASE__INTERVAL", "15"),
    ];
    for mask in 0_u32..1 << 5 {
        let written =
            |bit: u32, text: &str| if mask & (1 << bit) == 0 { "" } else { text }.to_owned();
        let section = written(0, "interval: 11, ");
        let own = written(2, "interval: 13");
        let file =
            format!("runtime: {{health_checks: {{{section}providers: {{database: {{{own}}}}}}}}}");
        let set = variables
            .into_iter()
            .enumerate()
            .filter(|(at, _)| mask & (8 << at) != 0);
        let env = Environment::from_pairs(set.map(|(_, pair)| pair));
        let config = Config::parse(file.as_bytes(), "h.yaml", &env).unwrap();
        let inline: &[_] = if mask & 2 == 0 {
            &[]
        } else {
            &[("interval", "12")]
        };
        let check = config.health_check("database", HERE, inline).unwrap();
        let expected = match mask {
            mask if mask & 16 != 0 => 15,
            // It stands where the section stands: what the provider says itself is not inherited.
            mask if mask & 8 != 0 && mask & 4 == 0 => 14,
            mask if mask & 4 != 0 => 13,
            mask if mask & 2 != 0 => 12,
            mask if mask & 1 != 0 => 11,
            _ => 30,
        };
        assert_eq!(check.interval.as_secs(), expected, "{mask:05b} {file}");
    }
}
