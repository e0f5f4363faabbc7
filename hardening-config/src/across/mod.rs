//! Checks across the policies of one call site: each is sound, and together they do not work, or not
//! as they read.
//!
//! The macros ask while compiling, with what is known then; `init!()` asks with all of it.

mod finding;
mod rules;

use std::{fmt::Write as _, time::Duration};

use crate::{
    config::Config,
    duration::show_duration,
    kind::LayerKind,
    policy::{CircuitBreakerPolicy, Doubt, Jitter, RateLimitPolicy, RetryPolicy, TimeoutPolicy},
    resolve::{Resolved, Selection},
    schema::Policy,
};
pub use finding::Finding;
use finding::{About, Words};
use rules::{Fit, Waits};

/// A layer of a call site, as its attribute declares it.
#[derive(Clone, Copy, Debug)]
pub struct SiteLayer<'a> {
    /// Its kind.
    pub kind: LayerKind,
    /// What it says.
    pub selection: Selection<'a>,
    /// Whether other call sites may share its state.
    pub shared: bool,
}

impl Config {
    /// What is wrong, or doubtful and not allowed, about the `layers` of a call site together, which
    /// are given outside in. What is wrong with one of them by itself is left to
    /// [`resolve`](Self::resolve), and what depends on a variable that is not known yet to the start.
    #[must_use]
    pub fn check_across(&self, layers: &[SiteLayer<'_>]) -> Vec<Finding> {
        let site = Site {
            layers,
            timeout: self.part(layers),
            rate_limit: self.part(layers),
            retry: self.part(layers),
            circuit_breaker: self.part(layers),
        };
        let found = [
            site.retries_in_the_timeout(),
            site.retries_under_the_circuit(),
            site.calls_for_the_rate(),
        ];
        let counts = |finding: &Finding| finding.doubt.is_none_or(|doubt| !site.allows(doubt));
        found.into_iter().flatten().filter(counts).collect()
    }

    /// The layer of the kind of `P`, if it does anything.
    fn part<'a, P: Policy>(&self, layers: &[SiteLayer<'a>]) -> Option<Part<'a, P>> {
        let layer = layers.iter().find(|layer| layer.kind == P::KIND)?;
        let resolved = self.resolve::<P>(&layer.selection).ok()?;
        resolved.enabled.then_some(Part {
            resolved,
            at: layer.selection.at,
            shared: layer.shared,
        })
    }

    /// Whether the file overrides a call site whose function is called `function`: what is in force
    /// there is known at start only.
    #[must_use]
    pub fn may_override(&self, function: &str) -> bool {
        let mut sites = self.overrides.iter();
        sites.any(|site| site.site.rsplit("::").next() == Some(function))
    }
}

/// One layer in force.
struct Part<'a, P> {
    resolved: Resolved<P>,
    at: &'a str,
    shared: bool,
}

impl<P> Part<'_, P> {
    /// What it allows, and whether there may be more of it at run time.
    fn allow(&self) -> (&[Doubt], bool) {
        let unknown = self.resolved.unknown.contains(&"allow");
        (&self.resolved.allow, unknown)
    }
}

struct Site<'a> {
    layers: &'a [SiteLayer<'a>],
    timeout: Option<Part<'a, TimeoutPolicy>>,
    rate_limit: Option<Part<'a, RateLimitPolicy>>,
    retry: Option<Part<'a, RetryPolicy>>,
    circuit_breaker: Option<Part<'a, CircuitBreakerPolicy>>,
}

impl Site<'_> {
    /// Whether `doubt` is meant so, or a variable decides that.
    fn allows(&self, doubt: Doubt) -> bool {
        let allow = [
            self.timeout.as_ref().map(Part::allow),
            self.rate_limit.as_ref().map(Part::allow),
            self.retry.as_ref().map(Part::allow),
            self.circuit_breaker.as_ref().map(Part::allow),
        ];
        let mut allow = allow.into_iter().flatten();
        allow.any(|(allow, unknown)| unknown || allow.contains(&doubt))
    }

    /// Whether the layer of kind `inner` stands somewhere inside of that of kind `outer`.
    fn is_inside(&self, inner: LayerKind, outer: LayerKind) -> bool {
        let place = |kind| self.layers.iter().position(|layer| layer.kind == kind);
        place(inner) > place(outer)
    }

    fn retries_in_the_timeout(&self) -> Option<Finding> {
        let (retry, timeout) = (self.retry.as_ref()?, self.timeout.as_ref()?);
        let (policy, call) = (&retry.resolved.policy, timeout.resolved.policy.call?);
        // No attempt outlasts its call.
        let attempt = timeout.resolved.policy.attempt.map(|it| it.min(call));
        let has = format!("the call has {}", show_duration(call));
        match rules::fit(policy, call, attempt) {
            Fit::Whole => None,
            Fit::Never(wait) => About::of(retry, &["base_delay", "max_delay", "jitter"])
                .and(timeout, &["call"])
                .error(&Words {
                    what: "no retry ever has time: the first wait lasts until the call is over",
                    figures: format!("it is at least {}, and {has}", show_duration(wait)),
                    instead: "raise `call` or lower `base_delay`",
                }),
            Fit::Partial(course) => {
                let (what, at_worst) = match course.waits {
                    Waits::Mean => ("the retries do not all fit into the call timeout", ""),
                    Waits::Longest => (
                        "the retries may not all fit into the call timeout",
                        " at their longest",
                    ),
                };
                let figures = format!(
                    "{} = {}, and {has}: enough for {} of {} attempts{at_worst}",
                    sum(policy, attempt, course.waits),
                    show_duration(course.total),
                    course.in_time,
                    policy.max_attempts
                );
                let words = Words {
                    what,
                    figures,
                    instead: "raise `call`, or lower `attempt`, `max_attempts` or the delays",
                };
                let about = About::of(timeout, &["call", "attempt"])
                    .and(retry, &["max_attempts", "base_delay", "max_delay"])
                    .and(retry, &["exponential_base", "jitter", "max_elapsed"]);
                let mut finding = about.doubt(Doubt::RetriesExceedTimeout, &words)?;
                finding.takes_bad_luck = course.waits == Waits::Longest;
                Some(finding)
            }
        }
    }

    fn retries_under_the_circuit(&self) -> Option<Finding> {
        let (retry, breaker) = (self.retry.as_ref()?, self.circuit_breaker.as_ref()?);
        let inside = self.is_inside(LayerKind::CircuitBreaker, LayerKind::Retry);
        if !inside || breaker.resolved.observe {
            return None;
        }
        let (policy, attempts) = (&breaker.resolved.policy, retry.resolved.policy.max_attempts);
        let opened = rules::refused_after(&retry.resolved.policy, policy)?;
        About::of(breaker, &["failure_threshold", "open_for"])
            .and(retry, &["max_attempts", "base_delay", "max_delay"])
            .and(retry, &["exponential_base", "jitter"])
            .doubt(
                Doubt::CircuitOutlastsRetries,
                &Words {
                    what: "the last attempts of a call that keeps failing are refused: it opens its \
                           circuit itself, and none of its waits lasts until that admits a probe",
                    figures: format!(
                        "{} for {}, with {} of {attempts} attempts left",
                        match opened {
                            1 => "one failure opens it".to_owned(),
                            several => format!("{several} failures open it"),
                        },
                        show_duration(policy.open_for),
                        attempts - opened
                    ),
                    instead: "raise `failure_threshold`, lower `max_attempts` or `open_for`, or write \
                              `per = \"call\"` on the circuit breaker",
                },
            )
    }

    fn calls_for_the_rate(&self) -> Option<Finding> {
        let (limit, breaker) = (self.rate_limit.as_ref()?, self.circuit_breaker.as_ref()?);
        let policy = &breaker.resolved.policy;
        let rate = match (policy.failure_rate, policy.slow_call_rate) {
            (Some(_), _) => "failure_rate",
            (None, Some(_)) => "slow_call_rate",
            (None, None) => return None,
        };
        // Others may bring calls to it, and the last N calls come together in the end.
        if breaker.shared || limit.resolved.observe || policy.window_calls.is_some() {
            return None;
        }
        let about = About::of(breaker, &["minimum_calls", rate, "window"])
            .and(limit, &["capacity", "window_seconds", "limits"]);
        let (about, attempts) = match self.retries_between() {
            Some(retry) => {
                let attempts = retry.resolved.policy.max_attempts;
                (about.and(retry, &["max_attempts"]), attempts)
            }
            None => (about, 1),
        };
        let most = rules::most_calls(&limit.resolved.policy, policy.window, attempts)?;
        if most >= policy.minimum_calls.into() {
            return None;
        }
        about.error(&Words {
            what: &format!(
                "`{rate}` can never count: the rate limit admits fewer calls than it takes"
            ),
            figures: format!(
                "at most {most} in a window of {}, and `minimum_calls` is {}",
                show_duration(policy.window),
                policy.minimum_calls
            ),
            instead: "lower `minimum_calls`, raise `window`, or write `window_calls`",
        })
    }

    /// The retry that makes several calls of the circuit breaker out of one that the rate limit admits.
    fn retries_between(&self) -> Option<&Part<'_, RetryPolicy>> {
        use LayerKind::{CircuitBreaker, RateLimit, Retry};
        let between = self.is_inside(Retry, RateLimit) && self.is_inside(CircuitBreaker, Retry);
        self.retry.as_ref().filter(|_| between)
    }
}

/// `3 attempts × 2s + waits of up to 0.5s + 1s`.
fn sum(retry: &RetryPolicy, attempt: Option<Duration>, waits: Waits) -> String {
    const SHOWN: usize = 6;
    let mut sum = String::new();
    if let Some(attempt) = attempt {
        let attempt = show_duration(attempt);
        let _ = write!(sum, "{} attempts × {attempt} + ", retry.max_attempts);
    }
    let all = waits.of(retry);
    let shown: Vec<String> = all.iter().take(SHOWN).copied().map(show_duration).collect();
    let (up_to, on_average) = match (waits, retry.jitter) {
        (_, Jitter::None) => ("", ""),
        (Waits::Mean, _) => ("", " on average"),
        (Waits::Longest, _) => ("up to ", ""),
    };
    let more = if all.len() > SHOWN { " + …" } else { "" };
    let shown = shown.join(" + ");
    let _ = write!(sum, "waits of {up_to}{shown}{more}{on_average}");
    if let Some(max) = retry.max_elapsed {
        let _ = write!(sum, " within {}", show_duration(max));
    }
    sum
}
