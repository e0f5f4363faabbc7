//! Which result leaves first when there is no room: a slab with the SIEVE order.
//!
//! SIEVE (Zhang et al., NSDI 2024): one queue from newest to oldest and a hand that moves from old
//! to new. A hit only marks its item. To make room, the hand takes the marks off the items that it
//! passes and removes the first one without a mark. Items stay where they are, so a hit needs no
//! exclusive access, and what was asked for only once leaves before what is asked for again.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

const NONE: u32 = u32::MAX;

enum Node<T> {
    Taken {
        item: T,
        /// What the owner knows the item by: here is room for it, and in the item there is not.
        mark: u32,
        visited: AtomicBool,
        newer: u32,
        older: u32,
    },
    Free {
        next: u32,
    },
}

/// What was in a node.
pub(super) struct Left<T> {
    pub(super) item: T,
    pub(super) mark: u32,
    pub(super) visited: bool,
    newer: u32,
    older: u32,
}

impl<T> Node<T> {
    fn vacate(&mut self, next: u32) -> Option<Left<T>> {
        if matches!(self, Self::Free { .. }) {
            return None;
        }
        match std::mem::replace(self, Self::Free { next }) {
            Self::Free { .. } => None,
            Self::Taken {
                item,
                mark,
                visited,
                newer,
                older,
            } => Some(Left {
                item,
                mark,
                visited: visited.into_inner(),
                newer,
                older,
            }),
        }
    }
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
        match self.nodes.get(index as usize)? {
            Node::Taken { item, .. } => Some(item),
            Node::Free { .. } => None,
        }
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        match self.nodes.get_mut(index as usize)? {
            Node::Taken { item, .. } => Some(item),
            Node::Free { .. } => None,
        }
    }

    /// The mark that the item was added with.
    pub(super) fn mark(&self, index: u32) -> Option<u32> {
        match self.nodes.get(index as usize)? {
            Node::Taken { mark, .. } => Some(*mark),
            Node::Free { .. } => None,
        }
    }

    /// The item was asked for.
    #[inline]
    pub(super) fn visit(&self, index: u32) {
        if let Some(Node::Taken { visited, .. }) = self.nodes.get(index as usize)
            // A store to a line that says so already would only take it from the other threads.
            && !visited.load(Relaxed)
        {
            visited.store(true, Relaxed);
        }
    }

    /// Adds the newest item.
    pub(super) fn push(&mut self, item: T, mark: u32) -> u32 {
        let index = self.place(Node::Taken {
            item,
            mark,
            visited: AtomicBool::new(false),
            newer: NONE,
            older: self.newest,
        });
        self.set_newer(self.newest, index);
        self.newest = index;
        self.len += 1;
        index
    }

    fn place(&mut self, node: Node<T>) -> u32 {
        let index = self.free;
        if let Some(place) = self.nodes.get_mut(index as usize) {
            if let Node::Free { next } = *place {
                self.free = next;
            }
            *place = node;
            return index;
        }
        self.nodes.push(node);
        u32::try_from(self.nodes.len() - 1).unwrap_or(NONE)
    }

    /// What is newer than the item at `index`; without such an item, what is the oldest.
    fn set_newer(&mut self, index: u32, newest: u32) {
        match self.nodes.get_mut(index as usize) {
            Some(Node::Taken { newer, .. }) => *newer = newest,
            _ => self.oldest = newest,
        }
    }

    /// What is older than the item at `index`; without such an item, what is the newest.
    fn set_older(&mut self, index: u32, oldest: u32) {
        match self.nodes.get_mut(index as usize) {
            Some(Node::Taken { older, .. }) => *older = oldest,
            _ => self.newest = oldest,
        }
    }

    /// The item that should leave next.
    pub(super) fn victim(&mut self) -> Option<u32> {
        let mut at = self.hand;
        loop {
            if at == NONE {
                at = self.oldest;
            }
            let Node::Taken { visited, newer, .. } = self.nodes.get_mut(at as usize)? else {
                return None;
            };
            if !std::mem::take(visited.get_mut()) {
                self.hand = at;
                return Some(at);
            }
            at = *newer;
        }
    }

    /// Takes the item out.
    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let left = self.nodes.get_mut(index as usize)?.vacate(self.free)?;
        self.free = index;
        self.len -= 1;
        self.set_newer(left.older, left.newer);
        self.set_older(left.newer, left.older);
        if self.hand == index {
            self.hand = left.newer;
        }
        Some(left.item)
    }

    /// All items, oldest first; the memory is given back.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Left<T>> + use<T> {
        let mut old = std::mem::replace(self, Self::new());
        let mut at = old.oldest;
        std::iter::from_fn(move || {
            let left = old.nodes.get_mut(at as usize)?.vacate(NONE)?;
            at = left.newer;
            Some(left)
        })
    }

    /// The items by index.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..)
            .zip(&self.nodes)
            .filter_map(|(index, node)| match node {
                Node::Taken { item, .. } => Some((index, item)),
                Node::Free { .. } => None,
            })
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_asked_for_again_stays() {
        let mut sieve = Sieve::new();
        let index: Vec<u32> = (0..4).map(|item| sieve.push(item, 0)).collect();
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
                        model.items.push((sieve.push(next, 0), next, false));
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
            let left: Vec<u64> = sieve.drain().map(|left| left.item).collect();
            let expected: Vec<u64> = model.items.iter().map(|item| item.1).collect();
            prop_assert_eq!(left, expected);
        }
    }
}
