//! The whole state of a circuit in one word, so that each change is one compare-and-swap.
//!
//! `counts: 40 | generation: 21 | mode: 3`, from the highest bit. A closed circuit without failures
//! has no counts, so the word that a call saw when it began is the one that its success compares.

/// Counts of the closed phase stop here; a `failure_threshold` above is never reached.
pub(super) const MOST_FAILURES: u64 = mask(CLOSED_BITS);
/// Counts of the half-open phase stop here; larger settings mean this many.
pub(super) const MOST_PROBES: u64 = mask(PROBE_BITS);

const MODE_BITS: u32 = 3;
pub(super) const GENERATION_BITS: u32 = 21;
const KEY_BITS: u32 = MODE_BITS + GENERATION_BITS;
const CLOSED_BITS: u32 = 20;
const PROBE_BITS: u32 = 10;
const REOPENED_BITS: u32 = 6;
const TURN_BITS: u32 = 4;

const CLOSED: u64 = 0;
const OPEN: u64 = 1;
const HALF_OPEN: u64 = 2;
const FORCED_OPEN: u64 = 3;
const FORCED_CLOSED: u64 = 4;
/// Closed, of a key whose result is kept: no word is in this mode.
const KEPT: u64 = 5;

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// What a circuit does, and what it has counted since it began to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed {
        /// Failures in a row.
        failures: u64,
        /// Calls dropped by their callers, in a row with nothing else between.
        drops: u64,
    },
    Open {
        /// How many times it opened again since it was last closed.
        reopened: u64,
    },
    HalfOpen(Probes),
    ForcedOpen,
    ForcedClosed,
}

/// The probes of a half-open circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probes {
    pub(super) in_flight: u64,
    pub(super) succeeded: u64,
    /// Probes dropped by their callers, in a row with nothing else between.
    pub(super) drops: u64,
    /// As in [`Phase::Open`].
    pub(super) reopened: u64,
    /// Goes round with each probe that is admitted, so that a caller who found all places held too
    /// long, and then stalled, does not mistake other probes in the same places for those.
    pub(super) turn: u64,
}

impl Phase {
    pub(super) const CLEAN: Self = Self::Closed {
        failures: 0,
        drops: 0,
    };
}

/// A phase and its generation, packed. Every change of phase begins a new generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

/// The mode and the generation in which a call began: its result counts only there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(u64);

impl Key {
    /// Not a key: none has a bit beyond its own.
    pub(super) const NONE: Self = Self(u64::MAX);

    pub(super) const fn is_none(self) -> bool {
        self.0 == Self::NONE.0
    }

    /// The generation, in `0..1 << GENERATION_BITS`.
    pub(super) const fn generation(self) -> u64 {
        self.0 >> MODE_BITS
    }

    const fn is_closed(self) -> bool {
        self.0 & mask(MODE_BITS) == CLOSED
    }

    /// The key of a call whose result is kept for the rates if the circuit is closed. Then no word is clean
    /// for it: what is to be done shows in the one comparison that every success makes.
    #[inline]
    pub(super) const fn kept(self) -> Self {
        if self.is_closed() {
            Self(self.0 | KEPT)
        } else {
            self
        }
    }

    /// The same key, of a call whose result is not kept.
    #[inline]
    pub(super) const fn unkept(self) -> Self {
        if self.is_kept() {
            Self(self.0 & !KEPT)
        } else {
            self
        }
    }

    #[inline]
    pub(super) const fn is_kept(self) -> bool {
        self.0 & mask(MODE_BITS) == KEPT
    }
}

impl Word {
    pub(super) const fn key(self) -> Key {
        Key(self.0 & mask(KEY_BITS))
    }

    /// Whether this word is closed, without looking at its counts.
    pub(super) const fn is_closed(self) -> bool {
        self.key().is_closed()
    }

    pub(super) const fn is_forced_open(self) -> bool {
        self.0 & mask(MODE_BITS) == FORCED_OPEN
    }

    /// How many times an open circuit opened again; none if it is not open.
    pub(super) const fn reopened(self) -> Option<u64> {
        if self.0 & mask(MODE_BITS) == OPEN {
            Some(self.0 >> KEY_BITS)
        } else {
            None
        }
    }

    /// Whether this is still the generation of `key`.
    pub(super) const fn is_of(self, key: Key) -> bool {
        self.key().0 == key.unkept().0
    }

    /// Whether this is the generation of `key`, with nothing counted that a success would change: a closed
    /// circuit without failures that keeps no results, or one that is forced. A half-open one counts the
    /// probe itself.
    pub(super) const fn is_clean(self, key: Key) -> bool {
        self.0 == key.0
    }

    /// The same generation with other counts.
    pub(super) const fn with(self, phase: Phase) -> Self {
        Self::pack(self.key().generation(), phase)
    }

    /// The next generation.
    pub(super) const fn next(self, phase: Phase) -> Self {
        Self::pack(self.key().generation() + 1, phase)
    }

    const fn pack(generation: u64, phase: Phase) -> Self {
        let (mode, counts) = match phase {
            Phase::Closed { failures, drops } => (CLOSED, drops << CLOSED_BITS | failures),
            Phase::Open { reopened } => (OPEN, reopened),
            Phase::HalfOpen(probes) => (HALF_OPEN, probes.pack()),
            Phase::ForcedOpen => (FORCED_OPEN, 0),
            Phase::ForcedClosed => (FORCED_CLOSED, 0),
        };
        let generation = generation & mask(GENERATION_BITS);
        Self(counts << KEY_BITS | generation << MODE_BITS | mode)
    }

    pub(super) const fn phase(self) -> Phase {
        let counts = self.0 >> KEY_BITS;
        match self.0 & mask(MODE_BITS) {
            CLOSED => Phase::Closed {
                failures: counts & mask(CLOSED_BITS),
                drops: counts >> CLOSED_BITS,
            },
            OPEN => Phase::Open { reopened: counts },
            HALF_OPEN => Phase::HalfOpen(Probes::unpack(counts)),
            FORCED_OPEN => Phase::ForcedOpen,
            _ => Phase::ForcedClosed,
        }
    }
}

impl Probes {
    /// The first probe of a half-open circuit.
    pub(super) const fn first(reopened: u64) -> Self {
        Self {
            in_flight: 1,
            succeeded: 0,
            drops: 0,
            reopened,
            turn: 0,
        }
    }

    /// One more probe is admitted, to this many at once.
    pub(super) const fn admit(self, in_flight: u64) -> Self {
        Self {
            in_flight,
            turn: (self.turn + 1) & mask(TURN_BITS),
            ..self
        }
    }

    const fn pack(self) -> u64 {
        let probes = (self.in_flight << PROBE_BITS | self.succeeded) << PROBE_BITS | self.drops;
        (probes << REOPENED_BITS | self.reopened) << TURN_BITS | self.turn
    }

    const fn unpack(counts: u64) -> Self {
        let reopened = counts >> TURN_BITS;
        let drops = reopened >> REOPENED_BITS;
        let succeeded = drops >> PROBE_BITS;
        Self {
            in_flight: succeeded >> PROBE_BITS,
            succeeded: succeeded & mask(PROBE_BITS),
            drops: drops & mask(PROBE_BITS),
            reopened: reopened & mask(REOPENED_BITS),
            turn: counts & mask(TURN_BITS),
        }
    }
}

/// One more opening in a row; stops at the most that fits.
pub(super) const fn once_more(reopened: u64) -> u64 {
    if reopened == mask(REOPENED_BITS) {
        reopened
    } else {
        reopened + 1
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn phases() -> impl Strategy<Value = Phase> {
        let closed = (0..=MOST_FAILURES, 0..=MOST_FAILURES);
        let probes = (
            0..=MOST_PROBES,
            0..=MOST_PROBES,
            0..=MOST_PROBES,
            0..=63u64,
            0..16u64,
        );
        prop_oneof![
            closed.prop_map(|(failures, drops)| Phase::Closed { failures, drops }),
            (0..=63u64).prop_map(|reopened| Phase::Open { reopened }),
            probes.prop_map(|(in_flight, succeeded, drops, reopened, turn)| {
                Phase::HalfOpen(Probes {
                    in_flight,
                    succeeded,
                    drops,
                    reopened,
                    turn,
                })
            }),
            Just(Phase::ForcedOpen),
            Just(Phase::ForcedClosed),
        ]
    }

    proptest! {
        #[test]
        fn a_word_gives_back_what_was_packed(phase in phases(), generation in 0..1u64 << 21) {
            let word = Word::pack(generation, phase);
            prop_assert_eq!(word.phase(), phase);
            prop_assert_eq!(word.key().generation(), generation);
            prop_assert_eq!(word.next(phase).key().generation(), (generation + 1) % (1 << 21));
        }
    }

    #[test]
    fn a_closed_circuit_without_failures_is_its_own_key() {
        let word = Word(0).next(Phase::CLEAN);
        assert!(word.is_clean(word.key()));
        let failed = word.with(Phase::Closed {
            failures: 1,
            drops: 0,
        });
        assert!(!failed.is_clean(word.key()));
        assert_eq!(failed.key(), word.key());
    }

    proptest! {
        #[test]
        fn no_word_is_clean_for_a_result_that_is_kept(phase in phases(), generation in 0..1u64 << 21) {
            let word = Word::pack(generation, phase);
            let kept = word.key().kept();
            prop_assert_eq!(kept.is_kept(), matches!(phase, Phase::Closed { .. }));
            prop_assert!(!(kept.is_kept() && word.is_clean(kept)));
            prop_assert_eq!(kept.unkept(), word.key());
            prop_assert_eq!(kept.generation(), generation);
            prop_assert!(word.is_of(kept) && !word.next(phase).is_of(kept));
        }
    }
}
