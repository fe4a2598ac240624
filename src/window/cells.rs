//! Cells by number, so that an event is counted without a copy of its names.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Cell;
use crate::domain::{Name, Place, Scope, SeriesKey};

/// Cells known before those that no open window has are forgotten.
const FORGET_FROM: usize = 50_000;
/// Room for a place's text on the stack: three names of 64 characters of up to four bytes.
const TEXT_MAX: usize = 3 * 64 * 4 + 3;

/// Hashes of keys that are hashes themselves, or small numbers.
#[derive(Debug, Default)]
pub(super) struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }
    fn write_u32(&mut self, number: u32) {
        self.0 = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
    fn write_u128(&mut self, number: u128) {
        self.0 = number as u64;
    }
    fn write_usize(&mut self, _: usize) {}
    fn finish(&self) -> u64 {
        self.0
    }
}

pub(super) type Mix = BuildHasherDefault<Mixed>;

/// Cells and their numbers.
#[derive(Debug, Default)]
pub(super) struct Cells {
    by_text: HashMap<Box<[u8]>, u32, Mix>,
    all: Vec<Cell>,
}

impl Cells {
    /// The number of the cell that a place counts in.
    pub(super) fn number(&mut self, place: &Place<'_>) -> u32 {
        let mut room = [0; TEXT_MAX];
        let text = write(place, &mut room);
        if let Some(number) = self.by_text.get(text) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.by_text.insert(text.into(), number);
        self.all.push(Cell::of(place));
        number
    }

    pub(super) fn get(&self, number: u32) -> &Cell {
        &self.all[number as usize]
    }

    /// Whether it is time to keep only what is in use.
    pub(super) fn are_many(&self) -> bool {
        self.all.len() >= FORGET_FROM
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Forgets cells that are not in use, and gives the others new numbers: by the old number the new one.
    pub(super) fn keep(&mut self, used: &[bool]) -> Vec<u32> {
        let mut renumbered = vec![u32::MAX; self.all.len()];
        let mut kept = Vec::new();
        for (old, cell) in std::mem::take(&mut self.all).into_iter().enumerate() {
            if used[old] {
                renumbered[old] = kept.len() as u32;
                kept.push(cell);
            }
        }
        self.all = kept;
        self.by_text.retain(|_, number| {
            *number = renumbered[*number as usize];
            *number != u32::MAX
        });
        renumbered
    }
}

/// A place as text that no other place has: names hold no `/`.
fn write<'r>(place: &Place<'_>, room: &'r mut [u8; TEXT_MAX]) -> &'r [u8] {
    let mut end = 0;
    let mut put = |text: &str| {
        // Names that are longer are none.
        let upto = (end + text.len()).min(TEXT_MAX);
        room[end..upto].copy_from_slice(&text.as_bytes()[..upto - end]);
        if upto < TEXT_MAX {
            room[upto] = b'/';
        }
        end = (upto + 1).min(TEXT_MAX);
    };
    match place {
        Place::Tickets { region, service, channel } => {
            put(region);
            put(service);
            put(channel);
        }
        Place::Alarms { region, service } => {
            put(region);
            put(service);
        }
        Place::Maintenance => {}
    }
    &room[..end]
}

impl Cell {
    /// The cell of a place.
    pub fn of(place: &Place<'_>) -> Self {
        // Whoever made the place has checked its names.
        let name = |text: &str| Name::filter(text).unwrap_or_else(|_| Name::unknown());
        match place {
            Place::Tickets { region, service, channel } => {
                Self::Tickets(SeriesKey::new(name(region), name(service), name(channel)))
            }
            Place::Alarms { region, service } => {
                Self::Alarms(Scope { region: name(region), service: name(service) })
            }
            Place::Maintenance => Self::Maintenance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_with_their_cells_when_others_are_forgotten() {
        let mut cells = Cells::default();
        let regions: Vec<String> = (0..10).map(|n| format!("r{n}")).collect();
        let place = |n: usize| Place::Alarms { region: &regions[n], service: "tv" };
        let numbers: Vec<u32> = (0..10).map(|n| cells.number(&place(n))).collect();
        let used: Vec<bool> = (0..10).map(|n| n % 3 == 0).collect();
        let renumbered = cells.keep(&used);
        assert_eq!(cells.len(), 4);
        for n in (0..10).step_by(3) {
            let number = renumbered[numbers[n] as usize];
            assert_eq!(cells.get(number), &Cell::of(&place(n)));
            assert_eq!(cells.number(&place(n)), number);
        }
        let tickets = Place::Tickets { region: "r0", service: "tv", channel: "" };
        assert_ne!(cells.number(&tickets), cells.number(&place(0)), "kinds do not mix");
        let longest = "\u{10ffff}".repeat(64);
        let place = Place::Tickets { region: &longest, service: &longest, channel: &longest };
        assert_eq!(cells.number(&place), cells.number(&place));
    }
}
