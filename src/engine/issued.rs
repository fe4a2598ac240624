//! Vintages of one time, and the plans that follow from them.

use std::collections::BTreeMap;

use crate::domain::SeriesKey;
use crate::forecast::Vintage;
use crate::staffing::Plan;

/// Plans of the leaves that have a staffing profile.
pub type Plans = BTreeMap<SeriesKey, Plan>;

/// Vintages of one time: the model's, and as planners changed them where they did.
#[derive(Debug, Default)]
pub struct Issued {
    pub model: BTreeMap<SeriesKey, Vintage>,
    pub adjusted: BTreeMap<SeriesKey, Vintage>,
}

impl Issued {
    /// Vintages as they are served.
    pub fn served(&self) -> impl Iterator<Item = (&SeriesKey, &Vintage)> {
        let adjusted = |key| self.adjusted.get(key);
        self.model.iter().map(move |(key, own)| (key, adjusted(key).unwrap_or(own)))
    }

    /// The vintage of a series as it is served.
    pub fn served_of(&self, series: &SeriesKey) -> Option<&Vintage> {
        self.adjusted.get(series).or_else(|| self.model.get(series))
    }
}
