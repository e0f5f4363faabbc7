//! The client: two functions and a health check, which carry all eight attributes.
//!
//! The numbers are policies in `hardening.yaml`. Their names are checked while compiling: misspell
//! one here and the build fails, at the literal.

use crate::http;
use hardening::{
    Classify, Rejected, bulkhead, cached, circuit_breaker, fallback, health_check, rate_limited,
    retryable, timeout,
};
use std::time::Duration;

/// What users call. Here they are kept within their rate, popular questions are answered from
/// memory, and whatever fails further in, they get an answer in good time.
#[rate_limited(op = "answer", key = user)]
#[cached(policy = "answers", key = question)]
#[timeout("1500ms")]
#[fallback(|_| Ok(Answer::Apology))]
pub(crate) async fn answer(user: u32, question: u32) -> Result<Answer, SearchError> {
    let page = search(question).await?;
    Ok(Answer::Found(page))
}

/// Asks the search engine, which is another machine: it is slow, busy or down at times. Here each
/// attempt is bounded, what may pass is tried again, and what is down is left alone for a while.
#[retryable(policy = "search_engine")]
#[circuit_breaker(policy = "search_engine", name = "search engine")]
#[bulkhead(policy = "search_engine")]
#[timeout(policy = "search_engine")]
async fn search(question: u32) -> Result<String, SearchError> {
    http::get(&format!("/search?q={question}")).await
}

/// Registers itself: the monitor runs it, and the report has it.
#[health_check(
    name = "search engine",
    critical = true,
    interval = "500ms",
    timeout = "200ms"
)]
async fn search_engine() -> Result<(), SearchError> {
    http::get("/health").await.map(drop)
}

/// What a user gets.
#[derive(Clone)]
pub(crate) enum Answer {
    /// The page that the search engine found.
    Found(String),
    /// "Search is not available at the moment."
    Apology,
}

/// What can go wrong, and whether another try may help.
#[derive(Clone, Debug, Classify)]
pub(crate) enum SearchError {
    /// No connection, or one that broke off.
    #[transient]
    Network(std::io::ErrorKind),
    /// 5xx
    #[transient]
    Unavailable(u16),
    /// 429; a retry waits for as long as the server says.
    #[transient(after = retry_after)]
    Busy { retry_after: Option<Duration> },
    /// Any other status: the request is wrong, and stays so.
    #[permanent]
    Refused(u16),
    /// One of our layers said no. This is all that an error needs to take part.
    #[classify(forward)]
    Rejected(Rejected),
}

impl From<Rejected> for SearchError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl From<std::io::Error> for SearchError {
    fn from(error: std::io::Error) -> Self {
        Self::Network(error.kind())
    }
}

impl std::error::Error for SearchError {}

impl std::fmt::Display for SearchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Network(kind) => write!(f, "{kind}"),
            Self::Unavailable(status) | Self::Refused(status) => write!(f, "status {status}"),
            Self::Busy { .. } => f.write_str("status 429"),
            Self::Rejected(rejected) => write!(f, "{rejected}"),
        }
    }
}
