//! The parts of one aggregation key in one open window.

use super::Counts;
use crate::domain::{Offset, SourceId};

/// The counts of the newest partial of one source: the one with the largest `upto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub counts: Counts,
    pub upto: Offset,
}

/// The parts of one aggregation key in one window, and the sum of the parts that can no longer change.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    /// Finalized total minus `parts`: the counts of sources that have closed the window.
    pub(super) base: Counts,
    /// Parts by source, in order. Most keys have one source, so a map would waste most of its node.
    pub(super) parts: Vec<(SourceId, Part)>,
}

impl Entry {
    pub(super) fn total(&self) -> Counts {
        self.parts.iter().fold(self.base, |sum, (_, part)| sum.plus(part.counts))
    }

    fn find(&self, source: &SourceId) -> Result<usize, usize> {
        self.parts.binary_search_by(|(known, _)| known.cmp(source))
    }

    pub(super) fn part(&self, source: &SourceId) -> Option<Part> {
        self.find(source).ok().map(|at| self.parts[at].1)
    }

    pub(super) fn put(&mut self, source: &SourceId, part: Part) {
        match self.find(source) {
            Ok(at) => self.parts[at].1 = part,
            Err(at) => {
                self.parts.reserve_exact(1);
                self.parts.insert(at, (source.clone(), part));
            }
        }
    }
}
