//! What becomes of forecasts when the truth arrives: scores, anomalies, surges and calls.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::histories::Histories;
use super::issue::{Issued, Situation};
use super::recent::{Recent, Said};
use crate::anomaly;
use crate::domain::{SeriesKey, Timestamp, WindowWidth, Zone};
use crate::forecast::surge::{self, Judge, Pair, SURGE_LEADS, Threshold};
use crate::forecast::{HORIZON, Score, Target, Vintage, scale};
use crate::store::{AdjustedScore, ByLead, Filter, Reader, StoreError, Tx};

const HOUR_MS: i64 = 3_600_000;
/// Where the store keeps from which chance on surges are called.
const THRESHOLD: &str = "surge_threshold";

/// Scores of one day by lead in minutes, each by position in the series.
struct DayScores {
    day: Timestamp,
    series: Arc<[SeriesKey]>,
    by_lead: BTreeMap<u32, Vec<Score>>,
}

/// What a series' window turned out to be.
struct Truth {
    actual: f64,
    /// Last week's count.
    naive: Option<f64>,
    scale: Option<f64>,
}

/// Vintages that will be judged, scores that are not stored yet, scales of the day, and what is known of surges.
#[derive(Default)]
pub struct Ledger {
    recent: Recent,
    /// Of these, what planners changed.
    adjusted: Recent,
    /// What was said of the window that settled last.
    before: Vec<Said>,
    /// Whole vintages that alarms or planned work touch, by issue time: a few.
    touched: BTreeMap<Timestamp, BTreeMap<SeriesKey, Vintage>>,
    /// Issue times of vintages that could have called a surge: those without a fit look at no alarms.
    foretold: BTreeSet<Timestamp>,
    scores: Vec<DayScores>,
    adjusted_scores: BTreeMap<(Timestamp, SeriesKey), BTreeMap<u32, AdjustedScore>>,
    /// The day that the scales are of.
    day: Timestamp,
    scales: HashMap<SeriesKey, Option<f64>>,
    judge: Judge,
    threshold: Threshold,
    /// Whether it has to be stored.
    threshold_changed: bool,
}

impl Ledger {
    /// Reads its state again as of the first unsettled window.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn restore(
        reader: &Reader,
        next: Timestamp,
        width: WindowWidth,
    ) -> Result<Self, StoreError> {
        let (all, ever) = (Filter::default(), (Timestamp::MIN, Timestamp::MAX));
        // A call is judged when its horizon is over.
        let surges = reader.surges(&all, ever, next - surge::APART * 2)?;
        let calls = reader.calls(&all, ever, next - (surge::APART + HORIZON) * 2)?;
        let threshold = reader.state(THRESHOLD)?;
        let mut ledger = Self {
            judge: Judge::restore(surges, calls),
            threshold: threshold.unwrap_or_default(),
            ..Self::default()
        };
        let sorted = |mut vintages: Vec<Vintage>| {
            vintages.sort_by(|a, b| a.series.cmp(&b.series));
            vintages
        };
        // One time's after the other: together they are large.
        let first = width.index(next - HORIZON) + 1;
        for issued_at in (first..=width.index(next)).map(|index| width.start(index)) {
            let vintages = sorted(reader.vintages_at(issued_at)?);
            ledger.take_up(issued_at, vintages.iter());
        }
        let mut adjusted: BTreeMap<Timestamp, Vec<Vintage>> = BTreeMap::new();
        for vintage in reader.adjusted_since(next - HORIZON)? {
            adjusted.entry(vintage.issued_at).or_default().push(vintage);
        }
        for (issued_at, vintages) in adjusted {
            ledger.adjusted.push(issued_at, sorted(vintages).iter());
        }
        ledger.before = ledger.recent.take(next - width.length());
        Ok(ledger)
    }

    /// Chance from which on a surge is called.
    pub fn least(&self) -> f64 {
        self.threshold.least()
    }

    /// Calls a surge, at a chance of `least`, or does not, before a vintage is issued.
    pub fn decide(&self, vintage: &mut Vintage, least: f64) {
        let Vintage { series, issued_at, surges: Some(surges), .. } = vintage else { return };
        let is_out = |vintages: &BTreeMap<SeriesKey, Vintage>| {
            let known = vintages.get(series).and_then(|vintage| vintage.surges.as_ref());
            known.is_some_and(|surges| surges.is_out)
        };
        let last = self.touched.iter().rev().find(|(_, vintages)| is_out(vintages));
        surges.decide(*issued_at, last.map(|(at, _)| *at), least);
    }

    /// Takes vintages that were issued.
    pub fn issued(&mut self, at: Timestamp, issued: &Issued) {
        self.take_up(at, issued.model.values());
        if !issued.adjusted.is_empty() {
            self.adjusted.push(at, issued.adjusted.values());
        }
    }

    fn take_up<'a>(&mut self, at: Timestamp, vintages: impl Iterator<Item = &'a Vintage> + Clone) {
        self.recent.push(at, vintages.clone());
        if vintages.clone().any(Vintage::looked_at_alarms) {
            self.foretold.insert(at);
        }
        let touched = vintages.filter(|vintage| vintage.surges.is_some());
        let touched: BTreeMap<_, _> = touched.map(|v| (v.series.clone(), v.clone())).collect();
        if !touched.is_empty() {
            self.touched.insert(at, touched);
        }
    }

    /// Holds every vintage that spoke of the settled window against its count.
    ///
    /// # Errors
    /// [`StoreError`] if something could not be stored.
    pub fn settled(
        &mut self,
        tx: &mut Tx<'_>,
        at: &Situation<'_>,
        (width, zone_of): (WindowWidth, impl Fn(&SeriesKey) -> Zone),
    ) -> Result<(), StoreError> {
        let window = at.end - width.length();
        let day = window.utc_midnight();
        if self.day != day {
            self.day = day;
            self.scales.clear();
        }
        let mut changed: BTreeMap<(Timestamp, SeriesKey), Target> = BTreeMap::new();
        for said in self.adjusted.take(window) {
            for (series, target) in said.series.iter().zip(said.targets()) {
                changed.extend(target.map(|target| ((said.issued_at, series.clone()), target)));
            }
        }
        let mut truths: Vec<Option<Truth>> = Vec::new();
        let mut truths_of: Arc<[SeriesKey]> = Arc::default();
        let all = self.recent.take(window);
        for said in &all {
            if !Arc::ptr_eq(&truths_of, &said.series) {
                let truth = |key| self.truth(at.histories, (key, window, width), &zone_of);
                truths = said.series.iter().map(truth).collect();
                truths_of = said.series.clone();
            }
            self.score(tx, (window, day), (said, &truths), &changed)?;
        }
        self.touched.retain(|issued_at, _| *issued_at + HORIZON >= at.end);
        self.foretold.retain(|issued_at| *issued_at + HORIZON >= at.end);
        for hours in SURGE_LEADS {
            self.surges(tx, at.histories, (hours, window, width), &all)?;
        }
        for vintage in self.touched.get(&(at.end - HORIZON)).into_iter().flat_map(BTreeMap::values)
        {
            let Some(history) = at.histories.by_series().get(&vintage.series) else { continue };
            for call in self.judge.calls(vintage, history) {
                tx.put_call(&call)?;
            }
            let any = vintage.surges.as_ref().map_or(0.0, |surges| surges.any);
            let came = || vintage.surged(history);
            self.threshold.judge(&vintage.series, vintage.issued_at, any, came);
            self.threshold_changed = true;
        }
        if at.end.millis() % HOUR_MS == 0 && !all.is_empty() {
            tx.accuracy_changed(day);
        }
        self.before = all;
        Ok(())
    }

    /// What vintages of one time said of the window against what came.
    fn score(
        &mut self,
        tx: &mut Tx<'_>,
        (window, day): (Timestamp, Timestamp),
        (said, truths): (&Said, &[Option<Truth>]),
        changed: &BTreeMap<(Timestamp, SeriesKey), Target>,
    ) -> Result<(), StoreError> {
        let lead_minutes = (window.since(said.issued_at).as_secs() / 60) as u32;
        let scores = scores_of(&mut self.scores, day, &said.series).entry(lead_minutes);
        let scores = scores.or_insert_with(|| vec![Score::default(); said.series.len()]);
        for (number, target) in said.targets().enumerate() {
            let (Some(target), Some(truth)) = (target, &truths[number]) else { continue };
            let (series, Truth { actual, naive, scale }) = (&said.series[number], truth);
            let score = Score::of(&target, *actual, *naive).scaled_by(*scale).in_thousandths();
            scores[number].merge(&score);
            let served = if changed.is_empty() {
                None
            } else {
                changed.get(&(said.issued_at, series.clone()))
            };
            if let Some(served) = served.filter(|served| **served != target) {
                let adjusted =
                    Score::of(served, *actual, *naive).scaled_by(*scale).in_thousandths();
                let sums = self.adjusted_scores.entry((day, series.clone())).or_default();
                let sum = sums.entry(lead_minutes).or_default();
                sum.merge(&AdjustedScore { adjusted, model: score });
            }
            if lead_minutes == 0
                && let Some(anomaly) = anomaly::judge(series, served.unwrap_or(&target), *actual)
            {
                tx.put_anomaly(&anomaly)?;
            }
        }
        Ok(())
    }

    /// The count of a window where it is known.
    fn truth(
        &mut self,
        histories: &Histories,
        (series, window, width): (&SeriesKey, Timestamp, WindowWidth),
        zone_of: &impl Fn(&SeriesKey) -> Zone,
    ) -> Option<Truth> {
        let known = |start: Timestamp| {
            let count = histories.count(series, width.index(start));
            (!count.is_nan()).then_some(f64::from(count))
        };
        let actual = known(window)?;
        let naive = known(zone_of(series).days_before(window, 7));
        let scale = match self.scales.get(series) {
            Some(scale) => *scale,
            None => {
                let history = histories.by_series().get(series);
                let scale = history.and_then(|history| scale(history, width.index(self.day)));
                self.scales.insert(series.clone(), scale);
                scale
            }
        };
        Some(Truth { actual, naive, scale })
    }

    /// With the settled window, whose vintages `all` are, the pair of it and the one before can be judged at a lead.
    fn surges(
        &mut self,
        tx: &mut Tx<'_>,
        histories: &Histories,
        (hours, window, width): (u32, Timestamp, WindowWidth),
        all: &[Said],
    ) -> Result<(), StoreError> {
        let first = surge::step(hours, width, width.per(HORIZON));
        let (start, index) = (window - width.length(), width.index(window));
        let issued_at = width.start(index - 1 - first as i64);
        if !self.foretold.contains(&issued_at) {
            return Ok(());
        }
        let of_issue = |all: &[Said]| all.iter().position(|said| said.issued_at == issued_at);
        let (Some(before), Some(now)) = (of_issue(&self.before), of_issue(all)) else {
            return Ok(());
        };
        // Of one issue: the same series in the same order.
        let (before, now) = (&self.before[before], &all[now]);
        let touched = self.touched.get(&issued_at);
        for ((series, first_said), then_said) in
            now.series.iter().zip(before.targets()).zip(now.targets())
        {
            let (Some(first_said), Some(then_said)) = (first_said, then_said) else { continue };
            let Some(history) = histories.by_series().get(series) else { continue };
            let calls = |(at, vintages): (&Timestamp, &BTreeMap<SeriesKey, Vintage>)| {
                let vintage = vintages.get(series).filter(|_| *at <= start)?;
                vintage.calls(width.per(start.since(*at)), width).then_some(*at)
            };
            let first_call = || self.touched.iter().find_map(calls);
            let surge = match touched.and_then(|vintages| vintages.get(series)) {
                Some(vintage) => {
                    self.judge.surge(vintage, (hours, first), history, |_| first_call())
                }
                None => {
                    let counts = [index - 1, index].map(|index| f64::from(history.get(index)));
                    let came = counts[0] > surge::high(&first_said.quantiles)
                        && counts[1] > surge::high(&then_said.quantiles);
                    let (called, alarmed) = (false, false);
                    let pair = Pair { series, lead_hours: hours, start, called, alarmed };
                    came.then(|| self.judge.above(&pair, first_call))
                }
            };
            if let Some(surge) = surge {
                tx.put_surge(&surge)?;
            }
        }
        Ok(())
    }

    /// Writes what was gathered over the steps of one transaction.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub fn flush(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if std::mem::take(&mut self.threshold_changed) {
            tx.put_state(THRESHOLD, &self.threshold)?;
        }
        for ((day, series), by_lead) in std::mem::take(&mut self.adjusted_scores) {
            tx.put_adjusted_scores(&series, day, by_lead.into_iter())?;
        }
        for DayScores { day, series, by_lead } in std::mem::take(&mut self.scores) {
            for (number, series) in series.iter().enumerate() {
                let of_series = by_lead.iter().map(|(lead, scores)| (*lead, scores[number]));
                let scored: ByLead = of_series.filter(|(_, score)| score.n > 0).collect();
                if !scored.is_empty() {
                    tx.put_scores(series, day, &scored)?;
                }
            }
        }
        Ok(())
    }
}

/// Scores of that day and these series by lead.
fn scores_of<'a>(
    all: &'a mut Vec<DayScores>,
    day: Timestamp,
    series: &Arc<[SeriesKey]>,
) -> &'a mut BTreeMap<u32, Vec<Score>> {
    let known = all.iter().position(|s| s.day == day && Arc::ptr_eq(&s.series, series));
    let known = known.unwrap_or_else(|| {
        all.push(DayScores { day, series: series.clone(), by_lead: BTreeMap::new() });
        all.len() - 1
    });
    &mut all[known].by_lead
}
