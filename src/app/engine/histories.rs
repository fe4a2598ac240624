//! The counts that forecasts are made from: every leaf series and its roll-ups, in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{SeriesKey, Timestamp, WindowWidth};
use crate::forecast::History;

/// Histories by series. A roll-up is the sum of its leaves, kept as they are.
#[derive(Debug)]
pub struct Histories {
    width: WindowWidth,
    keep: usize,
    by_series: BTreeMap<SeriesKey, History>,
}

impl Histories {
    /// Nine weeks: eight for the profile and one for the comparison with last week.
    pub const REACH: Duration = Duration::from_secs(9 * 7 * 86_400);

    pub fn new(width: WindowWidth) -> Self {
        let keep = width.per(Self::REACH);
        Self { width, keep, by_series: BTreeMap::new() }
    }

    /// Adds one window of every known leaf, `None` where it is missing, and sums it up.
    pub fn push(&mut self, window: Timestamp, leaves: &[(SeriesKey, Option<u32>)]) {
        let index = self.width.index(window);
        let mut sums: BTreeMap<SeriesKey, f32> = BTreeMap::new();
        for (series, count) in leaves {
            // A roll-up with a part missing is missing: a sum of some is not the sum.
            let count = count.map_or(f32::NAN, |n| n as f32);
            for roll_up in series.roll_ups() {
                *sums.entry(roll_up).or_insert(0.0) += count;
            }
            self.set(series.clone(), index, count);
        }
        for (series, sum) in sums {
            self.set(series, index, sum);
        }
    }

    /// Changes one leaf's window after it had settled, and its roll-ups by the difference.
    pub fn revise(&mut self, series: &SeriesKey, window: Timestamp, count: u32) {
        let index = self.width.index(window);
        let before = self.by_series.get(series).map_or(f32::NAN, |h| h.get(index));
        let before = if before.is_nan() { 0.0 } else { before };
        self.set(series.clone(), index, count as f32);
        for roll_up in series.roll_ups() {
            let known = self.by_series.get(&roll_up).map_or(f32::NAN, |h| h.get(index));
            let known = if known.is_nan() { 0.0 } else { known };
            self.set(roll_up, index, known - before + count as f32);
        }
    }

    fn set(&mut self, series: SeriesKey, index: i64, count: f32) {
        let history =
            self.by_series.entry(series).or_insert_with(|| History::new(self.width, index));
        history.set(index, count);
        // Cut seldom: a cut moves everything.
        if history.counts.len() > self.keep + self.keep / 8 {
            history.trim(self.keep);
        }
    }

    pub fn get(&self, series: &SeriesKey) -> Option<&History> {
        self.by_series.get(series)
    }

    /// Every series, leaves and roll-ups, in order.
    pub fn by_series(&self) -> &BTreeMap<SeriesKey, History> {
        &self.by_series
    }

    pub fn len(&self) -> usize {
        self.by_series.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roll_ups_are_the_sum_of_their_leaves_after_a_revision_too() {
        let series = |text: &str| SeriesKey::parse(text).expect("series");
        let width = WindowWidth::QUARTER;
        let mut histories = Histories::new(width);
        let (a, b) = (series("north/tv/phone"), series("south/tv/phone"));
        let at = |n| width.start(n);
        histories.push(at(0), &[(a.clone(), Some(3)), (b.clone(), Some(4))]);
        histories.push(at(1), &[(a.clone(), Some(1)), (b.clone(), None)]);
        let all = series("_all/tv/_all");
        let get = |h: &Histories, n| h.get(&all).expect("roll-up").get(n);
        assert_eq!(get(&histories, 0), 7.0);
        assert!(get(&histories, 1).is_nan());
        histories.revise(&a, at(0), 5);
        assert_eq!(get(&histories, 0), 9.0);
        assert_eq!(histories.len(), 2 + 10);
    }
}
