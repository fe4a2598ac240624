//! Opening hours of a call centre: hours of the civil week that usually have tickets.

use super::{History, Past};
use crate::domain::{Timestamp, Zone};

const HOURS: usize = 168;
/// An hour counts as closed if it has less than this share of the tickets of an average hour. A call centre that is open at
/// night has at least a tenth then.
const OPEN_SHARE: f64 = 0.03;

/// The civil week's 168 hours, open or closed. Missing windows count as zero, so a file may leave the night out or fill it
/// with zeros.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenHours {
    zone: Zone,
    open: [bool; HOURS],
}

impl OpenHours {
    /// Opening hours from the windows `from..to` of one series.
    pub fn of(history: &History, zone: Zone, from: i64, to: i64) -> Self {
        Self::from_sums(zone, sums(history, zone, from, to))
    }

    /// Opening hours from the windows `from..to` of all series together, in the default zone.
    pub fn of_all(past: &Past<'_>, from: i64, to: i64) -> Self {
        let zone = past.place.zone;
        let mut all = [0.0; HOURS];
        for history in past.series.values() {
            for (sum, more) in all.iter_mut().zip(sums(history, zone, from, to)) {
                *sum += more;
            }
        }
        Self::from_sums(zone, all)
    }

    fn from_sums(zone: Zone, sums: [f64; HOURS]) -> Self {
        let least = OPEN_SHARE * sums.iter().sum::<f64>() / HOURS as f64;
        // A series without tickets is open at all hours.
        Self { zone, open: sums.map(|sum| sum >= least) }
    }

    /// Whether tickets are expected at this hour of the week.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.open[hour(self.zone, at)]
    }
}

fn hour(zone: Zone, at: Timestamp) -> usize {
    zone.minute_of_week(at) as usize / 60
}

fn sums(history: &History, zone: Zone, from: i64, to: i64) -> [f64; HOURS] {
    let mut sums = [0.0; HOURS];
    for index in from.max(history.first)..to.min(history.end()) {
        let count = f64::from(history.get(index));
        if !count.is_nan() {
            sums[hour(zone, history.width.start(index))] += count;
        }
    }
    sums
}
