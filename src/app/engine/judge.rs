//! What becomes of forecasts when the truth arrives: scores, anomalies, surges and calls.

use std::collections::{BTreeMap, HashMap};

use super::issue::{Issued, Situation};
use crate::anomaly;
use crate::domain::{SeriesKey, Timestamp, WindowWidth, Zone};
use crate::forecast::surge::{self, Judge, SURGE_LEADS};
use crate::forecast::{HORIZON, History, Score, Vintage, scale};
use crate::store::{ByLead, Filter, Reader, StoreError, Tx};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Scores that are not stored yet, scales of the day, and what is known of surges.
#[derive(Default)]
pub struct Ledger {
    scores: BTreeMap<(Timestamp, SeriesKey), ByLead>,
    /// The day that the scales are of.
    day: Timestamp,
    scales: HashMap<SeriesKey, Option<f64>>,
    judge: Judge,
}

/// What a series' window turned out to be.
struct Truth<'a> {
    history: &'a History,
    actual: f64,
    /// Last week's count.
    naive: Option<f64>,
    scale: Option<f64>,
}

impl Ledger {
    /// Reads its state again as of the first unsettled window.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn restore(reader: &Reader, next: Timestamp) -> Result<Self, StoreError> {
        let (all, ever) = (Filter::default(), (Timestamp::MIN, Timestamp::MAX));
        // A call is judged when its horizon is over.
        let surges = reader.surges(&all, ever, next - surge::APART * 2)?;
        let calls = reader.calls(&all, ever, next - (surge::APART + HORIZON) * 2)?;
        Ok(Self { judge: Judge::restore(surges, calls), ..Self::default() })
    }

    /// Holds every vintage that spoke of the settled window against its count.
    ///
    /// # Errors
    /// [`StoreError`] if something could not be stored.
    pub fn settled<'a>(
        &mut self,
        tx: &mut Tx<'_>,
        at: &Situation<'_>,
        recent: impl Iterator<Item = &'a Issued> + Clone,
        (width, zone_of): (WindowWidth, impl Fn(&SeriesKey) -> Zone),
    ) -> Result<(), StoreError> {
        let window = at.end - width.length();
        let day = Timestamp::from_millis(window.millis().div_euclid(DAY_MS) * DAY_MS);
        let truths = self.truths(at, (width, window, day), zone_of);
        for (issued_at, issued) in recent.clone() {
            let lead = window.since(*issued_at);
            let (step, minutes) = (width.per(lead), (lead.as_secs() / 60) as u32);
            for (series, vintage) in issued {
                let Some(target) = vintage.targets.get(step) else { continue };
                let Some(truth) = truths.get(series) else { continue };
                if target.start != window {
                    continue;
                }
                let score = Score::of(target, truth.actual, truth.naive).scaled_by(truth.scale);
                let sums = self.scores.entry((day, series.clone())).or_default();
                sums.entry(minutes).or_default().merge(&score);
                if step == 0
                    && let Some(anomaly) = anomaly::judge(series, target, truth.actual)
                {
                    tx.put_anomaly(&anomaly)?;
                }
                self.surges(tx, (vintage, step), truth.history, recent.clone())?;
            }
        }
        if at.end.millis() % HOUR_MS == 0 && !truths.is_empty() {
            tx.tell_accuracy(day);
        }
        Ok(())
    }

    /// Counts of the window where they are known, by series.
    fn truths<'a>(
        &mut self,
        at: &Situation<'a>,
        (width, window, day): (WindowWidth, Timestamp, Timestamp),
        zone_of: impl Fn(&SeriesKey) -> Zone,
    ) -> HashMap<&'a SeriesKey, Truth<'a>> {
        if self.day != day {
            self.day = day;
            self.scales.clear();
        }
        let mut truths = HashMap::new();
        for (series, history) in at.histories.by_series() {
            let actual = f64::from(history.get(width.index(window)));
            if actual.is_nan() {
                continue;
            }
            let last_week = zone_of(series).days_before(window, 7);
            let naive = f64::from(history.get(width.index(last_week)));
            let of_day = || scale(history, width.index(day));
            let scale = match self.scales.get(series) {
                Some(scale) => *scale,
                None => *self.scales.entry(series.clone()).or_insert_with(of_day),
            };
            let naive = (!naive.is_nan()).then_some(naive);
            truths.insert(series, Truth { history, actual, naive, scale });
        }
        truths
    }

    /// `step` is the target of the settled window: with it the pair before it and, at the last, the whole vintage can
    /// be judged.
    fn surges<'a>(
        &mut self,
        tx: &mut Tx<'_>,
        (vintage, step): (&Vintage, usize),
        history: &History,
        recent: impl Iterator<Item = &'a Issued>,
    ) -> Result<(), StoreError> {
        let Some(first) = step.checked_sub(1) else { return Ok(()) };
        let (width, targets) = (history.width, vintage.targets.len());
        let mut leads = SURGE_LEADS.into_iter();
        if let Some(lead) = leads.find(|hours| surge::step(*hours, width, targets) == first) {
            let first_call = |start: Timestamp| {
                let mut earlier = recent.filter_map(|(_, issued)| issued.get(&vintage.series));
                let calls = |v: &&Vintage| {
                    v.issued_at <= start && v.calls(width.per(start.since(v.issued_at)), width)
                };
                earlier.find(calls).map(|v| v.issued_at)
            };
            if let Some(surge) = self.judge.surge(vintage, (lead, first), history, first_call) {
                tx.put_surge(&surge)?;
            }
        }
        if step + 1 == targets {
            for call in self.judge.calls(vintage, history) {
                tx.put_call(&call)?;
            }
        }
        Ok(())
    }

    /// Writes what was gathered over the steps of one transaction.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub fn flush(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for ((day, series), by_lead) in std::mem::take(&mut self.scores) {
            tx.put_scores(&series, day, &by_lead)?;
        }
        Ok(())
    }
}
