#![deny(warnings)]
#![forbid(unsafe_code)]

use hardening::rate_limited;
use ui_tests::AppError;

#[rate_limited(op = "search")]
fn for_everybody() -> Result<u32, AppError> {
    Ok(1)
}

#[rate_limited(op = "search", key = user, cost = items.len())]
async fn per_key(user: &str, items: &[u32]) -> Result<usize, AppError> {
    Ok(items.len() + user.len())
}

#[rate_limited(op = "ai_generate", key = (user, &*model), per = "attempt")]
fn per_tuple(user: u64, model: String) -> Result<String, AppError> {
    Ok(format!("{user} {model}"))
}

#[rate_limited(capacity = 3, window_seconds = "1m")]
fn inline() -> Result<u32, AppError> {
    Ok(1)
}

struct Client {
    tenant: u64,
}

impl Client {
    #[rate_limited(op = "search", key = self.tenant, cost = 2)]
    async fn ask(&self) -> Result<u64, AppError> {
        Ok(self.tenant)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert!(for_everybody().is_ok());
    assert_eq!(per_key("ann", &[1, 2]).await.ok(), Some(5));
    assert_eq!(per_tuple(1, "a".to_owned()).ok().as_deref(), Some("1 a"));
    assert!(inline().is_ok());
    assert_eq!(Client { tenant: 4 }.ask().await.ok(), Some(4));
}
