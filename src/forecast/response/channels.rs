//! Numbers of the channels known at a fit.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Name;

/// Numbers of channels; 0 means an unknown channel.
#[derive(Clone, Debug)]
pub(super) struct Channels(BTreeMap<Name, usize>);

impl Channels {
    /// Numbers channels by name from 1 on, so that fits of the same channels agree.
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a Name>) -> Self {
        let names: BTreeSet<&Name> = names.collect();
        Self(names.into_iter().cloned().zip(1..).collect())
    }

    pub(super) fn number(&self, channel: &Name) -> usize {
        self.0.get(channel).copied().unwrap_or(0)
    }

    /// Names in order of their numbers from 1 on.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.keys()
    }
}
