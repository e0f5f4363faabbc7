//! The least HTTP/1.1 client that does. It passes the request's id on.

use crate::shop::ShopError;
use std::{io, net::SocketAddr, sync::OnceLock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Where the warehouse is.
pub(crate) static WAREHOUSE: OnceLock<SocketAddr> = OnceLock::new();

/// What the warehouse sends for `path`.
pub(crate) async fn get(path: &str) -> Result<String, ShopError> {
    let server = WAREHOUSE.get().ok_or(io::ErrorKind::NotConnected);
    let (status, body) = exchange(*server.map_err(io::Error::from)?, "GET", path).await?;
    match status {
        200 => Ok(body),
        404 => Err(ShopError::NotFound),
        _ => Err(ShopError::Unavailable),
    }
}

/// Status and body of one request.
pub(crate) async fn exchange(
    server: SocketAddr,
    method: &str,
    path: &str,
) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(server).await?;
    let id = hardening::request_id().unwrap_or_else(hardening::RequestId::random);
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: {id}");
    let request = format!("{head}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, body) = response.split_once("\r\n\r\n").ok_or_else(cut_off)?;
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
    Ok((status.ok_or_else(cut_off)?, body.to_owned()))
}
