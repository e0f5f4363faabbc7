#![deny(warnings)]
#![forbid(unsafe_code)]

use hardening::{
    Classify, Priority, Rejected, bulkhead, cached, circuit_breaker, fallback, health_check,
    rate_limited, retryable, timeout,
};

#[derive(Clone, Debug, Classify)]
enum AppError {
    #[transient]
    Busy,
    #[classify(forward)]
    Rejected(Rejected),
}

impl From<Rejected> for AppError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

#[fallback(|error| match error {
    AppError::Busy => Ok(query.to_owned()),
    other => Err(other),
})]
#[cached(ttl = 60, key = (user, query))]
#[timeout(call = "40s", attempt = "5s")]
#[rate_limited(op = "search", key = user)]
#[retryable(policy = "expensive", allow = ["circuit_outlasts_retries"])]
#[circuit_breaker(policy = "upstream", name = "search")]
#[bulkhead(name = "search", priority = Priority::High)]
async fn search(user: u64, query: &str) -> Result<String, AppError> {
    if query.is_empty() {
        Err(AppError::Busy)?;
    }
    Ok(format!("{user} {query}"))
}

#[bulkhead]
#[circuit_breaker]
#[retryable]
#[rate_limited(op = "search")]
#[cached]
#[fallback(|_| Ok(0))]
fn blocking(id: u64) -> Result<u64, AppError> {
    if id == 0 {
        return Err(AppError::Busy);
    }
    Ok(id)
}

struct Client {
    calls: u64,
}

#[retryable(max_attempts = 2)]
#[circuit_breaker]
#[timeout("10s")]
impl Client {
    #[hardening(skip)]
    fn new() -> Self {
        Self { calls: 0 }
    }

    #[bulkhead]
    async fn ask(&mut self, id: u64) -> Result<u64, AppError> {
        self.calls += 1;
        Ok(id)
    }

    async fn of<T: Send + 'static>(value: T) -> Result<usize, AppError>
    where
        T: AsRef<str> + Sync,
    {
        Ok(value.as_ref().len())
    }
}

#[health_check(name = "search")]
async fn check() -> Result<(), AppError> {
    Ok(())
}

const fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    hardening::init!().expect("the configuration fits");
    assert_eq!(is_send(search(1, "rust")).await.ok().as_deref(), Some("1 rust"));
    assert_eq!(blocking(1).ok(), Some(1));
    let mut client = Client::new();
    assert_eq!(is_send(client.ask(2)).await.ok(), Some(2));
    assert_eq!(is_send(Client::of("abc")).await.ok(), Some(3));
    assert!(check().await.is_ok() && client.calls == 1);
    assert_eq!(hardening::sites().len(), 4);
}
