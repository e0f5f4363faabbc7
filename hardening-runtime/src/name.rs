//! Names of operations and shared state, kept for the life of the program: they are few, they come
//! from the source and the configuration, and a `&'static str` costs nothing in an error or event.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// `name`, for the life of the program. The same text is kept once.
pub(crate) fn intern(name: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = Box::leak(Box::from(name));
    names.insert(kept);
    kept
}
