//! Where identity comes from: the function itself, never its name. State is never shared by accident.
#![forbid(unsafe_code)]

use crate::support::{AppError, AppResult};
use hardening::{cached, circuit_breaker, retryable};

/// Trips the circuit of a function that fails at its first call.
fn trip(fails: impl FnOnce() -> AppResult<u32>) {
    assert_eq!(fails(), Err(AppError::Busy));
}

fn is_open(answer: &AppResult<u32>) -> bool {
    matches!(answer, Err(AppError::Rejected(_)))
}

/// How many sites have `path`, from this module on.
fn sites(path: &str) -> usize {
    let path = format!("{}::{path}", module_path!());
    let sites = hardening::sites();
    sites.iter().filter(|site| site.path == path).count()
}

mod one {
    use super::*;

    #[circuit_breaker(failure_threshold = 1)]
    #[cached]
    pub(super) fn ask(fails: bool) -> AppResult<u32> {
        if fails { Err(AppError::Busy) } else { Ok(1) }
    }
}

mod two {
    use super::*;

    #[circuit_breaker(failure_threshold = 1)]
    #[cached]
    pub(super) fn ask(fails: bool) -> AppResult<u32> {
        if fails { Err(AppError::Busy) } else { Ok(2) }
    }
}

#[test]
fn functions_of_one_name_in_two_modules_share_nothing() {
    assert_eq!((one::ask(false), two::ask(false)), (Ok(1), Ok(2)));
    trip(|| one::ask(true));
    assert!(is_open(&one::ask(true)));
    trip(|| two::ask(true));
    assert_eq!((sites("one::ask"), sites("two::ask")), (1, 1));
}

struct First;
struct Second;
struct Of<T>(T);

impl First {
    #[circuit_breaker(failure_threshold = 1)]
    async fn ask() -> AppResult<u32> {
        Err(AppError::Busy)
    }
}

impl Second {
    #[circuit_breaker(failure_threshold = 1)]
    async fn ask() -> AppResult<u32> {
        Err(AppError::Busy)
    }
}

#[circuit_breaker(failure_threshold = 1)]
impl Of<u8> {
    fn ask(&self) -> AppResult<u32> {
        Err(AppError::Busy)
    }
}

#[circuit_breaker(failure_threshold = 1)]
impl Of<u16> {
    fn ask(&self) -> AppResult<u32> {
        Err(AppError::Busy)
    }
}

#[tokio::test(start_paused = true)]
async fn methods_of_one_name_in_two_impls_share_nothing() {
    assert_eq!(First::ask().await, Err(AppError::Busy));
    assert!(is_open(&First::ask().await));
    assert_eq!(Second::ask().await, Err(AppError::Busy));
    trip(|| Of(1_u8).ask());
    assert!(is_open(&Of(1_u8).ask()));
    trip(|| Of(1_u16).ask());
    assert_eq!((sites("First::ask"), sites("Second::ask")), (1, 1));
    assert_eq!(sites("Of::ask"), 2, "two functions, though one path");
}

trait Reads {
    fn ask(&self) -> AppResult<u32>;
}

trait Writes {
    fn ask(&self) -> AppResult<u32>;
}

trait For<T> {
    fn ask(&self) -> AppResult<u32>;
}

#[circuit_breaker(failure_threshold = 1)]
impl Reads for First {
    fn ask(&self) -> AppResult<u32> {
        Err(AppError::Busy)
    }
}

#[circuit_breaker(failure_threshold = 1)]
impl Writes for First {
    fn ask(&self) -> AppResult<u32> {
        Err(AppError::Busy)
    }
}

#[circuit_breaker(failure_threshold = 1)]
impl For<u8> for First {
    fn ask(&self) -> AppResult<u32> {
        Err(AppError::Busy)
    }
}

#[circuit_breaker(failure_threshold = 1)]
impl For<u16> for First {
    fn ask(&self) -> AppResult<u32> {
        Err(AppError::Busy)
    }
}

#[test]
fn methods_of_one_name_from_two_traits_share_nothing() {
    trip(|| Reads::ask(&First));
    assert!(is_open(&Reads::ask(&First)));
    trip(|| Writes::ask(&First));
    trip(|| For::<u8>::ask(&First));
    trip(|| For::<u16>::ask(&First));
    let sites = hardening::sites();
    let of = |name: &str| {
        let end = format!("identity::First as {}::{name}>::ask", module_path!());
        sites
            .iter()
            .filter(|site| site.path.ends_with(&end))
            .count()
    };
    assert_eq!((of("Reads"), of("Writes"), of("For")), (1, 1, 2));
}

fn outer() -> AppResult<u32> {
    #[circuit_breaker(failure_threshold = 1)]
    fn nested() -> AppResult<u32> {
        Err(AppError::Busy)
    }
    nested()
}

fn other_outer() -> AppResult<u32> {
    #[circuit_breaker(failure_threshold = 1)]
    fn nested() -> AppResult<u32> {
        Err(AppError::Busy)
    }
    nested()
}

fn twice_within(second: bool) -> AppResult<u32> {
    if second {
        #[circuit_breaker(failure_threshold = 1)]
        fn nested() -> AppResult<u32> {
            Err(AppError::Busy)
        }
        return nested();
    }
    #[circuit_breaker(failure_threshold = 1)]
    fn nested() -> AppResult<u32> {
        Err(AppError::Busy)
    }
    nested()
}

#[test]
fn functions_of_one_name_within_functions_share_nothing() {
    trip(outer);
    assert!(is_open(&outer()));
    trip(other_outer);
    trip(|| twice_within(false));
    assert!(is_open(&twice_within(false)));
    trip(|| twice_within(true));
    assert_eq!(
        (sites("outer::nested"), sites("other_outer::nested")),
        (1, 1)
    );
    assert_eq!(sites("twice_within::nested"), 2);
}

#[circuit_breaker(failure_threshold = 1)]
fn generic<T: Into<u32>, const N: usize>(values: [T; N]) -> AppResult<u32> {
    let [first, ..] = values.map(Into::into)[..] else {
        return Err(AppError::Busy);
    };
    Ok(first)
}

impl<T: Copy + Into<u32>> Of<T> {
    #[circuit_breaker(failure_threshold = 1)]
    async fn shared_by_types(&self, fails: bool) -> AppResult<u32> {
        if fails {
            Err(AppError::Busy)
        } else {
            Ok(self.0.into())
        }
    }
}

trait Provides {
    #[circuit_breaker(failure_threshold = 1)]
    fn provided(&self, fails: bool) -> AppResult<u32> {
        if fails { Err(AppError::Busy) } else { Ok(0) }
    }
}

impl Provides for First {}
impl Provides for Second {}

#[tokio::test(start_paused = true)]
async fn all_monomorphisations_of_one_function_share_one_site() {
    assert_eq!(generic([7_u8, 1]), Ok(7));
    trip(|| generic::<u16, 0>([]));
    assert!(is_open(&generic([7_u8])));
    assert_eq!(sites("generic"), 1);
    assert_eq!(Of(1_u8).shared_by_types(false).await, Ok(1));
    assert_eq!(Of(1_u16).shared_by_types(true).await, Err(AppError::Busy));
    assert!(is_open(&Of(1_u8).shared_by_types(false).await));
    assert_eq!(sites("Of::shared_by_types"), 1);
    trip(|| First.provided(true));
    assert!(is_open(&Second.provided(false)));
    assert_eq!(sites("Provides::provided"), 1);
}

mod inside {
    pub(super) mod hardening {
        #[::hardening::retryable(policy = "shapes")]
        pub(in super::super) fn ask() -> super::super::AppResult<u32> {
            Ok(1)
        }
    }
}

#[retryable(policy = "shapes")]
fn never_called() -> AppResult<u32> {
    Ok(1)
}

#[test]
fn every_site_is_listed_with_its_path_and_place() {
    assert_eq!(inside::hardening::ask(), Ok(1));
    assert_eq!(sites("inside::hardening::ask"), 1);
    assert_eq!(sites("never_called"), 1);
    let path = format!("{}::never_called", module_path!());
    let all = hardening::sites();
    let site = all.iter().find(|site| site.path == path).unwrap();
    assert!(site.file.ends_with("identity.rs") && site.line > 200);
    let _: fn() -> AppResult<u32> = never_called;
}
