//! What a call comes to, as the circuit counts it.

use crate::outcome::{Class, Failure, Rejected};

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
    /// The signal of what came from further in. `class` says what an error is worth; none (the
    /// error's type does not say) makes every error a failure.
    pub(crate) fn of<T, E>(
        outcome: &Result<T, Failure<E>>,
        class: impl FnOnce(&E) -> Option<Class>,
    ) -> Self {
        match outcome {
            Ok(_) => Self::Success,
            Err(Failure::Error(error)) => match class(error) {
                Some(Class::Permanent) => Self::Neutral,
                _ => Self::Failure,
            },
            Err(failure) => Self::of_failure(failure),
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

    /// A timeout of ours says that the dependency is slow; our other refusals say nothing of it.
    const fn of_failure<E>(failure: &Failure<E>) -> Self {
        match failure {
            Failure::Rejected(Rejected::TimedOut { .. })
            | Failure::Panicked(_)
            | Failure::Error(_) => Self::Failure,
            Failure::Rejected(_) => Self::Neutral,
        }
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use std::time::Duration;

    fn of(failure: Failure<Class>) -> Signal {
        Signal::of::<(), _>(&Err(failure), |class| Some(*class))
    }

    #[test]
    fn the_three_outcomes_of_the_contract() {
        let ok: Result<(), Failure<()>> = Ok(());
        assert_eq!(Signal::of(&ok, |()| None), Signal::Success);
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
    fn without_a_class_every_error_is_a_failure() {
        let outcome: Result<(), _> = Err(Failure::Error("no"));
        assert_eq!(Signal::of(&outcome, |_| None), Signal::Failure);
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
