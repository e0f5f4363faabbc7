//! The example `service`, in a process of its own, as a user starts it.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Ends with the test, however that ends.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Cargo builds the examples with the tests, beside them; for this test alone it does not.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("own path");
    let folder = test.parent().and_then(|deps| deps.parent());
    let name = format!("service{}", std::env::consts::EXE_SUFFIX);
    let program = folder.expect("a folder").join("examples").join(name);
    if !program.exists() {
        build();
    }
    program
}

fn build() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--example", "service", "--features", "http"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    assert!(command.status().expect("cargo runs").success());
}

fn fetch(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let limit = Some(Duration::from_secs(20));
    stream.set_read_timeout(limit).expect("a limit");
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
    assert!(head.contains("x-request-id: req-"), "{head}");
    (status.expect("a status"), body.to_owned())
}

#[test]
fn the_service_prints_its_address_serves_health_and_sites_and_ends_in_its_time() {
    let program = program();
    assert!(
        program.exists(),
        "`cargo build --example service --features http` makes {}",
        program.display()
    );
    let mut command = Command::new(program);
    command
        .args(["--seconds", "4", "--json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("HARDENING_CONFIG")
        .env("RUST_LOG", "hardening=debug")
        // The second order is one too many, however slow the machine is.
        .env("HARDENING__RATE_LIMITING__SERVICE_ORDERS__CAPACITY", "1")
        .env(
            "HARDENING__RATE_LIMITING__SERVICE_ORDERS__WINDOW_SECONDS",
            "3600",
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut service = Service(command.spawn().expect("it starts"));
    let out = service.0.stdout.take().expect("its output");
    let mut out = BufReader::new(out).lines();
    let mut line = || out.next().expect("a line").expect("text");
    let address = line();
    let address = address.strip_prefix("listening on http://");
    let address = address.expect("an address").to_owned();
    assert_eq!(line(), format!("shown live at http://{address}/hardening"));

    let (status, page) = fetch(&address, "/hardening");
    assert_eq!(status, 200);
    assert!(page.starts_with("<!doctype html>"), "{page}");
    let (status, health) = fetch(&address, "/health");
    let health: Value = serde_json::from_str(&health).expect("JSON");
    assert_eq!(status, 200, "the check is not critical: {health}");
    assert!(
        health["checks"]["warehouse"]["status"].is_string(),
        "{health}"
    );
    assert!(
        health["circuitBreaker"]["warehouse"].is_string(),
        "{health}"
    );
    let (status, sites) = fetch(&address, "/sites");
    let sites: Value = serde_json::from_str(&sites).expect("JSON");
    assert_eq!(status, 200);
    for (site, function) in ["order", "price", "similar"].into_iter().enumerate() {
        let path = &sites["sites"][site]["path"];
        assert_eq!(*path, format!("service::shop::{function}"));
    }

    let mut log = String::new();
    let mut err = service.0.stderr.take().expect("its log");
    err.read_to_string(&mut log).expect("a log");
    assert!(service.0.wait().expect("its end").success(), "{log}");
    let events: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let is_limited =
        |event: &&Value| event["message"] == "rejected" && event["layer"] == "rate_limit";
    let rejected = events.iter().find(is_limited);
    let rejected = rejected.expect("a script that orders without a pause is limited");
    assert!(
        rejected["request_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("req-")),
        "{rejected}"
    );
    assert_eq!(
        rejected["key"].as_str().map(str::len),
        Some(8),
        "{rejected}"
    );
}
