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

    /// Takes stored leaves one by one, where windows from `end` on are to come.
    pub fn restoring(&mut self, end: Timestamp) -> Restoring<'_> {
        let first = self.width.index(end) - self.keep as i64;
        Restoring { histories: self, first, sums: BTreeMap::new() }
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
        // Not twice the room at the first window more.
        if history.counts.len() == history.counts.capacity() && history.counts.len() >= self.keep {
            history.counts.reserve_exact(self.keep / 8 + 1);
        }
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

/// Stored counts on their way into [`Histories`]: a roll-up is summed in place, a leaf at a time.
pub struct Restoring<'a> {
    histories: &'a mut Histories,
    /// Index of the first window that is kept.
    first: i64,
    /// By roll-up, from `first` on: [`NOBODY`] where no leaf has a window.
    sums: BTreeMap<SeriesKey, Vec<f32>>,
}

/// The sum of no counts at all.
const NOBODY: f32 = f32::NEG_INFINITY;

impl Restoring<'_> {
    /// Takes the windows of a leaf, in order of time, `None` where the count is missing.
    pub fn leaf(
        &mut self,
        series: &SeriesKey,
        windows: impl Iterator<Item = (Timestamp, Option<u32>)>,
    ) {
        let width = self.histories.width;
        let count = |count: Option<u32>| count.map_or(f32::NAN, |n| n as f32);
        let windows = windows.map(|(start, n)| (width.index(start), count(n)));
        let windows: Vec<(i64, f32)> = windows.filter(|(index, _)| *index >= self.first).collect();
        let Some((oldest, _)) = windows.first() else { return };
        let mut history = History::new(width, *oldest);
        history.counts.reserve_exact(self.histories.keep + self.histories.keep / 8 + 1);
        windows.iter().for_each(|(index, count)| history.set(*index, *count));
        for roll_up in series.roll_ups() {
            let sums = self.sums.entry(roll_up).or_default();
            let len = (history.end() - self.first) as usize;
            if sums.len() < len {
                sums.resize(len, NOBODY);
            }
            for (index, count) in &windows {
                let sum = &mut sums[(index - self.first) as usize];
                *sum = if *sum == NOBODY { *count } else { *sum + count };
            }
        }
        self.histories.by_series.insert(series.clone(), history);
    }

    /// Makes histories of the sums.
    pub fn finish(self) {
        for (series, sums) in self.sums {
            let Some(oldest) = sums.iter().position(|sum| *sum != NOBODY) else { continue };
            let mut history = History::new(self.histories.width, self.first + oldest as i64);
            history.counts.reserve_exact(self.histories.keep + self.histories.keep / 8 + 1);
            let known = sums[oldest..].iter();
            history.counts.extend(known.map(|sum| if *sum == NOBODY { f32::NAN } else { *sum }));
            self.histories.by_series.insert(series, history);
        }
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

    #[test]
    fn histories_that_were_restored_are_those_that_were_pushed() {
        let series = |text: &str| SeriesKey::parse(text).expect("series");
        let width = WindowWidth::QUARTER;
        let windows = [
            vec![("north/tv/phone", Some(3))],
            vec![],
            vec![("north/tv/phone", Some(1)), ("south/tv/chat", Some(4))],
            vec![("north/tv/phone", None), ("south/tv/chat", Some(2))],
            vec![("south/tv/chat", Some(7))],
        ];
        let mut pushed = Histories::new(width);
        let mut leaves: BTreeMap<SeriesKey, Vec<(Timestamp, Option<u32>)>> = BTreeMap::new();
        for (n, window) in windows.into_iter().enumerate() {
            let start = width.start(1_000 + n as i64);
            let window: Vec<_> = window.into_iter().map(|(s, n)| (series(s), n)).collect();
            for (leaf, count) in &window {
                leaves.entry(leaf.clone()).or_default().push((start, *count));
            }
            pushed.push(start, &window);
        }
        let mut restored = Histories::new(width);
        let mut restoring = restored.restoring(width.start(1_005));
        for (leaf, windows) in leaves.into_iter().rev() {
            restoring.leaf(&leaf, windows.into_iter());
        }
        restoring.finish();
        let all = |h: &Histories| -> Vec<String> {
            h.by_series()
                .iter()
                .map(|(key, h)| format!("{key} {} {:?}", h.first, h.counts))
                .collect()
        };
        assert_eq!(all(&restored), all(&pushed));
    }
}
