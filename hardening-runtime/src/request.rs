//! Which request the current code works for: an id that follows a task, and that each event carries.
//!
//! Asked for only when something is told. A call without events never looks at it.

use crate::chance;
use std::{
    fmt,
    future::Future,
    ops::Deref,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of a request: 1 to 128 visible ASCII characters without quotes and backslashes, so that it
/// can stand in any header, log line and query as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The longest id, in bytes.
    pub const MAX_LEN: usize = 128;

    /// A new id: `req-` and 12 hexadecimal digits.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("req-{:012x}", chance::bits() >> 16).into())
    }

    /// `text`, if it is an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = (1..=Self::MAX_LEN).contains(&text.len()) && text.bytes().all(is_plain);
        is_id.then(|| Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b'\\')
}

impl Deref for RequestId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The id, or a random one in the place of a text that is none.
impl From<&str> for RequestId {
    fn from(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(Self::random)
    }
}

/// As from `&str`.
impl From<String> for RequestId {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

/// As from `&str`.
impl From<&String> for RequestId {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

/// The id of the request that the current code works for, if it is known.
#[must_use]
pub fn request_id() -> Option<RequestId> {
    CURRENT.try_with(Clone::clone).ok()
}

/// `future`, whose events carry `id`, across its `.await`s and in the health checks that it runs. A
/// text that is no [`RequestId`] is replaced by a random one.
///
/// Tasks that `future` spawns are on their own; give them the id on their way:
///
/// ```
/// # use hardening_runtime as hardening;
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// hardening::with_request_id("order-7", async {
///     let id = hardening::request_id().unwrap();
///     let mail = async { assert_eq!(hardening::request_id().unwrap().as_str(), "order-7") };
///     tokio::spawn(hardening::with_request_id(id, mail)).await.unwrap();
/// })
/// .await;
/// assert_eq!(hardening::request_id(), None);
/// # }
/// ```
pub fn with_request_id<F: Future>(id: impl Into<RequestId>, future: F) -> WithRequestId<F> {
    WithRequestId {
        inner: CURRENT.scope(id.into(), future),
    }
}

/// Runs blocking code whose events carry `id`; what [`with_request_id`] is for a future.
pub fn with_request_id_blocking<R>(id: impl Into<RequestId>, body: impl FnOnce() -> R) -> R {
    CURRENT.sync_scope(id.into(), body)
}

/// `future` for a task of ours: with the id of the code that spawns it.
pub(crate) async fn carried<F: Future>(id: Option<RequestId>, future: F) -> F::Output {
    match id {
        Some(id) => with_request_id(id, future).await,
        None => future.await,
    }
}

/// `body` for a thread of ours.
pub(crate) fn carried_blocking<R>(id: Option<RequestId>, body: impl FnOnce() -> R) -> R {
    match id {
        Some(id) => with_request_id_blocking(id, body),
        None => body(),
    }
}

pin_project_lite::pin_project! {
    /// A future that works for a request; what [`with_request_id`] returns.
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct WithRequestId<F> {
        #[pin]
        inner: TaskLocalFuture<RequestId, F>,
    }
}

impl<F: Future> Future for WithRequestId<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().inner.poll(cx)
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_can_stand_anywhere() {
        for text in ["a", "req-0123456789ab", "a,b;c=d/e:f~", &"x".repeat(128)] {
            assert_eq!(RequestId::parse(text).as_deref(), Some(text), "{text}");
        }
        let bad = [
            "", " ", "a b", "a\n", "a\"", "a'b", "a`b", "a\\b", "ü", "a\u{7f}", "\0",
        ];
        for text in bad.into_iter().chain([&*"x".repeat(129)]) {
            assert_eq!(RequestId::parse(text), None, "{text:?}");
            assert!(RequestId::from(text).starts_with("req-"));
        }
    }

    #[test]
    fn random_ids_have_twelve_digits_and_differ() {
        let ids: std::collections::BTreeSet<_> = (0..1000).map(|_| RequestId::random()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            let digits = id.strip_prefix("req-").expect("a prefix");
            assert_eq!(digits.len(), 12);
            assert!(digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        }
    }

    #[test]
    fn the_inner_id_holds_and_then_the_outer_one_again() {
        let seen = || request_id().map(|id| id.to_string());
        let (inner, outer) = with_request_id_blocking("outer", || {
            (with_request_id_blocking("inner", seen), seen())
        });
        assert_eq!(
            (inner.as_deref(), outer.as_deref()),
            (Some("inner"), Some("outer"))
        );
        assert_eq!(seen(), None);
    }
}
