use hardening::timeout;

#[timeout("5s")]
async fn ask() -> String {
    String::new()
}

fn main() {
    drop(ask());
}
