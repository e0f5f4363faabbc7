use hardening::cached;

#[cached]
fn ask(id: u64) {
    let _ = id;
}

fn main() {
    ask(1);
}
