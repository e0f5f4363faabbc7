//! The least HTTP/1.1 client that does. Nothing here knows of `hardening`; yours would be `reqwest`.

use crate::client::SearchError;
use std::{io, net::SocketAddr, sync::OnceLock, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Where the search engine is.
pub(crate) static SERVER: OnceLock<SocketAddr> = OnceLock::new();

/// The body that the server sends for `path`.
pub(crate) async fn get(path: &str) -> Result<String, SearchError> {
    let server = SERVER.get().ok_or(io::ErrorKind::NotConnected);
    let mut stream = TcpStream::connect(server.map_err(io::Error::from)?).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;

    let (head, body) = response
        .split_once("\r\n\r\n")
        .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    match status(head) {
        200 => Ok(body.to_owned()),
        429 => Err(SearchError::Busy {
            retry_after: header(head, "Retry-After")
                .and_then(|seconds| seconds.parse().ok())
                .map(Duration::from_secs),
        }),
        status @ 500.. => Err(SearchError::Unavailable(status)),
        status => Err(SearchError::Refused(status)),
    }
}

/// `200` of `HTTP/1.1 200 OK`.
fn status(head: &str) -> u16 {
    let status = head.split_whitespace().nth(1);
    status.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value.trim())
}
