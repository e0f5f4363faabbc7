//! Random histories of callers who come, wait, run and go away, against a bucket that knows only
//! of those who ran.

use super::super::wait::{Place, Step};
use super::{at, decide};
use crate::{
    config::RateLimitPolicy,
    rate_limit::{Admission, LimiterState, Prepared},
};
use proptest::prelude::*;
use std::{task::Waker, time::Duration};

const CAPACITY: u32 = 3;
const TOKEN_MS: u64 = 100;

#[derive(Clone, Debug)]
enum Event {
    Comes,
    GoesAway(prop::sample::Index),
    Passes(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => Just(Event::Comes),
        2 => any::<prop::sample::Index>().prop_map(Event::GoesAway),
        4 => (1..150u64).prop_map(Event::Passes),
    ];
    prop::collection::vec(event, 1..200)
}

struct Scene<'a> {
    state: &'a LimiterState,
    policy: &'a Prepared,
    line: Vec<(usize, Place<'a>)>,
    callers: usize,
    /// Who ran, and when, in milliseconds.
    ran: Vec<(usize, u64)>,
    now: u64,
}

impl Scene<'_> {
    fn play(&mut self, event: &Event) {
        match event {
            Event::Comes => self.come(),
            Event::GoesAway(_) if self.line.is_empty() => {}
            Event::GoesAway(index) => drop(self.line.remove(index.index(self.line.len()))),
            Event::Passes(millis) => self.now += millis,
        }
        self.step_all();
    }

    fn come(&mut self) {
        self.callers += 1;
        let now = at(Duration::from_millis(self.now));
        match decide(self.state, self.policy, 1, now) {
            Ok(Admission::Now) => self.ran.push((self.callers, self.now)),
            Ok(Admission::Wait(place)) => self.line.push((self.callers, place)),
            Err(_) => {}
        }
    }

    /// Lets everybody look, the last first, so that only the line can keep them in order.
    fn step_all(&mut self) {
        let now = at(Duration::from_millis(self.now));
        loop {
            let before = self.line.len();
            for index in (0..before).rev() {
                if let Step::Done(result) = self.line[index].1.step(now, Waker::noop()) {
                    let (caller, _place) = self.line.remove(index);
                    if result.is_ok() {
                        self.ran.push((caller, self.now));
                    }
                }
            }
            if self.line.len() == before {
                return;
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_callers_do_they_run_in_order_and_within_the_limit(events in events()) {
        let window = Duration::from_millis(u64::from(CAPACITY) * TOKEN_MS);
        let policy = Prepared::new(RateLimitPolicy::per_key(CAPACITY, window).waiting(Duration::from_millis(450)));
        let state = LimiterState::new("model");
        let mut scene = Scene {
            state: &state,
            policy: &policy,
            line: Vec::new(),
            callers: 0,
            ran: Vec::new(),
            now: 0,
        };
        let mut full_at = 0;
        for event in &events {
            let known = scene.ran.len();
            scene.play(event);
            for &(_, when) in &scene.ran[known..] {
                full_at = full_at.max(when) + TOKEN_MS;
                prop_assert!(full_at <= when + u64::from(CAPACITY) * TOKEN_MS, "over the limit");
            }
            let ahead = full_at.saturating_sub(scene.now);
            let held = u64::from(CAPACITY) - ahead.div_ceil(TOKEN_MS);
            let now = at(Duration::from_millis(scene.now));
            prop_assert_eq!(u64::from(state.remaining(&policy, 1, now)), held, "nothing leaks");
            prop_assert!(held == 0 || scene.line.is_empty(), "nobody waits beside a token");
            prop_assert_eq!(state.waiting(), scene.line.len());
        }
        prop_assert!(scene.ran.is_sorted(), "first come first served");
        scene.line.clear();
        prop_assert_eq!(state.waiting(), 0);
    }
}
