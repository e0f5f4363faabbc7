//! Errors that reqwest makes, against a server of one answer.

use super::*;
use crate::outcome::{
    Class::{Permanent, Transient, TransientAfter},
    Classify, Origin,
};
use reqwest::{Client, header::RETRY_AFTER};
use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

/// The URL of a server that answers each request with `answer`, and then closes the connection.
fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut request) = (stream.unwrap(), Vec::new());
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                match stream.read(&mut byte) {
                    Ok(1) => request.extend(byte),
                    _ => break,
                }
            }
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn status_error(answer: &'static str) -> Error {
    let response = client().get(server(answer)).send().await.unwrap();
    response.error_for_status().unwrap_err()
}

#[tokio::test]
async fn an_answer_is_worth_what_its_status_is() {
    for (answer, class) in [
        (
            "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n",
            Transient,
        ),
        ("HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", Transient),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Permanent),
        ("HTTP/1.1 501 No\r\nContent-Length: 0\r\n\r\n", Permanent),
    ] {
        assert_eq!(status_error(answer).await.classify(), class, "{answer}");
    }
}

#[tokio::test]
async fn an_answers_retry_after_is_kept_by_reading_it_first() {
    let answer = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n";
    let response = client().get(server(answer)).send().await.unwrap();
    let header = response.headers().get(RETRY_AFTER).unwrap();
    let wait = crate::parse_retry_after(header.to_str().unwrap());
    let class = classify_status(response.status().as_u16()).after(wait);
    assert_eq!(class, TransientAfter(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_refused_connection_is_transient() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = client()
        .get(format!("http://{closed}/"))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_connect());
    assert_eq!(error.classify(), Transient);
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_transient() {
    let error = client().get(server("")).send().await.unwrap_err();
    assert_eq!(error.classify(), Transient, "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_transient() {
    // It accepts connections into its backlog, and answers none.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let request = client().get(url).timeout(Duration::from_secs(5));
    let error = request.send().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.classify(), Transient);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_transient() {
    let cut = server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it");
    let response = client().get(cut).send().await.unwrap();
    let error = response.text().await.unwrap_err();
    assert_eq!(error.classify(), Transient, "{error:?}");
    let cut = server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal");
    let response = client().get(cut).send().await.unwrap();
    let error = response.bytes().await.unwrap_err();
    assert_eq!(error.classify(), Transient, "{error:?}");
}

#[tokio::test]
async fn a_request_that_cannot_be_built_and_one_led_in_circles_are_permanent() {
    let error = client().get("no url").send().await.unwrap_err();
    assert!(error.is_builder());
    assert_eq!(error.classify(), Permanent);
    let circle = server(
        "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    let error = client().get(circle).send().await.unwrap_err();
    assert!(error.is_redirect());
    assert_eq!(error.classify(), Permanent);
}

#[tokio::test]
async fn an_answer_that_says_no_and_a_request_that_cannot_be_built_are_known_to_be_permanent() {
    let missing = status_error("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(missing.origin(), Origin::Call);
    let error = client().get("no url").send().await.unwrap_err();
    assert_eq!(error.origin(), Origin::Call);
}

#[tokio::test]
async fn it_is_known_inside_other_errors() {
    let answer = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    let boxed: Box<dyn error::Error + Send + Sync> = status_error(answer).await.into();
    assert_eq!(boxed.classify(), Transient);
    #[cfg(feature = "anyhow")]
    {
        let error = anyhow::Error::new(status_error(answer).await).context("searching");
        assert_eq!(error.classify(), Transient);
    }
}
