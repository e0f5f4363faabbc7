//! The page as a service has it, on loopback.

use crate::chromium::PATIENCE;
use axum::{Router, extract::Request, middleware::from_fn};
use std::{
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, runtime::Runtime};

/// A service with `hardening::http::router()`, which remembers what it was asked.
pub struct Server {
    running: Option<Runtime>,
    address: SocketAddr,
    prefix: &'static str,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts one on a free port, with our routes under `prefix`, which may be empty.
    #[must_use]
    pub fn start(prefix: &'static str) -> Self {
        let mut server = Self {
            running: None,
            address: ([127, 0, 0, 1], 0).into(),
            prefix,
            asked: Arc::default(),
        };
        server.start_again();
        server
    }

    /// Ends it with all its connections, as a crash would.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.running.take() {
            runtime.shutdown_timeout(PATIENCE);
        }
    }

    /// Starts it at the address that it had.
    pub fn start_again(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind(self.address))
            .expect("the port is free");
        let inside = runtime.enter();
        self.address = listener.local_addr().expect("an address");
        let service = self.routes();
        let service = service.into_make_service_with_connect_info::<SocketAddr>();
        runtime.spawn(async { axum::serve(listener, service).await });
        drop(inside);
        self.running = Some(runtime);
    }

    fn routes(&self) -> Router {
        let ours = hardening::http::router();
        let routes = match self.prefix {
            "" => ours,
            prefix => Router::new().nest(prefix, ours),
        };
        let asked = Arc::clone(&self.asked);
        routes.layer(from_fn(
            move |request: Request, next: axum::middleware::Next| {
                let path = request.uri().path().to_owned();
                asked.lock().expect("no panic").push(path);
                next.run(request)
            },
        ))
    }

    /// Runs `future` to its end, beside what is served.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime().block_on(future)
    }

    /// Runs `future` beside what is served, until the server stops.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.runtime().spawn(future);
    }

    fn runtime(&self) -> &Runtime {
        self.running.as_ref().expect("it runs")
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The path of the page.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/hardening", self.prefix)
    }

    /// The paths that it was asked for, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
