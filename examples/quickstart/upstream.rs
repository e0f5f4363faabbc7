//! A search engine on loopback that misbehaves to a script.

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// How the server treats its callers.
#[derive(Clone, Copy)]
enum Mood {
    Fine,
    Slow,
    Failing,
    Busy,
    Dead,
}

impl Mood {
    /// Every so many requests feel it.
    const fn every(self) -> usize {
        match self {
            Self::Slow => 3,
            Self::Failing | Self::Busy => 2,
            Self::Fine | Self::Dead => 1,
        }
    }
}

/// What happens, for how many milliseconds, and how it is announced.
const SCRIPT: [(Mood, u64, &str); 6] = [
    (Mood::Fine, 1500, "is fine"),
    (
        Mood::Slow,
        1500,
        "is slow: every third answer takes a second",
    ),
    (Mood::Failing, 1500, "fails: every second answer is a 503"),
    (
        Mood::Busy,
        1500,
        "is busy: every second answer is a 429, Retry-After: 1",
    ),
    (Mood::Dead, 2500, "is dead: it hangs up on everyone"),
    (Mood::Fine, 2000, "is back"),
];

/// How long the script is.
pub(crate) fn length() -> Duration {
    SCRIPT
        .iter()
        .map(|(_, length, _)| Duration::from_millis(*length))
        .sum()
}

/// The line of the script that is being played.
static SCENE: AtomicUsize = AtomicUsize::new(0);

/// Plays the script to its end, and tells of each scene as it begins.
pub(crate) async fn play(tell: impl Fn(&str)) {
    for (scene, (_, length, title)) in SCRIPT.into_iter().enumerate() {
        SCENE.store(scene, Ordering::Relaxed);
        tell(title);
        sleep(Duration::from_millis(length)).await;
    }
}

/// Starts the server on a free port, for as long as the program runs.
pub(crate) async fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        for request in 0_usize.. {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(serve(stream, request))),
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
    });
    Ok(address)
}

/// One request. An error means that the caller has hung up, which is the caller's business.
async fn serve(mut stream: TcpStream, request: usize) -> io::Result<()> {
    let mut head = [0; 1024];
    let length = stream.read(&mut head).await?;
    let is_health_check = head[..length].starts_with(b"GET /health ");
    let mood = match SCRIPT[SCENE.load(Ordering::Relaxed)].0 {
        mood @ (Mood::Fine | Mood::Dead) => mood,
        mood if request.is_multiple_of(mood.every()) && !is_health_check => mood,
        _ => Mood::Fine,
    };
    let (milliseconds, status, body) = match mood {
        Mood::Fine => (15, "200 OK", "a page with the answer"),
        Mood::Slow => (1000, "200 OK", "a page with the answer"),
        Mood::Failing => (5, "503 Service Unavailable", ""),
        Mood::Busy => (5, "429 Too Many Requests\r\nRetry-After: 1", ""),
        Mood::Dead => return Ok(()),
    };
    sleep(Duration::from_millis(milliseconds)).await;
    let length = body.len();
    let response = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(response.as_bytes()).await
}
