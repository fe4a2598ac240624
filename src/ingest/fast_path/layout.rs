//! How records of one source are laid out.

use super::flat::Slot;

/// How the keys of the record before stood: whoever writes one record like another is read faster. What a record says
/// does not depend on it.
#[derive(Debug, Default)]
pub struct Layout {
    /// By the number of the field.
    keys: Vec<Key>,
}

impl Layout {
    /// What the field of that number stands for, if its key stands at the beginning of these bytes as it did in the
    /// record before; and where its value begins.
    pub(super) fn find(&self, number: usize, bytes: &[u8]) -> Option<(Slot, usize)> {
        let key = self.keys.get(number).filter(|key| key.begins(bytes))?;
        Some((key.slot, key.value_at))
    }

    /// Remembers what stood in front of the value of the field of that number.
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

/// Bytes between two values that are remembered.
const KEY_BYTES: usize = 24;
/// Keys that are remembered.
const KEYS_MAX: usize = 24;

/// What stood between the value before, or the beginning, and a value: mark, key and colon.
#[derive(Debug)]
struct Key {
    /// With zeros behind.
    bytes: [u8; KEY_BYTES],
    /// Ones where there are bytes.
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

    /// Whether it stands at the beginning of these bytes. Never in the last few of a record.
    fn begins(&self, bytes: &[u8]) -> bool {
        let Some(bytes) = bytes.first_chunk::<KEY_BYTES>() else { return false };
        let all = bytes.iter().zip(&self.mask).zip(&self.bytes);
        all.fold(0, |odd, ((byte, mask), key)| odd | ((byte & mask) ^ key)) == 0
    }
}
