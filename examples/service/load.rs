//! The customers: twenty who look around and order, and a script that orders without a pause.

use crate::client;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::sleep,
};

/// Lets them in, until the handle is aborted.
pub(crate) fn start(shop: SocketAddr) -> JoinHandle<()> {
    tokio::spawn(async move {
        let customers: JoinSet<()> = (0..=20).map(|user| shops(shop, user)).collect();
        customers.join_all().await;
    })
}

/// A customer; 0 is the script. What the shop answers is no concern of the load.
async fn shops(shop: SocketAddr, user: u64) {
    for round in 0_u64.. {
        let item = (user + round * 7) % 20;
        let (method, path) = match (user, round % 3) {
            (0, _) | (_, 0) => ("POST", format!("/users/{user}/orders/{item}")),
            (_, 1) => ("GET", format!("/items/{item}")),
            _ => ("GET", format!("/items/{item}/similar")),
        };
        let _ = client::exchange(shop, method, &path).await;
        let pause = if user == 0 { 20 } else { 100 + user * 11 };
        sleep(Duration::from_millis(pause)).await;
    }
}
