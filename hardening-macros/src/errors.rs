//! Mistakes, collected so that one build shows them all.

use proc_macro2::TokenStream;
use quote::ToTokens;
use std::sync::atomic::{AtomicBool, Ordering};

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors {
    found: Vec<syn::Error>,
    /// Whether one of them leaves nothing to expand.
    hindering: bool,
}

impl Errors {
    /// Adds a mistake at `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds a mistake at `tokens`, unless it has been `told` before; it hinders all the same.
    pub(crate) fn once_at(
        &mut self,
        told: &AtomicBool,
        tokens: impl ToTokens,
        message: impl std::fmt::Display,
    ) {
        self.hindering = true;
        if !told.swap(true, Ordering::Relaxed) {
            self.at(tokens, message);
        }
    }

    /// Adds a mistake in a name or a value: the code around it is sound, and is compiled as if the
    /// mistake were not there, so that what it imports counts as used.
    pub(crate) fn mild(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.found.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds a mistake that a parser found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.found.push(error);
        self.hindering = true;
    }

    /// The value, or the mild mistake noted and nothing.
    pub(crate) fn note_mild<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.found.push(error)).ok()
    }

    /// The value, or the mistake noted and nothing.
    pub(crate) fn note<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether the function has to stay as it is.
    pub(crate) fn hinder(&self) -> bool {
        self.hindering
    }

    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// A `compile_error!` for each.
    pub(crate) fn to_compile_errors(&self) -> TokenStream {
        self.found
            .iter()
            .map(syn::Error::to_compile_error)
            .collect()
    }
}
