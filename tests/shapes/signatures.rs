//! What stands before and around a function: qualifiers, names, visibility, attributes.

use crate::support::{AppError, AppResult, Runs};
use hardening::{cached, circuit_breaker, retryable, timeout};
use std::sync::Arc;

/// Fails in the first two runs.
fn third(runs: &Runs) -> AppResult<u32> {
    match runs.up() {
        1 | 2 => Err(AppError::Busy),
        run => Ok(run),
    }
}

#[tokio::test(start_paused = true)]
async fn unsafe_and_extern_functions_stay_what_they_are() {
    /// # Safety
    /// `runs` is valid.
    #[retryable(policy = "shapes")]
    unsafe fn blocking(runs: *const Runs) -> AppResult<u32> {
        // SAFETY: the caller says so.
        third(unsafe { &*runs })
    }
    /// # Safety
    /// `runs` is valid.
    #[retryable(policy = "shapes")]
    async unsafe fn asynchronous(runs: *const Runs) -> AppResult<u32> {
        // SAFETY: the caller says so.
        third(unsafe { &*runs })
    }
    #[retryable(policy = "shapes")]
    #[allow(improper_ctypes_definitions, reason = "only the qualifier is tested")]
    extern "C" fn for_c(runs: &Runs) -> AppResult<u32> {
        third(runs)
    }
    let runs = Runs::new();
    // SAFETY: it is valid.
    let answer = unsafe { blocking(&raw const runs) };
    assert_eq!((answer, runs.take()), (Ok(3), 3));
    // SAFETY: it is valid.
    let answer = unsafe { asynchronous(&raw const runs) }.await;
    assert_eq!((answer, runs.take()), (Ok(3), 3));
    let called: extern "C" fn(&Runs) -> AppResult<u32> = for_c;
    assert_eq!((called(&runs), runs.take()), (Ok(3), 3));
}

/// # Safety
/// Whoever implements it answers in the third run.
unsafe trait Third {
    fn answer(&self) -> AppResult<u32>;
}

// SAFETY: it does.
#[retryable(policy = "shapes")]
unsafe impl Third for Runs {
    fn answer(&self) -> AppResult<u32> {
        third(self)
    }
}

#[test]
fn an_unsafe_impl_is_a_block_like_others() {
    let runs = Runs::new();
    assert_eq!((runs.answer(), runs.get()), (Ok(3), 3));
}

mod r#mod {
    use super::*;

    pub(super) struct r#Struct;

    impl r#Struct {
        #[retryable(policy = "shapes")]
        pub(super) fn r#type(r#match: &Runs) -> AppResult<u32> {
            third(r#match)
        }

        #[retryable(policy = "shapes")]
        pub(super) async fn r#loop(&self, r#ref: &Runs) -> AppResult<u32> {
            third(r#ref)
        }
    }

    #[cached(key = r#in)]
    pub(in crate::signatures) fn r#fn(r#in: u32, runs: &Runs) -> u32 {
        runs.up() + r#in
    }
}

#[tokio::test(start_paused = true)]
async fn raw_names_are_names() {
    let runs = Runs::new();
    assert_eq!((r#mod::Struct::r#type(&runs), runs.take()), (Ok(3), 3));
    assert_eq!((r#mod::Struct.r#loop(&runs).await, runs.take()), (Ok(3), 3));
    assert_eq!((r#mod::r#fn(1, &runs), r#mod::r#fn(1, &runs)), (2, 2));
    let sites = hardening::sites();
    let of = |end: &str| sites.iter().filter(|site| site.path.ends_with(end)).count();
    assert_eq!(
        (of("Struct::type"), of("Struct::loop"), of("mod::fn")),
        (1, 1, 1)
    );
}

mod seen {
    use super::*;

    pub(super) mod inner {
        use super::*;

        #[retryable(policy = "shapes")]
        pub(in crate::signatures) async fn from_above(runs: &Runs) -> AppResult<u32> {
            within(runs)
        }

        #[retryable(policy = "shapes", max_attempts = 1)]
        pub(self) fn within(runs: &Runs) -> AppResult<u32> {
            third(runs)
        }
    }

    #[circuit_breaker]
    pub(super) async fn above(runs: &Runs) -> AppResult<u32> {
        inner::from_above(runs).await
    }
}

#[tokio::test(start_paused = true)]
async fn visibility_stays_as_it_is_written() {
    let runs = Runs::new();
    assert_eq!((seen::above(&runs).await, runs.take()), (Ok(3), 3));
    assert_eq!(
        (seen::inner::from_above(&runs).await, runs.take()),
        (Ok(3), 3)
    );
}

#[tokio::test(start_paused = true)]
async fn attributes_of_the_language_apply_to_the_function_as_before() {
    /// What it does.
    #[doc(alias = "asks")]
    #[inline]
    #[must_use = "of the test"]
    #[retryable(policy = "shapes")]
    #[expect(non_snake_case, reason = "to see that it is where it was")]
    fn Blocking(runs: &Runs) -> AppResult<u32> {
        #[allow(unused_variables)]
        let unused = ();
        third(runs)
    }
    #[must_use = "of the test"]
    #[cached]
    fn counted(number: u32) -> u32 {
        number
    }
    #[cold]
    #[deprecated = "to see that it is"]
    #[timeout("1s")]
    #[retryable(policy = "shapes")]
    #[allow(clippy::too_many_arguments, unused_variables, unused_mut)]
    async fn asynchronous(runs: &Runs, unused: u8, mut also: u8) -> AppResult<u32> {
        third(runs)
    }
    let runs = Runs::new();
    assert_eq!((Blocking(&runs), runs.take()), (Ok(3), 3));
    #[expect(unused_must_use, reason = "to see that it must be used")]
    {
        counted(1);
    }
    #[expect(deprecated, reason = "to see that it is")]
    let answer = asynchronous(&runs, 1, 2).await;
    assert_eq!((answer, runs.take()), (Ok(3), 3));
}

#[tokio::test(start_paused = true)]
async fn cfg_decides_what_is_there_and_cfg_attr_what_applies() {
    #[cfg(any())]
    #[retryable(policy = "shapes")]
    fn chosen(_: &Runs) -> AppResult<u32> {
        compile_error!("not chosen")
    }
    #[retryable(policy = "shapes")]
    #[cfg(test)]
    fn chosen(runs: &Runs, #[cfg(any())] absent: Absent) -> AppResult<u32> {
        #[cfg(any())]
        let _ = absent;
        third(runs)
    }
    #[cfg_attr(
        all(),
        retryable(policy = "shapes"),
        circuit_breaker(failure_threshold = 2, allow = ["circuit_outlasts_retries"])
    )]
    #[must_use = "of the test"]
    async fn conditional(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    #[retryable(max_attempts = 2, base_delay = 0)]
    #[cfg_attr(any(), timeout("1s"))]
    #[cfg_attr(all(), doc = "Left as it is.")]
    #[cfg(test)]
    async fn left_out(runs: &Runs) -> AppResult<()> {
        runs.up();
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    assert_eq!((chosen(&runs), runs.take()), (Ok(3), 3));
    let answer = conditional(&runs).await.map_err(AppError::rejected);
    assert!(matches!(
        answer,
        Err(hardening::Rejected::CircuitOpen { .. })
    ));
    assert_eq!(runs.take(), 2, "one plan: both attempts counted");
    assert_eq!(
        (left_out(&runs).await, runs.take()),
        (Err(AppError::Busy), 2)
    );
}

#[derive(Debug, PartialEq)]
struct Built {
    parts: u32,
}

impl Built {
    const MORE: u32 = 4;

    #[retryable(policy = "shapes")]
    fn new(runs: &Runs) -> AppResult<Self> {
        let parts = third(runs)? + Self::MORE;
        Ok(Self { parts })
    }

    #[retryable(policy = "shapes")]
    #[timeout("1s")]
    async fn join(self: Arc<Self>, other: &Self, runs: &Runs) -> Result<Vec<Self>, AppError> {
        let Self { parts } = *self;
        let sum = |a: &Self| -> AppResult<Self> {
            let parts = parts + a.parts + third(runs)?;
            Ok(Self { parts })
        };
        Ok(vec![sum(other)?])
    }
}

#[tokio::test(start_paused = true)]
async fn self_as_a_type_is_the_type_in_signature_and_body() {
    let runs = Runs::new();
    let built = Built::new(&runs).unwrap();
    assert_eq!((built.parts, runs.take()), (7, 3));
    let joined = Arc::new(Built { parts: 1 }).join(&built, &runs).await;
    assert_eq!(joined, Ok(vec![Built { parts: 11 }]));
    assert_eq!(runs.get(), 3);
}
