//! The weekly profile: usual tickets by time of the week, robust against an unusual week.

use super::lookback::Lookback;
use super::types::{Fallback, History};
use crate::stats::outlier_limits;

/// How much history the profile uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    Nothing,
    /// Less than a day: the mean.
    Mean,
    /// Less than a week: the time of day.
    Day,
    /// One week or more, but less than two.
    OneWeek,
    Weeks,
}

impl Depth {
    /// In words, where it is not the full profile.
    pub fn explain(self, windows: usize) -> Option<Fallback> {
        match self {
            Self::Weeks => None,
            Self::OneWeek => Some(Fallback::OneWeek),
            Self::Day => Some(Fallback::Day),
            Self::Mean => Some(Fallback::Mean { windows }),
            Self::Nothing => Some(Fallback::Nothing),
        }
    }
}

/// Weight of the week `age` weeks back: half after four weeks.
fn week_weight(age: usize) -> f64 {
    0.5f64.powf(age as f64 / 4.0)
}

/// Neighbouring slots that smooth a slot, and their weights.
const NEIGHBOURS: [(i64, f64); 5] = [(-2, 0.1), (-1, 0.2), (0, 0.4), (1, 0.2), (2, 0.1)];

/// Expected counts, one a slot of the lookback, and the depth of history used.
pub fn profile(history: &History, lookback: &Lookback) -> (Vec<f64>, Depth) {
    let known = known_windows(history, lookback.origin);
    let day = lookback.per_day;
    let depth = match known {
        0 => Depth::Nothing,
        n if n < day => Depth::Mean,
        n if n < 7 * day => Depth::Day,
        n if n < 14 * day => Depth::OneWeek,
        _ => Depth::Weeks,
    };
    let mean = recent_mean(history, lookback);
    let slots = lookback.weeks.len();
    let expected = (0..slots).map(|slot| {
        let weekly = || robust_mean(history, lookback.origin, &lookback.weeks[slot]);
        let daily = || robust_mean(history, lookback.origin, &lookback.days[slot]);
        let found = match depth {
            Depth::Weeks | Depth::OneWeek => weekly().or_else(daily),
            Depth::Day => daily(),
            Depth::Mean | Depth::Nothing => None,
        };
        found.unwrap_or(mean)
    });
    (expected.collect(), depth)
}

/// Windows before the origin that have a count.
fn known_windows(history: &History, origin: i64) -> usize {
    let end = usize::try_from(origin - history.first).unwrap_or(0).min(history.counts.len());
    // No depth needs more than two weeks.
    let from = end.saturating_sub(2 * 7 * 288);
    history.counts[from..end].iter().filter(|c| !c.is_nan()).count()
}

/// Mean of the last known day.
fn recent_mean(history: &History, lookback: &Lookback) -> f64 {
    let (sum, n) = (lookback.first..lookback.origin)
        .map(|index| f64::from(history.get(index)))
        .filter(|count| !count.is_nan())
        .fold((0.0, 0u32), |(sum, n), count| (sum + count, n + 1));
    if n == 0 { 0.0 } else { sum / f64::from(n) }
}

/// Weighted mean over past occurrences, each smoothed over its neighbours. With four or more occurrences, outliers are
/// clamped to their limits.
fn robust_mean(history: &History, origin: i64, indexes: &[i64]) -> Option<f64> {
    let mut values = [(0.0f64, 0.0f64); 8];
    let mut n = 0;
    for (age, index) in indexes.iter().enumerate() {
        if let Some(value) = smoothed(history, origin, *index) {
            values[n] = (value, week_weight(age));
            n += 1;
        }
    }
    let values = &mut values[..n];
    if n >= 4 {
        let mut counts: Vec<f64> = values.iter().map(|v| v.0).collect();
        if let Some((low, high)) = outlier_limits(&mut counts) {
            values.iter_mut().for_each(|value| value.0 = value.0.clamp(low, high));
        }
    }
    let weight: f64 = values.iter().map(|v| v.1).sum();
    (weight > 0.0).then(|| values.iter().map(|v| v.0 * v.1).sum::<f64>() / weight)
}

fn smoothed(history: &History, origin: i64, index: i64) -> Option<f64> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (step, share) in NEIGHBOURS {
        if index + step >= origin {
            continue;
        }
        let count = f64::from(history.get(index + step));
        if !count.is_nan() {
            sum += share * count;
            weight += share;
        }
    }
    (weight >= 0.4).then(|| sum / weight)
}
