use hardening::cached;

#[cached]
fn first(words: &str) -> &str {
    words
}

fn main() {
    let _ = first("one two");
}
