//! Signatures of formats: sets of keys, with one bit for each key. One pass over an object finds all its signature keys.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::ingest::formats::native;
use crate::ingest::nested::scalars_are_default;

/// A set of signature keys, one bit for each.
pub(super) type KeySet = u64;

/// All signature keys: a key of the object itself, or `a.b` for the key `b` of its object `a`.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    /// The bits of keys that native events have too, by [`native::Key`].
    native: [KeySet; native::KEYS],
    others: Vec<(&'static str, Child)>,
    paths: Vec<&'static str>,
    look_up: KeyTable,
}

/// The meaning of a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    /// A key of native events, which may be a signature key too.
    Native(native::Key),
    /// The index of a signature key that native events do not have.
    Signature(usize),
    Other,
}

/// A key that native events do not have.
#[derive(Debug)]
pub(super) enum Child {
    /// A signature key, unless its value is null.
    Key(KeySet),
    /// A signature key with any value.
    AnyKey(KeySet),
    /// An object with signature keys.
    Object(Vec<(&'static str, KeySet)>),
}

impl Signatures {
    /// All keys of these signatures, and the set of each.
    pub(super) fn new<'s>(
        signatures: impl Iterator<Item = &'s [&'static str]>,
    ) -> (Self, Vec<KeySet>) {
        let mut all = Self::default();
        let sets = signatures.map(|paths| all.add_all(paths)).collect();
        for key in native::Key::EVERY {
            all.look_up.insert(key.name(), Known::Native(key));
        }
        for (index, (key, _)) in all.others.iter().enumerate() {
            all.look_up.insert(key, Known::Signature(index));
        }
        (all, sets)
    }

    /// Adds keys and returns their bits.
    fn add_all(&mut self, paths: &[&'static str]) -> KeySet {
        paths.iter().fold(0, |set, path| set | self.add(path))
    }

    fn add(&mut self, path: &'static str) -> KeySet {
        if let Some(known) = self.paths.iter().position(|known| *known == path) {
            return 1 << known;
        }
        let bit = 1 << self.paths.len();
        self.paths.push(path);
        match (path.split_once('.'), native::Key::of(path)) {
            (Some((parent, key)), _) => {
                let known = self.others.iter_mut().find(|(name, _)| *name == parent);
                match known {
                    Some((_, Child::Object(keys))) => keys.push((key, bit)),
                    _ => self.others.push((parent, Child::Object(vec![(key, bit)]))),
                }
            }
            (None, Some(key)) => self.native[key as usize] = bit,
            (None, None) => self.others.push(match path.strip_suffix('?') {
                Some(key) => (key, Child::AnyKey(bit)),
                None => (path, Child::Key(bit)),
            }),
        }
        bit
    }

    /// The bit of a key of native events; 0 if it is not a signature key.
    pub(super) fn of_native(&self, key: native::Key) -> KeySet {
        self.native[key as usize]
    }

    /// The meaning of a key of the object itself.
    pub(super) fn known(&self, key: &str) -> Known {
        self.look_up.get(key)
    }

    /// The key at an index.
    pub(super) fn at(&self, index: usize) -> &(&'static str, Child) {
        &self.others[index]
    }
}

/// Number of slots of a [`KeyTable`]: a power of two, more than twice the number of keys.
const SLOTS: usize = 128;

/// Finds the meaning of a key by a hash of its length and two of its bytes. Most keys are in a slot of their own, so that a look-up
/// takes one comparison.
#[derive(Debug)]
struct KeyTable([(&'static str, Known); SLOTS]);

impl Default for KeyTable {
    fn default() -> Self {
        Self([("", Known::Other); SLOTS])
    }
}

impl KeyTable {
    /// The slot of a key, or the free one at which the search for it ends.
    fn slot(&self, key: &str) -> usize {
        let bytes = key.as_bytes();
        let at = |index: usize| bytes.get(index).map_or(0, |byte| usize::from(*byte));
        let mut slot = (41 * bytes.len() + 43 * at(0) + 17 * at(bytes.len() / 2)) % SLOTS;
        while !self.0[slot].0.is_empty() && self.0[slot].0 != key {
            slot = (slot + 1) % SLOTS;
        }
        slot
    }

    fn insert(&mut self, key: &'static str, known: Known) {
        let slot = self.slot(key);
        self.0[slot] = (key, known);
    }

    fn get(&self, key: &str) -> Known {
        self.0[self.slot(key)].1
    }
}

/// Reads a nested object with signature keys. Other values contain none.
pub(super) struct NestedKeys<'m>(pub(super) &'m [(&'static str, KeySet)]);

impl<'de> DeserializeSeed<'de> for NestedKeys<'_> {
    type Value = KeySet;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<KeySet, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NestedKeys<'_> {
    type Value = KeySet;
    scalars_are_default!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<KeySet, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<KeySet, A::Error> {
        let find = |name: &str| self.0.iter().position(|(key, _)| *key == name);
        let (mut found, mut seen) = (0, 0);
        while let Some(index) = entries.next_key_seed(KeySeed(find))? {
            let Some((key, bit)) = index.map(|index| self.0[index]) else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            if seen & bit != 0 {
                return Err(serde::de::Error::duplicate_field(key));
            }
            seen |= bit;
            if entries.next_value::<Option<IgnoredAny>>()?.is_some() {
                found |= bit;
            }
        }
        Ok(found)
    }
}

/// Looks up a key while it is read.
pub(super) struct KeySeed<F>(pub(super) F);

impl<'de, T, F: Fn(&str) -> T> DeserializeSeed<'de> for KeySeed<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T, F: Fn(&str) -> T> Visitor<'_> for KeySeed<F> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<T, E> {
        Ok((self.0)(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_others_are_not() {
        let (all, _) = Signatures::new([&["alerts", "kind", "a.b", "c?"][..]].into_iter());
        let known = |key: &str| all.known(key);
        for key in native::Key::EVERY {
            assert!(matches!(known(key.name()), Known::Native(found) if found == key));
        }
        for (index, key) in ["alerts", "a", "c"].into_iter().enumerate() {
            assert!(matches!(known(key), Known::Signature(found) if found == index), "{key}");
        }
        for key in ["", "b", "alert", "kinds", "é"] {
            assert!(matches!(known(key), Known::Other), "{key}");
        }
        // A search ends at a free slot.
        let free = |signatures: &Signatures| {
            signatures.look_up.0.iter().filter(|(key, _)| key.is_empty()).count()
        };
        assert!(free(crate::ingest::detect::table::signatures()) > SLOTS / 2);
    }
}
