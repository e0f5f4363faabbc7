//! A browser that looks at the page `/hardening`.
#![allow(dead_code, reason = "each test file uses a part of it")]

use axum::{
    Router,
    body::{Body, BodyDataStream},
    extract::Request,
    http::HeaderMap,
    response::Response,
};
use futures_util::StreamExt;
use hardening::http::router;
use serde_json::Value;
use tower::ServiceExt;

pub(crate) async fn get(service: Router, path: &str) -> Response {
    let request = Request::builder().uri(path);
    let request = request.body(Body::empty()).expect("a request");
    service.oneshot(request).await.expect("infallible")
}

pub(crate) async fn text_of(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 1 << 22).await;
    String::from_utf8(body.expect("a bounded body").to_vec()).expect("text")
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_else(|| panic!("{name} in {headers:?}"))
}

/// A browser that reads the events.
pub(crate) struct Viewer {
    body: BodyDataStream,
}

pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Viewer {
    pub(crate) async fn open() -> Self {
        Self::of(get(router(), "/hardening/events").await)
    }

    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        Self {
            body: response.into_body().into_data_stream(),
        }
    }

    /// The next event; none when the stream has ended. Each is a chunk of its own.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        let chunk = self.body.next().await?.expect("no error");
        let text = String::from_utf8(chunk.to_vec()).expect("text");
        let lines: Vec<_> = text.split('\n').collect();
        let [name, data, "", ""] = lines[..] else {
            panic!("two lines and an empty one: {text:?}");
        };
        let data = data.strip_prefix("data: ").expect("data");
        Some(Event {
            name: name.strip_prefix("event: ").expect("a name").to_owned(),
            data: serde_json::from_str(data).expect("JSON"),
        })
    }

    pub(crate) async fn expect(&mut self, name: &str) -> Value {
        let event = self.next().await.expect("the stream goes on");
        assert_eq!(event.name, name, "{}", event.data);
        event.data
    }
}

/// The site of this function in the event `all`, and its place.
pub(crate) fn site<'a>(all: &'a Value, function: &str) -> (usize, &'a Value) {
    let sites = all["sites"].as_array().expect("sites");
    let is_it = |site: &Value| {
        site["path"]
            .as_str()
            .is_some_and(|path| path.ends_with(function))
    };
    let mut found = sites.iter().enumerate();
    let found = found.find(|(_, site)| is_it(site));
    found.unwrap_or_else(|| panic!("{function} in {all}"))
}
