//! What a surge is, when a forecast calls one, and when a call was false: one definition for the ledger and for
//! `benches/outages`.
//!
//! - A **surge** begins where arrivals lie above the 99 % quantile of the forecast without alarms for two windows
//!   in a row, that forecast having been issued at the lead in question ([`step`]); none began, or went on, in the
//!   [`APART`] before.
//! - A forecast **calls** a surge if it gives a chance of [`Threshold::least`] or more that one begins within its horizon. A call
//!   that was out less than [`APART`] ago stays out while the chance is at least [`HOLDS`] of that. It is for the spans
//!   of two hours that have at least [`LIKELY`] of the chance of the likeliest one, and good for a surge that begins
//!   in the middle of one of them, so within an hour of it.
//! - A call is **false** if no two windows in a row of the forecast's whole horizon lie above the quantile. Calls at
//!   one lead within [`APART`] of each other are one, which is false if all of them are.

mod threshold;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use threshold::Threshold;

use super::{HORIZON, History, QUANTILES, Vintage, rounded};
use crate::domain::{SeriesKey, Timestamp, WindowWidth};

/// Leads at which surges are counted, hours.
pub const SURGE_LEADS: [u32; 3] = [1, 3, 6];
/// Chance from which on a surge is called while nothing is known of an operator.
pub const CHANCE: f64 = 0.18;
/// Share of that chance at which a call stays out.
pub const HOLDS: f64 = 0.25;
/// Share of the likeliest span's chance at which another one is called too.
pub const LIKELY: f64 = 0.5;
/// Surges, and calls, no further apart than this are one.
pub const APART: Duration = Duration::from_secs(6 * 3600);
/// An hour on either side of where a surge is called.
const SPAN: Duration = Duration::from_secs(2 * 3600);

/// What a forecast that alarms or planned work touch says of surges, by target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Surges {
    /// The 99 % quantile without alarms, tickets.
    pub high: Vec<f64>,
    /// Chance of a surge in the span that begins with the target.
    pub chances: Vec<f64>,
    /// Chance of one within the horizon.
    pub any: f64,
    /// Whether one is called.
    pub is_out: bool,
}

impl Surges {
    /// Numbers are kept to thousandths, as the ledger keeps them: a restart has to judge as it would have been judged.
    pub fn new(high: &[f64], chances: &[f64], any: f64) -> Self {
        let thousandths =
            |numbers: &[f64]| -> Vec<f64> { numbers.iter().copied().map(rounded).collect() };
        let (high, chances) = (thousandths(high), thousandths(chances));
        Self { high, chances, any: rounded(any), is_out: false }
    }

    /// Calls a surge, at a chance of `least`, or does not. `last`: when a forecast of the series called one last.
    pub fn decide(&mut self, issued_at: Timestamp, last: Option<Timestamp>, least: f64) {
        let holds = last.is_some_and(|last| last + APART >= issued_at);
        self.is_out = is_out(self.any, least, holds);
    }
}

/// Whether a chance calls a surge where `least` does. `holds`: whether a call was out less than [`APART`] ago.
pub fn is_out(chance: f64, least: f64, holds: bool) -> bool {
    chance >= if holds { HOLDS * least } else { least }
}

/// The 99 % quantile: from the 97.5 % quantile on, on a straight line of normal scores.
pub fn high(quantiles: &[f64; 7]) -> f64 {
    quantiles[3] + (quantiles[6] - quantiles[3]) * 2.326 / 1.960
}

/// Windows of a span.
pub const fn span(width: WindowWidth) -> usize {
    width.per(SPAN)
}

/// The target whose surge is judged at a lead of `hours`: at six hours the last that another follows.
pub fn step(hours: u32, width: WindowWidth, targets: usize) -> usize {
    let hour = Duration::from_secs(3600);
    width.per(hour * hours).min(targets.saturating_sub(2))
}

/// The lead in minutes that stands for `hours`: targets start inside the horizon.
pub fn lead_minutes(hours: u32, width: WindowWidth) -> u32 {
    (hours * 60).min((HORIZON.as_secs() / 60) as u32 - width.secs() / 60)
}

/// Chances by target that a span begins with, from the quantiles of the whole forecast: those of the pair of windows
/// that is likeliest. Windows of one outage move together, so that a pair's chance is the smaller of its two.
pub fn chances(quantiles: &[[f64; 7]], high: &[f64], span: usize) -> Vec<f64> {
    let above: Vec<f64> = quantiles.iter().zip(high).map(|(q, high)| beyond(q, *high)).collect();
    let pairs: Vec<f64> = above.windows(2).map(|pair| pair[0].min(pair[1])).collect();
    let of_span = |from: usize| {
        let pairs = pairs.iter().skip(from).take(span.saturating_sub(1));
        pairs.copied().fold(0.0, f64::max)
    };
    (0..above.len()).map(of_span).collect()
}

/// Chance of more than `count` tickets, on straight lines between quantiles.
fn beyond(quantiles: &[f64; 7], count: f64) -> f64 {
    let last = QUANTILES.len() - 1;
    if count >= quantiles[last] {
        return 1.0 - QUANTILES[last];
    }
    let Some(next) = quantiles.iter().position(|q| *q > count) else { return 0.0 };
    let Some(before) = next.checked_sub(1) else { return 1.0 - QUANTILES[0] };
    let share = (count - quantiles[before]) / (quantiles[next] - quantiles[before]);
    1.0 - QUANTILES[before] - share * (QUANTILES[next] - QUANTILES[before])
}

impl Vintage {
    /// The 99 % quantile without alarms of a target, tickets.
    pub fn high(&self, step: usize) -> Option<f64> {
        match &self.surges {
            Some(surges) => surges.high.get(step).copied(),
            None => self.targets.get(step).map(|target| high(&target.quantiles)),
        }
    }

    /// Whether `counts` of the windows `step` and the next are a surge's.
    pub fn surges_at(&self, step: usize, counts: [f64; 2]) -> bool {
        let above = |step, count: f64| self.high(step).is_some_and(|high| count > high);
        above(step, counts[0]) && above(step + 1, counts[1])
    }

    /// Whether any two windows in a row of its horizon, all of it known, are a surge's.
    pub fn surged(&self, history: &History) -> bool {
        let first = history.width.index(self.issued_at);
        let count = |step: usize| f64::from(history.get(first + step as i64));
        let mut pairs = 0..self.targets.len().saturating_sub(1);
        pairs.any(|i| self.surges_at(i, [count(i), count(i + 1)]))
    }

    /// Whether it calls a surge that begins with target `step`.
    pub fn calls(&self, step: usize, width: WindowWidth) -> bool {
        let from = step.saturating_sub(span(width) / 2);
        let Some(surges) = self.surges.as_ref().filter(|surges| surges.is_out) else {
            return false;
        };
        let most = surges.chances.iter().copied().fold(0.0, f64::max);
        let chance = surges.chances.get(from);
        chance.is_some_and(|chance| *chance > 0.0 && *chance >= LIKELY * most)
    }
}

/// A surge that came, as seen at one lead.
#[derive(Clone, Debug, PartialEq)]
pub struct Surge {
    pub series: SeriesKey,
    /// One of [`SURGE_LEADS`].
    pub lead_hours: u32,
    /// Start of the first and of the last two windows in a row above the quantile.
    pub start: Timestamp,
    pub upto: Timestamp,
    /// Whether the forecast of that lead called it.
    pub called: bool,
    /// Whether that forecast knew of alarms or planned work.
    pub alarmed: bool,
    /// Minutes from the first forecast that called it to its start.
    pub warned_minutes: Option<u32>,
}

/// Calls at one lead that count as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub series: SeriesKey,
    pub lead_hours: u32,
    /// Issue times of the first and the last forecast that called.
    pub first: Timestamp,
    pub upto: Timestamp,
    /// Whether what one of them called came.
    pub good: bool,
}

/// Surges and calls of one series at one lead, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SurgeCount {
    /// Surges that came, those of them with alarms or planned work known by then, and those called at the lead.
    pub surges: u32,
    pub alarmed: u32,
    pub hits: u32,
    /// Surges that any forecast called, and Σ minutes from the first such forecast to their start.
    pub warned: u32,
    pub warned_minutes: u64,
    /// Calls, and those after which nothing has come so far.
    pub calls: u32,
    pub false_calls: u32,
}

/// Counts by series and lead in hours.
#[derive(Clone, Debug, Default)]
pub struct SurgeCounts(BTreeMap<(SeriesKey, u32), SurgeCount>);

impl SurgeCounts {
    pub fn surge(&mut self, surge: &Surge) {
        let count = self.0.entry((surge.series.clone(), surge.lead_hours)).or_default();
        count.surges += 1;
        count.alarmed += u32::from(surge.alarmed);
        count.hits += u32::from(surge.called);
        if let Some(minutes) = surge.warned_minutes {
            count.warned += 1;
            count.warned_minutes += u64::from(minutes);
        }
    }

    pub fn call(&mut self, call: &Call) {
        let count = self.0.entry((call.series.clone(), call.lead_hours)).or_default();
        count.calls += 1;
        count.false_calls += u32::from(!call.good);
    }

    pub fn of(&self, series: &SeriesKey, lead_hours: u32) -> SurgeCount {
        self.0.get(&(series.clone(), lead_hours)).copied().unwrap_or_default()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_forecast_that_was_raised_calls() {
        let quiet = [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0];
        let bound = high(&quiet);
        assert!((bound - 15.12).abs() < 0.01);
        assert!(chances(&[quiet; 24], &[bound; 24], 8).iter().all(|c| *c < 0.03));
        let mut raised = [quiet; 24];
        for quantiles in &mut raised[10..14] {
            *quantiles = [2.0, 4.0, 8.0, 12.0, 18.0, 30.0, 40.0];
        }
        let found = chances(&raised, &[bound; 24], 8);
        assert_eq!(found.len(), 24);
        // Every span with two of the four raised windows in it.
        let called: Vec<usize> = (0..24).filter(|i| found[*i] >= CHANCE).collect();
        assert_eq!(called, (4..=12).collect::<Vec<_>>());
    }

    fn called(high: Vec<f64>, chances: Vec<f64>) -> Surges {
        Surges { high, chances, any: 0.5, is_out: true }
    }

    #[test]
    fn a_call_stays_out_while_little_speaks_against_it() {
        let at = Timestamp::from_secs;
        let mut surges = Surges::new(&[10.0], &[0.1], 0.1);
        for (last, is_out) in [(None, false), (Some(at(0)), true), (Some(at(-1)), false)] {
            surges.decide(at(6 * 3600), last, CHANCE);
            assert_eq!(surges.is_out, is_out, "after {last:?}");
        }
        surges.any = CHANCE;
        surges.decide(at(0), None, CHANCE);
        assert!(surges.is_out);
        surges.any = 0.04;
        surges.decide(at(60), Some(at(0)), CHANCE);
        assert!(!surges.is_out);
    }

    #[test]
    fn a_raised_vintage_is_held_against_what_it_would_have_been() {
        let mut vintage = crate::forecast::Vintage {
            series: crate::domain::SeriesKey::parse("north/tv/phone").expect("series"),
            issued_at: crate::domain::Timestamp::from_secs(0),
            targets: Vec::new(),
            members: Vec::new(),
            causes: Vec::new(),
            surges: Some(called(vec![10.0; 4], vec![0.5, 0.1, 0.1, 0.1])),
            fallback: None,
        };
        assert!(vintage.surges_at(1, [11.0, 11.0]));
        assert!(!vintage.surges_at(1, [11.0, 10.0]) && !vintage.surges_at(3, [11.0, 11.0]));
        assert!(vintage.calls(3, WindowWidth::QUARTER), "the middle of the first span");
        assert!(!vintage.calls(6, WindowWidth::QUARTER));
        let mut history = History::new(WindowWidth::QUARTER, 0);
        for (index, count) in [9.0, 9.0, 9.0, 9.0, 9.0, 12.0, 12.0, 12.0].into_iter().enumerate() {
            history.set(index as i64, count);
        }
        let target = |i: i64| crate::forecast::Target {
            start: WindowWidth::QUARTER.start(i),
            mean: 9.0,
            quantiles: [9.0; 7],
            baseline: 9.0,
            level: 1.0,
            alarm_effect: 0.0,
        };
        vintage.targets = (0..8).map(target).collect();
        vintage.surges = Some(called(vec![10.0; 8], vec![0.5; 8]));
        let mut judge = Judge::default();
        let mut at = |step| judge.surge(&vintage, (1, step), &history, |_| Some(vintage.issued_at));
        assert_eq!(at(4), None);
        let began = at(5).expect("a surge");
        assert!(began.called && began.alarmed && began.warned_minutes == Some(75));
        let went_on = at(6).expect("the same");
        assert_eq!((went_on.start, went_on.upto), (began.start, target(6).start));
        let [call, _, _] = judge.calls(&vintage, &history).try_into().expect("at every lead");
        assert!(call.good && call.first == vintage.issued_at);
        vintage.issued_at = WindowWidth::QUARTER.start(8);
        assert!(judge.calls(&vintage, &history)[0].good, "within six hours of a good one");
        vintage.issued_at = WindowWidth::QUARTER.start(40);
        let late = judge.calls(&vintage, &history).remove(0);
        assert!(!late.good && late.first == vintage.issued_at);
        vintage.surges = None;
        assert!(!vintage.calls(3, WindowWidth::QUARTER));
        assert_eq!(vintage.high(0), Some(9.0), "of what was issued");
        assert_eq!(step(6, WindowWidth::QUARTER, 24), 22);
        assert_eq!(step(6, WindowWidth::HOUR, 6), 4);
        assert_eq!(step(1, WindowWidth::QUARTER, 24), 4);
    }
}
