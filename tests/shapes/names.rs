//! Our attributes under other names and from re-exports. That a package finds our crate by what its
//! Cargo.toml says is tested in `ui-tests/tests/re_exported.rs`.

/// An attribute of ours under another name, above those that have theirs.
mod another_name {
    use crate::support::{AppError, AppResult, Runs};
    use hardening::{cached as remember, circuit_breaker as breaker, retryable};

    static RUNS: Runs = Runs::new();

    #[remember(ttl = 60)]
    #[retryable(base_delay = 0)]
    async fn asks(id: u32) -> AppResult<u32> {
        if RUNS.up() < 3 {
            return Err(AppError::Busy);
        }
        Ok(id)
    }

    struct Client(Runs);

    #[breaker(failure_threshold = 3)]
    #[retryable(base_delay = 0)]
    impl Client {
        fn ask(&self) -> AppResult<u32> {
            self.0.up();
            Err(AppError::Busy)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn runs_first_and_takes_the_others_with_it() {
        assert_eq!((asks(7).await, asks(7).await), (Ok(7), Ok(7)));
        assert_eq!(RUNS.get(), 3);
        let client = Client(Runs::new());
        assert_eq!(client.ask(), Err(AppError::Busy));
        assert!(client.ask().unwrap_err().rejected().retry_after().is_some());
        assert_eq!(client.0.get(), 3);
        let sites = hardening::sites();
        let layers = sites
            .iter()
            .filter(|site| site.path.contains("another_name"))
            .map(|site| site.layers.len());
        assert_eq!(layers.collect::<Vec<_>>(), [2, 2]);
    }
}

/// A framework's re-exports, and a package that depends on the framework alone: an attribute says
/// where our crate is.
mod re_export {
    use crate::support::Runs;

    pub(crate) mod framework {
        pub(crate) use ::hardening;
        pub(crate) use ::hardening::*;
    }

    use framework::{Classify, Rejected, circuit_breaker, health_check, rate_limited, retryable};

    // Nothing else may be called by the name that generated code would use without the argument.
    #[allow(dead_code)]
    mod hardening {}

    #[derive(Clone, Debug, PartialEq, Classify)]
    #[classify(crate = framework::hardening)]
    enum AppError {
        #[transient]
        Busy,
        #[classify(forward)]
        Rejected(Rejected),
    }

    #[derive(Debug, Classify)]
    #[classify(forward, crate = framework)]
    #[allow(dead_code)]
    struct Wrapped(AppError);

    impl From<Rejected> for AppError {
        fn from(rejected: Rejected) -> Self {
            Self::Rejected(rejected)
        }
    }

    type AppResult<T> = Result<T, AppError>;

    #[retryable(crate = framework::hardening, base_delay = 0)]
    #[framework::hardening::cached(ttl = 60)]
    #[crate::names::re_export::framework::hardening::timeout("60s")]
    async fn asks(id: u32) -> AppResult<u32> {
        RUNS.up();
        Ok(id)
    }

    #[circuit_breaker]
    #[rate_limited(capacity = 1, window_seconds = 60, crate = crate::names::re_export::framework)]
    fn blocks(runs: &Runs) -> AppResult<u32> {
        Ok(runs.up())
    }

    struct Client;

    #[retryable(base_delay = 0, crate = framework::hardening)]
    impl Client {
        #[cfg_attr(all(), circuit_breaker(crate = framework))]
        #[framework::hardening::cached(key = _id)]
        fn ask(runs: &Runs, _id: u32) -> AppResult<u32> {
            match runs.up() {
                3 => Ok(3),
                _ => Err(AppError::Busy),
            }
        }

        #[hardening(skip)]
        fn skipped(runs: &Runs) -> AppResult<u32> {
            runs.up();
            Err(AppError::Busy)
        }
    }

    #[health_check(name = "shapes re-export", crate = framework::hardening)]
    fn check() -> bool {
        true
    }

    static RUNS: Runs = Runs::new();

    #[tokio::test(start_paused = true)]
    async fn each_attribute_can_say_where_it_is() {
        assert_eq!((asks(7).await, asks(7).await), (Ok(7), Ok(7)));
        assert_eq!(RUNS.get(), 1);
        let runs = Runs::new();
        assert_eq!(blocks(&runs), Ok(1));
        assert!(matches!(blocks(&runs), Err(AppError::Rejected(_))));
        assert_eq!(runs.take(), 1);
        assert_eq!(Client::skipped(&runs), Err(AppError::Busy));
        assert_eq!(runs.take(), 1);
        let checks = framework::hardening::health::registry().names();
        assert!(checks.iter().any(|name| name == "shapes re-export") && check());
        let found = framework::hardening::sites();
        let layers = |path: &str| {
            let mut found = found.iter().filter(|site| site.path.ends_with(path));
            found.next().unwrap().layers.len()
        };
        assert_eq!(layers("re_export::asks"), 3);
        assert_eq!(layers("re_export::blocks"), 2);
        assert_eq!(layers("re_export::Client::ask"), 3);
    }
}

/// A macro of a framework that writes attributes for its users.
mod framework_macro {
    use crate::support::{AppError, AppResult, Runs};

    #[allow(dead_code)]
    mod hardening {}

    macro_rules! endpoint {
        ($name:ident) => {
            #[$crate::names::re_export::framework::hardening::retryable(
                                        crate = $crate::names::re_export::framework::hardening,
                                        base_delay = 0
                                    )]
            #[$crate::names::re_export::framework::hardening::circuit_breaker]
            async fn $name(runs: &Runs) -> AppResult<u32> {
                match runs.up() {
                    3 => Ok(3),
                    _ => Err(AppError::Busy),
                }
            }
        };
    }
    endpoint!(ask);

    #[tokio::test(start_paused = true)]
    async fn says_where_the_crate_is_for_them() {
        let runs = Runs::new();
        assert_eq!((ask(&runs).await, runs.get()), (Ok(3), 3));
        let sites = ::hardening::sites();
        let site = sites
            .iter()
            .find(|site| site.path.ends_with("framework_macro::ask"));
        assert_eq!(site.unwrap().layers.len(), 2);
    }
}
