//! The queue, purely: who is served next.

use super::Priority;
use std::collections::VecDeque;

/// So many places in a row may pass over somebody of a lower priority; the next goes to the one of
/// these that has waited longest.
pub(super) const PASSED_OVER_AT_MOST: u32 = 8;

/// One who waits: where to look, and the number drawn on arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    priority: Priority,
    number: u64,
}

/// Those who wait, by priority, and in order of arrival within one.
///
/// The highest priority is served first. So that a low one is not starved for ever,
/// [`PASSED_OVER_AT_MOST`] bounds how often in a row it is passed over. Whoever waits is therefore
/// served after at most `(PASSED_OVER_AT_MOST + 1) × (1 + those of lower than the top priority who
/// came earlier)` places, whatever arrives later.
#[derive(Debug)]
pub(super) struct Queue<T> {
    /// Indexed by priority. Numbers rise within a class, so a ticket is found by bisection, and
    /// leaving early costs a move of the shorter side.
    classes: [VecDeque<(u64, T)>; 4],
    next_number: u64,
    passed_over: u32,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            classes: [const { VecDeque::new() }; 4],
            next_number: 0,
            passed_over: 0,
        }
    }

    /// How many of `priority` wait.
    pub(super) fn waiting(&self, priority: Priority) -> usize {
        self.classes[priority as usize].len()
    }

    /// Joins at the end of `priority`.
    pub(super) fn push(&mut self, priority: Priority, value: T) -> Ticket {
        let number = self.next_number;
        self.next_number += 1;
        self.classes[priority as usize].push_back((number, value));
        Ticket { priority, number }
    }

    /// What was pushed for `ticket`, while it waits.
    pub(super) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut T> {
        let place = self.position(ticket)?;
        let (_, value) = &mut self.classes[ticket.priority as usize][place];
        Some(value)
    }

    /// Leaves without being served. None when it was served before.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<T> {
        let place = self.position(ticket)?;
        let (_, value) = self.classes[ticket.priority as usize].remove(place)?;
        Some(value)
    }

    /// Serves the next.
    pub(super) fn pop(&mut self) -> Option<T> {
        let top = self.classes.iter().rposition(|class| !class.is_empty())?;
        let class = match self.longest_waiting_below(top) {
            None => {
                self.passed_over = 0;
                top
            }
            Some(_) if self.passed_over < PASSED_OVER_AT_MOST => {
                self.passed_over += 1;
                top
            }
            Some(lower) => {
                self.passed_over = 0;
                lower
            }
        };
        self.classes[class].pop_front().map(|(_, value)| value)
    }

    fn longest_waiting_below(&self, top: usize) -> Option<usize> {
        let first = |class: &usize| self.classes[*class].front().map(|(number, _)| *number);
        (0..top)
            .filter(|class| first(class).is_some())
            .min_by_key(first)
    }

    fn position(&self, ticket: Ticket) -> Option<usize> {
        self.classes[ticket.priority as usize]
            .binary_search_by_key(&ticket.number, |(number, _)| *number)
            .ok()
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::Index};

    fn drain<T>(queue: &mut Queue<T>) -> Vec<T> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn higher_priorities_go_first_and_equals_in_order_of_arrival() {
        let mut queue = Queue::new();
        for (priority, name) in [
            (Priority::Low, "low"),
            (Priority::Normal, "normal 1"),
            (Priority::Urgent, "urgent 1"),
            (Priority::High, "high"),
            (Priority::Normal, "normal 2"),
            (Priority::Urgent, "urgent 2"),
        ] {
            queue.push(priority, name);
        }
        let served = drain(&mut queue);
        let expected = [
            "urgent 1", "urgent 2", "high", "normal 1", "normal 2", "low",
        ];
        assert_eq!(served, expected);
    }

    #[test]
    fn a_low_one_is_served_after_eight_that_passed_it_over() {
        let mut queue = Queue::new();
        queue.push(Priority::Low, "low");
        for _ in 0..20 {
            queue.push(Priority::Urgent, "urgent");
        }
        let served = drain(&mut queue);
        assert_eq!(served.iter().position(|name| *name == "low"), Some(8));
    }

    #[test]
    fn the_longest_waiting_of_the_lower_ones_is_served_whatever_its_priority() {
        let mut queue = Queue::new();
        queue.push(Priority::Low, "low");
        queue.push(Priority::High, "high");
        for _ in 0..20 {
            queue.push(Priority::Urgent, "urgent");
        }
        let served = drain(&mut queue);
        assert_eq!((served[8], served[17]), ("low", "high"));
    }

    #[test]
    fn what_was_passed_over_before_nobody_waited_is_forgotten() {
        let mut queue = Queue::new();
        let low = queue.push(Priority::Low, "low");
        for _ in 0..9 {
            queue.push(Priority::High, "high");
        }
        for _ in 0..8 {
            assert_eq!(queue.pop(), Some("high"));
        }
        queue.remove(low);
        assert_eq!(queue.pop(), Some("high"));
        queue.push(Priority::Low, "low");
        queue.push(Priority::High, "high");
        assert_eq!(queue.pop(), Some("high"));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(Priority),
        Remove(Index),
        Pop,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let priority = (0_usize..4).prop_map(|at| Priority::ALL[at]);
        let step = prop_oneof![
            5 => priority.prop_map(Step::Push),
            1 => any::<Index>().prop_map(Step::Remove),
            4 => Just(Step::Pop),
        ];
        vec(step, 0..200)
    }

    /// One list in order of arrival, searched anew each time.
    #[derive(Default)]
    struct Model {
        arrived: Vec<(Priority, Ticket)>,
        passed_over: u32,
    }

    impl Model {
        fn pop(&mut self) -> Option<Ticket> {
            let top = self.arrived.iter().map(|(priority, _)| *priority).max()?;
            let lower = self.arrived.iter().position(|(p, _)| *p < top);
            let of_top = self.arrived.iter().position(|(p, _)| *p == top)?;
            let (at, passed_over) = match lower {
                None => (of_top, 0),
                Some(lower) if self.passed_over == PASSED_OVER_AT_MOST => (lower, 0),
                Some(_) => (of_top, self.passed_over + 1),
            };
            self.passed_over = passed_over;
            Some(self.arrived.remove(at).1)
        }
    }

    proptest! {
        #[test]
        fn the_queue_serves_as_a_plain_list_would(steps in steps()) {
            let (mut queue, mut model) = (Queue::new(), Model::default());
            for step in steps {
                match step {
                    Step::Push(priority) => {
                        let ticket = queue.push(priority, None);
                        *queue.get_mut(ticket).unwrap() = Some(ticket);
                        model.arrived.push((priority, ticket));
                    }
                    Step::Remove(_) if model.arrived.is_empty() => {}
                    Step::Remove(index) => {
                        let (_, ticket) = model.arrived.remove(index.index(model.arrived.len()));
                        prop_assert_eq!(queue.remove(ticket), Some(Some(ticket)));
                        prop_assert_eq!(queue.remove(ticket), None);
                    }
                    Step::Pop => {
                        let served = queue.pop().flatten();
                        prop_assert_eq!(served, model.pop());
                        if let Some(ticket) = served {
                            prop_assert!(queue.get_mut(ticket).is_none());
                        }
                    }
                }
                for priority in Priority::ALL {
                    let expected = model.arrived.iter().filter(|(p, _)| *p == priority).count();
                    prop_assert_eq!(queue.waiting(priority), expected);
                }
            }
        }

        #[test]
        fn nobody_is_starved_whatever_arrives_later(
            earlier in vec(0_usize..4, 0..20),
            flood in vec(1_usize..4, 400),
        ) {
            let mut queue = Queue::new();
            for at in &earlier {
                queue.push(Priority::ALL[*at], false);
            }
            queue.push(Priority::Low, true);
            let bound = (PASSED_OVER_AT_MOST as usize + 1) * (earlier.len() + 1);
            let mut served = 0;
            for at in flood {
                queue.push(Priority::ALL[at - 1], false);
                served += 1;
                if queue.pop() == Some(true) {
                    break;
                }
            }
            prop_assert!(served <= bound, "served after {served}, at most {bound}");
        }
    }
}
