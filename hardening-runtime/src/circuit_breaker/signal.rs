//! What a call comes to, as the circuit counts it.

use crate::outcome::{Failure, Origin, Worth};

/// The outcome of a call for its circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The dependency answered.
    Success,
    /// The dependency failed.
    Failure,
    /// Nothing was learnt of the dependency: the request was at fault, or a layer further in refused.
    Neutral,
    /// The call was dropped by its caller before it had an outcome.
    Dropped,
}

impl Signal {
    /// The signal of what came from further in. `weigh` says what an error is worth.
    pub(crate) fn of<T, E>(
        outcome: &Result<T, Failure<E>>,
        weigh: impl FnOnce(&E) -> Worth,
    ) -> Self {
        match outcome {
            Ok(_) => Self::Success,
            Err(Failure::Error(error)) => Self::of_error(weigh(error)),
            Err(failure) => Self::of_failure(failure),
        }
    }

    /// The signal of an error. One of which nothing is known is a failure: whatever it is, the call did not
    /// do what it was for.
    pub(crate) const fn of_error(worth: Worth) -> Self {
        match worth.origin {
            Origin::Unknown => Self::Failure,
            Origin::Call if worth.class.is_transient() => Self::Failure,
            Origin::Call | Origin::Rejection => Self::Neutral,
        }
    }

    /// The signal of what came from further in, where `failure_if` says which results are failures.
    /// An error that it lets pass is neutral: it must not close a half-open circuit.
    pub(crate) fn judged<T, E>(
        outcome: Result<T, Failure<E>>,
        failure_if: impl FnOnce(&Result<T, E>) -> bool,
    ) -> (Result<T, Failure<E>>, Self) {
        let result = match outcome {
            Ok(value) => Ok(value),
            Err(Failure::Error(error)) => Err(error),
            Err(failure) => {
                let signal = Self::of_failure(&failure);
                return (Err(failure), signal);
            }
        };
        let signal = Self::of_result(&result, failure_if(&result));
        (result.map_err(Failure::Error), signal)
    }

    /// The signal of a body's own result, once it is said whether it is a failure.
    pub(crate) const fn of_result<T, E>(result: &Result<T, E>, is_failure: bool) -> Self {
        match result {
            _ if is_failure => Self::Failure,
            Ok(_) => Self::Success,
            Err(_) => Self::Neutral,
        }
    }

    fn of_failure<E>(failure: &Failure<E>) -> Self {
        match failure {
            Failure::Rejected(rejected) => Self::of_error(Worth::of(rejected)),
            Failure::Panicked(_) | Failure::Error(_) => Self::Failure,
            Failure::Answered => Self::Neutral,
        }
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use crate::outcome::{Class, Rejected};
    use std::time::Duration;

    fn of(failure: Failure<Class>) -> Signal {
        Signal::of::<(), _>(&Err(failure), |class| (*class).into())
    }

    #[test]
    fn the_three_outcomes_of_the_contract() {
        let ok: Result<(), Failure<()>> = Ok(());
        assert_eq!(Signal::of(&ok, |()| Worth::UNKNOWN), Signal::Success);
        assert_eq!(of(Failure::Error(Class::Transient)), Signal::Failure);
        assert_eq!(of(Failure::Error(Class::Permanent)), Signal::Neutral);
        assert_eq!(of(Failure::Panicked(Box::new(()))), Signal::Failure);
        let (name, after) = ("site", Duration::from_secs(1));
        let timeout = Rejected::TimedOut { name, after };
        assert_eq!(of(timeout.into()), Signal::Failure);
        let full = Rejected::BulkheadFull { name };
        assert_eq!(of(full.into()), Signal::Neutral);
    }

    #[test]
    fn an_error_of_which_nothing_is_known_is_a_failure() {
        let outcome: Result<(), _> = Err(Failure::Error("no"));
        assert_eq!(Signal::of(&outcome, |_| Worth::UNKNOWN), Signal::Failure);
    }

    #[test]
    fn a_refusal_counts_the_same_inside_the_error_of_a_function_further_in() {
        let (name, wait) = ("site", Duration::from_secs(1));
        for (rejected, signal) in [
            (Rejected::TimedOut { name, after: wait }, Signal::Failure),
            (Rejected::BulkheadFull { name }, Signal::Neutral),
            (
                Rejected::CircuitOpen {
                    name,
                    retry_after: Some(wait),
                },
                Signal::Neutral,
            ),
            (
                Rejected::RateLimited {
                    op: name,
                    retry_after: None,
                },
                Signal::Neutral,
            ),
        ] {
            let inside = Err::<(), _>(Failure::Error(rejected.clone()));
            assert_eq!(Signal::of(&inside, Worth::of), signal, "{rejected}");
            let own = Err::<(), Failure<Rejected>>(rejected.into());
            assert_eq!(Signal::of(&own, Worth::of), signal);
        }
    }

    #[test]
    fn failure_if_sees_the_result_and_gives_it_back() {
        let (outcome, signal) = Signal::judged::<_, ()>(Ok(503), |r| matches!(r, Ok(503)));
        assert!(matches!((outcome, signal), (Ok(503), Signal::Failure)));
        let error: Result<(), _> = Err(Failure::Error("not found"));
        let (outcome, signal) = Signal::judged(error, |_| false);
        assert!(matches!(
            (outcome, signal),
            (Err(Failure::Error("not found")), Signal::Neutral)
        ));
    }
}
