//! KeyIndex by number, so that an event is counted without a copy of its names.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::AggregationKey;
use crate::domain::{Name, Place, Scope, SeriesKey};

/// KeyIndex known before those that no open window has are forgotten.
const FORGET_FROM: usize = 50_000;
/// Room for a place's text on the stack: three names of 64 characters of up to four bytes.
const TEXT_MAX: usize = 3 * 64 * 4 + 3;
/// KeyIndex that are found without their text.
const RECENT: usize = 256;

/// KeyIndex and their numbers.
#[derive(Debug, Default)]
pub(super) struct KeyIndex {
    by_text: HashMap<Box<[u8]>, u32, RandomState>,
    all: Vec<AggregationKey>,
    /// By a cell's number that of its scope's alarms, once it was asked for.
    scopes: Vec<Option<u32>>,
    /// Numbers by the sketch of a place; empty before the first.
    recent: Vec<u32>,
}

impl KeyIndex {
    /// The number of the cell that a place counts in.
    pub(super) fn number(&mut self, place: &Place<'_>) -> u32 {
        let sketch = sketch(place);
        if let Some(number) = self.recent.get(sketch)
            && self.all.get(*number as usize).is_some_and(|cell| cell.is_of(place))
        {
            return *number;
        }
        let number = self.look_up(place);
        self.recent.resize(RECENT, number);
        self.recent[sketch] = number;
        number
    }

    fn look_up(&mut self, place: &Place<'_>) -> u32 {
        let mut room = [0; TEXT_MAX];
        let text = write(place, &mut room);
        if let Some(number) = self.by_text.get(text) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.by_text.insert(text.into(), number);
        self.all.push(AggregationKey::of(place));
        self.scopes.push(None);
        number
    }

    /// The number of the alarms' cell of a ticket's scope; `number` is that of its place.
    pub(super) fn scope(&mut self, number: u32, place: &Place<'_>) -> Option<u32> {
        let Place::Tickets { region, service, .. } = *place else { return None };
        if let Some(known) = self.scopes[number as usize] {
            return Some(known);
        }
        let scope = self.number(&Place::Alarms { region, service });
        self.scopes[number as usize] = Some(scope);
        Some(scope)
    }

    pub(super) fn get(&self, number: u32) -> &AggregationKey {
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
        self.scopes = vec![None; kept.len()];
        self.recent.clear();
        self.all = kept;
        self.by_text.retain(|_, number| {
            *number = renumbered[*number as usize];
            *number != u32::MAX
        });
        renumbered
    }
}

/// A number below [`RECENT`] that most places share with few others.
fn sketch(place: &Place<'_>) -> usize {
    let names = match *place {
        Place::Tickets { region, service, channel } => [region, service, channel],
        Place::Alarms { region, service } => [region, service, ""],
        Place::Maintenance => [""; 3],
    };
    let sketch = names.iter().fold(0_u64, |sketch, name| {
        let bytes = name.as_bytes();
        let at = |n: usize| u64::from(bytes.get(n).copied().unwrap_or(0));
        let last = bytes.len().saturating_sub(1);
        let name = bytes.len() as u64 | at(0) << 8 | at(last / 2) << 16 | at(last) << 24;
        (sketch ^ name).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_right(29)
    });
    sketch as usize % RECENT
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

impl AggregationKey {
    /// Whether it is the cell of a place.
    fn is_of(&self, place: &Place<'_>) -> bool {
        match (self, place) {
            (Self::Tickets(series), Place::Tickets { region, service, channel }) => {
                series.region.as_str() == *region
                    && series.service.as_str() == *service
                    && series.channel.as_str() == *channel
            }
            (Self::Alarms(scope), Place::Alarms { region, service }) => {
                scope.region.as_str() == *region && scope.service.as_str() == *service
            }
            (Self::Maintenance, Place::Maintenance) => true,
            _ => false,
        }
    }

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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_stay_with_their_cells_when_others_are_forgotten() {
        let mut cells = KeyIndex::default();
        let regions: Vec<String> = (0..10).map(|n| format!("r{n}")).collect();
        let place = |n: usize| Place::Alarms { region: &regions[n], service: "tv" };
        let numbers: Vec<u32> = (0..10).map(|n| cells.number(&place(n))).collect();
        let used: Vec<bool> = (0..10).map(|n| n % 3 == 0).collect();
        let renumbered = cells.keep(&used);
        assert_eq!(cells.len(), 4);
        for n in (0..10).step_by(3) {
            let number = renumbered[numbers[n] as usize];
            assert_eq!(cells.get(number), &AggregationKey::of(&place(n)));
            assert_eq!(cells.number(&place(n)), number);
        }
        let tickets = Place::Tickets { region: "r0", service: "tv", channel: "" };
        assert_ne!(cells.number(&tickets), cells.number(&place(0)), "kinds do not mix");
        let longest = "\u{10ffff}".repeat(64);
        let place = Place::Tickets { region: &longest, service: &longest, channel: &longest };
        assert_eq!(cells.number(&place), cells.number(&place));
    }

    proptest! {
        #[test]
        fn a_place_has_its_own_cell_however_many_look_alike(
            places in prop::collection::vec(("[ab]{1,4}", "[ab]{1,3}", "[ab]{1,2}"), 1..200),
            forget in any::<u64>(),
        ) {
            let mut cells = KeyIndex::default();
            for (n, (region, service, channel)) in places.iter().enumerate() {
                let tickets = Place::Tickets { region, service, channel };
                let number = cells.number(&tickets);
                prop_assert_eq!(cells.get(number), &AggregationKey::of(&tickets));
                let scope = cells.scope(number, &tickets).map(|scope| cells.get(scope).clone());
                prop_assert_eq!(scope, Some(AggregationKey::of(&Place::Alarms { region, service })));
                if n == 100 {
                    let used: Vec<bool> = (0..cells.len()).map(|n| forget >> (n % 64) & 1 == 1).collect();
                    cells.keep(&used);
                }
            }
            let texts: std::collections::BTreeSet<String> = cells.all.iter().map(AggregationKey::to_string).collect();
            prop_assert_eq!(texts.len(), cells.len());
        }
    }
}
