use hardening::health_check;

#[health_check]
fn ping<T: Default + PartialEq>() -> bool {
    T::default() == T::default()
}

fn main() {
    ping::<u32>();
}
