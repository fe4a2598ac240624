//! Surges and calls, judged while windows settle.

use std::collections::BTreeMap;

use super::count::{Call, Surge};
use super::surges::APART;
use super::{SURGE_LEADS, step};
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::types::{History, Vintage};

/// Two windows in a row above the quantile, as one forecast had it.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    pub series: &'a SeriesKey,
    pub lead_hours: u32,
    /// Of the first window.
    pub start: Timestamp,
    /// Whether the forecast called it, and whether it knew of alarms or planned work.
    pub called: bool,
    pub alarmed: bool,
}

/// What is known of surges while windows settle one after the other.
#[derive(Debug, Default)]
pub struct Judge {
    surges: BTreeMap<(SeriesKey, u32), Surge>,
    calls: BTreeMap<(SeriesKey, u32), Call>,
}

impl Judge {
    /// Goes on with the newest of each series and lead; given oldest first.
    pub fn restore(surges: Vec<Surge>, calls: Vec<Call>) -> Self {
        let surges = surges.into_iter().map(|s| ((s.series.clone(), s.lead_hours), s)).collect();
        let calls = calls.into_iter().map(|c| ((c.series.clone(), c.lead_hours), c)).collect();
        Self { surges, calls }
    }

    /// Two windows in a row are known, `step` and the next of the vintage that speaks for a lead. Returns a surge that
    /// began or went on. `first_call`: when it was first called.
    pub fn surge(
        &mut self,
        vintage: &Vintage,
        (lead_hours, step): (u32, usize),
        history: &History,
        first_call: impl FnOnce(Timestamp) -> Option<Timestamp>,
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
            called: vintage.calls(step, history.width),
            alarmed: vintage.surges.is_some(),
        };
        Some(self.above(&pair, || first_call(start)))
    }

    /// A pair of windows lies above the quantile: a surge began with it or goes on. `first_call`: when it was first
    /// called.
    pub fn above(
        &mut self,
        pair: &Pair<'_>,
        first_call: impl FnOnce() -> Option<Timestamp>,
    ) -> Surge {
        let Pair { series, lead_hours, start, called, alarmed } = *pair;
        let key = (series.clone(), lead_hours);
        if let Some(known) = self.surges.get_mut(&key).filter(|known| known.upto + APART >= start) {
            known.upto = known.upto.max(start);
            return known.clone();
        }
        let minutes = |at| (start.since(at).as_secs() / 60) as u32;
        let warned_minutes = first_call().map(minutes);
        let series = series.clone();
        let surge =
            Surge { series, lead_hours, start, upto: start, called, alarmed, warned_minutes };
        self.surges.insert(key, surge.clone());
        surge
    }

    /// The whole horizon of a vintage is known. Returns the calls that its own belong to.
    pub fn calls(&mut self, vintage: &Vintage, history: &History) -> Vec<Call> {
        if vintage.surges.is_none() {
            return Vec::new();
        }
        let (width, targets) = (history.width, vintage.targets.len());
        let calls = |hours: &u32| vintage.calls(step(*hours, width, targets), width);
        let called: Vec<u32> = SURGE_LEADS.into_iter().filter(calls).collect();
        if called.is_empty() {
            return Vec::new();
        }
        let came = vintage.surged(history);
        let mut changed = Vec::new();
        for lead_hours in called {
            let key = (vintage.series.clone(), lead_hours);
            let issued_at = vintage.issued_at;
            let fresh = Call {
                series: vintage.series.clone(),
                lead_hours,
                first: issued_at,
                upto: issued_at,
                good: false,
            };
            let known = self.calls.entry(key).or_insert_with(|| fresh.clone());
            if known.upto + APART < issued_at {
                *known = fresh;
            }
            known.upto = issued_at;
            known.good |= came;
            changed.push(known.clone());
        }
        changed
    }
}
