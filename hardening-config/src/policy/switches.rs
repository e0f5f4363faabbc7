//! What every policy has besides its own settings: whether it acts, and what is meant as it is.

use crate::{
    Doubt,
    file::{Node, Value},
    group::settings,
    schema::Expects,
    setting::words,
};

settings! {
    /// Whether a policy acts, and what is no reason to warn.
    pub struct Switches {
        /// Whether the layer does anything; `false` lets every call through. Default true.
        pub enabled: bool = true, Expects::Switch;
        /// Whether the layer rejects, or only counts what it would have rejected. Default enforce.
        pub mode: Mode = Mode::Enforce, Expects::Word(Mode::WORDS);
        /// What is doubtful about it and meant so: names of warnings that are not given. Default none.
        pub allow: Vec<Doubt> = Vec::new(), Expects::List {
            of: &Expects::Word(Doubt::WORDS),
            min: 0,
        };
    }
}

/// Whether a layer rejects, or only counts what it would have rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It rejects.
    Enforce,
    /// It counts and reports what it would have rejected, and rejects nothing.
    Observe,
}

words!(Mode { Enforce = "enforce", Observe = "observe" });

impl Mode {
    fn from_node(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Text(word) => Self::from_word(word),
            _ => None,
        }
    }
}
