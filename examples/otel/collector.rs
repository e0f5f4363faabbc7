//! A stand-in for an OpenTelemetry collector, on loopback: takes OTLP over HTTP, in protobuf, and keeps
//! what arrives.

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    metrics::v1::Metric,
    trace::v1::Span,
};
use prost::Message;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// A collector that runs until the program ends.
pub(crate) struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Received>>,
}

/// What arrived, in the order in which it did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) spans: Vec<Span>,
    /// Of each export all; later ones have later values.
    pub(crate) metrics: Vec<Metric>,
}

impl Collector {
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let received = Arc::new(Mutex::new(Received::default()));
        let into = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let into = Arc::clone(&into);
                thread::spawn(move || serve(&stream, &into));
            }
        });
        Ok(Self { address, received })
    }

    /// Where spans go.
    pub(crate) fn traces(&self) -> String {
        format!("http://{}{TRACES}", self.address)
    }

    /// Where metrics go.
    pub(crate) fn metrics(&self) -> String {
        format!("http://{}{METRICS}", self.address)
    }

    pub(crate) fn received(&self) -> Received {
        let received = self.received.lock();
        received.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

const TRACES: &str = "/v1/traces";
const METRICS: &str = "/v1/metrics";

/// Answers one connection's requests, until it is closed.
fn serve(stream: &TcpStream, into: &Mutex<Received>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some((path, body)) = request(&mut reader)? {
        let kept = keep(&path, &body, into);
        let status = if kept { "200 OK" } else { "400 Bad Request" };
        let mut writer = stream;
        write!(writer, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")?;
    }
    Ok(())
}

/// The path and the body of the next request; none at the end.
fn request(reader: &mut impl BufRead) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    Ok(Some((path, body)))
}

/// Whether the body is what the path takes.
fn keep(path: &str, body: &[u8], into: &Mutex<Received>) -> bool {
    let mut received = into.lock().unwrap_or_else(PoisonError::into_inner);
    match path {
        TRACES => ExportTraceServiceRequest::decode(body).is_ok_and(|request| {
            let scopes = request
                .resource_spans
                .into_iter()
                .flat_map(|it| it.scope_spans);
            received.spans.extend(scopes.flat_map(|it| it.spans));
            true
        }),
        METRICS => ExportMetricsServiceRequest::decode(body).is_ok_and(|request| {
            let scopes = request
                .resource_metrics
                .into_iter()
                .flat_map(|it| it.scope_metrics);
            received.metrics.extend(scopes.flat_map(|it| it.metrics));
            true
        }),
        _ => false,
    }
}
