//! HTTP status codes: which of them are worth another try.

use crate::outcome::Class;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Whether an answer with this HTTP status code is worth another try: `retry.retryable_codes` of the
/// configuration in force, 429, 500, 502, 503 and 504 when it says nothing. [`reload`](crate::reload())
/// changes it.
///
/// Before anything has loaded the configuration (`init!()`, or the first call of an annotated function
/// or of one that is given a policy's name), the built-in codes are in force.
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::{Class, classify_status, parse_retry_after};
///
/// assert_eq!(classify_status(503), Class::Transient);
/// assert_eq!(classify_status(404), Class::Permanent);
///
/// // Of an answer with its `Retry-After` header:
/// let (status, header) = (429, Some("7"));
/// let class = classify_status(status).after(header.and_then(parse_retry_after));
/// assert_eq!(class, Class::TransientAfter(std::time::Duration::from_secs(7)));
/// ```
#[must_use]
pub fn classify_status(status: u16) -> Class {
    IN_FORCE.classify(status)
}

/// Puts the codes of a configuration in force.
pub(crate) fn put_in_force(codes: &[u16]) {
    IN_FORCE.put(codes);
}

static IN_FORCE: Codes = Codes::new(&[429, 500, 502, 503, 504]);

/// A bit for each code from 100 to 599. Each code is asked for by itself, so that they change one
/// word at a time does no harm.
struct Codes([AtomicU64; WORDS]);

const FIRST: u16 = 100;
const WORDS: usize = 8;

impl Codes {
    const fn new(codes: &[u16]) -> Self {
        let words = words(codes);
        let mut atomics = [const { AtomicU64::new(0) }; WORDS];
        let mut word = 0;
        while word < WORDS {
            atomics[word] = AtomicU64::new(words[word]);
            word += 1;
        }
        Self(atomics)
    }

    fn put(&self, codes: &[u16]) {
        for (atomic, word) in self.0.iter().zip(words(codes)) {
            atomic.store(word, Relaxed);
        }
    }

    fn classify(&self, status: u16) -> Class {
        match place(status) {
            Some((word, bit)) if self.0[word].load(Relaxed) & bit != 0 => Class::Transient,
            _ => Class::Permanent,
        }
    }
}

const fn words(codes: &[u16]) -> [u64; WORDS] {
    let (mut words, mut next) = ([0; WORDS], 0);
    while next < codes.len() {
        if let Some((word, bit)) = place(codes[next]) {
            words[word] |= bit;
        }
        next += 1;
    }
    words
}

/// The word of a code, and its bit there.
const fn place(status: u16) -> Option<(usize, u64)> {
    match status.checked_sub(FIRST) {
        Some(index) if status < 600 => Some(((index / 64) as usize, 1 << (index % 64))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn transient(codes: &Codes) -> Vec<u16> {
        (0..=u16::MAX)
            .filter(|status| codes.classify(*status) == Class::Transient)
            .collect()
    }

    #[test]
    fn without_a_configuration_the_codes_are_the_built_in_ones() {
        let built_in = Codes::new(&[429, 500, 502, 503, 504]);
        assert_eq!(transient(&built_in), Config::builtin().retryable_codes());
    }

    #[test]
    fn every_code_can_be_put_in_force_alone_and_with_all_others() {
        let codes = Codes::new(&[]);
        for code in 100..600 {
            codes.put(&[code]);
            assert_eq!(transient(&codes), [code]);
        }
        let all: Vec<_> = (100..600).collect();
        codes.put(&all);
        assert_eq!(transient(&codes), all);
        codes.put(&[]);
        assert_eq!(transient(&codes), [0_u16; 0]);
    }

    #[test]
    fn what_is_no_status_code_is_permanent() {
        let codes = Codes::new(&[0, 99, 600, u16::MAX]);
        assert_eq!(transient(&codes), [0_u16; 0]);
    }
}
