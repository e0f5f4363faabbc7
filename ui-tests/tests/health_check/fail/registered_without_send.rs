use hardening::health::registry;
use std::rc::Rc;

fn main() {
    let local = Rc::new(1);
    registry().register("not to be sent", move || *local > 0);
}
