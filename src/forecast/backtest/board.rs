//! The score board of one model. It takes vintages, and returns sums by series, by lead and overall.

use std::collections::{BTreeMap, BTreeSet};

use super::super::lead::{LEADS, bucket};
use super::super::{Past, Vintage};
use super::absolute_errors::AbsoluteErrors;
use super::tally::{Tally, week_before, weekly_scale};
use crate::domain::SeriesKey;

/// Sums of one series, or of all series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// Origins with at least one scored window.
    pub origins: BTreeSet<i64>,
    pub all: Tally,
    /// By lead: up to one hour, up to three hours, longer.
    pub leads: [Tally; LEADS],
    pub errors: AbsoluteErrors,
}

impl Entry {
    fn add(&mut self, origin: i64, lead: usize, tally: &Tally, error: f64) {
        self.origins.insert(origin);
        self.all.merge(tally);
        self.leads[lead].merge(tally);
        self.errors.add(error);
    }
}

/// Scores vintages against the windows of a [`Past`] that reaches beyond the origins.
#[derive(Clone)]
pub struct Board<'a> {
    past: Past<'a>,
    /// Number of windows of the horizon that are scored.
    steps: usize,
    scales: BTreeMap<SeriesKey, Option<f64>>,
    series: BTreeMap<SeriesKey, Entry>,
    overall: Entry,
    unanswered: u32,
}

impl<'a> Board<'a> {
    /// Scores the first `steps` windows of each vintage. The scale of MASE is computed from windows before `first_origin`.
    pub fn new(past: Past<'a>, steps: usize, first_origin: i64) -> Self {
        let scales = past.series.iter().map(|(series, history)| {
            (series.clone(), weekly_scale(history, past.place_of(series).zone, first_origin))
        });
        Self {
            past,
            steps,
            scales: scales.collect(),
            series: past.series.keys().map(|s| (s.clone(), Entry::default())).collect(),
            overall: Entry::default(),
            unanswered: 0,
        }
    }

    /// Scores a model's vintages of `origin`. Forecast points outside the scored horizon are ignored.
    pub fn add(&mut self, origin: i64, vintages: &[Vintage]) {
        let forecast: BTreeSet<&SeriesKey> = vintages.iter().map(|v| &v.series).collect();
        self.unanswered += self.past.series.keys().filter(|s| !forecast.contains(s)).count() as u32;
        for vintage in vintages {
            self.add_vintage(origin, vintage);
        }
    }

    fn add_vintage(&mut self, origin: i64, vintage: &Vintage) {
        let Some(history) = self.past.series.get(&vintage.series) else { return };
        let Some(entry) = self.series.get_mut(&vintage.series) else { return };
        let zone = self.past.place_of(&vintage.series).zone;
        let scale = self.scales.get(&vintage.series).copied().flatten();
        let width = history.width;
        for target in &vintage.targets {
            let index = width.index(target.start);
            let actual = f64::from(history.get(index));
            if actual.is_nan() || !(origin..origin + self.steps as i64).contains(&index) {
                continue;
            }
            let naive = Some(week_before(history, zone, index)).filter(|count| !count.is_nan());
            let tally = Tally::of(target, actual, naive, scale);
            let lead = bucket((index - origin) as u32 * width.secs() / 60);
            let error = actual - target.quantiles[3];
            entry.add(origin, lead, &tally, error);
            self.overall.add(origin, lead, &tally, error);
        }
    }

    /// Sums by series, including series without a scored window.
    pub fn series(&self) -> impl Iterator<Item = (&SeriesKey, &Entry)> {
        self.series.iter()
    }

    /// Sums of all series; MASE is the mean over all windows.
    pub fn overall(&self) -> &Entry {
        &self.overall
    }

    /// Number of missing forecasts, one per series and origin.
    pub fn unanswered(&self) -> u32 {
        self.unanswered
    }
}
