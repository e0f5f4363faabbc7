fn main() {
    let started = hardening::init!("hardening.yaml");
    drop(started);
}
