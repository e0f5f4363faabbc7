use hardening::health::registry;

fn number() -> u32 {
    1
}

fn main() {
    registry().register("a number", || 1);
    registry().register("a function", number);
    registry().register("an argument", |id: u64| id > 0);
}
