//! Baselines: expected tickets of each series without alarms.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{SeriesKey, WindowWidth, Zone};
use crate::forecast::{HORIZON, History, Past};
use crate::stats::outlier_limits;

/// Expected tickets of one series without alarms: past windows and the horizon, one value per window.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// Window index of `expected[0]`.
    pub first: i64,
    /// Tickets per window; NaN if unknown.
    pub expected: Vec<f32>,
    /// Dispersion φ of counts around it: variance `m + φ m²`.
    pub dispersion: f32,
    /// Tickets of an average window of the week, the unit of incident sizes.
    pub average: f32,
}

/// Baselines by series. Series without a baseline get no alarm effects.
pub type Baselines = BTreeMap<SeriesKey, Baseline>;

impl Baseline {
    /// Expected tickets of a window; NaN outside.
    pub fn at(&self, index: i64) -> f64 {
        let slot = usize::try_from(index - self.first).ok();
        slot.and_then(|i| self.expected.get(i)).map_or(f64::NAN, |v| f64::from(*v))
    }
}

/// Returns the counts from which a baseline is learned: a history without the known effects of alarms and work.
pub type Cleaning<'s> = &'s dyn for<'h> Fn(&SeriesKey, &'h History) -> Cow<'h, History>;

/// Leaves actual counts unchanged.
pub fn as_counted<'h>(_: &SeriesKey, history: &'h History) -> Cow<'h, History> {
    Cow::Borrowed(history)
}

/// Length of the history to learn from.
const LEARNED: Duration = Duration::from_secs(8 * 7 * 86_400);
/// Numbers of neighbouring slots of the week, and their weights in smoothing.
const SMOOTH: [(usize, f64); 5] = [(0, 0.1), (1, 0.2), (2, 0.4), (3, 0.2), (4, 0.1)];
/// Weight of the prior level of 1, expected tickets.
const LEVEL_WEIGHT: f64 = 20.0;

/// The first window of the history to learn from, for `origin`.
pub(super) fn learned_from(width: WindowWidth, origin: i64) -> i64 {
    origin - width.per(LEARNED) as i64
}

/// Baselines as a robust weekly profile in local time × a slow level.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    by_series: BTreeMap<SeriesKey, Profile>,
}

/// Weekly profile of one series.
#[derive(Clone, Debug)]
struct Profile {
    /// Tickets by slot of the local week.
    slots: Vec<f32>,
    dispersion: f32,
}

impl Profile {
    fn average(&self) -> f32 {
        self.slots.iter().sum::<f32>() / self.slots.len().max(1) as f32
    }
}

impl Profiles {
    /// Learns from up to eight weeks of windows before `origin`.
    pub fn learn(past: &Past<'_>, origin: i64, cleaned: Cleaning<'_>) -> Self {
        let from = learned_from(past.width, origin);
        let mut zones = Zones::new(past.width, from, origin);
        let leaves = past.series.iter().filter(|(key, _)| !key.is_roll_up());
        let learned = leaves.map(|(key, history)| {
            let slots = zones.slots(past.place_of(key).zone);
            let history = cleaned(key, history);
            let mut profile = Profile { slots: slots.profile(&history, origin), dispersion: 0.0 };
            let expected = slots.expected(&profile, &history, origin);
            profile.dispersion = dispersion(&history, from, &expected);
            (key.clone(), profile)
        });
        Self { by_series: learned.collect() }
    }

    /// Baselines from window `from` to the end of the horizon after `origin`. Only windows before `origin` are read.
    pub fn baselines(
        &self,
        past: &Past<'_>,
        from: i64,
        origin: i64,
        cleaned: Cleaning<'_>,
    ) -> Baselines {
        self.baselines_of(self.by_series.keys(), past, from, origin, cleaned)
    }

    /// Baselines of some series.
    pub fn baselines_of<'k>(
        &self,
        series: impl Iterator<Item = &'k SeriesKey>,
        past: &Past<'_>,
        from: i64,
        origin: i64,
        cleaned: Cleaning<'_>,
    ) -> Baselines {
        let horizon = past.width.per(HORIZON) as i64;
        let mut zones = Zones::new(past.width, from, origin + horizon);
        let known =
            series.filter_map(|key| Some((key, self.by_series.get(key)?, past.series.get(key)?)));
        known
            .map(|(key, profile, history)| {
                let slots = zones.slots(past.place_of(key).zone);
                let expected = slots.expected(profile, &cleaned(key, history), origin);
                let (dispersion, average) = (profile.dispersion, profile.average());
                (key.clone(), Baseline { first: from, expected, dispersion, average })
            })
            .collect()
    }
}

/// Slots of the local week, computed once per zone.
struct Zones {
    width: WindowWidth,
    from: i64,
    to: i64,
    found: BTreeMap<String, Slots>,
}

impl Zones {
    fn new(width: WindowWidth, from: i64, to: i64) -> Self {
        Self { width, from, to, found: BTreeMap::new() }
    }

    fn slots(&mut self, zone: Zone) -> &Slots {
        let (width, from, to) = (self.width, self.from, self.to);
        self.found.entry(zone.to_string()).or_insert_with(|| Slots::new(zone, width, from, to))
    }
}

struct Slots {
    first: i64,
    /// Windows of half a day.
    half_day: usize,
    per_week: usize,
    /// By window from `first` on.
    slot: Vec<u16>,
}

impl Slots {
    fn new(zone: Zone, width: WindowWidth, first: i64, end: i64) -> Self {
        let minutes = width.secs() / 60;
        let per_week = (10_080 / minutes) as usize;
        let slot = |i: i64| (zone.minute_of_week(width.start(i)) / minutes) as u16;
        Self { first, half_day: per_week / 14, per_week, slot: (first..end).map(slot).collect() }
    }

    /// Profile × level by window. The level is that of the day around the window; from the origin on it is that of the last
    /// day.
    fn expected(&self, profile: &Profile, history: &History, origin: i64) -> Vec<f32> {
        let known = usize::try_from(origin - self.first).unwrap_or(0).min(self.slot.len());
        let (mut actual, mut expected) = (vec![0.0; known + 1], vec![0.0; known + 1]);
        for i in 0..known {
            let y = f64::from(history.get(self.first + i as i64));
            let p = f64::from(profile.slots[usize::from(self.slot[i])]);
            // Clamp counts, so that a surge does not raise the level and a closed line does not lower it.
            let reach = 2.5 * (p * (1.0 + 0.05 * p)).sqrt() + 0.5;
            let (y, p) = if y.is_nan() { (0.0, 0.0) } else { (y.clamp(p - reach, p + reach), p) };
            actual[i + 1] = actual[i] + y;
            expected[i + 1] = expected[i] + p;
        }
        let by_window = self.slot.iter().enumerate().map(|(i, slot)| {
            let to = (i + self.half_day).min(known);
            let from = to.saturating_sub(2 * self.half_day);
            let (actual, expected) = (actual[to] - actual[from], expected[to] - expected[from]);
            profile.slots[usize::from(*slot)]
                * ((actual + LEVEL_WEIGHT) / (expected + LEVEL_WEIGHT)).max(0.05) as f32
        });
        by_window.collect()
    }

    /// Tickets by slot of the week: smoothed means over weeks with clamped outliers.
    fn profile(&self, history: &History, origin: i64) -> Vec<f32> {
        let mut values: Vec<Vec<f32>> = vec![Vec::new(); self.per_week];
        let (mut sum, mut n) = (0.0, 0u32);
        for index in self.first.max(history.first)..origin.min(history.end()) {
            let y = history.get(index);
            if !y.is_nan() {
                values[usize::from(self.slot[(index - self.first) as usize])].push(y);
                sum += f64::from(y);
                n += 1;
            }
        }
        let mean = if n == 0 { 0.0 } else { sum / f64::from(n) };
        let raw: Vec<f64> = values.iter_mut().map(|v| clamped_mean(v).unwrap_or(mean)).collect();
        let at = |slot: usize, step: usize| raw[(slot + self.per_week + step - 2) % self.per_week];
        (0..self.per_week)
            .map(|slot| {
                SMOOTH.iter().map(|(step, share)| share * at(slot, *step)).sum::<f64>() as f32
            })
            .collect()
    }
}

/// The mean with outliers clamped to their limits.
fn clamped_mean(values: &mut [f32]) -> Option<f64> {
    let (low, high) = outlier_limits(values)?;
    let sum: f64 = values.iter().map(|v| f64::from(*v).clamp(low, high)).sum();
    Some(sum / values.len() as f64)
}

/// The dispersion φ of `variance = m + φ m²`, by the method of moments. Terms are limited, so that outages have little weight.
fn dispersion(history: &History, first: i64, expected: &[f32]) -> f32 {
    let (mut excess, mut weight) = (0.0, 0.0);
    for (i, m) in expected.iter().enumerate() {
        let (m, y) = (f64::from(*m), f64::from(history.get(first + i as i64)));
        if m > 0.1 && !y.is_nan() {
            let term = (((y - m).powi(2) - m) / (m * m)).clamp(-2.0, 2.0);
            let w = m / (m + 10.0);
            excess += w * term;
            weight += w;
        }
    }
    if weight <= 0.0 { 0.03 } else { (excess / weight).clamp(0.005, 0.2) as f32 }
}
