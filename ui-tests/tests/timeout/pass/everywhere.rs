#![deny(warnings)]
#![forbid(unsafe_code)]

use hardening::timeout;

#[timeout("15s")]
async fn text() -> Result<u32, hardening::Rejected> {
    Ok(1)
}

#[timeout(0.5)]
async fn number() -> Result<u32, hardening::Rejected> {
    Ok(2)
}

#[timeout(call = "30s", attempt = 5)]
async fn both() -> Result<u32, hardening::Rejected> {
    Ok(3)
}

#[timeout(policy = "default")]
async fn named() -> Result<u32, hardening::Rejected> {
    Ok(4)
}

struct Client;

#[timeout]
impl Client {
    async fn ask(&self) -> Result<u32, hardening::Rejected> {
        Ok(5)
    }

    #[hardening(skip)]
    fn blocking(&self) -> u32 {
        6
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(text().await.ok(), Some(1));
    assert_eq!(number().await.ok(), Some(2));
    assert_eq!(both().await.ok(), Some(3));
    assert_eq!(named().await.ok(), Some(4));
    assert_eq!((Client.ask().await.ok(), Client.blocking()), (Some(5), 6));
}
