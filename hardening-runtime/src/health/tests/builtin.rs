//! Ready-made checks, against real sockets on loopback.

use super::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// An address at which nothing listens.
async fn nowhere() -> String {
    listener().await.1
}

/// Answers one request, and returns it.
async fn serve(listener: TcpListener, answer: &[u8]) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut request, mut part) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut part).await.unwrap();
        request.extend_from_slice(&part[..read]);
    }
    let _ = stream.write_all(answer).await; // the asker may have read enough
    String::from_utf8(request).unwrap()
}

/// Far more than a status line.
const LONG: &[u8] = &[b'x'; 10_000];

async fn ask(answer: &'static [u8]) -> (HealthResult, String) {
    let (listener, address) = listener().await;
    let served = tokio::spawn(serve(listener, answer));
    let check = HttpCheck::new(&format!("http://{address}/health?deep=1#part")).unwrap();
    (check.check().await, served.await.unwrap())
}

#[tokio::test]
async fn a_tcp_address_is_healthy_when_it_accepts() {
    let (_listener, address) = listener().await;
    assert_eq!(
        TcpCheck::new(address).check().await,
        HealthResult::healthy()
    );
    let nowhere = nowhere().await;
    let refused = TcpCheck::new(nowhere.clone()).check().await;
    assert_eq!(refused.status, Status::Unhealthy);
    assert!(refused.message.unwrap().starts_with(&nowhere));
}

#[tokio::test]
async fn an_http_url_is_healthy_when_it_answers_2xx() {
    let (result, request) = ask(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(result, HealthResult::healthy());
    assert!(request.starts_with("GET /health?deep=1 HTTP/1.1\r\nHost: 127.0.0.1:"));
    assert!(request.contains("\r\nConnection: close\r\n"));
    let (result, _) = ask(b"HTTP/1.0 200\r\n\r\n").await;
    assert_eq!(result, HealthResult::healthy());
}

#[tokio::test]
async fn an_http_url_is_unhealthy_when_it_answers_anything_else() {
    for (answer, message) in [
        (&b"HTTP/1.1 503 Busy\r\n\r\n"[..], "answered 503"),
        (b"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", "answered 301"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP/1"),
        (b"HTTP/1.1 2x0 OK\r\n", "the answer is not HTTP/1"),
        (b"HTTP/1.1 +20 OK\r\n", "the answer is not HTTP/1"),
        (b"", "the answer is not HTTP/1"),
        (LONG, ""),
    ] {
        let (result, _) = ask(answer).await;
        assert_eq!(result.status, Status::Unhealthy);
        let told = result.message.unwrap();
        assert!(told.ends_with(message), "{told}");
    }
    let nowhere = format!("http://{}", nowhere().await);
    let refused = HttpCheck::new(&nowhere).unwrap().check().await;
    assert_eq!(refused.status, Status::Unhealthy);
}

#[tokio::test]
async fn ready_made_checks_say_what_they_are() {
    let registry = Registry::new();
    let (_listener, address) = listener().await;
    registry.register("tcp", TcpCheck::new(address));
    let nowhere = format!("http://{}", nowhere().await);
    registry.register("http", HttpCheck::new(&nowhere).unwrap());
    let report = registry.run_all().await;
    assert_eq!(report.checks["tcp"].check_type, "tcp");
    assert_eq!(report.checks["http"].check_type, "http");
    assert_eq!(registry.failed_checks(), ["http"]);
}

#[test]
fn only_a_plain_http_url_of_a_host_is_taken() {
    for url in [
        "http://localhost",
        "HTTP://localhost/",
        "http://localhost:8080?x",
        "http://[::1]/health",
        "http://[::1]:8080/health",
        "http://example.com/a:b@c",
    ] {
        assert!(HttpCheck::new(url).is_ok(), "{url}");
    }
    for url in [
        "",
        "http:/",
        "http://",
        "https://localhost/",
        "localhost:80",
        "http://:80/",
        "http://user:secret@localhost/",
        "http://localhost:99999/",
        "http://localhost:/",
        "http://::1/",
        "http://localhost/\r\nX-Injected: 1",
        "http://localhost/a b",
        "http://localhost/ä",
        "häää://localhost",
    ] {
        assert!(HttpCheck::new(url).is_err(), "{url}");
    }
    let error = HttpCheck::new("ftp://localhost").unwrap_err();
    assert!(error.to_string().contains("`ftp://localhost`"));
}
