//! Judges finalized windows of series and roll-ups, and keeps the recent windows that the rules need.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, VecDeque};

use super::budget::AnomalyRules;
use super::episodes::Ongoing;
use super::rules::{SERIES_RULES, SeriesCase, SeriesRule, WindowCase, surprise};
use super::run::{Outcome, Run, reach};
use super::types::{Anomaly, AnomalyKind};
use crate::domain::{HOUR, SeriesKey, Timestamp, WindowWidth};

/// The tickets of all leaves in a window, and their forecast.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Total {
    index: i64,
    pub(super) actual: f64,
    pub(super) mean: f64,
}

/// The last windows of each series, and which of them are unusual.
#[derive(Debug, Default)]
pub struct SeriesWatch {
    runs: HashMap<SeriesKey, Run>,
    /// Totals of the last hour, oldest first.
    totals: VecDeque<Total>,
    ongoing: Ongoing,
}

impl SeriesWatch {
    /// Restores the ongoing episodes from the anomalies of the last two hours, after the window that starts at `window`. The
    /// windows themselves are added by [`Self::take`].
    pub fn restore(anomalies: &[Anomaly], window: Timestamp) -> Self {
        Self { ongoing: Ongoing::restore(anomalies, window), ..Self::default() }
    }

    /// Series with an ongoing episode.
    pub fn ongoing(&self) -> &Ongoing {
        &self.ongoing
    }

    /// Adds a finalized window of a series. Windows have to be added in order of time.
    pub fn take(&mut self, case: &WindowCase, width: WindowWidth) {
        let index = width.index(case.target.start);
        let outcome = Outcome::of(case, index, surprise::of(case).is_some());
        match self.runs.get_mut(&case.series) {
            Some(run) => run.push(outcome, reach(width)),
            None => {
                let mut run = Run::default();
                run.push(outcome, reach(width));
                self.runs.insert(case.series.clone(), run);
            }
        }
        if case.series.is_roll_up() {
            return;
        }
        if self.totals.back().is_none_or(|total| total.index != index) {
            self.totals.push_back(Total { index, ..Total::default() });
            while self.totals.len() > width.per(HOUR).max(1) {
                self.totals.pop_front();
            }
        }
        if let Some(total) = self.totals.back_mut() {
            total.actual += outcome.actual();
            total.mean += outcome.mean();
        }
    }

    /// Compares the finalized counts of the window that starts at `window`, of all series and roll-ups, with their forecasts. A
    /// roll-up whose parts explain at least half of its difference is left out. Parts are series that are flagged, and series
    /// with an ongoing episode. `quiet`: since when sources have been silent for longer than usual.
    pub fn judge(
        &mut self,
        window: Timestamp,
        cases: &[WindowCase],
        width: WindowWidth,
        rules: &AnomalyRules,
        quiet: &[Timestamp],
    ) -> Vec<Anomaly> {
        cases.iter().for_each(|case| self.take(case, width));
        let index = width.index(window);
        self.runs.retain(|_, run| run.newest() == Some(index));
        let mut found: Vec<Anomaly> = Vec::new();
        for rule in SERIES_RULES {
            found.extend(self.flagged(rule, cases, width, rules, quiet));
        }
        // One event is flagged once: `Vanished` replaces `Low` and `ShiftDown`.
        let gone = found.iter().filter(|own| own.kind == AnomalyKind::Vanished);
        let gone: BTreeSet<SeriesKey> = gone.map(|own| own.series.clone()).collect();
        let is_repeated = |own: &Anomaly| {
            matches!(own.kind, AnomalyKind::Low | AnomalyKind::ShiftDown)
                && gone.contains(&own.series)
        };
        found.retain(|own| !is_repeated(own));
        self.ongoing.take(window, &found);
        found
    }

    /// The windows that one rule flags.
    fn flagged(
        &self,
        rule: &dyn SeriesRule,
        cases: &[WindowCase],
        width: WindowWidth,
        rules: &AnomalyRules,
        quiet: &[Timestamp],
    ) -> Vec<Anomaly> {
        let mut tests = 0;
        let mut parts: Vec<Part> = Vec::new();
        let mut found: Vec<(Anomaly, Part)> = Vec::new();
        for window in cases {
            let Some(run) = self.runs.get(&window.series) else { continue };
            let case = SeriesCase { window, run, totals: &self.totals, quiet, width };
            tests += rule.tests();
            let part = || Part { series: window.series.clone(), off_by: rule.off_by(&case) };
            if self.ongoing.has(&window.series) {
                let part = part();
                if self.ongoing.covers(&window.series, rule.explained_by(part.off_by > 0.0)) {
                    parts.push(part);
                }
            }
            found.extend(rule.check(&case).map(|anomaly| (anomaly, part())));
        }
        let scores = found.iter().map(|(found, _)| found.score);
        let smallest = rules.smallest((width, rule.weight()), scores, tests);
        found.retain(|(found, _)| found.score >= smallest);
        found.sort_by(|(a, _), (b, _)| {
            let of = |own: &Anomaly| Reverse(own.series.names_given());
            (of(a), &a.series).cmp(&(of(b), &b.series))
        });
        let mut kept: Vec<Anomaly> = Vec::new();
        for (anomaly, part) in found {
            if !part.is_explained(&parts) {
                if parts.iter().all(|known| known.series != part.series) {
                    parts.push(part);
                }
                kept.push(anomaly);
            }
        }
        kept
    }
}

/// A series that may explain the anomaly of its roll-ups.
struct Part {
    series: SeriesKey,
    /// Tickets above the forecast.
    off_by: f64,
}

impl Part {
    /// Whether the parts of a roll-up explain at least half of its difference.
    fn is_explained(&self, parts: &[Self]) -> bool {
        if !self.series.is_roll_up() {
            return false;
        }
        let is_part = |part: &&Self| part.series != self.series && self.series.covers(&part.series);
        let parts = || parts.iter().filter(is_part);
        let leaves: f64 =
            parts().filter(|part| !part.series.is_roll_up()).map(|part| part.off_by).sum();
        let largest = parts()
            .map(|part| part.off_by)
            .fold(leaves, |a, b| if b.abs() > a.abs() { b } else { a });
        // Of the same direction, and large enough.
        largest / self.off_by >= 0.5
    }
}
