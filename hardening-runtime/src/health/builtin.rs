//! Ready-made checks.

use super::{check::Check, status::HealthResult};
use std::{error::Error, fmt, io, str};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Whether something accepts connections at a TCP address.
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::health::TcpCheck;
///
/// # let registry = hardening::health::Registry::new();
/// registry.register("redis", TcpCheck::new("127.0.0.1:6379"));
/// ```
///
/// The connection is closed at once. The check's timeout bounds name resolution and connecting.
#[derive(Clone, Debug)]
pub struct TcpCheck {
    address: String,
}

impl TcpCheck {
    /// Of `address`, such as `db.internal:5432`.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
        }
    }
}

impl Check for TcpCheck {
    async fn check(&self) -> HealthResult {
        match TcpStream::connect(&self.address).await {
            Ok(_) => HealthResult::healthy(),
            Err(error) => HealthResult::unhealthy(format!("{}: {error}", self.address)),
        }
    }

    fn check_type(&self) -> &'static str {
        "tcp"
    }
}

/// Whether an `http://` address answers a GET with 2xx.
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::health::HttpCheck;
///
/// # let registry = hardening::health::Registry::new();
/// registry.register("search", HttpCheck::new("http://127.0.0.1:8080/health")?);
/// # Ok::<(), hardening::health::InvalidUrl>(())
/// ```
///
/// Plain HTTP/1.1 only: neither TLS nor redirects are followed, and nothing but the status line
/// (at most 1 KiB) is read. Use a closure around your own client for more.
#[derive(Clone, Debug)]
pub struct HttpCheck {
    /// `host:port`, to connect to.
    address: String,
    /// What is sent.
    request: String,
    url: String,
}

/// The most that is read of an answer.
const LONGEST_STATUS_LINE: u64 = 1024;

impl HttpCheck {
    /// Of `url`, such as `http://search.internal:8080/health`.
    ///
    /// Refuses what is no `http://` URL of a host: another scheme, user information, a space or a
    /// control character anywhere.
    pub fn new(url: &str) -> Result<Self, InvalidUrl> {
        let (authority, target) = split(url).ok_or_else(|| InvalidUrl(url.to_owned()))?;
        let port = if has_port(authority) { "" } else { ":80" };
        Ok(Self {
            address: format!("{authority}{port}"),
            request: format!(
                "GET {target} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: hardening\r\nAccept: */*\r\nConnection: close\r\n\r\n"
            ),
            url: url.to_owned(),
        })
    }

    /// The status code of the answer.
    async fn get(&self) -> io::Result<u16> {
        let mut stream = TcpStream::connect(&self.address).await?;
        stream.write_all(self.request.as_bytes()).await?;
        let mut answer = stream.take(LONGEST_STATUS_LINE);
        let (mut line, mut part) = (Vec::new(), [0; 256]);
        while !line.contains(&b'\n') {
            match answer.read(&mut part).await? {
                0 => break,
                read => line.extend_from_slice(&part[..read]),
            }
        }
        status_code(&line).ok_or_else(|| io::Error::other("the answer is not HTTP/1"))
    }
}

impl Check for HttpCheck {
    async fn check(&self) -> HealthResult {
        match self.get().await {
            Ok(200..=299) => HealthResult::healthy(),
            Ok(code) => HealthResult::unhealthy(format!("{} answered {code}", self.url)),
            Err(error) => HealthResult::unhealthy(format!("{}: {error}", self.url)),
        }
    }

    fn check_type(&self) -> &'static str {
        "http"
    }
}

/// `url` without its scheme and fragment, cut before the path: authority and request target.
fn split(url: &str) -> Option<(&str, String)> {
    const SCHEME: &str = "http://";
    let scheme = url.get(..SCHEME.len())?;
    let rest = url.get(SCHEME.len()..)?;
    let rest = rest.split('#').next()?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let plain = rest.bytes().all(|byte| byte.is_ascii_graphic());
    let valid = scheme.eq_ignore_ascii_case(SCHEME) && plain && is_authority(authority);
    let slash = if path.starts_with('/') { "" } else { "/" };
    valid.then(|| (authority, format!("{slash}{path}")))
}

fn is_authority(authority: &str) -> bool {
    let host_end = if has_port(authority) {
        authority.rfind(':').unwrap_or(authority.len())
    } else {
        authority.len()
    };
    let (host, port) = authority.split_at(host_end);
    let port_is_valid = port.is_empty() || port[1..].parse::<u16>().is_ok();
    let bracketed = host.starts_with('[') && host.ends_with(']');
    !host.is_empty() && !host.contains('@') && (bracketed || !host.contains(':')) && port_is_valid
}

/// Whether a colon follows the host; those of an IPv6 address are in brackets.
fn has_port(authority: &str) -> bool {
    authority
        .rfind(':')
        .is_some_and(|colon| authority.rfind(']').is_none_or(|end| end < colon))
}

/// The code of a status line such as `HTTP/1.1 204 No Content`.
fn status_code(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.")?.get(1..)?;
    let code = rest.strip_prefix(b" ")?.get(..3)?;
    let code = str::from_utf8(code).ok()?.parse().ok()?;
    (100..=599).contains(&code).then_some(code)
}

/// Not an `http://` URL of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidUrl(String);

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.0;
        write!(
            f,
            "`{url}` is no plain HTTP address: write `http://host[:port]/path`"
        )
    }
}

impl Error for InvalidUrl {}
