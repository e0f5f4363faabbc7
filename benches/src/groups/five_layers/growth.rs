//! What a call of a function costs that nobody has called for a while: a thousand functions in turn, beside
//! one of them again and again.

use crate::{
    contender::{
        Contender,
        Whose::{Limit, Ours},
    },
    rounds::Scenario,
};
use benches::sites::{self, Site};
use std::hint::black_box;

/// Five layers each, with state and code of its own: neither is in the processor's nearest caches when its
/// turn comes again.
pub(super) fn thousand_sites() -> Scenario {
    let all = sites::thousand();
    let one = vec![all[0]; all.len()];
    Scenario::new(
        "1,000 functions of five layers, called in turn",
        vec![
            in_turn(Ours, "1,000 functions", all),
            in_turn(Limit, "one of them", one),
        ],
        Vec::new(),
    )
}

fn in_turn(whose: crate::contender::Whose, name: &'static str, sites: Vec<Site>) -> Contender {
    Contender::blocking(whose, name, move |call| {
        let turn = usize::try_from(call).unwrap_or(0) % sites.len();
        assert!(black_box(sites[turn](black_box("customer-1"), call)).is_ok());
    })
}
