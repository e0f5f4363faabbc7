//! A tab: what it shows, and what a visitor does in it.

use crate::{
    chromium::{Chromium, PATIENCE},
    log::Log,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

/// A tab, in a context of its own: as after the first start of a browser.
pub struct Tab {
    chromium: &'static Chromium,
    context: String,
    session: String,
    log: Arc<Log>,
}

impl Tab {
    /// An empty tab of 1,280 by 900 pixels.
    #[must_use]
    pub fn new(chromium: &'static Chromium) -> Self {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let ask = |method, params| chromium.call(None, method, &params);
        let context = text(&ask("Target.createBrowserContext", json!({}))["browserContextId"]);
        let target = json!({"url": "about:blank", "browserContextId": context, "newWindow": true});
        let target = ask("Target.createTarget", target)["targetId"].clone();
        let session = json!({"targetId": target, "flatten": true});
        let session = text(&ask("Target.attachToTarget", session)["sessionId"]);
        let log = Arc::default();
        chromium.listen(&session, &log);
        let tab = Self {
            chromium,
            context,
            session,
            log,
        };
        for domain in ["Page", "Runtime", "Network", "Log", "Audits", "Performance"] {
            let time = json!({"timeDomain": "threadTicks"}); // of Performance: what the thread ran
            tab.call(&format!("{domain}.enable"), &time);
        }
        tab.call(
            "Emulation.setFocusEmulationEnabled",
            &json!({"enabled": true}),
        );
        tab.resize(1280, 900);
        tab
    }

    /// Has Chromium do `method` in this tab, and returns its answer.
    #[allow(
        clippy::must_use_candidate,
        reason = "it is called for what it does, too"
    )]
    pub fn call(&self, method: &str, params: &Value) -> Value {
        self.chromium.call(Some(&self.session), method, params)
    }

    /// Opens `url` and waits for its load event.
    pub fn open(&self, url: &str) {
        let loads = self.log.of("Page.loadEventFired").len();
        let answer = self.call("Page.navigate", &json!({"url": url}));
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        self.log.wait_for("Page.loadEventFired", loads + 1);
    }

    /// Loads the page again.
    pub fn reload(&self) {
        let loads = self.log.of("Page.loadEventFired").len();
        self.call("Page.reload", &json!({}));
        self.log.wait_for("Page.loadEventFired", loads + 1);
    }

    /// The value of a `JavaScript` expression, of its promise if it is one.
    #[must_use]
    pub fn value(&self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &params);
        let thrown = &answer["exceptionDetails"];
        let told = &thrown["exception"]["description"];
        assert!(thrown.is_null(), "{told} in {expression}");
        answer["result"]["value"].clone()
    }

    /// Runs `JavaScript` for what it does.
    pub fn run(&self, script: &str) {
        let _ = self.value(script);
    }

    /// Waits until `condition` holds.
    pub fn until(&self, condition: &str) {
        let never = json!(format!("it never came that {condition}"));
        let patience = PATIENCE.as_millis();
        self.run(&format!(
            "new Promise((done, fail) => {{
                const end = performance.now() + {patience};
                const look = () => {{
                    let is = false;
                    try {{ is = ({condition}); }} catch {{ /* not yet there */ }}
                    if (is) done();
                    else if (performance.now() > end) fail(new Error({never}));
                    else setTimeout(look, 20);
                }};
                look();
            }})"
        ));
    }

    /// Makes the window so large.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Has the visitor's system prefer `value` for `feature`, such as `prefers-color-scheme`.
    pub fn prefer(&self, features: &[(&str, &str)]) {
        let features: Vec<_> = features
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        self.call("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// Runs `source` in every document from now on, before its own scripts.
    pub fn prepare(&self, source: &str) {
        self.call(
            "Page.addScriptToEvaluateOnNewDocument",
            &json!({"source": source}),
        );
    }

    /// Clicks the middle of the first element that `selector` finds, once it is there and at rest.
    pub fn click(&self, selector: &str) {
        self.until(&format!("document.querySelector({})", json!(selector)));
        let place = self.value(&format!(
            "(async () => {{
                const element = document.querySelector({});
                const place = () => {{
                    element.scrollIntoView({{block: 'center', behavior: 'instant'}});
                    const box = element.getBoundingClientRect();
                    return {{x: box.x + box.width / 2, y: box.y + box.height / 2}};
                }};
                let before;
                let now = place();
                do {{
                    before = now;
                    await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
                    now = place();
                }} while (now.x !== before.x || now.y !== before.y);
                return now;
            }})()",
            json!(selector)
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": place["x"], "y": place["y"], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &event);
        }
    }

    /// Presses a key: `Tab`, `Shift+Tab`, `Enter`, `Escape`, `Backspace`, or a character.
    pub fn press(&self, key: &str) {
        let (modifiers, key) = key.strip_prefix("Shift+").map_or((0, key), |key| (8, key));
        let (name, code, text) = match key {
            "Tab" => (key, 9, None),
            "Enter" => (key, 13, Some("\r")),
            "Escape" => (key, 27, None),
            "Backspace" => (key, 8, None),
            "Delete" => (key, 46, None),
            "Space" => (" ", 32, Some(" ")),
            character => (character, 0, Some(character)),
        };
        let mut event = json!({"key": name, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers, "type": "rawKeyDown"});
        if let Some(text) = text {
            event["type"] = "keyDown".into();
            event["text"] = text.into();
        }
        self.call("Input.dispatchKeyEvent", &event);
        event["type"] = "keyUp".into();
        self.call("Input.dispatchKeyEvent", &event);
    }

    /// Types `text`, key by key.
    pub fn write(&self, text: &str) {
        for character in text.chars() {
            self.press(&character.to_string());
        }
    }

    /// Makes the window so high that all of the page is in it, or 5,000 pixels: what is outside of it
    /// is not drawn.
    pub fn unroll(&self) {
        let width = self.value("innerWidth").as_u64();
        let width = width.and_then(|width| u32::try_from(width).ok());
        self.resize(width.expect("a width"), 5000);
        self.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))");
    }

    /// Writes what is in the window to `target/page/NAME.png`, without the empty end.
    pub fn photograph(&self, name: &str) {
        let window = self.value(
            "({x: scrollX, y: scrollY, scale: 1, width: innerWidth, height: Math.min(innerHeight, Math.ceil(document.body.getBoundingClientRect().bottom))})",
        );
        let params = json!({"format": "png", "clip": window});
        let picture = self.call("Page.captureScreenshot", &params);
        let picture = STANDARD.decode(picture["data"].as_str().expect("text"));
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/page"));
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(name).with_extension("png");
        fs::write(file, picture.expect("base64")).expect("written");
    }

    /// What Chromium measured of the page since it was loaded, by name. Durations are seconds in which
    /// the page's thread ran: what other programs took of the processor is not in them.
    #[must_use]
    pub fn metrics(&self) -> BTreeMap<String, f64> {
        let answer = self.call("Performance.getMetrics", &json!({}));
        let metrics = answer["metrics"].as_array().expect("a list").iter();
        metrics
            .filter_map(|metric| {
                Some((
                    metric["name"].as_str()?.to_owned(),
                    metric["value"].as_f64()?,
                ))
            })
            .collect()
    }

    /// The addresses that the tab asked for, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let requests = self.log.of("Network.requestWillBeSent");
        let sockets = self.log.of("Network.webSocketCreated");
        let requests = requests.iter().map(|request| &request["request"]["url"]);
        let all = requests.chain(sockets.iter().map(|socket| &socket["url"]));
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// What the server sent of its own, once there are `count` messages.
    #[must_use]
    pub fn messages(&self, count: usize) -> Vec<Value> {
        self.log
            .wait_for("Network.eventSourceMessageReceived", count)
    }

    /// Errors and warnings of the console, exceptions, failed requests.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.log.complaints()
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        self.chromium.close(&self.context);
    }
}
