//! Functions that return futures without being `async`.
use hardening::{Rejected, cached, circuit_breaker, retryable, timeout};
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

struct Client(AtomicU32);

impl Client {
    #[retryable(max_attempts = 3, base_delay = 1, jitter = "none")]
    #[timeout("10s")]
    fn boxed<'a>(
        &'a self,
        ok_at: u32,
    ) -> Pin<Box<dyn Future<Output = io::Result<u32>> + Send + 'a>> {
        if ok_at == 0 {
            return Box::pin(async { Ok(0) });
        }
        Box::pin(async move {
            let run = self.0.fetch_add(1, SeqCst) + 1;
            tokio::task::yield_now().await;
            if run < ok_at {
                Err(reset())?;
            }
            Ok(run)
        })
    }

    #[circuit_breaker(failure_threshold = 1)]
    fn alias(&self, fail: bool) -> BoxFuture<'_, Result<u32, Rejected>> {
        Box::pin(async move {
            self.0.fetch_add(1, SeqCst);
            if fail {
                return Err(Rejected::BulkheadFull { name: "no" });
            }
            Ok(1)
        })
    }

    #[retryable(max_attempts = 2, base_delay = 0)]
    fn opaque(&self, text: &'static str) -> impl Future<Output = io::Result<usize>> + Send + '_ {
        let len = text.len();
        async move {
            if self.0.fetch_add(1, SeqCst) == 0 {
                return Err(reset());
            }
            Ok(len)
        }
    }
}

#[cached(ttl = 60)]
fn remembered(id: u32) -> impl Future<Output = Option<u32>> {
    async move {
        RUNS.fetch_add(1, SeqCst);
        (id > 0).then_some(id)
    }
}
static RUNS: AtomicU32 = AtomicU32::new(0);

#[tokio::test(start_paused = true)]
async fn a_boxed_future_is_made_anew_for_each_attempt() {
    let client = Client(AtomicU32::new(0));
    assert_eq!(client.boxed(3).await.unwrap(), 3);
    assert_eq!(client.boxed(0).await.unwrap(), 0);
    let client = Client(AtomicU32::new(0));
    assert!(client.boxed(9).await.is_err());
    assert_eq!(client.0.load(SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn an_alias_of_a_boxed_future_is_known_by_its_name() {
    let client = Client(AtomicU32::new(0));
    assert!(client.alias(true).await.is_err());
    assert!(matches!(
        client.alias(false).await,
        Err(Rejected::CircuitOpen { .. })
    ));
    assert_eq!(client.0.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_opaque_future_is_made_anew_for_each_attempt() {
    let client = Client(AtomicU32::new(0));
    assert_eq!(client.opaque("four").await.unwrap(), 4);
    assert_eq!(client.0.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_future_of_an_option_found_is_remembered() {
    assert_eq!(
        (remembered(4).await, remembered(4).await),
        (Some(4), Some(4))
    );
    assert_eq!((remembered(0).await, remembered(0).await), (None, None));
    assert_eq!(RUNS.load(SeqCst), 3);
}
