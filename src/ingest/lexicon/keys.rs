//! Hashes of words, and sets of hashes.

pub(super) const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;
/// Converts eight ASCII letters to lower case; does not change lower case, digits and the apostrophe.
const LOWER: u64 = 0x2020_2020_2020_2020;

/// The hash of a word. It ignores the case of ASCII words. All other words of a normalized text are in lower case.
pub(super) fn key(word: &str) -> u64 {
    let bytes = word.as_bytes();
    let lower = if bytes.is_ascii() { LOWER } else { 0 };
    let mix = |key: u64, eight: u64| {
        let product = (key ^ (eight | lower)).wrapping_mul(PRIME);
        product ^ (product >> 29)
    };
    let mut key = bytes.len() as u64;
    let (eights, rest) = bytes.as_chunks::<8>();
    for eight in eights {
        key = mix(key, u64::from_le_bytes(*eight));
    }
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |last, byte| last << 8 | u64::from(*byte));
        key = mix(key, last);
    }
    mix(key, bytes.len() as u64)
}

/// A set of hashes: a table with open addressing, at most half full.
#[derive(Debug)]
pub(super) struct Keys {
    slots: Box<[Option<u64>]>,
}

impl Keys {
    pub(super) fn new(keys: Vec<u64>) -> Self {
        let mut slots = vec![None; (2 * keys.len()).next_power_of_two().max(2)];
        for key in keys {
            let mut at = key as usize & (slots.len() - 1);
            while slots[at].is_some_and(|other| other != key) {
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = Some(key);
        }
        Self { slots: slots.into() }
    }

    pub(super) fn contains(&self, key: u64) -> bool {
        let mut at = key as usize & (self.slots.len() - 1);
        while let Some(found) = self.slots[at] {
            if found == key {
                return true;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        false
    }
}
