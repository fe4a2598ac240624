//! What each window usually brings, as it was known a day before; closed hours; counts without outliers.

use super::frame::{Frame, Kind};
use crate::forecast::History;

/// Weeks after which an occurrence counts half, for the slow and the quick profile.
const SLOW_WEEKS: f64 = 8.0;
const QUICK_WEEKS: f64 = 1.0;
/// A count farther from its slot's median than so many deviations is pulled in.
const REACH: f64 = 4.5;
/// Days that a special day's learned factor is shrunk by.
const KIND_PRIOR: f64 = 1.5;

/// One series over a frame: counts and causal profiles. NaN where nothing is known, or closed.
#[derive(Clone, Debug, Default)]
pub(super) struct Season {
    /// Windows before this have counts.
    pub known: usize,
    /// Counts as they came; NaN where missing or closed.
    pub y: Vec<f64>,
    /// The same without outliers.
    pub clean: Vec<f64>,
    /// Nothing ever comes in this window.
    pub closed: Vec<bool>,
    /// Reference profile, and others: quick to forget, smoothed over three hours.
    pub base: Vec<f64>,
    pub quick: Vec<f64>,
    pub wide: Vec<f64>,
    /// Mean open count: what a count is small against.
    pub mean: f64,
    /// Windows of the past that hold a count.
    pub counted: usize,
}

impl Season {
    /// Reads `history` before `known` (a position in the frame) only.
    pub(super) fn new(frame: &Frame, history: &History, known: usize) -> Self {
        let n = frame.len();
        let mut y: Vec<f64> =
            (0..n)
                .map(|t| {
                    if t < known {
                        f64::from(history.get(frame.first + t as i64))
                    } else {
                        f64::NAN
                    }
                })
                .map(|y| y.max(0.0) + 0.0 * y)
                .collect();
        let counted = y.iter().filter(|y| !y.is_nan()).count();
        let slots = by_slot(frame, known);
        let closed = closed(frame, &y, &slots, known);
        for (y, closed) in y.iter_mut().zip(&closed) {
            if *closed {
                *y = f64::NAN;
            }
        }
        let (sum, open) =
            y.iter().filter(|y| !y.is_nan()).fold((0.0, 0.0), |s, y| (s.0 + y, s.1 + 1.0));
        let mean = if open > 0.0 { sum / open } else { 0.0 };
        let clean = clean(&y, &slots);
        let mut season = Self { known, y, clean, closed, mean, counted, ..Self::default() };
        season.profiles(frame);
        season
    }

    /// Runs the exponentially weighted profiles over the frame, a day behind.
    fn profiles(&mut self, frame: &Frame) {
        let (n, day, week) = (frame.len(), frame.day, frame.week());
        let keep = [0.5f64.powf(1.0 / SLOW_WEEKS), 0.5f64.powf(1.0 / QUICK_WEEKS)];
        let mut cells = vec![[(0.0f64, 0.0f64); 2]; week];
        let mut daily = vec![(0.0f64, 0.0f64); day];
        let mut kinds = [(0.0f64, KIND_PRIOR); Kind::COUNT];
        let floor = (0.02 * self.mean).max(1e-3);
        let reach = (day / 16).max(1);
        self.base = vec![f64::NAN; n];
        self.quick = vec![f64::NAN; n];
        self.wide = vec![f64::NAN; n];
        // Sums of the special day that is running.
        let mut running = (i32::MIN, 0.0, 0.0);
        for t in 0..n {
            if t >= day && t - day < self.known {
                let u = t - day;
                let y = self.clean[u];
                if !y.is_nan() {
                    let kind = frame.kind[u];
                    if kind != Kind::Holiday {
                        let slot = usize::from(frame.slot[u]);
                        for (cell, keep) in cells[slot].iter_mut().zip(keep) {
                            *cell = (cell.0 * keep + y, cell.1 * keep + 1.0);
                        }
                        let cell = &mut daily[slot % day];
                        *cell = (cell.0 * 0.9 + y, cell.1 * 0.9 + 1.0);
                    }
                    if kind != Kind::Ordinary {
                        if running.0 != frame.date[u] {
                            running = (frame.date[u], 0.0, 0.0);
                        }
                        let b = self.base[u] / kind_factor(&kinds, kind);
                        if !b.is_nan() {
                            running.1 += y;
                            running.2 += b;
                        }
                        let ends = u + 1 >= n || frame.date[u + 1] != frame.date[u];
                        if ends && running.2 > 0.0 {
                            let ratio =
                                ((running.1 + 1.0) / (running.2 + 1.0)).ln().clamp(-3.0, 1.5);
                            let k = &mut kinds[kind as usize];
                            *k = (k.0 * 0.95 + ratio, (k.1 - KIND_PRIOR) * 0.95 + 1.0 + KIND_PRIOR);
                        }
                    }
                }
            }
            if self.closed[t] {
                continue;
            }
            let slot = usize::from(frame.slot[t]);
            let read = |which: usize, slot: usize, reach: usize| -> Option<f64> {
                let (mut sum, mut weight) = (0.0, 0.0);
                for step in 0..=2 * reach {
                    let cell = cells[(slot + week + step - reach) % week][which];
                    if cell.1 > 0.0 {
                        let share = 1.0 - (step as f64 - reach as f64).abs() / (reach + 1) as f64;
                        sum += share * cell.0 / cell.1;
                        weight += share;
                    }
                }
                (weight > 0.0).then(|| sum / weight)
            };
            let by_day = || {
                let cell = daily[slot % day];
                (cell.1 > 0.0).then(|| cell.0 / cell.1)
            };
            let factor = kind_factor(&kinds, frame.kind[t]);
            let own = |slot: usize| read(0, slot, if day >= 48 { 1 } else { 0 });
            let mut base = own(slot).or_else(by_day);
            if frame.kind[t] == Kind::Holiday {
                // Between the weekday and a Sunday, before the learned factor.
                let sunday = own(6 * day + slot % day);
                base = match (base, sunday) {
                    (Some(a), Some(b)) => Some((a.max(floor) * b.max(floor)).sqrt()),
                    (a, b) => a.or(b),
                };
            }
            let Some(base) = base else { continue };
            self.base[t] = (base * factor).max(floor);
            self.quick[t] = read(1, slot, 0).map_or(self.base[t], |q| (q * factor).max(floor));
            self.wide[t] = read(0, slot, reach).map_or(self.base[t], |q| (q * factor).max(floor));
        }
    }
}

fn kind_factor(kinds: &[(f64, f64); Kind::COUNT], kind: Kind) -> f64 {
    if kind == Kind::Ordinary {
        return 1.0;
    }
    let (sum, n) = kinds[kind as usize];
    (sum / n).exp()
}

/// Positions of each slot of the week among the known windows, in order.
fn by_slot(frame: &Frame, known: usize) -> Vec<Vec<u32>> {
    let mut slots = vec![Vec::new(); frame.week()];
    for t in 0..known.min(frame.len()) {
        slots[usize::from(frame.slot[t])].push(t as u32);
    }
    slots
}

/// Windows in which the centre is closed: their slot was never counted, or always zero, in spite of what
/// the rest of the week brings.
fn closed(frame: &Frame, y: &[f64], slots: &[Vec<u32>], known: usize) -> Vec<bool> {
    let recent = known.saturating_sub(8 * frame.week());
    let mut seen: Vec<(u32, u32, f64)> = vec![(0, 0, 0.0); slots.len()];
    let (mut total, mut count) = (0.0, 0.0);
    for (slot, positions) in slots.iter().enumerate() {
        for t in positions.iter().map(|t| *t as usize).filter(|t| *t >= recent) {
            seen[slot].1 += 1;
            if !y[t].is_nan() {
                seen[slot].0 += 1;
                seen[slot].2 += y[t];
                total += y[t];
                count += 1.0;
            }
        }
    }
    let mean: f64 = if count > 0.0 { total / count } else { 0.0 };
    let reach = frame.day / 48;
    let week = slots.len();
    let shut: Vec<bool> = (0..week)
        .map(|slot| {
            let near = |step: usize| seen[(slot + week + step - reach) % week];
            if seen[slot].1 >= 2 && seen[slot].0 == 0 {
                return true;
            }
            let (n, sum) =
                (0..=2 * reach).fold((0, 0.0), |s, step| (s.0 + near(step).0, s.1 + near(step).2));
            // So many zeros are no accident: an open slot of a fiftieth of the mean would show.
            seen[slot].0 >= 3 && sum == 0.0 && f64::from(n) * mean >= 50.0
        })
        .collect();
    frame.slot.iter().map(|slot| shut[usize::from(*slot)]).collect()
}

/// Counts pulled in to their slot's median by [`REACH`] deviations.
fn clean(y: &[f64], slots: &[Vec<u32>]) -> Vec<f64> {
    let mut clean = y.to_vec();
    let mut values = Vec::new();
    let mut middles = vec![f64::NAN; slots.len()];
    let (mut spread, mut volume) = (0.0, 0.0);
    for (slot, positions) in slots.iter().enumerate() {
        values.clear();
        values.extend(positions.iter().map(|t| y[*t as usize]).filter(|y| !y.is_nan()));
        if values.len() < 3 {
            continue;
        }
        let middle = median(&mut values);
        middles[slot] = middle;
        for value in &mut values {
            *value = (*value - middle).abs();
        }
        spread += median(&mut values);
        volume += middle;
    }
    let relative = if volume > 0.0 { 1.4826 * spread / volume } else { 1.0 };
    for (slot, positions) in slots.iter().enumerate() {
        let middle = middles[slot];
        if middle.is_nan() {
            continue;
        }
        let reach = REACH * (relative * middle).max((middle + 1.0).sqrt());
        for t in positions {
            let value = &mut clean[*t as usize];
            if !value.is_nan() {
                *value = value.clamp((middle - reach).max(0.0), middle + reach);
            }
        }
    }
    clean
}

fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let half = values.len() / 2;
    *values.select_nth_unstable_by(half, f64::total_cmp).1
}
