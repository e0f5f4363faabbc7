//! Which result leaves first when there is no room: a slab with the SIEVE order.
//!
//! SIEVE (Zhang et al., NSDI 2024): one queue from newest to oldest and a hand that moves from old
//! to new. A hit only marks its item. To make room, the hand takes the marks off the items that it
//! passes and removes the first one without a mark. Items stay where they are, so a hit needs no
//! exclusive access, and what was asked for only once leaves before what is asked for again.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

const NONE: u32 = u32::MAX;

/// All that a hit looks at, close together.
enum Node<T> {
    Taken {
        item: T,
        /// What the owner knows the item by: here is room for it, and in the item there is not.
        mark: u32,
        visited: AtomicBool,
    },
    Free {
        next: u32,
    },
}

/// The rest of an item, which a hit does not look at.
struct Link<A> {
    newer: u32,
    older: u32,
    aside: A,
}

/// An item in its place.
pub(super) struct Seen<'a, T, A> {
    pub(super) item: &'a T,
    visited: &'a AtomicBool,
    links: &'a [Link<A>],
    index: u32,
}

impl<T, A> Seen<'_, T, A> {
    /// What was put aside with the item.
    pub(super) fn aside(&self) -> Option<&A> {
        Some(&self.links.get(self.index as usize)?.aside)
    }

    /// The item was asked for.
    #[inline]
    pub(super) fn visit(&self) {
        // A store to a line that says so already would only take it from the other threads.
        if !self.visited.load(Relaxed) {
            self.visited.store(true, Relaxed);
        }
    }
}

/// What was in a node.
pub(super) struct Left<T, A> {
    pub(super) item: T,
    pub(super) aside: A,
    pub(super) mark: u32,
    pub(super) visited: bool,
}

impl<T> Node<T> {
    /// The item with its mark, and whether it was asked for.
    fn vacate(&mut self, next: u32) -> Option<(T, u32, bool)> {
        if matches!(self, Self::Free { .. }) {
            return None;
        }
        match std::mem::replace(self, Self::Free { next }) {
            Self::Free { .. } => None,
            Self::Taken {
                item,
                mark,
                visited,
            } => Some((item, mark, visited.into_inner())),
        }
    }
}

/// Items by index, in SIEVE order, each with something aside that is seldom looked at.
pub(super) struct Sieve<T, A = ()> {
    nodes: Vec<Node<T>>,
    /// By the same index.
    links: Vec<Link<A>>,
    free: u32,
    newest: u32,
    oldest: u32,
    hand: u32,
    len: usize,
}

impl<T, A: Default> Sieve<T, A> {
    pub(super) const fn new() -> Self {
        Self {
            nodes: Vec::new(),
            links: Vec::new(),
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
    pub(super) fn get(&self, index: u32) -> Option<Seen<'_, T, A>> {
        match self.nodes.get(index as usize)? {
            Node::Taken { item, visited, .. } => Some(Seen {
                item,
                visited,
                links: &self.links,
                index,
            }),
            Node::Free { .. } => None,
        }
    }

    /// Puts another item in the place of one, in the same order; gives that one back.
    pub(super) fn replace(&mut self, index: u32, new: T, aside: A) -> T {
        match (
            self.nodes.get_mut(index as usize),
            self.links.get_mut(index as usize),
        ) {
            (Some(Node::Taken { item, .. }), Some(link)) => {
                link.aside = aside;
                std::mem::replace(item, new)
            }
            _ => new,
        }
    }

    /// The mark that the item was added with.
    pub(super) fn mark(&self, index: u32) -> Option<u32> {
        match self.nodes.get(index as usize)? {
            Node::Taken { mark, .. } => Some(*mark),
            Node::Free { .. } => None,
        }
    }

    /// Adds the newest item.
    pub(super) fn push(&mut self, item: T, aside: A, mark: u32) -> u32 {
        let node = Node::Taken {
            item,
            mark,
            visited: AtomicBool::new(false),
        };
        let link = Link {
            newer: NONE,
            older: self.newest,
            aside,
        };
        let index = self.place(node, link);
        self.set_newer(self.newest, index);
        self.newest = index;
        self.len += 1;
        index
    }

    fn place(&mut self, node: Node<T>, link: Link<A>) -> u32 {
        let index = self.free;
        if let Some(place) = self.nodes.get_mut(index as usize) {
            if let Node::Free { next } = *place {
                self.free = next;
            }
            *place = node;
            self.links[index as usize] = link;
            return index;
        }
        self.nodes.push(node);
        self.links.push(link);
        u32::try_from(self.nodes.len() - 1).unwrap_or(NONE)
    }

    /// What is newer than the item at `index`; without such an item, what is the oldest.
    fn set_newer(&mut self, index: u32, newest: u32) {
        match self.links.get_mut(index as usize) {
            Some(link) => link.newer = newest,
            None => self.oldest = newest,
        }
    }

    /// What is older than the item at `index`; without such an item, what is the newest.
    fn set_older(&mut self, index: u32, oldest: u32) {
        match self.links.get_mut(index as usize) {
            Some(link) => link.older = oldest,
            None => self.newest = oldest,
        }
    }

    /// The item that should leave next.
    pub(super) fn victim(&mut self) -> Option<u32> {
        let mut at = self.hand;
        loop {
            if at == NONE {
                at = self.oldest;
            }
            let Node::Taken { visited, .. } = self.nodes.get_mut(at as usize)? else {
                return None;
            };
            if !std::mem::take(visited.get_mut()) {
                self.hand = at;
                return Some(at);
            }
            at = self.links.get(at as usize)?.newer;
        }
    }

    /// Takes the item out.
    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let (item, ..) = self.nodes.get_mut(index as usize)?.vacate(self.free)?;
        let link = self.links.get(index as usize)?;
        let (newer, older) = (link.newer, link.older);
        self.free = index;
        self.len -= 1;
        self.set_newer(older, newer);
        self.set_older(newer, older);
        if self.hand == index {
            self.hand = newer;
        }
        Some(item)
    }

    /// All items, oldest first; the memory is given back.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Left<T, A>> + use<T, A> {
        let mut old = std::mem::replace(self, Self::new());
        let mut at = old.oldest;
        std::iter::from_fn(move || {
            let (item, mark, visited) = old.nodes.get_mut(at as usize)?.vacate(NONE)?;
            let link = old.links.get_mut(at as usize)?;
            at = link.newer;
            Some(Left {
                item,
                aside: std::mem::take(&mut link.aside),
                mark,
                visited,
            })
        })
    }

    /// The items by index.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Seen<'_, T, A>)> {
        (0..)
            .zip(&self.nodes)
            .filter_map(|(index, _)| Some((index, self.get(index)?)))
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_asked_for_again_stays() {
        let mut sieve = Sieve::<_>::new();
        let index: Vec<u32> = (0..4).map(|item| sieve.push(item, (), 0)).collect();
        sieve.get(index[0]).unwrap().visit();
        sieve.get(index[2]).unwrap().visit();
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
            let (mut sieve, mut model) = (Sieve::<_>::new(), Model::default());
            let mut next = 0_u64;
            for step in steps {
                let count = model.items.len();
                match step {
                    Step::Push => {
                        model.items.push((sieve.push(next, (), 0), next, false));
                        next += 1;
                    }
                    Step::Visit(at) if count > 0 => {
                        sieve.get(model.items[at % count].0).unwrap().visit();
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
