//! The span of a call, without the feature `otel`: nothing.

use crate::{
    live::{self, Live},
    metrics::{Layer, Outcome},
    outcome::Rejected,
    rate_limit::{self, LimiterState},
    site::Site,
};
use std::time::Duration;

/// Nothing.
#[derive(Clone, Debug)]
pub(crate) struct CallSpan;

#[allow(clippy::unused_self)] // as its twin
impl CallSpan {
    #[inline]
    pub(crate) const fn begin(_: &Site, _: &Live) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn enter<R>(&self, body: impl FnOnce() -> R) -> R {
        body()
    }

    #[inline]
    pub(crate) const fn attempt(&self, _: u32) {}

    #[inline]
    pub(crate) const fn attempted(&self, _: Outcome) {}

    #[inline]
    pub(crate) const fn retrying(&self, _: Duration) {}

    #[inline]
    pub(crate) const fn rejected(&self, _: Layer, _: &Rejected) {}

    #[inline]
    pub(crate) fn quota(&self, _: &live::Layer<rate_limit::Prepared, LimiterState>, _: u64) {}

    #[inline]
    pub(crate) const fn cache(&self, _: &'static str) {}

    #[inline]
    pub(crate) const fn fallback(&self) {}

    #[inline]
    pub(crate) const fn end(&self, _: &Live, _: Outcome, _: u32) {}
}
