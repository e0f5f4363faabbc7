//! What another reader of YAML reads, this one reads too.

use proptest::prelude::*;
use serde_yaml::Value as Theirs;

use super::{Value, read};
use crate::{env::Environment, file::Node};

fn ours(text: &str) -> Theirs {
    let node = read::parse(text.as_bytes(), &Environment::none());
    theirs(&node.unwrap_or_else(|problem| panic!("{problem}\n{text}")))
}

fn theirs(node: &Node) -> Theirs {
    match &node.value {
        Value::Null => Theirs::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Text(text) => (&**text).into(),
        Value::List(items) => items
            .iter()
            .map(|item| theirs(item))
            .collect::<Vec<_>>()
            .into(),
        Value::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (theirs(key), theirs(value)));
            Theirs::Mapping(entries.collect())
        }
        Value::Unknown | Value::Unusable(_) => panic!("{node:?}"),
    }
}

/// Text, much of which looks like something else. U+0085, U+2028 and U+2029 end lines for them, by
/// YAML 1.1, and are text here, by 1.2.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z_][a-zA-Z0-9_.-]{0,12}",
        "[ -~]{0,20}",
        "[ -~\n\tàé漢😀\u{FEFF}]{0,12}",
        prop::sample::select(vec![
            "",
            "null",
            "~",
            "true",
            "no",
            "on",
            "1",
            "1.5",
            "0x1",
            "1e3",
            ".inf",
            "<<",
            "---",
            "...",
            "- a",
            "a: b",
            "#c",
            "a #c",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "'",
            "\"",
            "15s",
            "0o7",
            "007",
            "1_000",
            "-",
            "?",
            ":",
            "[]",
            "{}",
            "=",
            "-.inf",
            "+1",
            "\n",
            "a\n",
            "\na",
            " a ",
            "a\n\n b\n",
        ])
        .prop_map(String::from),
    ]
    // `${` means something here only.
    .prop_map(|text| text.replace("${", "$ {"))
}

fn tree() -> impl Strategy<Value = Theirs> {
    let leaf = prop_oneof![
        Just(Theirs::Null),
        any::<bool>().prop_map(Theirs::from),
        any::<i64>().prop_map(Theirs::from),
        (-1000_i64..1000).prop_map(Theirs::from),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |value| !value.is_nan())
            .prop_map(Theirs::from),
        text().prop_map(Theirs::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Theirs::from),
            prop::collection::vec((text(), inner), 0..6).prop_map(|entries| {
                Theirs::Mapping(
                    entries
                        .into_iter()
                        .map(|(key, value)| (key.into(), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// The same as JSON, which is YAML in one line.
fn flow(value: &Theirs) -> String {
    match value {
        Theirs::String(text) => super::text(text),
        Theirs::Sequence(items) => {
            let items: Vec<_> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Theirs::Mapping(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", flow(key), flow(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        scalar => serde_yaml::to_string(scalar).unwrap().trim_end().to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_they_write_is_read_the_same(tree in tree()) {
        let text = serde_yaml::to_string(&tree).unwrap();
        prop_assert_eq!(ours(&text), tree, "{}", text);
    }

    #[test]
    fn what_is_shown_in_one_line_is_read_the_same_by_both(tree in tree()) {
        let text = flow(&tree);
        prop_assert_eq!(&ours(&text), &tree, "{}", text);
        let theirs: Theirs = serde_yaml::from_str(&text).unwrap();
        prop_assert_eq!(theirs, tree, "{}", text);
    }

    /// Of text that both accept, though each is lenient in its own way.
    #[test]
    fn plain_scalars_mean_the_same(scalar in "[-+.0-9a-fxoEe_:~]{1,8}|(true|false|null|yes|no|on|off|Null|TRUE|False|\\.inf|\\.NaN|-\\.Inf)") {
        // A leading zero is text there, and a number by the core schema of YAML 1.2.
        let digits = scalar.trim_start_matches(['-', '+']);
        let octal = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
        let text = format!("k: {scalar}");
        if let (false, Ok(theirs)) = (octal, serde_yaml::from_str::<Theirs>(&text)) {
            let ours = ours(&text);
            let is_nan = theirs["k"].as_f64().is_some_and(f64::is_nan);
            // `1e310` is text there.
            let is_too_great = ours["k"].as_f64().is_some_and(f64::is_infinite) && theirs["k"].is_string();
            prop_assert!(ours == theirs || is_nan || is_too_great, "{} {:?} {:?}", text, ours, theirs);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A variable without quotes is read as the same one in quotes, which the other reader takes for text.
    #[test]
    fn a_variable_without_quotes_is_read_as_one_with_them(
        default in "[a-zA-Z0-9_.\\[\\],é漢\u{F0000}]{0,8}", before in "[a-z\u{F0001}]{0,3}", after in "[a-z0-9]{0,3}",
    ) {
        let variable = format!("{before}${{NONE:-{default}}}{after}");
        let as_text = format!("{before}{default}{after}");
        for text in [
            format!("{{k: {variable}, l: [{variable}, 1]}}"),
            format!("k: {variable}\nl: [{variable}, 1]\n"),
        ] {
            let quoted = text.replace(&variable, &format!("\"{variable}\""));
            prop_assert_eq!(ours(&text), ours(&quoted), "{}", text);
            let their: Theirs = serde_yaml::from_str(&quoted).unwrap();
            let their = their["k"].as_str().map(|it| it.replace(&variable, &as_text));
            let node = read::parse(text.as_bytes(), &Environment::none()).unwrap();
            let ours = node.entries().map(|entries| &*entries[0].1.source);
            prop_assert_eq!(ours, their.as_deref());
        }
    }
}

#[test]
fn whole_files_are_read_the_same() {
    for file in [
        include_str!("../../reference.yaml"),
        include_str!("../built_in.yaml"),
        include_str!("../../tests/files/crossbridge.yml"),
        "a: |\n  one\n  two\nb: >-\n  one\n  two\n\n  three\nc: 'it''s'\nd: \"\\u00e4\\n\"\ne: &e [1]\nf: *e\n? g\n: h\n",
    ] {
        assert_eq!(ours(file), serde_yaml::from_str::<Theirs>(file).unwrap());
    }
}

/// Every file of the corpus: both take it, with the same content, or neither does. `${` means
/// something here only, and they find a key that is written twice while reading.
#[test]
fn the_corpus_is_read_the_same() {
    let mut compared = 0;
    for (name, text) in corpus::valid().into_iter().chain(corpus::broken()) {
        let text = text.replace("${", "$");
        let ours = read::parse(text.as_bytes(), &Environment::none());
        match (ours, serde_yaml::from_str::<Theirs>(&text)) {
            (Ok(ours), Ok(their)) => assert_eq!(theirs(&ours), their, "{name}"),
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) if error.to_string().contains("duplicate entry") => {}
            (ours, their) => panic!("{name}: {ours:?} {their:?}"),
        }
        compared += 1;
    }
    assert!(compared > 100);
}

#[path = "../../tests/corpus/mod.rs"]
mod corpus;
