#![deny(warnings)]
#![forbid(unsafe_code)]

use hardening::{RetryEvent, retryable};
use std::sync::atomic::{AtomicU32, Ordering};
use ui_tests::AppError;

static AGAIN: AtomicU32 = AtomicU32::new(0);

fn busy(_: &AppError) -> bool {
    true
}

fn note(_: &RetryEvent) {
    AGAIN.fetch_add(1, Ordering::Relaxed);
}

#[retryable]
fn blocking(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[retryable(policy = "expensive", base_delay = "1ms", max_delay = 0.01)]
async fn asynchronous<T: Clone + Send>(value: &T) -> Result<T, AppError> {
    Ok(value.clone())
}

#[retryable(retry_if = busy, on_retry = note, clone(body))]
async fn consuming(body: String) -> Result<usize, AppError> {
    Ok(body.into_bytes().len())
}

#[retryable(retry_if = |_| false, on_retry = |_| (), budget = false)]
fn closures() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("no"))
}

struct Client {
    asked: u32,
}

#[retryable(max_attempts = 2)]
impl Client {
    #[hardening(skip)]
    const fn new() -> Self {
        Self { asked: 0 }
    }

    fn ask(&mut self) -> Result<u32, AppError> {
        self.asked += 1;
        if self.asked < 2 {
            return Err(AppError);
        }
        Ok(self.asked)
    }

    #[retryable(policy = "quick")]
    async fn own(&self) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
        let parsed: u32 = "7".parse()?;
        Ok(parsed + self.asked)
    }
}

trait Ask {
    fn ask(&self) -> Result<u32, AppError>;
}

impl Ask for u32 {
    #[retryable]
    fn ask(&self) -> Result<u32, AppError> {
        Ok(*self)
    }
}

const fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(blocking(1).ok(), Some(1));
    assert_eq!(is_send(asynchronous(&5)).await.ok(), Some(5));
    assert_eq!(is_send(consuming("four".to_owned())).await.ok(), Some(4));
    assert!(closures().is_err());
    let mut client = Client::new();
    assert_eq!(client.ask().ok(), Some(2));
    assert_eq!(client.own().await.ok(), Some(9));
    assert_eq!(Ask::ask(&3).ok(), Some(3));
    assert_eq!(AGAIN.load(Ordering::Relaxed), 0);
}
