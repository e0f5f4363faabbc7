//! Random calls that come, wait, give up, leave, while the size changes: against plain lists.

use super::*;
use crate::bulkhead::{queue::Queue, state::Joined, wait::Waiter};
use proptest::{collection::vec, prelude::*, sample::Index};

#[derive(Clone, Debug)]
enum Step {
    Enter(Priority),
    Leave(Index),
    GiveUp(Index),
    Resize(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let priority = (0_usize..4).prop_map(|at| Priority::ALL[at]);
    let step = prop_oneof![
        6 => priority.prop_map(Step::Enter),
        4 => any::<Index>().prop_map(Step::Leave),
        1 => any::<Index>().prop_map(Step::GiveUp),
        1 => (1_u32..5).prop_map(Step::Resize),
    ];
    vec(step, 0..150)
}

const MAX_QUEUE: u32 = 6;

/// The same by hand: who runs, who waits (the queue has a model of its own).
struct Model {
    size: u32,
    running: Vec<usize>,
    queue: Queue<usize>,
    waiting: u32,
}

impl Model {
    fn serve(&mut self) {
        while self.running.len() < self.size as usize
            && let Some(caller) = self.queue.pop()
        {
            self.waiting -= 1;
            self.running.push(caller);
        }
    }
}

fn ask<'a>(waiter: &mut Waiter<'a>) -> Option<Place<'a>> {
    match waiter.poll_place(Waker::noop()) {
        Poll::Ready(place) => Some(place),
        Poll::Pending => None,
    }
}

proptest! {
    #[test]
    fn places_and_queue_agree_with_plain_lists(steps in steps()) {
        let state = BulkheadState::new("model");
        let mut model = Model { size: 2, running: vec![], queue: Queue::new(), waiting: 0 };
        let mut inside: Vec<(usize, Place<'_>)> = vec![];
        let mut outside: Vec<(usize, Waiter<'_>, _)> = vec![];
        for (caller, step) in steps.into_iter().enumerate() {
            match step {
                Step::Enter(priority) => {
                    let size = model.size;
                    match state.try_enter(&policy(size, MAX_QUEUE)) {
                        Some(place) => {
                            prop_assert!(model.running.len() < size as usize);
                            model.running.push(caller);
                            inside.push((caller, place));
                        }
                        None => match state.join(size, MAX_QUEUE, priority, Waker::noop().clone()) {
                            Joined::Entered => prop_assert!(false, "nobody left in between"),
                            Joined::Full => prop_assert_eq!(model.waiting, MAX_QUEUE),
                            Joined::Queued(ticket) => {
                                prop_assert!(model.running.len() >= size as usize);
                                model.waiting += 1;
                                let known = model.queue.push(priority, caller);
                                outside.push((caller, Waiter::new(&state, ticket), known));
                            }
                        },
                    }
                }
                Step::Leave(_) if inside.is_empty() => {}
                Step::Leave(index) => {
                    let (caller, place) = inside.swap_remove(index.index(inside.len()));
                    drop(place);
                    model.running.retain(|running| *running != caller);
                    model.serve();
                }
                Step::GiveUp(_) if outside.is_empty() => {}
                Step::GiveUp(index) => {
                    let (_, waiter, known) = outside.swap_remove(index.index(outside.len()));
                    drop(waiter);
                    model.queue.remove(known);
                    model.waiting -= 1;
                }
                Step::Resize(size) => {
                    model.size = size;
                    state.resize(size);
                    model.serve();
                }
            }
            outside.retain_mut(|(caller, waiter, _)| match ask(waiter) {
                Some(place) => { inside.push((*caller, place)); false }
                None => true,
            });
            let mut callers: Vec<_> = inside.iter().map(|(caller, _)| *caller).collect();
            callers.sort_unstable();
            model.running.sort_unstable();
            prop_assert_eq!(&callers, &model.running);
            let snapshot = state.snapshot(&policy(1, MAX_QUEUE));
            prop_assert_eq!(snapshot.running as usize, callers.len());
            prop_assert_eq!(snapshot.queued.total(), model.waiting);
        }
    }
}
