//! Who waits, in the order in which they came.
//!
//! Nobody in line holds a token: whoever is first takes its tokens when they are there, and then
//! tells the next. So nothing is given back when a caller goes away, those behind it move up, and
//! only one caller of each line wakes for each refill.

use crate::sync::{AtomicU32, Mutex, Ordering, lock};
use std::{
    collections::{HashMap, VecDeque},
    task::Waker,
};

/// What is waited for: the buckets of one key, or those that everybody shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Gate {
    Key(u64),
    Everybody,
}

/// A caller's number. Later callers have higher ones.
pub(super) type Ticket = u64;

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    cost: u64,
    waker: Option<Waker>,
}

#[derive(Debug, Default)]
struct Queue {
    waiters: VecDeque<Waiter>,
    cost: u64,
}

#[derive(Debug, Default)]
struct Queues {
    by_gate: HashMap<Gate, Queue, foldhash::quality::RandomState>,
    next_ticket: Ticket,
}

/// All the lines of one operation.
#[derive(Debug)]
pub(super) struct Lines {
    occupied: AtomicU32,
    queues: Mutex<Queues>,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self {
            occupied: AtomicU32::new(0),
            queues: Mutex::new(Queues::default()),
        }
    }

    /// Whether nobody waits anywhere. A load.
    #[inline]
    pub(super) fn are_empty(&self) -> bool {
        self.occupied.load(Ordering::Relaxed) == 0
    }

    /// What those who wait at `gate` want together.
    pub(super) fn wanted(&self, gate: Gate) -> u64 {
        let queues = lock(&self.queues);
        queues.by_gate.get(&gate).map_or(0, |queue| queue.cost)
    }

    /// A number for a caller who begins to wait.
    pub(super) fn ticket(&self) -> Ticket {
        let mut queues = lock(&self.queues);
        queues.next_ticket += 1;
        queues.next_ticket
    }

    /// Whether `ticket` is first at `gate`; it joins at the end if it is not in line. `waker` is
    /// told when it becomes first.
    pub(super) fn stand(&self, gate: Gate, ticket: Ticket, cost: u64, waker: &Waker) -> bool {
        let mut queues = lock(&self.queues);
        let queue = queues.by_gate.entry(gate).or_default();
        if queue.waiters.is_empty() {
            self.occupied.fetch_add(1, Ordering::Relaxed);
        }
        let place = queue.waiters.iter().position(|w| w.ticket == ticket);
        let place = place.unwrap_or_else(|| queue.join(ticket, cost));
        queue.waiters[place].waker = Some(waker.clone());
        place == 0
    }

    /// Takes `ticket` out of the line at `gate`, if it is there, and tells whoever is first now.
    pub(super) fn leave(&self, gate: Gate, ticket: Ticket) {
        let told = {
            let mut queues = lock(&self.queues);
            let Some(queue) = queues.by_gate.get_mut(&gate) else {
                return;
            };
            let told = queue.leave(ticket);
            if queue.waiters.is_empty() {
                queues.by_gate.remove(&gate);
                self.occupied.fetch_sub(1, Ordering::Relaxed);
            }
            told
        };
        if let Some(waker) = told {
            waker.wake();
        }
    }

    /// Tells the first of the line at `gate` to look again.
    pub(super) fn tell(&self, gate: Gate) {
        let first = |queue: &Queue| queue.waiters.front()?.waker.clone();
        let waker = lock(&self.queues).by_gate.get(&gate).and_then(first);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Tells the first of every line to look again.
    pub(super) fn tell_all(&self) {
        let first = |queue: &Queue| queue.waiters.front()?.waker.clone();
        let wakers: Vec<_> = {
            let queues = lock(&self.queues);
            queues.by_gate.values().filter_map(first).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Callers who wait, at whatever gate.
    pub(super) fn waiting(&self) -> usize {
        let queues = lock(&self.queues);
        let of_keys = queues
            .by_gate
            .iter()
            .filter(|(gate, _)| **gate != Gate::Everybody);
        of_keys.map(|(_, queue)| queue.waiters.len()).sum()
    }
}

impl Queue {
    fn join(&mut self, ticket: Ticket, cost: u64) -> usize {
        self.cost += cost;
        self.waiters.push_back(Waiter {
            ticket,
            cost,
            waker: None,
        });
        self.waiters.len() - 1
    }

    /// Takes `ticket` out; returns the waker of the one who is first because of it.
    fn leave(&mut self, ticket: Ticket) -> Option<Waker> {
        let place = self.waiters.iter().position(|w| w.ticket == ticket)?;
        let gone = self.waiters.remove(place)?;
        self.cost -= gone.cost;
        if place > 0 {
            return None;
        }
        self.waiters.front()?.waker.clone()
    }
}
