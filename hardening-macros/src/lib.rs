//! The attributes of `hardening`.
//!
//! The road of each: tokens → `item` and `args` → `plan` (every refusal) → `expand` (total).
//! Use them through the crate `hardening`, where each has its page.
#![forbid(unsafe_code)]

mod args;
mod brackets;
mod classify;
mod embed;
mod errors;
mod expand;
mod function;
mod future;
mod item;
mod literal;
mod manifest;
mod moved;
mod pattern;
mod plan;
mod probe;
mod seen;
mod surroundings;

use hardening_config::LayerKind;
use proc_macro::TokenStream;

/// Runs the function again on transient failure.
#[proc_macro_attribute]
pub fn retryable(args: TokenStream, item: TokenStream) -> TokenStream {
    item::attribute(LayerKind::Retry, args.into(), &item.into()).into()
}

/// Admits calls as a token bucket per key does.
#[proc_macro_attribute]
pub fn rate_limited(args: TokenStream, item: TokenStream) -> TokenStream {
    item::attribute(LayerKind::RateLimit, args.into(), &item.into()).into()
}

/// Stops calling what is down.
#[proc_macro_attribute]
pub fn circuit_breaker(args: TokenStream, item: TokenStream) -> TokenStream {
    item::attribute(LayerKind::CircuitBreaker, args.into(), &item.into()).into()
}

/// Remembers results.
#[proc_macro_attribute]
pub fn cached(args: TokenStream, item: TokenStream) -> TokenStream {
    item::attribute(LayerKind::Cache, args.into(), &item.into()).into()
}

/// Bounds the time of a call, and of each attempt in it.
#[proc_macro_attribute]
pub fn timeout(args: TokenStream, item: TokenStream) -> TokenStream {
    item::attribute(LayerKind::Timeout, args.into(), &item.into()).into()
}

/// Bounds how many calls run together; the others queue by priority.
#[proc_macro_attribute]
pub fn bulkhead(args: TokenStream, item: TokenStream) -> TokenStream {
    item::attribute(LayerKind::Bulkhead, args.into(), &item.into()).into()
}

/// Answers in the function's place when it fails.
#[proc_macro_attribute]
pub fn fallback(args: TokenStream, item: TokenStream) -> TokenStream {
    item::attribute(LayerKind::Fallback, args.into(), &item.into()).into()
}

/// Registers the function as a health check, found at link time; wraps nothing.
#[proc_macro_attribute]
pub fn health_check(args: TokenStream, item: TokenStream) -> TokenStream {
    probe::attribute(args.into(), &item.into()).into()
}

/// Loads the configuration, checks every annotated function of the program against it, and
/// compiles the file's text in, for a program that is moved away from it.
#[proc_macro]
pub fn init(args: TokenStream) -> TokenStream {
    embed::init(args.into()).into()
}

/// Says of each variant of an error whether it is worth another try.
#[proc_macro_derive(Classify, attributes(transient, permanent, classify))]
pub fn classify(item: TokenStream) -> TokenStream {
    classify::derive(item.into()).into()
}
