//! Words as numbers, and sets of them.

pub(super) const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;
/// Makes capital letters small, eight at a time; leaves small ones, digits and the apostrophe.
const SMALL: u64 = 0x2020_2020_2020_2020;

/// The key of a word, whatever the case of its letters if it is ASCII; others are in lower case in a plain text.
pub(super) fn key(word: &str) -> u64 {
    let bytes = word.as_bytes();
    let small = if bytes.is_ascii() { SMALL } else { 0 };
    let mix = |key: u64, eight: u64| {
        let product = (key ^ (eight | small)).wrapping_mul(PRIME);
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

/// A set of keys, looked up in a nanosecond or two: an open table, half of it free.
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
