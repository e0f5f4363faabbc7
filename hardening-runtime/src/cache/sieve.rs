//! Which result leaves first when there is no room: a slab with the SIEVE order.
//!
//! SIEVE (Zhang et al., NSDI 2024): one queue from newest to oldest and a hand that moves from old
//! to new. A hit only marks its item. To make room, the hand takes the marks off the items that it
//! passes and removes the first one without a mark. Items stay where they are, so a hit needs no
//! exclusive access, and what was asked for only once leaves before what is asked for again.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

const NONE: u32 = u32::MAX;

struct Node<T> {
    /// None while the node waits in the list of free ones.
    item: Option<T>,
    visited: AtomicBool,
    newer: u32,
    /// In a free node: the next free one.
    older: u32,
}

/// Items by index, in SIEVE order.
pub(super) struct Sieve<T> {
    nodes: Vec<Node<T>>,
    free: u32,
    newest: u32,
    oldest: u32,
    hand: u32,
    len: usize,
}

impl<T> Sieve<T> {
    pub(super) const fn new() -> Self {
        Self {
            nodes: Vec::new(),
            free: NONE,
            newest: NONE,
            oldest: NONE,
            hand: NONE,
            len: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Places allocated, in use or not.
    pub(super) const fn places(&self) -> usize {
        self.nodes.len()
    }

    #[inline]
    pub(super) fn get(&self, index: u32) -> Option<&T> {
        self.nodes.get(index as usize)?.item.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.nodes.get_mut(index as usize)?.item.as_mut()
    }

    /// The item, marked as asked for.
    #[inline]
    pub(super) fn visit(&self, index: u32) {
        if let Some(node) = self.nodes.get(index as usize)
            // A store to a line that says so already would only take it from the other threads.
            && !node.visited.load(Relaxed)
        {
            node.visited.store(true, Relaxed);
        }
    }

    /// Adds the newest item.
    pub(super) fn push(&mut self, item: T) -> u32 {
        let index = self.place(Node {
            item: Some(item),
            visited: AtomicBool::new(false),
            newer: NONE,
            older: self.newest,
        });
        match self.nodes.get_mut(self.newest as usize) {
            Some(second) => second.newer = index,
            None => self.oldest = index,
        }
        self.newest = index;
        self.len += 1;
        index
    }

    fn place(&mut self, node: Node<T>) -> u32 {
        let index = self.free;
        if let Some(place) = self.nodes.get_mut(index as usize) {
            self.free = place.older;
            *place = node;
            return index;
        }
        self.nodes.push(node);
        u32::try_from(self.nodes.len() - 1).unwrap_or(NONE)
    }

    /// The item that should leave next.
    pub(super) fn victim(&mut self) -> Option<u32> {
        let mut at = self.hand;
        loop {
            if at == NONE {
                at = self.oldest;
            }
            let node = self.nodes.get_mut(at as usize)?;
            if !std::mem::take(node.visited.get_mut()) {
                self.hand = at;
                return Some(at);
            }
            at = node.newer;
        }
    }

    /// Takes the item out.
    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let node = self.nodes.get_mut(index as usize)?;
        let item = node.item.take()?;
        let (newer, older) = (node.newer, node.older);
        node.older = self.free;
        self.free = index;
        self.len -= 1;
        match self.nodes.get_mut(older as usize) {
            Some(node) => node.newer = newer,
            None => self.oldest = newer,
        }
        match self.nodes.get_mut(newer as usize) {
            Some(node) => node.older = older,
            None => self.newest = older,
        }
        if self.hand == index {
            self.hand = newer;
        }
        Some(item)
    }

    /// All items, oldest first, with their marks; the memory is given back.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (T, bool)> + use<T> {
        let mut old = std::mem::replace(self, Self::new());
        let mut at = old.oldest;
        std::iter::from_fn(move || {
            let node = old.nodes.get_mut(at as usize)?;
            at = node.newer;
            Some((node.item.take()?, *node.visited.get_mut()))
        })
    }

    /// The items by index.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..)
            .zip(&self.nodes)
            .filter_map(|(index, node)| Some((index, node.item.as_ref()?)))
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_asked_for_again_stays() {
        let mut sieve = Sieve::new();
        let index: Vec<u32> = (0..4).map(|item| sieve.push(item)).collect();
        sieve.visit(index[0]);
        sieve.visit(index[2]);
        let mut gone = Vec::new();
        while let Some(victim) = sieve.victim() {
            gone.extend(sieve.remove(victim));
        }
        assert_eq!(gone, [1, 3, 0, 2]);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push,
        Visit(usize),
        Remove(usize),
        Evict,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Push),
            3 => any::<usize>().prop_map(Step::Visit),
            1 => any::<usize>().prop_map(Step::Remove),
            2 => Just(Step::Evict),
        ]
    }

    /// The model: a list of (item, marked), oldest first, and the hand as a position in it.
    #[derive(Default)]
    struct Model {
        items: Vec<(u32, u64, bool)>,
        hand: Option<u64>,
    }

    impl Model {
        fn victim(&mut self) -> Option<usize> {
            let hand = self.hand;
            let mut at = self
                .items
                .iter()
                .position(|item| Some(item.1) == hand)
                .unwrap_or(0);
            loop {
                let count = self.items.len();
                let item = self.items.get_mut(at)?;
                if !std::mem::take(&mut item.2) {
                    self.hand = Some(item.1);
                    return Some(at);
                }
                at = (at + 1) % count;
            }
        }

        fn remove(&mut self, at: usize) -> (u32, u64, bool) {
            let gone = self.items.remove(at);
            if self.hand == Some(gone.1) {
                self.hand = self.items.get(at).map(|item| item.1);
            }
            gone
        }
    }

    proptest! {
        #[test]
        fn it_does_what_a_list_with_a_hand_does(steps in prop::collection::vec(step(), 0..200)) {
            let (mut sieve, mut model) = (Sieve::new(), Model::default());
            let mut next = 0_u64;
            for step in steps {
                let count = model.items.len();
                match step {
                    Step::Push => {
                        model.items.push((sieve.push(next), next, false));
                        next += 1;
                    }
                    Step::Visit(at) if count > 0 => {
                        sieve.visit(model.items[at % count].0);
                        model.items[at % count].2 = true;
                    }
                    Step::Remove(at) if count > 0 => {
                        let gone = model.remove(at % count);
                        prop_assert_eq!(sieve.remove(gone.0), Some(gone.1));
                    }
                    Step::Evict => {
                        let expected = model.victim().map(|at| model.remove(at).1);
                        let victim = sieve.victim();
                        prop_assert_eq!(victim.and_then(|at| sieve.remove(at)), expected);
                    }
                    _ => {}
                }
                prop_assert_eq!(sieve.len(), model.items.len());
                prop_assert_eq!(sieve.iter().count(), model.items.len());
            }
            let left: Vec<u64> = sieve.drain().map(|(item, _)| item).collect();
            let expected: Vec<u64> = model.items.iter().map(|item| item.1).collect();
            prop_assert_eq!(left, expected);
        }
    }
}
