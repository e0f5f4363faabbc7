//! `cargo run --example quickstart`: 50 users ask a search service whose upstream misbehaves for
//! ten seconds. Watch what the layers do, then read the figures.
//!
//! Start with `client.rs`: the functions with their attributes are there. Then
//! `hardening.yaml`, in the root of the repository, for the policies they name. The rest is stage:
//! `upstream.rs` is the server and its script, `live.rs` shows the events, `report.rs` the figures.

mod client;
mod http;
mod live;
mod report;
mod upstream;

use client::Answer;
use std::{
    error::Error,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

const USERS: u32 = 50;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Loads hardening.yaml and checks every annotated function against it. Moved away from the
    // file, the program has the text compiled in.
    let started = hardening::init!()?;
    println!(
        "\n{USERS} users ask a search engine, through {} annotated functions.",
        started.sites
    );
    println!("Policies: {}\n", started.file.unwrap_or_default());

    let server = upstream::start().await?;
    http::SERVER.get_or_init(|| server);
    let live = live::start();
    hardening::health::registry().spawn_monitor();

    let end = Instant::now() + upstream::length();
    let users: JoinSet<()> = (0..USERS).map(|user| asks(user, end)).collect();
    upstream::play(|title| live.scene(title)).await;
    users.join_all().await;
    live.stop();

    report::figures(&hardening::snapshot());
    report::health(&hardening::health::registry().run_all().await);
    println!("\nNow read examples/quickstart/client.rs.");
    Ok(())
}

/// A user: asks, reads, asks again. Most questions are on everybody's lips, every fourth is rare.
/// User 0 is a script, which never asks the same twice and hardly reads.
async fn asks(user: u32, end: Instant) {
    let is_script = user == 0;
    for round in (0_u32..).take_while(|_| Instant::now() < end) {
        let popular = (user + round * 7) % 20;
        let rare = 1000 * (user + 1) + round;
        let is_rare = is_script || (user + round).is_multiple_of(4);
        match client::answer(user, if is_rare { rare } else { popular }).await {
            Ok(Answer::Found(page)) => assert!(!page.is_empty()),
            Ok(Answer::Apology) => {}
            Err(error) => unreachable!("the fallback answers whatever fails: {error}"),
        }
        let reading = if is_script {
            80
        } else {
            150 + (user * 37 + round * 53) % 100
        };
        sleep(Duration::from_millis(reading.into())).await;
    }
}
