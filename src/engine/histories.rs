//! The counts from which forecasts are made: every leaf series and its roll-ups, in memory.
//!
//! In windows that planners adjusted, the histories contain counts without the adjustment ([`unadjusted`]). So models do not
//! learn that a special event is usual, and do not mistake it for today's level. The actual counts of these windows are kept
//! separately.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{SeriesKey, Timestamp, WindowWidth};
use crate::forecast::{Adjustment, History, unadjusted};

/// Histories by series. A roll-up is the sum of its leaves.
#[derive(Debug)]
pub struct Histories {
    width: WindowWidth,
    keep: usize,
    by_series: BTreeMap<SeriesKey, History>,
    adjustments: Vec<Adjustment>,
    /// Actual counts by window index, where they differ from the history.
    actual: BTreeMap<SeriesKey, BTreeMap<i64, f32>>,
}

impl Histories {
    /// Nine weeks: eight for the profile and one for the comparison with last week.
    pub const REACH: Duration = Duration::from_secs(9 * 7 * 86_400);

    /// Histories without any window.
    pub fn new(width: WindowWidth) -> Self {
        let keep = width.per(Self::REACH);
        let (by_series, actual) = (BTreeMap::new(), BTreeMap::new());
        Self { width, keep, by_series, adjustments: Vec::new(), actual }
    }

    /// Replaces all adjustments, and recomputes the windows whose adjustments changed.
    pub fn adjust(&mut self, adjustments: Vec<Adjustment>) {
        let before = std::mem::replace(&mut self.adjustments, adjustments);
        let changed = |a: &&Adjustment| !before.contains(a) || !self.adjustments.contains(a);
        let changed = before.iter().chain(&self.adjustments).filter(changed);
        let spans = changed.map(|a| (self.width.index(a.starts_at), self.width.index(a.ends_at)));
        let spans: Vec<(i64, i64)> = spans.collect();
        let leaves: Vec<SeriesKey> =
            self.by_series.keys().filter(|key| !key.is_roll_up()).cloned().collect();
        let known = self.by_series.values();
        let first = known.clone().map(|history| history.first).min().unwrap_or_default();
        let end = known.map(History::end).max().unwrap_or_default();
        for index in first..end {
            if spans.iter().any(|(from, to)| (*from..=*to).contains(&index)) {
                let counts = leaves.iter().filter(|leaf| self.by_series[*leaf].first <= index);
                let counts = counts.map(|leaf| (leaf.clone(), self.count(leaf, index)));
                let counts: Vec<(SeriesKey, f32)> = counts.collect();
                self.put(index, &counts);
            }
        }
    }

    /// Planners' adjustments.
    pub fn adjustments(&self) -> &[Adjustment] {
        &self.adjustments
    }

    /// The actual count of a window; NaN if it is missing or outside the history.
    pub fn count(&self, series: &SeriesKey, index: i64) -> f32 {
        let actual = self.actual.get(series).and_then(|counts| counts.get(&index));
        actual.copied().unwrap_or_else(|| {
            self.by_series.get(series).map_or(f32::NAN, |history| history.get(index))
        })
    }

    /// Adds one window of every known leaf, `None` if it is missing, and its roll-ups.
    pub fn push(&mut self, window: Timestamp, leaves: &[(SeriesKey, Option<u32>)]) {
        let counts = leaves
            .iter()
            .map(|(series, count)| (series.clone(), count.map_or(f32::NAN, |count| count as f32)));
        let counts: Vec<(SeriesKey, f32)> = counts.collect();
        self.put(self.width.index(window), &counts);
    }

    /// Drops the windows from this one on, and series that have no others.
    pub fn truncate(&mut self, window: Timestamp) {
        let index = self.width.index(window);
        self.by_series.retain(|_, history| {
            let kept = usize::try_from(index - history.first).unwrap_or(0);
            history.counts.truncate(kept);
            kept > 0
        });
        self.actual.retain(|_, counts| {
            counts.retain(|at, _| *at < index);
            !counts.is_empty()
        });
    }

    /// Takes stored leaves one by one. Stored windows end at `end`.
    pub fn restoring(&mut self, end: Timestamp) -> Restoring<'_> {
        let first = self.width.index(end) - self.keep as i64;
        Restoring { histories: self, first, sums: BTreeMap::new() }
    }

    /// Revises a finalized window of one leaf, and its roll-ups by the difference.
    pub fn revise(&mut self, series: &SeriesKey, window: Timestamp, count: u32) {
        let index = self.width.index(window);
        let or_zero = |count: f32| if count.is_nan() { 0.0 } else { count };
        let learned = |this: &Self, key: &SeriesKey| {
            this.by_series.get(key).map_or(f32::NAN, |history| history.get(index))
        };
        let before = (or_zero(learned(self, series)), or_zero(self.count(series, index)));
        let count = count as f32;
        let usual = self.usual(series, index, count);
        for roll_up in series.roll_ups() {
            let (sum, known) = (learned(self, &roll_up), self.count(&roll_up, index));
            // The usual count of a roll-up stays unknown if one of its leaves' is unknown.
            let is_masked = sum.is_nan() && !known.is_nan();
            let sum = if is_masked { sum } else { or_zero(sum) - before.0 + usual };
            self.set(roll_up, index, sum, or_zero(known) - before.1 + count);
        }
        self.set(series.clone(), index, usual, count);
    }

    /// Sets one window of leaves, NaN if it is missing, and its roll-ups.
    fn put(&mut self, index: i64, leaves: &[(SeriesKey, f32)]) {
        let mut sums: BTreeMap<SeriesKey, (f32, f32)> = BTreeMap::new();
        for (series, count) in leaves {
            let usual = self.usual(series, index, *count);
            // A roll-up is missing if one of its leaves is missing.
            for roll_up in series.roll_ups() {
                let sum = sums.entry(roll_up).or_insert((0.0, 0.0));
                *sum = (sum.0 + usual, sum.1 + count);
            }
            self.set(series.clone(), index, usual, *count);
        }
        for (series, (usual, count)) in sums {
            self.set(series, index, usual, count);
        }
    }

    /// The usual count of a leaf's window: its count without the effect of adjustments. NaN if it cannot be computed.
    pub fn usual(&self, leaf: &SeriesKey, index: i64, count: f32) -> f32 {
        if self.adjustments.is_empty() {
            return count;
        }
        unadjusted(&self.adjustments, leaf, self.width.start(index), self.width, count)
    }

    fn set(&mut self, series: SeriesKey, index: i64, usual: f32, count: f32) {
        let differs = usual.to_bits() != count.to_bits() && !count.is_nan();
        if differs {
            self.actual.entry(series.clone()).or_default().insert(index, count);
        } else if let Some(counts) = self.actual.get_mut(&series) {
            counts.remove(&index);
        }
        if !self.by_series.contains_key(&series) {
            self.by_series.insert(series.clone(), History::new(self.width, index));
        }
        let Some(history) = self.by_series.get_mut(&series) else { return };
        make_room(history, self.keep);
        history.set(index, usual);
        // Trim seldom: it moves all counts.
        if history.counts.len() > self.keep + slack(self.keep) {
            history.trim(self.keep);
            if let Some(counts) = self.actual.get_mut(&series) {
                *counts = counts.split_off(&history.first);
            }
        }
    }

    /// Usual counts of every series, leaves and roll-ups: what models learn from.
    pub fn by_series(&self) -> &BTreeMap<SeriesKey, History> {
        &self.by_series
    }

    /// Number of known series, roll-ups included.
    pub fn len(&self) -> usize {
        self.by_series.len()
    }
}

/// How many windows more than `keep` a history may have before it is trimmed. Trimming moves all counts, so it is done seldom.
/// With windows of 15 minutes a history then has just less than 24 KiB, a size class of the allocator.
fn slack(keep: usize) -> usize {
    keep / 64
}

/// Capacity for a history of this length with a little room to grow. The default growth of a vector doubles its memory, and
/// there may be many short histories.
fn capacity(len: usize, keep: usize) -> usize {
    let slack = slack(keep);
    (len + len / 8 + slack).min(keep + slack + 1).max(len + 1)
}

fn make_room(history: &mut History, keep: usize) {
    let len = history.counts.len();
    if len == history.counts.capacity() {
        history.counts.reserve_exact(capacity(len, keep) - len);
    }
}

/// Restores [`Histories`] from stored counts, one leaf at a time. Roll-ups are summed in place.
pub struct Restoring<'a> {
    histories: &'a mut Histories,
    /// Index of the first window that is kept.
    first: i64,
    /// Sums of roll-ups from `first` on; [`NO_LEAF`] if no leaf has that window.
    sums: BTreeMap<SeriesKey, Vec<f32>>,
}

/// Marks a window of a roll-up that no leaf has.
const NO_LEAF: f32 = f32::NEG_INFINITY;

impl Restoring<'_> {
    /// Takes the windows of a leaf, in order of time; `None` if the count is missing.
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
        history.counts.reserve_exact(capacity(windows.len(), self.histories.keep));
        windows.iter().for_each(|(index, count)| history.set(*index, *count));
        for roll_up in series.roll_ups() {
            let sums = self.sums.entry(roll_up).or_default();
            let len = (history.end() - self.first) as usize;
            if sums.len() < len {
                sums.resize(len, NO_LEAF);
            }
            for (index, count) in &windows {
                let sum = &mut sums[(index - self.first) as usize];
                *sum = if *sum == NO_LEAF { *count } else { *sum + count };
            }
        }
        self.histories.by_series.insert(series.clone(), history);
    }

    /// Makes histories from the sums, and applies the adjustments.
    pub fn finish(self) {
        for (series, sums) in self.sums {
            let Some(oldest) = sums.iter().position(|sum| *sum != NO_LEAF) else { continue };
            let mut history = History::new(self.histories.width, self.first + oldest as i64);
            let windows = sums.len() - oldest;
            history.counts.reserve_exact(capacity(windows, self.histories.keep));
            let known = sums[oldest..].iter();
            history.counts.extend(known.map(|sum| if *sum == NO_LEAF { f32::NAN } else { *sum }));
            self.histories.by_series.insert(series, history);
        }
        let adjustments = std::mem::take(&mut self.histories.adjustments);
        self.histories.adjust(adjustments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::{AdjustmentAmount, AdjustmentKind};

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
        let get = |h: &Histories, n| h.by_series()[&all].get(n);
        assert_eq!(get(&histories, 0), 7.0);
        assert!(get(&histories, 1).is_nan());
        histories.revise(&a, at(0), 5);
        assert_eq!(get(&histories, 0), 9.0);
        assert_eq!(histories.len(), 2 + 10);
    }

    #[test]
    fn adjusted_windows_are_learned_without_the_adjustment_and_counted_with_it() {
        let series = |text: &str| SeriesKey::parse(text).expect("series");
        let width = WindowWidth::QUARTER;
        let (a, b) = (series("north/tv/phone"), series("south/tv/phone"));
        let all = series("_all/_all/_all");
        let entry = |id: &str, amount| Adjustment {
            id: id.into(),
            label: "billing run".into(),
            kind: AdjustmentKind::Billing,
            region: Some(a.region.clone()),
            service: None,
            channel: None,
            starts_at: width.start(1),
            ends_at: width.start(2),
            amount,
            by: "Li".into(),
            note: None,
            entered_at: width.start(0),
        };
        let mut late = Histories::new(width);
        let mut early = Histories::new(width);
        early.adjust(vec![entry("x", AdjustmentAmount::Factor(2.0))]);
        for histories in [&mut late, &mut early] {
            for n in 0..3 {
                let counts = [(a.clone(), Some(10)), (b.clone(), Some(4))];
                histories.push(width.start(n), &counts);
            }
        }
        late.adjust(vec![entry("x", AdjustmentAmount::Factor(2.0))]);
        let learned = |h: &Histories, key: &SeriesKey| h.by_series()[key].counts.clone();
        for histories in [&late, &early] {
            assert_eq!(learned(histories, &a), [10.0, 5.0, 10.0]);
            assert_eq!(learned(histories, &all), [14.0, 9.0, 14.0]);
            assert_eq!((histories.count(&a, 1), histories.count(&all, 1)), (10.0, 14.0));
        }
        late.revise(&a, width.start(1), 14);
        assert_eq!((learned(&late, &a)[1], late.count(&a, 1)), (7.0, 14.0));
        assert_eq!((learned(&late, &all)[1], late.count(&all, 1)), (11.0, 18.0));
        late.adjust(vec![entry("x", AdjustmentAmount::TicketsPerWindow(20.0))]);
        assert!(learned(&late, &a)[1].is_nan() && learned(&late, &all)[1].is_nan());
        assert_eq!((late.count(&a, 1), late.count(&all, 1)), (14.0, 18.0));
        late.adjust(vec![]);
        assert_eq!(learned(&late, &a), [10.0, 14.0, 10.0]);
        assert_eq!(learned(&late, &all), [14.0, 18.0, 14.0]);
    }

    #[test]
    fn restored_histories_equal_pushed_ones() {
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
