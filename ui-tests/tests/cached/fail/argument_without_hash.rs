use hardening::cached;
use ui_tests::AppError;

struct Query {
    text: String,
}

#[cached]
fn blocking(query: &Query, page: u32) -> Result<String, AppError> {
    Ok(format!("{} {page}", query.text))
}

#[cached(key = query)]
async fn asynchronous(query: &Query) -> Result<String, AppError> {
    Ok(query.text.clone())
}

fn main() {
    let query = Query { text: String::new() };
    let _ = blocking(&query, 1);
    drop(asynchronous(&query));
}
