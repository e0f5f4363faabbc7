//! A Chromium without a window, spoken to over a pair of pipes in its `DevTools` protocol: JSON, each
//! message ended by a zero byte.
//!
//! It ends when its pipe does, and with it goes its profile, however this process ends. There is one
//! for all tests of a process; each test has tabs in a context of its own, which shares no storage.

use crate::log::Log;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    env,
    ffi::OsString,
    io::{self, BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

/// How long a test waits for what must come, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Nothing but the pages of the tests: no window, no start page, no look at home, no sandbox (which
/// root cannot have), and timers that run in every tab as in the one in front.
const SWITCHES: [&str; 19] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--hide-scrollbars",
];

/// Chromium reads its third file and writes to its fourth. The shell lays them there, and clears away
/// the profile when Chromium has ended; it outlives an interrupt at the keyboard to do so.
const SCRIPT: &str = r#"trap '' INT
profile=$(mktemp -d)
"$0" "$@" --user-data-dir="$profile" about:blank 3<&0 4>&1 </dev/null >/dev/null 2>"$profile/said" || tail "$profile/said" >&2
rm -rf "$profile""#;

/// The browser.
pub struct Chromium {
    to: Mutex<ChildStdin>,
    next: AtomicU64,
    inbox: Arc<Mutex<Inbox>>,
}

/// Who waits for what.
#[derive(Default)]
struct Inbox {
    answers: HashMap<u64, Sender<Value>>,
    logs: HashMap<String, Arc<Log>>,
}

impl Chromium {
    /// The browser of this process; none where there is none to start.
    ///
    /// # Panics
    /// Where there is none and `CI` is set.
    pub fn get() -> Option<&'static Self> {
        static CHROMIUM: OnceLock<Option<Chromium>> = OnceLock::new();
        let chromium = CHROMIUM.get_or_init(|| Some(Self::start(program()?)));
        if chromium.is_none() {
            let hint = "no Chromium: run `scripts/chromium`, which installs it, or set CHROMIUM to its path";
            assert!(env::var_os("CI").is_none(), "{hint}");
            eprintln!("not checked: {hint}");
        }
        chromium.as_ref()
    }

    fn start(program: OsString) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).arg(program).args(SWITCHES);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a shell");
        let to = child.stdin.take().expect("a pipe");
        let from = child.stdout.take().expect("a pipe");
        let inbox = Arc::default();
        let reading = Arc::clone(&inbox);
        thread::spawn(move || {
            receive(from, &reading);
            let _ = child.wait();
        });
        Self {
            to: Mutex::new(to),
            next: AtomicU64::new(1),
            inbox,
        }
    }

    /// Has Chromium do `method`, in the tab of `session` or as a whole, and returns its answer.
    pub(crate) fn call(&self, session: Option<&str>, method: &str, params: &Value) -> Value {
        let id = self.next.fetch_add(1, Relaxed);
        let (sender, answer) = channel();
        self.inbox
            .lock()
            .expect("no panic")
            .answers
            .insert(id, sender);
        let sent = self.send(id, session, method, params);
        sent.expect("Chromium listens");
        let mut answer = answer
            .recv_timeout(PATIENCE * 2)
            .unwrap_or_else(|error| panic!("no answer to {method}: {error}"));
        let error = &answer["error"];
        assert!(error.is_null(), "{method} {params}: {error}");
        answer["result"].take()
    }

    /// Has the events of `session` written to `log`.
    pub(crate) fn listen(&self, session: &str, log: &Arc<Log>) {
        let mut inbox = self.inbox.lock().expect("no panic");
        inbox.logs.insert(session.to_owned(), Arc::clone(log));
    }

    /// Closes the tabs of `context`. Waits for nothing, so that a test that failed can do so.
    pub(crate) fn close(&self, context: &str) {
        let context = json!({"browserContextId": context});
        let _ = self.send(0, None, "Target.disposeBrowserContext", &context);
    }

    fn send(&self, id: u64, session: Option<&str>, method: &str, params: &Value) -> io::Result<()> {
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut text = message.to_string().into_bytes();
        text.push(0);
        let mut to = self.to.lock().expect("no panic");
        to.write_all(&text)?;
        to.flush()
    }
}

/// Hands out what Chromium says, until it has ended.
fn receive(from: impl Read, inbox: &Mutex<Inbox>) {
    let mut from = BufReader::new(from);
    let mut text = Vec::new();
    while from.read_until(0, &mut text).is_ok_and(|read| read > 0) {
        text.pop();
        let message: Value = serde_json::from_slice(&text).expect("JSON");
        text.clear();
        let mut inbox = inbox.lock().expect("no panic");
        if let Some(id) = message["id"].as_u64() {
            if let Some(waiting) = inbox.answers.remove(&id) {
                let _ = waiting.send(message);
            }
        } else if let Some(log) = message["sessionId"]
            .as_str()
            .and_then(|session| inbox.logs.get(session))
        {
            log.write(message);
        }
    }
    inbox.lock().expect("no panic").answers.clear(); // nobody waits for what never comes
}

/// Where Chromium is: as `CHROMIUM` says, or on the `PATH`.
fn program() -> Option<OsString> {
    let given = env::var_os("CHROMIUM");
    given.or_else(|| {
        let path = env::var_os("PATH")?;
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let folders = env::split_paths(&path);
        let mut files = folders.flat_map(|folder| names.map(|name| folder.join(name)));
        files.find(|file| file.is_file()).map(PathBuf::into)
    })
}
