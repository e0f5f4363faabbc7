use hardening::health_check;

const NAME: &str = "database";

#[health_check(nmae = "database")]
fn misspelled() -> bool {
    true
}

#[health_check(name = NAME)]
fn no_text() -> bool {
    NAME.is_empty()
}

#[health_check(interval = 0)]
fn no_interval() -> bool {
    true
}

#[health_check(timeout = "soon")]
fn no_duration() -> bool {
    true
}

#[health_check(groups = ["rediness"])]
fn no_group() -> bool {
    true
}

#[health_check(critical = 1)]
fn no_bool() -> bool {
    true
}

#[health_check("database")]
fn without_a_name() -> bool {
    true
}

#[health_check(name = "a", name = "b")]
fn twice() -> bool {
    true
}

fn main() {
    let _ = (misspelled(), no_text(), no_interval(), no_duration(), no_group(), no_bool(), without_a_name(), twice());
}
