//! Compares forecasts with actual counts: scores, anomalies, surges and warnings of surges.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::coverage::RecentCoverage;
use super::day_scores::DayScores;
use super::effects::{Effects, StoreChange};
use super::forecast_points::{ForecastPoints, IssuedPoints};
use super::histories::Histories;
use super::issued::Issued;
use super::saved::{SURGE_THRESHOLD, Saved};
use super::situation::Situation;
use crate::anomaly::{self, Anomaly, AnomalyRules, Ongoing, SeriesWatch, WindowCase};
use crate::domain::{SeriesKey, Timestamp, WindowWidth, Zone};
use crate::forecast::surge::{self, Judge, Pair, SURGE_LEADS, Threshold};
use crate::forecast::{ForecastPoint, HORIZON, Score, Vintage, scale};
use crate::store::{AdjustedScore, Filter, Reader, StoreError};

const HOUR_MS: i64 = 3_600_000;

/// The last forecast of a window: the first forecast point of the vintage issued at its start.
fn last_forecast(vintage: &Vintage) -> Option<((SeriesKey, Timestamp), ForecastPoint)> {
    let target = vintage.targets.first().filter(|target| target.start == vintage.issued_at)?;
    Some(((vintage.series.clone(), target.start), target.clone()))
}

/// Forecasts that were served instead of the model's, by series and window.
type Changed = HashMap<(SeriesKey, Timestamp), ForecastPoint>;

/// The actual count of a series' window, and the scales of its errors.
struct Actual {
    count: f64,
    /// The count of the same window a week before: the seasonal naive forecast.
    naive: Option<f64>,
    scale: Option<f64>,
}

/// Forecast points without an actual count yet, scores to store, scales of the day, and surges.
#[derive(Default)]
pub struct Ledger {
    points: ForecastPoints,
    /// Adjusted forecast points.
    adjusted: ForecastPoints,
    /// Forecast points of the last finalized window.
    before: Vec<IssuedPoints>,
    /// Vintages that alarms or planned work affect, by issue time. There are few.
    touched: BTreeMap<Timestamp, BTreeMap<SeriesKey, Vintage>>,
    /// Issue times of vintages that could have warned of a surge.
    could_warn: BTreeSet<Timestamp>,
    scores: Vec<DayScores>,
    adjusted_scores: BTreeMap<(Timestamp, SeriesKey), BTreeMap<u32, AdjustedScore>>,
    /// The day for which the scales are valid.
    day: Timestamp,
    scales: HashMap<SeriesKey, Option<f64>>,
    /// How accurate the forecasts of the last hours were.
    coverage: RecentCoverage,
    /// The last windows of each series, and which counts are unusual.
    watch: SeriesWatch,
    judge: Judge,
    threshold: Threshold,
    /// Whether the threshold has to be stored.
    threshold_changed: bool,
}

impl Ledger {
    /// Restores its state. `next` is the start of the first window that is not final.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn restore(
        reader: &Reader,
        next: Timestamp,
        width: WindowWidth,
        histories: &Histories,
    ) -> Result<Self, StoreError> {
        let (all, ever) = (Filter::default(), (Timestamp::MIN, Timestamp::MAX));
        // A warning is judged when its horizon is over.
        let surges = reader.surges(&all, ever, next - surge::APART * 2)?;
        let warnings = reader.warnings(&all, ever, next - (surge::APART + HORIZON) * 2)?;
        let threshold = reader.state(SURGE_THRESHOLD)?;
        let recent = reader.anomalies(&all, next - anomaly::APART * 2, next, usize::MAX, None)?;
        let recent: Vec<Anomaly> = recent.into_iter().map(|(_, anomaly)| anomaly).collect();
        let mut ledger = Self {
            watch: SeriesWatch::restore(&recent, next - width.length()),
            judge: Judge::restore(surges, warnings),
            threshold: threshold.unwrap_or_default(),
            ..Self::default()
        };
        let sorted = |mut vintages: Vec<Vintage>| {
            vintages.sort_by(|a, b| a.series.cmp(&b.series));
            vintages
        };
        let mut adjusted: BTreeMap<Timestamp, Vec<Vintage>> = BTreeMap::new();
        for vintage in reader.adjusted_since(next - HORIZON)? {
            adjusted.entry(vintage.issued_at).or_default().push(vintage);
        }
        let changed: Changed = adjusted.values().flatten().filter_map(last_forecast).collect();
        // One issue time after the other, to save memory.
        let first = width.index(next - HORIZON) + 1;
        for issued_at in (first..=width.index(next)).map(|index| width.start(index)) {
            let vintages = sorted(reader.vintages_at(issued_at)?);
            ledger.take_up(issued_at, vintages.iter());
            if issued_at < next {
                ledger.take_outcomes(&vintages, &changed, histories, width);
            }
        }
        for (issued_at, vintages) in adjusted {
            ledger.adjusted.push(issued_at, sorted(vintages).iter());
        }
        ledger.before = ledger.points.take(next - width.length());
        Ok(ledger)
    }

    /// Takes the last forecasts and the counts of a finalized window, after a restart.
    fn take_outcomes(
        &mut self,
        vintages: &[Vintage],
        changed: &Changed,
        histories: &Histories,
        width: WindowWidth,
    ) {
        for (key, target) in vintages.iter().filter_map(last_forecast) {
            let (series, window) = &key;
            let actual = f64::from(histories.count(series, width.index(*window)));
            if actual.is_nan() {
                continue;
            }
            let target = changed.get(&key).cloned().unwrap_or(target);
            let case = WindowCase { series: series.clone(), target, actual };
            if !series.is_roll_up() {
                self.coverage.add(*window, series.scope(), &case.target, actual);
            }
            self.watch.take(&case, width);
        }
    }

    /// Series whose counts are unusual.
    pub fn ongoing(&self) -> &Ongoing {
        self.watch.ongoing()
    }

    /// How accurate the forecasts of the last hours were.
    pub fn coverage(&self) -> &RecentCoverage {
        &self.coverage
    }

    /// The warning threshold: the minimum probability of a surge.
    pub fn least(&self) -> f64 {
        self.threshold.least()
    }

    /// Decides, before a vintage is issued, whether it warns of a surge: if the probability is at least [`Self::least`].
    pub fn decide(&self, vintage: &mut Vintage, least: f64) {
        let Vintage { series, issued_at, surges: Some(surges), .. } = vintage else { return };
        let warns = |vintages: &BTreeMap<SeriesKey, Vintage>| {
            let known = vintages.get(series).and_then(|vintage| vintage.surges.as_ref());
            known.is_some_and(|surges| surges.warns)
        };
        let last = self.touched.iter().rev().find(|(_, vintages)| warns(vintages));
        surges.decide(*issued_at, last.map(|(at, _)| *at), least);
    }

    /// Takes issued vintages.
    pub fn issued(&mut self, at: Timestamp, issued: &Issued) {
        self.take_up(at, issued.model.values());
        if !issued.adjusted.is_empty() {
            self.adjusted.push(at, issued.adjusted.values());
        }
    }

    fn take_up<'a>(&mut self, at: Timestamp, vintages: impl Iterator<Item = &'a Vintage> + Clone) {
        self.points.push(at, vintages.clone());
        if vintages.clone().any(Vintage::uses_alarms) {
            self.could_warn.insert(at);
        }
        let touched = vintages.filter(|vintage| vintage.surges.is_some());
        let touched: BTreeMap<_, _> = touched.map(|v| (v.series.clone(), v.clone())).collect();
        if !touched.is_empty() {
            self.touched.insert(at, touched);
        }
    }

    /// Scores all vintages that forecast the finalized window, and judges surges and warnings. `quiet`: since when sources have been
    /// silent for longer than usual.
    pub fn finalized(
        &mut self,
        effects: &mut Effects<'_>,
        at: &Situation<'_>,
        (width, zone_of): (WindowWidth, impl Fn(&SeriesKey) -> Zone),
        (anomalies, quiet): (&AnomalyRules, &[Timestamp]),
    ) {
        let window = at.end - width.length();
        let day = window.utc_midnight();
        if self.day != day {
            self.day = day;
            self.scales.clear();
        }
        let mut changed: BTreeMap<(Timestamp, SeriesKey), ForecastPoint> = BTreeMap::new();
        for points in self.adjusted.take(window) {
            for (series, target) in points.series.iter().zip(points.targets()) {
                changed.extend(target.map(|target| ((points.issued_at, series.clone()), target)));
            }
        }
        let mut actuals: Vec<Option<Actual>> = Vec::new();
        let mut actuals_of: Arc<[SeriesKey]> = Arc::default();
        let all = self.points.take(window);
        let mut cases = Vec::new();
        for points in &all {
            if !Arc::ptr_eq(&actuals_of, &points.series) {
                let actual = |key| self.actual(at.histories, (key, window, width), &zone_of);
                actuals = points.series.iter().map(actual).collect();
                actuals_of = points.series.clone();
            }
            self.score((window, day), (points, &actuals), &changed, &mut cases);
        }
        self.coverage.take(window, at.end, &cases);
        let found = self.watch.judge(window, &cases, width, anomalies, quiet);
        effects.changes.extend(found.into_iter().map(StoreChange::Anomaly));
        self.touched.retain(|issued_at, _| *issued_at + HORIZON >= at.end);
        self.could_warn.retain(|issued_at| *issued_at + HORIZON >= at.end);
        for hours in SURGE_LEADS {
            self.surges(effects, at.histories, (hours, window, width), &all);
        }
        self.judge_warnings(effects, at);
        if at.end.millis() % HOUR_MS == 0 && !all.is_empty() {
            effects.put(StoreChange::Accuracy(day));
        }
        self.before = all;
    }

    /// Judges the warnings of vintages whose horizon is over, and adjusts the threshold accordingly.
    fn judge_warnings(&mut self, effects: &mut Effects<'_>, at: &Situation<'_>) {
        for vintage in self.touched.get(&(at.end - HORIZON)).into_iter().flat_map(BTreeMap::values)
        {
            let Some(history) = at.histories.by_series().get(&vintage.series) else { continue };
            for warning in self.judge.warnings(vintage, history) {
                effects.put(StoreChange::Warning(warning));
            }
            let any = vintage.surges.as_ref().map_or(0.0, |surges| surges.any);
            let surged = || vintage.surged(history);
            self.threshold.judge(&vintage.series, vintage.issued_at, any, surged);
            self.threshold_changed = true;
        }
    }

    /// Scores the forecast points of one issue time against the actual counts of their window. Forecast points of the newest
    /// vintages are also compared for anomalies.
    fn score(
        &mut self,
        (window, day): (Timestamp, Timestamp),
        (points, actuals): (&IssuedPoints, &[Option<Actual>]),
        changed: &BTreeMap<(Timestamp, SeriesKey), ForecastPoint>,
        cases: &mut Vec<WindowCase>,
    ) {
        let lead_minutes = (window.since(points.issued_at).as_secs() / 60) as u32;
        let scores = DayScores::of(&mut self.scores, day, &points.series).entry(lead_minutes);
        let scores = scores.or_insert_with(|| vec![Score::default(); points.series.len()]);
        for (number, target) in points.targets().enumerate() {
            let (Some(target), Some(actual)) = (target, &actuals[number]) else { continue };
            let (series, Actual { count, naive, scale }) = (&points.series[number], actual);
            let score = Score::of(&target, *count, *naive).scaled_by(*scale).in_thousandths();
            scores[number].merge(&score);
            let served = if changed.is_empty() {
                None
            } else {
                changed.get(&(points.issued_at, series.clone()))
            };
            if let Some(served) = served.filter(|served| **served != target) {
                let adjusted = Score::of(served, *count, *naive).scaled_by(*scale).in_thousandths();
                let sums = self.adjusted_scores.entry((day, series.clone())).or_default();
                let sum = sums.entry(lead_minutes).or_default();
                sum.merge(&AdjustedScore { adjusted, model: score });
            }
            if lead_minutes == 0 {
                let target = served.unwrap_or(&target).clone();
                cases.push(WindowCase { series: series.clone(), target, actual: *count });
            }
        }
    }

    /// The actual count of a window, if it is known.
    fn actual(
        &mut self,
        histories: &Histories,
        (series, window, width): (&SeriesKey, Timestamp, WindowWidth),
        zone_of: &impl Fn(&SeriesKey) -> Zone,
    ) -> Option<Actual> {
        let known = |start: Timestamp| {
            let count = histories.count(series, width.index(start));
            (!count.is_nan()).then_some(f64::from(count))
        };
        let count = known(window)?;
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
        Some(Actual { count, naive, scale })
    }

    /// Judges whether the finalized window and the window before it were a surge, for one lead. `all` are the forecast points
    /// of the finalized window.
    fn surges(
        &mut self,
        effects: &mut Effects<'_>,
        histories: &Histories,
        (hours, window, width): (u32, Timestamp, WindowWidth),
        all: &[IssuedPoints],
    ) {
        let first = surge::step(hours, width, width.per(HORIZON));
        let (start, index) = (window - width.length(), width.index(window));
        let issued_at = width.start(index - 1 - first as i64);
        if !self.could_warn.contains(&issued_at) {
            return;
        }
        let of_issue =
            |all: &[IssuedPoints]| all.iter().position(|points| points.issued_at == issued_at);
        let (Some(before), Some(now)) = (of_issue(&self.before), of_issue(all)) else { return };
        // Both are of one issue, so they have the same series in the same order.
        let (before, now) = (&self.before[before], &all[now]);
        let touched = self.touched.get(&issued_at);
        for ((series, first_point), then_point) in
            now.series.iter().zip(before.targets()).zip(now.targets())
        {
            let (Some(first_point), Some(then_point)) = (first_point, then_point) else { continue };
            let Some(history) = histories.by_series().get(series) else { continue };
            let warning = |(at, vintages): (&Timestamp, &BTreeMap<SeriesKey, Vintage>)| {
                let vintage = vintages.get(series).filter(|_| *at <= start)?;
                vintage.warns(width.per(start.since(*at)), width).then_some(*at)
            };
            let first_warning = || self.touched.iter().find_map(warning);
            let surge = match touched.and_then(|vintages| vintages.get(series)) {
                Some(vintage) => {
                    self.judge.surge(vintage, (hours, first), history, |_| first_warning())
                }
                None => {
                    let counts = [index - 1, index].map(|index| f64::from(history.get(index)));
                    let is_above = counts[0] > surge::high(&first_point.quantiles)
                        && counts[1] > surge::high(&then_point.quantiles);
                    let (hit, alarmed) = (false, false);
                    let pair = Pair { series, lead_hours: hours, start, hit, alarmed };
                    is_above.then(|| self.judge.above(&pair, first_warning))
                }
            };
            effects.changes.extend(surge.map(StoreChange::Surge));
        }
    }

    /// Effects for scores and the threshold that were collected over the steps of one transaction.
    pub fn flush(&mut self, effects: &mut Effects<'_>) {
        if std::mem::take(&mut self.threshold_changed) {
            effects.put(StoreChange::Saved(Saved::SurgeThreshold(self.threshold.clone())));
        }
        for ((day, series), by_lead) in std::mem::take(&mut self.adjusted_scores) {
            effects.put(StoreChange::AdjustedScores { series, day, by_lead });
        }
        effects
            .changes
            .extend(std::mem::take(&mut self.scores).into_iter().map(StoreChange::Scores));
    }
}
