//! Detects duplicates whose content differs from the event with the same id. It does not change any count.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;

use crate::domain::{Brief, CountsAs, Place};

/// Number of the last ids whose contents are known; a power of two.
const IDS: usize = 4096;

/// The contents of the last ids, as hashes.
#[derive(Debug)]
pub(super) struct RecordContents {
    /// By the low bits of the id's hash: its high bits, and the hash of the content.
    seen: Vec<(u32, u32)>,
    differing: u64,
    example: String,
}

impl Default for RecordContents {
    fn default() -> Self {
        Self { seen: vec![(0, 0); IDS], differing: 0, example: String::new() }
    }
}

impl RecordContents {
    /// Takes an event that was counted, or that is a duplicate.
    pub(super) fn take(&mut self, event: &Brief<'_>, is_duplicate: bool) {
        let state = FixedState::with_seed(0);
        let id = state.hash_one(event.id);
        let mut content = state.build_hasher();
        content.write_i64(event.ts.millis());
        let code = match event.counts_as {
            CountsAs::Ticket => 0,
            CountsAs::Raise(severity) => 1 + severity as u8,
            CountsAs::Clear => 10,
            CountsAs::Other => 11,
        };
        content.write_u8(code);
        match event.place {
            Place::Tickets { region, service, channel } => {
                (region, service, channel).hash(&mut content)
            }
            Place::Alarms { region, service } => (region, service).hash(&mut content),
            Place::Maintenance => {}
        }
        let now = ((id >> 32) as u32, content.finish() as u32);
        let Some(seen) = self.seen.get_mut(id as usize % IDS) else { return };
        if is_duplicate && seen.0 == now.0 && seen.1 != now.1 {
            self.differing += 1;
            if self.example.is_empty() {
                self.example = event.id.chars().take(80).flat_map(char::escape_debug).collect();
            }
        }
        // The first event with an id is the one that counted.
        if !is_duplicate {
            *seen = now;
        }
    }

    /// The number of differing duplicates since the last call, and one of their ids.
    pub(super) fn differing(&mut self) -> Option<(u64, String)> {
        let count = std::mem::take(&mut self.differing);
        (count > 0).then(|| (count, std::mem::take(&mut self.example)))
    }
}
