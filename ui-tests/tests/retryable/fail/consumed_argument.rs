use hardening::retryable;
use ui_tests::AppError;

#[derive(Clone)]
struct Body(String);

async fn send<T>(_: T) -> Result<usize, AppError> {
    Ok(0)
}

#[retryable]
fn blocking(body: String) -> Result<usize, AppError> {
    Ok(body.into_bytes().len())
}

#[retryable]
async fn asynchronous(id: u64, body: Body) -> Result<usize, AppError> {
    let _ = id;
    send(body).await
}

#[retryable(clone(first))]
async fn two_more(first: Body, mut second: Body, third: Vec<u32>) -> Result<usize, AppError> {
    second.0.push('!');
    send((first, second)).await?;
    for number in third {
        send(number).await?;
    }
    Ok(0)
}

#[retryable]
async fn into_a_task(body: Body) -> Result<usize, AppError> {
    let task = async move { body.0.len() + send(&body).await.unwrap_or(0) };
    Ok(task.await)
}

#[retryable]
async fn generic<T: Send>(value: T, other: impl Into<String>) -> Result<usize, AppError> {
    send(value).await?;
    send(other).await
}

struct Client;

impl Client {
    #[retryable]
    async fn close(self) -> Result<usize, AppError> {
        send(self).await
    }
}

fn main() {
    let _ = blocking(String::new());
    drop(asynchronous(1, Body(String::new())));
    drop(two_more(Body(String::new()), Body(String::new()), vec![]));
    drop(into_a_task(Body(String::new())));
    drop(generic(1, ""));
    drop(Client.close());
}
