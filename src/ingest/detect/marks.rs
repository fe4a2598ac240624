//! Sets of keys that mark formats, as bits: which of them an object has is known after one pass over it.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::ingest::formats::native;
use crate::ingest::nested::scalars_are_default;

/// The marks that an object has, a bit each.
pub(super) type Found = u64;

/// Keys that mark formats: a key of the object itself, or `a.b` for the key `b` of the object `a` in it.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Keys that native events have too, by [`native::Key`].
    native: [Found; native::KEYS],
    others: Vec<(&'static str, Mark)>,
    paths: Vec<&'static str>,
}

/// What a key that no native event has leads to.
#[derive(Debug)]
pub(super) enum Mark {
    /// A mark if its value is not null.
    Key(Found),
    /// An object in which keys are marks.
    Object(Vec<(&'static str, Found)>),
}

impl Marks {
    /// The bits of a set of keys.
    pub(super) fn add_all(&mut self, paths: &[&'static str]) -> Found {
        paths.iter().fold(0, |set, path| set | self.add(path))
    }

    fn add(&mut self, path: &'static str) -> Found {
        if let Some(known) = self.paths.iter().position(|known| *known == path) {
            return 1 << known;
        }
        let bit = 1 << self.paths.len();
        self.paths.push(path);
        match (path.split_once('.'), native::Key::of(path)) {
            (Some((parent, key)), _) => {
                let known = self.others.iter_mut().find(|(name, _)| *name == parent);
                match known {
                    Some((_, Mark::Object(keys))) => keys.push((key, bit)),
                    _ => self.others.push((parent, Mark::Object(vec![(key, bit)]))),
                }
            }
            (None, Some(key)) => self.native[key as usize] = bit,
            (None, None) => self.others.push((path, Mark::Key(bit))),
        }
        bit
    }

    /// The mark that a key of native events is, 0 if it is none.
    pub(super) fn of_native(&self, key: native::Key) -> Found {
        self.native[key as usize]
    }

    /// The number of a key that no native event has.
    pub(super) fn number(&self, key: &str) -> Option<usize> {
        self.others.iter().position(|(name, _)| *name == key)
    }

    /// The key of that number, and what it leads to.
    pub(super) fn at(&self, number: usize) -> &(&'static str, Mark) {
        &self.others[number]
    }
}

/// Reads an object in which keys are marks; anything else has none.
pub(super) struct Within<'m>(pub(super) &'m [(&'static str, Found)]);

impl<'de> DeserializeSeed<'de> for Within<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within<'_> {
    type Value = Found;
    scalars_are_default!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Found, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Found, A::Error> {
        let find = |name: &str| self.0.iter().position(|(key, _)| *key == name);
        let (mut found, mut seen) = (0, 0);
        while let Some(number) = entries.next_key_seed(KeySeed(find))? {
            let Some((key, bit)) = number.map(|number| self.0[number]) else {
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

/// Looks a key up while it is read.
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
