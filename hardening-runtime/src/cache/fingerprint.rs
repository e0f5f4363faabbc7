//! The key of an annotated function's cache: any value that can be hashed, borrowed or not, in 128
//! bits and without an allocation.
//!
//! A key of up to 15 bytes (a number, a pair of ids) is kept as it is. A longer one is its `SipHash`
//! 1-3 under a key drawn for this process: nobody can look for two keys that share one, and among a
//! billion keys the chance that two do is below 10⁻¹⁷.

use siphasher::sip128::{Hasher128, SipHasher13};
use std::{
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::LazyLock,
};

/// A key, in the form in which an annotated function's cache keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// The fingerprint of `key`. Whatever hashes alike has the same: `&str` and `String`, a tuple
    /// of references and the tuple of what they point to.
    #[must_use]
    pub fn of<K: Hash + ?Sized>(key: &K) -> Self {
        let mut reader = Reader::new();
        key.hash(&mut reader);
        reader.fingerprint()
    }
}

/// Takes in what a key hashes: as it is while it is short, then through `SipHash`.
pub(crate) enum Reader {
    Short { bytes: [u8; 16], len: usize },
    Long(SipHasher13),
}

/// Bytes that fit beside the length.
const SHORT: usize = 15;
/// In the place of the length of a short key: no short key looks like a long one.
const LONG: u8 = 0xff;

impl Reader {
    pub(crate) const fn new() -> Self {
        Self::Short {
            bytes: [0; 16],
            len: 0,
        }
    }

    pub(crate) fn fingerprint(self) -> Fingerprint {
        match self {
            Self::Short { mut bytes, len } => {
                bytes[SHORT] = u8::try_from(len).unwrap_or(LONG);
                Fingerprint(u128::from_le_bytes(bytes))
            }
            Self::Long(hasher) => {
                let mut bytes = hasher.finish128().as_u128().to_le_bytes();
                bytes[SHORT] = LONG;
                Fingerprint(u128::from_le_bytes(bytes))
            }
        }
    }
}

fn keyed() -> SipHasher13 {
    static KEY: LazyLock<(u64, u64)> = LazyLock::new(|| {
        let random = RandomState::new();
        (random.hash_one(0_u8), random.hash_one(1_u8))
    });
    SipHasher13::new_with_keys(KEY.0, KEY.1)
}

impl Hasher for Reader {
    #[inline]
    fn write(&mut self, more: &[u8]) {
        match self {
            Self::Short { bytes, len } if *len + more.len() <= SHORT => {
                bytes[*len..*len + more.len()].copy_from_slice(more);
                *len += more.len();
            }
            Self::Short { bytes, len } => {
                let mut hasher = keyed();
                hasher.write(&bytes[..*len]);
                hasher.write(more);
                *self = Self::Long(hasher);
            }
            Self::Long(hasher) => hasher.write(more),
        }
    }

    fn finish(&self) -> u64 {
        0 // asked for by nobody: `fingerprint` is what we read
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn borrowed_and_owned_keys_are_one() {
        let (id, name) = (7_u64, "a name that is longer than fifteen bytes".to_owned());
        let owned = Fingerprint::of(&(id, name.clone()));
        assert_eq!(owned, Fingerprint::of(&(&id, &*name)));
        assert_eq!(
            Fingerprint::of("short"),
            Fingerprint::of(&"short".to_owned())
        );
    }

    proptest! {
        #[test]
        fn different_keys_have_different_fingerprints(one: (u32, String), other: (u32, String)) {
            prop_assert_eq!(one == other, Fingerprint::of(&one) == Fingerprint::of(&other));
        }

        #[test]
        fn different_numbers_have_different_fingerprints(one: u64, other: u64) {
            prop_assert_eq!(one == other, Fingerprint::of(&one) == Fingerprint::of(&other));
        }
    }
}
