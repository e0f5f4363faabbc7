//! `cargo run --example service --features http`: a web service whose dependency misbehaves, with its own
//! load, until Ctrl-C. It prints its address and that of the page, which shows all of it live; then look at `/health`,
//! `/sites` and the log.
//!
//! `--seconds N` ends it by itself, `--json` writes the log as JSON, `--port N` chooses the port.
//! `RUST_LOG=hardening=trace` shows more.
//!
//! Start with `shop.rs`: the functions with their attributes, and the routes that call them. Then this
//! file, for what a service does once. The rest is stage: `upstream.rs` misbehaves, `load.rs` are the
//! customers, `client.rs` would be `reqwest`.

mod client;
mod load;
mod shop;
mod upstream;

use hardening::{health::registry, http};
use std::{error::Error, net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(std::env::args().skip(1))?;
    hardening::init!()?; // before the log: the file is that of all examples, and tells what they do not use
    log(options.json);
    let warehouse = upstream::start().await?;
    client::WAREHOUSE.get_or_init(|| warehouse);
    registry().spawn_monitor();

    let app = shop::routes()
        .merge(http::router()) // /hardening, /health, /health/live, /health/ready, /metrics, /metrics.json, /sites
        .layer(http::RequestIdLayer::new());
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}\nshown live at http://{address}/hardening");

    let load = load::start(address);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(async move {
        end(options.seconds).await;
        load.abort();
        http::end_streams(); // whoever looks at the page does not hold up the end
    });
    serving.await?;
    Ok(())
}

/// Comes with the end of the time, if there is one, or with Ctrl-C.
async fn end(seconds: Option<u64>) {
    let time = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// To standard error. Our events have the target `hardening`, and fields that a log server can index.
fn log(json: bool) {
    let filter = EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("hardening=info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if json {
        log.json().flatten_event(true).init();
    } else {
        log.init();
    }
}

#[derive(Default)]
struct Options {
    seconds: Option<u64>,
    port: u16,
    json: bool,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let number = arguments.next().and_then(|text| text.parse().ok());
                number.ok_or_else(|| format!("`{argument}` needs a number"))
            };
            match argument.as_str() {
                "--json" => options.json = true,
                "--seconds" => options.seconds = Some(number()?),
                "--port" => {
                    let port = number()?;
                    options.port = port.try_into().map_err(|_| format!("no port: {port}"))?;
                }
                _ => {
                    return Err(format!(
                        "`{argument}`: there are `--seconds N`, `--port N` and `--json`"
                    ));
                }
            }
        }
        Ok(options)
    }
}
