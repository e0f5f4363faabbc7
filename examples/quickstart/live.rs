//! What the layers do, as it happens. They tell it as `tracing` events with the target `hardening`;
//! your service would hand these to its own subscriber and need nothing of this.

use std::{
    fmt::{self, Write},
    io::{IsTerminal, stdout},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::interval};
use tracing::{Event, Metadata, Subscriber, field::Field};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

/// What is frequent is counted, and shown twice a second: title, layer and message of each column.
const COLUMNS: [(&str, &str, &str); 8] = [
    ("hit", "cache", "hit"),
    ("stale", "cache", "served stale"),
    ("timed out", "timeout", "rejected"),
    ("retried", "retry", "retrying"),
    ("queue full", "bulkhead", "rejected"),
    ("circuit open", "circuit_breaker", "rejected"),
    ("rate limited", "rate_limit", "rejected"),
    ("degraded", "fallback", "degraded"),
];

/// The display, while it runs.
pub(crate) struct Live {
    screen: Arc<Screen>,
    ticker: JoinHandle<()>,
}

/// Shows what happens from now on.
pub(crate) fn start() -> Live {
    let screen = Arc::new(Screen {
        began: Instant::now(),
        colours: stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        counts: Default::default(),
    });
    tracing_subscriber::registry()
        .with(Listener(Arc::clone(&screen)))
        .init();
    let titles = COLUMNS.iter().map(|(title, ..)| format!("  {title}"));
    println!("  time{}", titles.collect::<String>());
    let ticking = Arc::clone(&screen);
    let ticker = tokio::spawn(async move {
        let mut half_seconds = interval(Duration::from_millis(500));
        half_seconds.tick().await;
        loop {
            half_seconds.tick().await;
            ticking.counts();
        }
    });
    Live { screen, ticker }
}

impl Live {
    /// The upstream changes its mood.
    pub(crate) fn scene(&self, title: &str) {
        let rest = "─".repeat(72_usize.saturating_sub(title.chars().count()));
        self.screen
            .line(BOLD, &format!("── upstream {title} {rest}"));
    }

    pub(crate) fn stop(self) {
        self.ticker.abort();
    }
}

struct Screen {
    began: Instant,
    colours: bool,
    counts: [AtomicU64; COLUMNS.len()],
}

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

impl Screen {
    fn line(&self, colour: &str, text: &str) {
        let time = self.began.elapsed().as_secs_f64();
        if self.colours {
            println!("{time:>4.1} s  \x1b[{colour}m{text}\x1b[0m");
        } else {
            println!("{time:>4.1} s  {text}");
        }
    }

    /// The counts since the last time, under their titles.
    fn counts(&self) {
        let mut row = String::new();
        for ((title, ..), count) in COLUMNS.iter().zip(&self.counts) {
            let width = title.len() + 2;
            let _ = match count.swap(0, Relaxed) {
                0 => write!(row, "{:>width$}", "·"),
                count => write!(row, "{count:>width$}"),
            };
        }
        self.line("0", row.get(2..).unwrap_or_default());
    }
}

/// Hears the events of `hardening`.
struct Listener(Arc<Screen>);

impl<S: Subscriber> Layer<S> for Listener {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "hardening"
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut told = Told::default();
        event.record(&mut told);
        let known = |(_, layer, message): &(_, &str, &str)| {
            told.layer == *layer && told.message == *message
        };
        if let Some(column) = COLUMNS.iter().position(known) {
            // In a flood only some are told, each with how many were not since the last.
            self.0.counts[column].fetch_add(1 + told.suppressed, Relaxed);
            return;
        }
        let colour = match told.message.as_str() {
            "closed" | "healthy" | "healthy again" => GREEN,
            "opened" | "unhealthy" => RED,
            _ => YELLOW,
        };
        match told.layer.as_str() {
            "circuit_breaker" => self.0.line(colour, &told.line("circuit")),
            "health" => self.0.line(colour, &told.line("health of")),
            _ => {}
        }
    }
}

/// The fields of an event.
#[derive(Default)]
struct Told {
    layer: String,
    message: String,
    subject: String,
    reason: String,
    open_for: Option<f64>,
    suppressed: u64,
}

impl Told {
    /// ``circuit `search engine` opened for 0.6 s: 10 failures in a row``
    fn line(&self, what: &str) -> String {
        let mut line = format!("{what} `{}` {}", self.subject, self.message);
        if let Some(seconds) = self.open_for {
            let _ = write!(line, " for {seconds} s");
        }
        if !self.reason.is_empty() {
            let _ = write!(line, ": {}", self.reason);
        }
        line
    }

    fn set(&mut self, field: &Field, value: String) {
        match field.name() {
            "layer" => self.layer = value,
            "message" => self.message = value,
            "name" | "check" => self.subject = value,
            "reason" => self.reason = value,
            _ => {}
        }
    }
}

impl tracing::field::Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "suppressed" {
            self.suppressed = value;
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "open_for" {
            self.open_for = Some(value);
        }
    }
}
