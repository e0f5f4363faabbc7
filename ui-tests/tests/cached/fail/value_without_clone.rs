use hardening::cached;
use ui_tests::AppError;

struct Page(String);

fn first(page: Page) -> String {
    page.0
}

#[cached(ttl = 60)]
fn fallible(id: u64) -> Result<Page, AppError> {
    Ok(Page(id.to_string()))
}

#[cached(ttl = 60)]
async fn plain(id: u64) -> Page {
    Page(id.to_string())
}

fn main() {
    let _ = fallible(1).map(first);
    drop(plain(1));
}
