use hardening::retryable;
use std::io;

struct Json<T>(T);

#[retryable(clone(list))]
async fn pushes(Json(list): Json<Vec<u32>>) -> io::Result<Vec<u32>> {
    list.push(1);
    Ok(list)
}

fn main() {
    drop(pushes(Json(Vec::new())));
}
