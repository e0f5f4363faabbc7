//! A site: one annotated function, as static data that is found at link time.

use crate::{
    call::Call,
    config::{Declared, LayerKind},
    live::Live,
    metrics::SiteMetrics,
    registry,
};
use crossbeam_utils::atomic::AtomicCell;
use std::{fmt, sync::OnceLock};

/// One annotated function. All its monomorphisations share one.
pub struct Site {
    /// The name of a type in the function's body.
    within: fn() -> &'static str,
    file: &'static str,
    /// Its layers, as [`Declared`] writes them.
    text: &'static str,
    layers: OnceLock<Vec<Declared<'static>>>,
    live: AtomicCell<Option<&'static Live>>,
    pub(crate) metrics: SiteMetrics,
}

impl Site {
    /// A function that has the item whose type's name is `within`, in the source `file`, with these
    /// layers, outside in, as [`Declared`] writes them.
    #[must_use]
    pub const fn new(
        within: fn() -> &'static str,
        file: &'static str,
        layers: &'static str,
    ) -> Self {
        Self {
            within,
            file,
            text: layers,
            layers: OnceLock::new(),
            live: AtomicCell::new(None),
            metrics: SiteMetrics::new(),
        }
    }

    /// A call begins: where the function keeps it, and not elsewhere first.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    #[must_use]
    pub fn call(&'static self) -> Call {
        Call::begin(self, self.live())
    }

    /// What is in force here. The first call of the program loads the configuration.
    #[inline]
    pub(crate) fn live(&'static self) -> &'static Live {
        match self.live.load() {
            Some(live) => live,
            None => registry::bring_alive(self),
        }
    }

    /// What is in force here, if anything is yet.
    pub(crate) fn live_now(&self) -> Option<&'static Live> {
        self.live.load()
    }

    pub(crate) fn set_live(&self, live: Option<&'static Live>) {
        self.live.store(live);
    }

    pub(crate) fn layers(&self) -> &[Declared<'static>] {
        self.layers.get_or_init(|| Declared::read(self.text))
    }

    pub(crate) fn layer(&self, kind: LayerKind) -> Option<&Declared<'static>> {
        self.layers().iter().find(|layer| layer.kind == kind)
    }

    /// The policy whose calls share a retry budget with those of this site.
    pub(crate) fn retry_policy(&self) -> &'static str {
        let declared = self.layer(LayerKind::Retry);
        declared.and_then(|layer| layer.policy).unwrap_or("default")
    }

    pub(crate) const fn file(&self) -> &'static str {
        self.file
    }

    /// The line of its first attribute.
    pub(crate) fn line(&self) -> u32 {
        let lines = self.layers().iter().map(|layer| layer.line);
        lines.min().unwrap_or(0)
    }

    /// The name of the type of an item in the function's body.
    pub(crate) fn within(&self) -> &'static str {
        (self.within)()
    }

    /// Module path, type and function.
    pub(crate) fn path(&self) -> String {
        readable(self.within())
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Site").field(&self.path()).finish()
    }
}

/// A site that the linker found.
#[derive(Debug)]
pub struct Registered(pub &'static Site);

inventory::collect!(Registered);

/// Every annotated function of the program.
pub(crate) fn all() -> impl Iterator<Item = &'static Site> {
    inventory::iter::<Registered>
        .into_iter()
        .map(|registered| registered.0)
}

/// The path of the function that the item `within` is an item of: without the item, without the
/// closures that async blocks are, without the function that a check's body is in, and without
/// generic arguments.
fn readable(within: &str) -> String {
    let function = within
        .rsplit_once("::")
        .map_or(within, |(function, _)| function);
    let path = function.replace("::{{closure}}", "");
    let path = path.strip_suffix("::__hardening_check").unwrap_or(&path);
    inherent(&without_generics(path))
}

/// `shop::Orders<_>` is `shop::Orders`; the angle brackets of `<Orders as Repository>` stay.
fn without_generics(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut skipped = 0_usize;
    let mut before = ':';
    for (index, c) in path.char_indices() {
        let arrow = c == '>' && before == '-';
        let opens = c == '<' && index > 0 && (before.is_alphanumeric() || before == '_');
        match c {
            '<' if opens || skipped > 0 => skipped += 1,
            '>' if skipped > 0 && !arrow => skipped -= 1,
            c if skipped == 0 => plain.push(c),
            _ => {}
        }
        before = c;
    }
    plain
}

/// An inherent `impl` in another module than its type's: `api::<impl shop::Orders>::place` is
/// `shop::Orders::place`.
fn inherent(path: &str) -> String {
    match path.split_once("<impl ") {
        Some((_, rest)) => rest.replacen('>', "", 1),
        None => path.to_owned(),
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::readable;

    #[test]
    fn paths_read_as_they_are_written_in_the_source() {
        for (within, path) in [
            ("shop::orders::place::here", "shop::orders::place"),
            ("shop::place::{{closure}}::{{closure}}::here", "shop::place"),
            ("shop::A<_>::m::here", "shop::A::m"),
            (
                "shop::ping::{{closure}}::__hardening_check::here",
                "shop::ping",
            ),
            ("shop::A<shop::B<u8>, fn() -> u8>::m::here", "shop::A::m"),
            (
                "api::<impl shop::Orders>::place::here",
                "shop::Orders::place",
            ),
            (
                "<shop::A<_> as shop::Tr<u8>>::u::here",
                "<shop::A as shop::Tr>::u",
            ),
        ] {
            assert_eq!(readable(within), path);
        }
    }
}
