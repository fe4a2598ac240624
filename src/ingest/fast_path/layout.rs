//! The layout of the records of one source.

use super::flat::Slot;

/// The keys of the previous record and their positions. Records with the same layout are decoded faster. The layout does
/// not affect the result.
#[derive(Debug, Default)]
pub struct Layout {
    /// Keys by the index of their field.
    keys: Vec<Key>,
}

impl Layout {
    /// The slot of the field at this index and the position of its value, if `bytes` begin with the same key as in the
    /// previous record.
    pub(super) fn find(&self, number: usize, bytes: &[u8]) -> Option<(Slot, usize)> {
        let key = self.keys.get(number).filter(|key| key.begins(bytes))?;
        Some((key.slot, key.value_at))
    }

    /// Remembers the bytes before the value of the field at this index.
    pub(super) fn remember(&mut self, number: usize, bytes: &[u8], slot: Slot) {
        if let Some(key) = Key::new(bytes, slot) {
            let known = self.keys.len();
            match self.keys.get_mut(number) {
                Some(place) => *place = key,
                None if number == known && number < KEYS_MAX => self.keys.push(key),
                None => {}
            }
        }
    }
}

/// Longest key that is remembered, in bytes, with separator and colon.
const KEY_BYTES: usize = 24;
/// Largest number of keys that are remembered.
const KEYS_MAX: usize = 24;

/// The bytes before a value: separator, key and colon.
#[derive(Debug)]
struct Key {
    /// The bytes, filled up with zeros.
    bytes: [u8; KEY_BYTES],
    /// Ones at the positions of the bytes.
    mask: [u8; KEY_BYTES],
    value_at: usize,
    slot: Slot,
}

impl Key {
    fn new(bytes: &[u8], slot: Slot) -> Option<Self> {
        let (empty, value_at) = ([0; KEY_BYTES], bytes.len());
        let mut key = Self { bytes: empty, mask: empty, value_at, slot };
        key.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        key.mask[..bytes.len()].fill(0xff);
        Some(key)
    }

    /// Whether `bytes` begin with the key. False for the last few bytes of a record.
    fn begins(&self, bytes: &[u8]) -> bool {
        let Some(bytes) = bytes.first_chunk::<KEY_BYTES>() else { return false };
        let all = bytes.iter().zip(&self.mask).zip(&self.bytes);
        all.fold(0, |odd, ((byte, mask), key)| odd | ((byte & mask) ^ key)) == 0
    }
}
