#![deny(warnings)]
#![forbid(unsafe_code)]

use hardening::circuit_breaker;

#[circuit_breaker]
fn blocking() -> Result<u32, hardening::Rejected> {
    Ok(1)
}

#[circuit_breaker(policy = "upstream", name = "ai", failure_if = |result| result.is_err())]
async fn asynchronous() -> Result<u32, std::io::Error> {
    Ok(2)
}

struct Client;

#[circuit_breaker(failure_rate = 0.5, minimum_calls = 10, per = "call")]
impl Client {
    fn ask(self) -> Result<Self, std::io::Error> {
        Ok(self)
    }

    async fn tell(text: String) -> std::io::Result<String> {
        Ok(text)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert!(blocking().is_ok());
    assert_eq!(asynchronous().await.ok(), Some(2));
    assert!(Client.ask().is_ok());
    assert_eq!(Client::tell("x".to_owned()).await.ok().as_deref(), Some("x"));
}
