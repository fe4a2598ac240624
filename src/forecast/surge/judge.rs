//! Judges surges and warnings when windows are finalized.

use std::collections::BTreeMap;

use super::count::{Surge, Warning};
use super::surges::APART;
use super::{SURGE_LEADS, step};
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::types::{History, Vintage};

/// Two consecutive windows above the quantile of one forecast.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    pub series: &'a SeriesKey,
    pub lead_hours: u32,
    /// Start of the first window.
    pub start: Timestamp,
    /// Whether the forecast warned of it, and whether it included alarms or planned work.
    pub hit: bool,
    pub alarmed: bool,
}

/// The newest surge and warning of each series and lead.
#[derive(Debug, Default)]
pub struct Judge {
    surges: BTreeMap<(SeriesKey, u32), Surge>,
    warnings: BTreeMap<(SeriesKey, u32), Warning>,
}

impl Judge {
    /// Restores the state from stored surges and warnings, oldest first.
    pub fn restore(surges: Vec<Surge>, warnings: Vec<Warning>) -> Self {
        let surges = surges.into_iter().map(|s| ((s.series.clone(), s.lead_hours), s)).collect();
        let warnings =
            warnings.into_iter().map(|w| ((w.series.clone(), w.lead_hours), w)).collect();
        Self { surges, warnings }
    }

    /// Judges two finalized windows, `step` and the next one of the vintage of a lead. Returns a surge that began or
    /// continued. `first_warning` finds the issue time of the first warning.
    pub fn surge(
        &mut self,
        vintage: &Vintage,
        (lead_hours, step): (u32, usize),
        history: &History,
        first_warning: impl FnOnce(Timestamp) -> Option<Timestamp>,
    ) -> Option<Surge> {
        let start = vintage.targets.get(step)?.start;
        let index = history.width.index(start);
        let counts = [index, index + 1].map(|index| f64::from(history.get(index)));
        if !vintage.surges_at(step, counts) {
            return None;
        }
        let pair = Pair {
            series: &vintage.series,
            lead_hours,
            start,
            hit: vintage.warns(step, history.width),
            alarmed: vintage.surges.is_some(),
        };
        Some(self.above(&pair, || first_warning(start)))
    }

    /// Records a pair of windows above the quantile: a surge begins or continues. `first_warning` finds the issue time of
    /// the first warning.
    pub fn above(
        &mut self,
        pair: &Pair<'_>,
        first_warning: impl FnOnce() -> Option<Timestamp>,
    ) -> Surge {
        let Pair { series, lead_hours, start, hit, alarmed } = *pair;
        let key = (series.clone(), lead_hours);
        if let Some(known) = self.surges.get_mut(&key).filter(|known| known.upto + APART >= start) {
            known.upto = known.upto.max(start);
            return known.clone();
        }
        let minutes = |at| (start.since(at).as_secs() / 60) as u32;
        let warned_minutes = first_warning().map(minutes);
        let series = series.clone();
        let surge = Surge { series, lead_hours, start, upto: start, hit, alarmed, warned_minutes };
        self.surges.insert(key, surge.clone());
        surge
    }

    /// Judges the warnings of a vintage whose whole horizon is finalized. Returns the warnings that changed.
    pub fn warnings(&mut self, vintage: &Vintage, history: &History) -> Vec<Warning> {
        if vintage.surges.is_none() {
            return Vec::new();
        }
        let (width, targets) = (history.width, vintage.targets.len());
        let warns = |hours: &u32| vintage.warns(step(*hours, width, targets), width);
        let leads: Vec<u32> = SURGE_LEADS.into_iter().filter(warns).collect();
        if leads.is_empty() {
            return Vec::new();
        }
        let surged = vintage.surged(history);
        let mut changed = Vec::new();
        for lead_hours in leads {
            let key = (vintage.series.clone(), lead_hours);
            let issued_at = vintage.issued_at;
            let fresh = Warning {
                series: vintage.series.clone(),
                lead_hours,
                first: issued_at,
                upto: issued_at,
                good: false,
            };
            let known = self.warnings.entry(key).or_insert_with(|| fresh.clone());
            if known.upto + APART < issued_at {
                *known = fresh;
            }
            known.upto = issued_at;
            known.good |= surged;
            changed.push(known.clone());
        }
        changed
    }
}
