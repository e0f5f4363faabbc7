//! What stands around an annotated function, as far as it decides for how many types the function
//! is compiled. All of them share one site; what is remembered for one is not for another.

/// What stands around a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Enclosing {
    /// A module, an inherent `impl` without parameters, or the definition of a trait.
    Plain,
    /// A trait's `impl` for one type.
    TraitImpl,
    /// An `impl` with parameters.
    Generic,
}

impl Enclosing {
    /// Read from the name of the type of an item `within` the function, which shows each parameter
    /// in the place where the `impl` uses it: `<shop::List<_> as shop::Find>::find::item`.
    pub(crate) fn of(within: &str) -> Self {
        let name = within.replace("'_, ", "").replace("<'_>", "");
        let (is_trait_impl, head) = match name.strip_prefix('<') {
            Some(rest) => (true, rest.replacen('>', "", 1)),
            None => (false, name.replace("::<impl ", "::").replacen('>', "", 1)),
        };
        let plain = head.replace("{{closure}}", "").replace(" as ", "::");
        let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '#');
        if !plain.chars().all(is_path) || plain.split("::").any(|part| part == "_") {
            Self::Generic
        } else if is_trait_impl {
            Self::TraitImpl
        } else {
            Self::Plain
        }
    }

    /// Whether a function is one of several that are compiled from here, one for each type. `name`
    /// is that of a closure in it.
    #[inline]
    pub(crate) fn has_types(self, name: &str) -> bool {
        match self {
            // Of a trait's own method, only this name tells the type: `<u8 as shop::Find>::find`.
            Self::Plain => name.starts_with('<'),
            Self::TraitImpl => false,
            Self::Generic => true,
        }
    }
}

/// `name` without the function's own part, so that functions that share a cache find the same key:
/// `shop::Orders<u8>::place<u16>::{{closure}}` is in `shop::Orders<u8>`.
pub(crate) fn around(name: &'static str) -> &'static str {
    let mut path = name;
    while let Some(outer) = path.strip_suffix("::{{closure}}") {
        path = outer;
    }
    let (mut depth, mut after) = (0_usize, ' ');
    for (index, c) in path.char_indices().rev() {
        match c {
            '>' => depth += 1,
            '<' => depth = depth.saturating_sub(1),
            '-' if after == '>' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => return path[..index].trim_end_matches(':'),
            _ => {}
        }
        after = c;
    }
    path
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::{Enclosing, around};
    use Enclosing::{Generic, Plain, TraitImpl};

    #[test]
    fn parameters_of_an_impl_are_seen_in_the_names_within_it() {
        for (within, enclosing) in [
            ("shop::place::here", Plain),
            ("shop::place::{{closure}}::{{closure}}::here", Plain),
            ("shop::Orders::r#place::here", Plain),
            ("shop::Orders<'_>::place::here", Plain),
            ("api::<impl shop::Orders>::place::here", Plain),
            ("shop::Orders<_>::place::here", Generic),
            ("shop::Orders<'_, _>::place::here", Generic),
            ("shop::Orders<SIZE>::place::here", Generic),
            ("api::<impl shop::Orders<_>>::place::here", Generic),
            ("<shop::Orders as shop::Find>::find::here", TraitImpl),
            ("<shop::Orders<'_> as shop::Find>::find::here", TraitImpl),
            ("<u8 as shop::Find>::find::{{closure}}::here", TraitImpl),
            ("<_ as shop::Find>::find::here", Generic),
            ("<&_ as shop::Find>::find::here", Generic),
            ("<[u8; N] as shop::Find>::find::here", Generic),
            ("<u8 as shop::Find<_>>::find::here", Generic),
        ] {
            assert_eq!(Enclosing::of(within), enclosing, "{within}");
        }
    }

    #[test]
    fn a_function_that_is_compiled_once_is_not_told_from_others() {
        assert!(!Plain.has_types("shop::place::{{closure}}"));
        assert!(!TraitImpl.has_types("<u8 as shop::Find>::find::{{closure}}"));
        for enclosing in [Plain, Generic] {
            assert!(enclosing.has_types("<u8 as shop::Find>::find::{{closure}}"));
        }
    }

    #[test]
    fn types_are_in_the_name_of_what_the_function_stands_in() {
        for (name, types) in [
            (
                "<u8 as shop::Find>::find::{{closure}}",
                "<u8 as shop::Find>",
            ),
            ("shop::A<u8>::a::{{closure}}::{{closure}}", "shop::A<u8>"),
            ("shop::A<3>::a<&str, fn() -> u8>::{{closure}}", "shop::A<3>"),
            (
                "a::<impl shop::A<(u8, B<_>)>>::a::{{closure}}",
                "a::<impl shop::A<(u8, B<_>)>>",
            ),
        ] {
            assert_eq!(around(name), types);
        }
    }
}
