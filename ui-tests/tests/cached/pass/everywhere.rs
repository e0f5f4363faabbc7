#![deny(warnings)]
#![forbid(unsafe_code)]

use hardening::cached;
use ui_tests::AppError;

#[cached]
fn plain(id: u32) -> u32 {
    id * 2
}

#[cached(ttl = "1h", max_entries = 10)]
async fn optional(id: &str) -> Option<String> {
    (!id.is_empty()).then(|| id.to_owned())
}

#[cached(name = "users", key = id, cache_if = |user| !user.is_empty())]
async fn fallible(id: u64, _trace: f64) -> Result<String, AppError> {
    Ok(id.to_string())
}

struct Client {
    tenant: u64,
}

impl Client {
    #[cached(ttl = 60, key = (self.tenant, id))]
    fn ask(&self, id: u64) -> Result<u64, AppError> {
        Ok(self.tenant + id)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!((plain(2), plain(2)), (4, 4));
    assert_eq!(optional("a").await.as_deref(), Some("a"));
    assert_eq!(fallible(7, 0.5).await.ok().as_deref(), Some("7"));
    assert_eq!(Client { tenant: 1 }.ask(2).ok(), Some(3));
}
