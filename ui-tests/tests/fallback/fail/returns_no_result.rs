use hardening::fallback;

#[fallback(|_| None)]
fn ask() -> Option<u32> {
    None
}

fn main() {
    let _: Option<u32> = ask();
}
