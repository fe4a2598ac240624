//! Profiles: the usual count of each window, as it is known a day before the window.

use super::frame::{Frame, Kind};
use super::limits::Limits;
use super::smooth::{Sliding, triangle};
use crate::forecast::History;

/// Half-lives of the slow and the quick profile, weeks.
const HALF_WEEKS: [f64; 2] = [8.0, 1.0];
/// Daily decay of the profile by time of day.
const KEEP_DAY: f64 = 0.9;
/// Prior weight of a factor of 1 for special days, days.
const KIND_PRIOR: f64 = 1.5;

/// One series over a frame: counts before `known`, and profiles that use only data from at least a day before each window. NaN
/// means unknown or closed.
#[derive(Clone, Debug)]
pub(super) struct Season {
    /// Position of the first unknown window.
    pub known: usize,
    /// Actual counts, and counts without outliers.
    pub y: Vec<f32>,
    pub clean: Vec<f32>,
    /// The reference profile, a profile with a short half-life, and a profile that is smoothed over hours.
    pub base: Vec<f32>,
    pub quick: Vec<f32>,
    pub wide: Vec<f32>,
}

/// Counts of a history before position `known` of a frame.
pub(super) fn counts(frame: &Frame, history: &History, known: usize) -> Vec<f32> {
    let count = |t: usize| history.get(frame.first + t as i64);
    // Counts are not negative; NaN stays NaN.
    (0..known).map(count).map(|y| if y < 0.0 { 0.0 } else { y }).collect()
}

impl Season {
    /// Learns from the counts before `y.len()`. The reference profile starts at position `from`, the other profiles at
    /// `others`.
    pub(super) fn new(
        frame: &Frame,
        mut y: Vec<f32>,
        limits: &Limits,
        from: usize,
        others: usize,
    ) -> Self {
        let (n, known) = (frame.len(), y.len());
        for (y, slot) in y.iter_mut().zip(&frame.slot) {
            if limits.is_closed(*slot) {
                *y = f32::NAN;
            }
        }
        let clean = y.iter().zip(&frame.slot).map(|(y, slot)| limits.clean(*slot, *y)).collect();
        let none = vec![f32::NAN; n];
        let mut season =
            Self { known, y, clean, base: none.clone(), quick: none.clone(), wide: none };
        season.run(frame, limits, from, others);
        season
    }

    fn run(&mut self, frame: &Frame, limits: &Limits, from: usize, others: usize) {
        let day = frame.day;
        let mut slots = Slots::new(frame, limits);
        let mut special = Special::default();
        for t in 0..frame.len() {
            if t >= day && t - day < self.known && !self.clean[t - day].is_nan() {
                let u = t - day;
                let y = f64::from(self.clean[u]);
                if frame.kind[u] != Kind::Holiday {
                    slots.learn(frame.slot[u], frame.time_of_day[u], y);
                }
                special.learn(frame, u, y, f64::from(self.base[u]));
            }
            let kind = frame.kind[t];
            if limits.is_closed(frame.slot[t]) || (t < from && kind == Kind::Ordinary) {
                continue;
            }
            let slot = frame.slot[t];
            let Some(base) = slots.reference(slot, frame.time_of_day[t], kind) else { continue };
            let factor = special.factor(kind);
            let floor = slots.floor;
            let floored = |value: f64| (value * factor).max(floor) as f32;
            self.base[t] = floored(base);
            if t >= others {
                let [quick, wide] = slots.others(slot, base);
                (self.quick[t], self.wide[t]) = (floored(quick), floored(wide));
            }
        }
    }
}

/// Exponentially weighted sums and weights by slot of the week and by time of day.
struct Slots {
    weekly: Vec<[(f64, f64); 2]>,
    /// Means of the slow profile, NaN if unknown; empty until first used.
    means: Vec<f64>,
    daily: Vec<(f64, f64)>,
    keep: [f64; 2],
    /// Smoothing of the reference profile and of the wide profile.
    narrow: Sliding,
    broad: Sliding,
    /// Number of slots on either side for smoothing the reference profile.
    reach: usize,
    /// Lower limit of profiles, tickets.
    floor: f64,
}

impl Slots {
    fn new(frame: &Frame, limits: &Limits) -> Self {
        Self {
            weekly: vec![[(0.0, 0.0); 2]; frame.week()],
            means: Vec::new(),
            daily: vec![(0.0, 0.0); frame.day],
            keep: HALF_WEEKS.map(|weeks| 0.5f64.powf(1.0 / weeks)),
            narrow: Sliding::new(limits.reach),
            broad: Sliding::new((frame.day / 16).max(1)),
            reach: limits.reach,
            floor: (0.02 * limits.mean).max(1e-3),
        }
    }

    fn learn(&mut self, slot: u16, time_of_day: u16, y: f64) {
        let slot = usize::from(slot);
        for (sum, keep) in self.weekly[slot].iter_mut().zip(self.keep) {
            *sum = (sum.0 * keep + y, sum.1 * keep + 1.0);
        }
        let n = self.means.len();
        if let Some(mean) = self.means.get_mut(slot) {
            *mean = quotient(self.weekly[slot][0]);
            self.narrow.changed(slot, n);
            self.broad.changed(slot, n);
        }
        let sum = &mut self.daily[usize::from(time_of_day)];
        *sum = (sum.0 * KEEP_DAY + y, sum.1 * KEEP_DAY + 1.0);
    }

    /// The reference profile of a slot.
    fn reference(&mut self, slot: u16, time_of_day: u16, kind: Kind) -> Option<f64> {
        let (slot, time_of_day) = (usize::from(slot), usize::from(time_of_day));
        if self.means.is_empty() {
            self.means = self.weekly.iter().map(|[slow, _]| quotient(*slow)).collect();
        }
        let (means, by_day) = (&self.means, self.daily[time_of_day]);
        let by_week = self.narrow.mean(means, slot);
        let mut base = by_week.or_else(|| (by_day.1 > 0.0).then(|| by_day.0 / by_day.1))?;
        let around = |slot: usize| {
            let near = (0..=2 * self.reach).map(|step| slot + means.len() + step - self.reach);
            triangle(near.map(|slot| means[slot % means.len()]), self.reach)
        };
        if kind == Kind::Holiday
            && let Some(sunday) = around(6 * self.daily.len() + time_of_day)
        {
            // Prior of holidays: the geometric mean of weekday and Sunday.
            base = (base.max(self.floor) * sunday.max(self.floor)).sqrt();
        }
        Some(base)
    }

    /// The quick and the wide profile of a slot.
    fn others(&mut self, slot: u16, base: f64) -> [f64; 2] {
        let slot = usize::from(slot);
        let quick = quotient(self.weekly[slot][1]);
        let wide = self.broad.mean(&self.means, slot).unwrap_or(base);
        [if quick.is_nan() { base } else { quick }, wide]
    }
}

/// The mean from sum and weight; NaN if unknown.
fn quotient((sum, weight): (f64, f64)) -> f64 {
    sum / weight
}

/// Factors of special days, learned after each day.
#[derive(Default)]
struct Special {
    /// By kind: weighted sum of logarithms of ratios, and the sum of weights.
    seen: [(f64, f64); Kind::COUNT],
    running: Option<Running>,
}

/// An unfinished special day: actual tickets, and expected tickets without its factor.
struct Running {
    date: i32,
    kind: Kind,
    actual: f64,
    expected: f64,
}

impl Special {
    fn factor(&self, kind: Kind) -> f64 {
        if kind == Kind::Ordinary {
            return 1.0;
        }
        let (sum, n) = self.seen[kind as usize];
        (sum / (n + KIND_PRIOR)).exp()
    }

    fn learn(&mut self, frame: &Frame, u: usize, y: f64, base: f64) {
        let (date, kind) = (frame.date[u], frame.kind[u]);
        if let Some(over) = self.running.take_if(|running| running.date != date) {
            let ratio = ((over.actual + 1.0) / (over.expected + 1.0)).ln().clamp(-3.0, 1.5);
            let (sum, n) = self.seen[over.kind as usize];
            self.seen[over.kind as usize] = (0.95 * sum + ratio, 0.95 * n + 1.0);
        }
        if kind == Kind::Ordinary || base.is_nan() {
            return;
        }
        let expected = base / self.factor(kind);
        let running =
            self.running.get_or_insert(Running { date, kind, actual: 0.0, expected: 0.0 });
        running.actual += y;
        running.expected += expected;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Timestamp, WindowWidth};
    use crate::forecast::{Calendar, DayKind, Place};

    #[test]
    fn the_profile_does_not_depend_on_where_it_starts() {
        let mut calendar = Calendar::default();
        for (date, kind) in [
            ("2026-03-17", DayKind::Holiday),
            ("2026-04-06", DayKind::Holiday),
            // A Saturday that uses the slots of Friday, which it follows.
            ("2026-04-11", DayKind::WorkingDay),
        ] {
            calendar.add(date.parse().expect("a date"), kind);
        }
        let zone = "Europe/London".parse().expect("a zone");
        let place = Place { zone, calendar: Arc::new(calendar) };
        let width = WindowWidth::QUARTER;
        let first = width.index(Timestamp::parse("2026-02-23T00:00:00Z").expect("a time"));
        let frame = Frame::new(&place, width, first, 8 * width.per_week());
        let known = frame.len() - 24;
        let count = |t: usize| {
            let hour = f64::from(frame.time_of_day[t]) / 4.0;
            let level = 1.0 + 0.05 * (frame.date[t] % 7) as f64;
            let noise = (t * 7919 % 61) as f64 / 4.0;
            (30.0 * level * (1.2 - ((hour - 12.0) / 12.0).powi(2)) + noise) as f32
        };
        let y: Vec<f32> = (0..known).map(count).collect();
        let limits = Limits::new(&frame, &y);
        assert!(limits.reach > 0);
        let whole = Season::new(&frame, y.clone(), &limits, 0, 0);
        // The first slots of each day, among them those after the special days.
        for from in (0..known).filter(|t| frame.time_of_day[*t] == 0) {
            let season = Season::new(&frame, y.clone(), &limits, from, known);
            for t in from.max(frame.week() + frame.day)..frame.len() {
                let (base, right) = (season.base[t], whole.base[t]);
                assert!((base - right).abs() < 1e-3, "from {from}, at {t}: {base} for {right}");
            }
        }
    }
}
