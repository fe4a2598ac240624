//! Vintages of one issue time, and the plans made from them.

use std::collections::BTreeMap;

use crate::domain::SeriesKey;
use crate::forecast::Vintage;
use crate::staffing::Plan;

/// Plans of leaves that have a staffing profile.
pub type Plans = BTreeMap<SeriesKey, Plan>;

/// Vintages of one issue time: the model's, and the adjusted ones where planners changed them.
#[derive(Debug, Default)]
pub struct Issued {
    pub model: BTreeMap<SeriesKey, Vintage>,
    pub adjusted: BTreeMap<SeriesKey, Vintage>,
}

impl Issued {
    /// Served vintages: the adjusted one if there is one, else the model's.
    pub fn served(&self) -> impl Iterator<Item = (&SeriesKey, &Vintage)> {
        let adjusted = |key| self.adjusted.get(key);
        self.model.iter().map(move |(key, own)| (key, adjusted(key).unwrap_or(own)))
    }

    /// The served vintage of a series.
    pub fn served_of(&self, series: &SeriesKey) -> Option<&Vintage> {
        self.adjusted.get(series).or_else(|| self.model.get(series))
    }
}
