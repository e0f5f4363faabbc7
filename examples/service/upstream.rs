//! The warehouse: a server on loopback that misbehaves to a script, over and over.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, time::sleep};

/// How the warehouse treats its callers.
#[derive(Clone, Copy)]
enum Mood {
    Fine,
    /// Every third answer takes a second.
    Slow,
    /// Every second answer is a 503.
    Failing,
    /// Every answer is.
    Down,
}

/// What happens, for how many seconds. The checks see it as well.
const SCRIPT: [(Mood, u64); 5] = [
    (Mood::Fine, 2),
    (Mood::Failing, 2),
    (Mood::Down, 3),
    (Mood::Fine, 8),
    (Mood::Slow, 5),
];

struct Warehouse {
    began: Instant,
    requests: AtomicU32,
}

/// Starts the warehouse on a free port, for as long as the program runs.
pub(crate) async fn start() -> io::Result<SocketAddr> {
    let warehouse = Warehouse {
        began: Instant::now(),
        requests: AtomicU32::new(0),
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let app = Router::new()
        .fallback(answer)
        .with_state(Arc::new(warehouse));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

async fn answer(State(warehouse): State<Arc<Warehouse>>, uri: Uri) -> (StatusCode, String) {
    let request = warehouse.requests.fetch_add(1, Relaxed);
    let (milliseconds, status) = match mood(warehouse.began.elapsed().as_secs()) {
        Mood::Slow if request.is_multiple_of(3) => (1000, StatusCode::OK),
        Mood::Failing if request.is_multiple_of(2) => (5, StatusCode::SERVICE_UNAVAILABLE),
        Mood::Down => (5, StatusCode::SERVICE_UNAVAILABLE),
        Mood::Fine | Mood::Slow | Mood::Failing => (15, StatusCode::OK),
    };
    sleep(Duration::from_millis(milliseconds)).await;
    (status, format!("all about {uri}"))
}

/// The mood after so many seconds.
fn mood(seconds: u64) -> Mood {
    let round: u64 = SCRIPT.iter().map(|(_, length)| length).sum();
    let mut rest = seconds % round;
    for (mood, length) in SCRIPT {
        if rest < length {
            return mood;
        }
        rest -= length;
    }
    Mood::Fine
}
