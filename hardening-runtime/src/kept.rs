//! Settings that are or were in force, kept for the life of the program.
//!
//! Calls hold their settings without a count, so what was in force once can never be freed. Each
//! distinct one is kept once: a reload that brings back an earlier content, or changes nothing but
//! comments, keeps nothing new.

/// The distinct values that were kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T: 'static>(Vec<&'static T>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Kept<T> {
    /// `value`, or the equal one that is kept already.
    pub(crate) fn keep(&mut self, value: T) -> &'static T {
        if let Some(known) = self.0.iter().find(|known| ***known == value) {
            return known;
        }
        let kept: &'static T = Box::leak(Box::new(value));
        self.0.push(kept);
        kept
    }

    #[cfg(all(test, not(hardening_loom)))]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::Kept;

    #[test]
    fn equal_values_are_kept_once() {
        let mut kept = Kept::default();
        let one = kept.keep("one".to_owned());
        let two = kept.keep("two".to_owned());
        for _ in 0..100 {
            assert!(std::ptr::eq(one, kept.keep("one".to_owned())));
            assert!(std::ptr::eq(two, kept.keep("two".to_owned())));
        }
        assert_eq!(kept.len(), 2);
    }
}
