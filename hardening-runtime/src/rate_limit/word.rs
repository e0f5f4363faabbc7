//! What one 64-bit word of state says, so that a single compare-and-swap decides.
//!
//! ```text
//! bit 63      free: the slot has no owner; the rest remembers its last TAT
//! bits 61–62  generation: which of the limit's windows the TAT was reckoned with
//! bits 0–60   TAT: the moment at which the bucket is full again, in nanoseconds (73 years)
//! ```

use super::bucket::MAX_WINDOW;
use crate::clock::Moment;

const TAT_BITS: u32 = 61;
const TAT_MASK: u64 = (1 << TAT_BITS) - 1;
const FREE: u64 = 1 << 63;

/// How many windows of one limit can be told apart.
pub(super) const GENERATIONS: usize = 4;

/// A bucket that was never used.
pub(super) const UNUSED: u64 = 0;
/// A slot that never had an owner.
pub(super) const EMPTY: u64 = FREE;
/// A slot whose owner is being changed.
pub(super) const BUSY: u64 = u64::MAX;

/// `now` on the scale of a word. Near its end, 52 years into the process, the scale stands still.
#[inline]
pub(super) fn present(now: Moment) -> u64 {
    now.as_nanos().min(TAT_MASK - 2 * MAX_WINDOW)
}

pub(super) const fn pack(tat: u64, generation: usize) -> u64 {
    let tat = if tat > TAT_MASK { TAT_MASK } else { tat };
    tat | (generation as u64) << TAT_BITS
}

pub(super) const fn tat(word: u64) -> u64 {
    word & TAT_MASK
}

#[allow(clippy::cast_possible_truncation)] // two bits
pub(super) const fn generation(word: u64) -> usize {
    (word >> TAT_BITS) as usize & (GENERATIONS - 1)
}

/// Whether the word belongs to the key beside it.
pub(super) const fn is_owned(word: u64) -> bool {
    word & FREE == 0
}

/// Whether the bucket is full again, so that forgetting it changes nothing.
pub(super) const fn is_idle(word: u64, now: u64) -> bool {
    is_owned(word) && tat(word) < now
}

/// Whether anybody may claim the slot.
pub(super) const fn is_free(word: u64) -> bool {
    word & FREE != 0 && word != BUSY
}

/// The word of a slot that its owner has left.
pub(super) const fn freed(word: u64) -> u64 {
    FREE | tat(word)
}

/// The first word of a slot's new owner. It is later than any of the owner before, so a caller
/// who still holds one of those sees its compare-and-swap fail (there is no ABA).
pub(super) fn born(word: u64, before: u64) -> u64 {
    let later = tat(word).max(tat(before) + 1);
    pack(later, generation(word))
}
