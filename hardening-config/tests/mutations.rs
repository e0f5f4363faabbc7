//! What holds of every file, tried on the reference and the corpus with pieces changed. Bounded here;
//! `fuzz/` goes on for as long as one likes.

mod changes;
mod corpus;
mod property;

use changes::{changed, plain};
use hardening_config::REFERENCE;
use proptest::prelude::*;

fn files() -> Vec<Vec<String>> {
    let corpus = corpus::valid().into_iter().chain(corpus::broken());
    let corpus = corpus.map(|(_, text)| text.lines().map(String::from).collect());
    corpus.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_reference_with_changes_is_read_or_refused_with_places(text in changed(vec![plain(REFERENCE)])) {
        property::holds(text.as_bytes());
    }

    #[test]
    fn the_corpus_with_changes_is_read_or_refused_with_places(text in changed(files())) {
        property::holds(text.as_bytes());
    }
}

#[test]
fn it_holds_of_the_corpus_itself() {
    for (_, text) in corpus::valid().into_iter().chain(corpus::broken()) {
        property::holds(text.as_bytes());
    }
}
