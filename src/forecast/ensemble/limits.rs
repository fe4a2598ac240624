//! Limits by slot of the week: closed hours, and the range of counts that are not outliers.

use super::frame::Frame;
use super::smooth;
use crate::stats::{MAD_TO_SD, upper_median};

/// Deviations from a slot's median beyond which a count is clamped.
const REACH: f64 = 4.5;
/// Silent hours are closed if this many tickets would be expected in them at the rate of the adjacent hours, and they had at
/// most this share. In a quiet but open night, the rate falls gradually; in a closed one it falls abruptly.
const SILENCE: f64 = 50.0;
const STRAY: f64 = 0.02;
/// Minimum number of weeks with counts for a slot to be closed, and the same for a slot with a stray ticket.
const COUNTED_MIN: u32 = 3;
const COUNTED_STRAY_MIN: u32 = 6;
/// Number of weeks used to find closed hours.
const WEEKS: usize = 8;

/// Limits by slot of the week.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// Range to which counts are clamped; NaN with too few known counts, a negative upper limit if closed.
    range: Vec<(f32, f32)>,
    /// Mean count of an open window.
    pub mean: f64,
    /// Number of slots on either side for smoothing profiles.
    pub reach: usize,
}

impl Limits {
    /// Computes limits from counts by position in the frame, NaN where missing.
    pub(super) fn new(frame: &Frame, y: &[f32]) -> Self {
        let slots = Slots::new(frame, y.len());
        let closed = closed(frame, y, &slots);
        let open = |t: &usize| !y[*t].is_nan() && !closed[usize::from(frame.slot[*t])];
        let (sum, n) = (0..y.len())
            .filter(open)
            .fold((0.0, 0.0), |(sum, n), t| (sum + f64::from(y[t]), n + 1.0));
        let mean = sum / f64::max(n, 1.0);
        let mut limits = Self { range: ranges(y, &slots), mean, reach: 0 };
        for (range, closed) in limits.range.iter_mut().zip(&closed) {
            if *closed {
                *range = (0.0, -1.0);
            }
        }
        limits.reach = smooth::reach(frame, &limits.cleaned(frame, y));
        limits
    }

    /// Whether a slot is closed.
    pub(super) fn is_closed(&self, slot: u16) -> bool {
        self.range[usize::from(slot)].1 < 0.0
    }

    /// The count of an open slot, clamped to the range.
    pub(super) fn clean(&self, slot: u16, y: f32) -> f32 {
        let (low, high) = self.range[usize::from(slot)];
        if low.is_nan() || y.is_nan() { y } else { y.clamp(low, high) }
    }

    /// Counts without outliers; NaN where closed.
    fn cleaned(&self, frame: &Frame, y: &[f32]) -> Vec<f32> {
        let clean = |(y, slot): (&f32, &u16)| match self.is_closed(*slot) {
            true => f32::NAN,
            false => self.clean(*slot, *y),
        };
        y.iter().zip(&frame.slot).map(clean).collect()
    }
}

/// Positions of the windows of each slot.
struct Slots {
    starts: Vec<u32>,
    positions: Vec<u32>,
}

impl Slots {
    fn new(frame: &Frame, known: usize) -> Self {
        let mut starts = vec![0u32; frame.week() + 1];
        for slot in &frame.slot[..known] {
            starts[usize::from(*slot) + 1] += 1;
        }
        for slot in 0..frame.week() {
            starts[slot + 1] += starts[slot];
        }
        let mut next = starts.clone();
        let mut positions = vec![0u32; known];
        for (t, slot) in frame.slot[..known].iter().enumerate() {
            let at = &mut next[usize::from(*slot)];
            positions[*at as usize] = t as u32;
            *at += 1;
        }
        Self { starts, positions }
    }

    fn of(&self, slot: usize) -> impl Iterator<Item = usize> + '_ {
        let range = self.starts[slot] as usize..self.starts[slot + 1] as usize;
        self.positions[range].iter().map(|t| *t as usize)
    }
}

/// Counts of a slot over the weeks.
#[derive(Clone, Copy, Default)]
struct Seen {
    windows: u32,
    counted: u32,
    tickets: f64,
    most: f64,
}

impl Seen {
    /// Whether there were tickets in at most one week.
    fn is_silent(self) -> bool {
        self.tickets <= self.most
    }

    /// Tickets per window without the busiest week, which may include an outage.
    fn rate(self) -> f64 {
        (self.tickets - self.most) / f64::from(self.counted.saturating_sub(1).max(1))
    }
}

/// Finds closed slots: slots without any counts while other slots have some, and slots that are always zero although the
/// adjacent hours are busy.
fn closed(frame: &Frame, y: &[f32], slots: &Slots) -> Vec<bool> {
    let (week, reach) = (frame.week(), frame.day / 12);
    let recent = y.len().saturating_sub(WEEKS * week);
    let mut seen = vec![Seen::default(); week];
    for (slot, seen) in seen.iter_mut().enumerate() {
        for t in slots.of(slot).filter(|t| *t >= recent) {
            seen.windows += 1;
            if !y[t].is_nan() {
                seen.counted += 1;
                seen.tickets += f64::from(y[t]);
                seen.most = seen.most.max(f64::from(y[t]));
            }
        }
    }
    let any = seen.iter().any(|s| s.counted > 0);
    let unseen: Vec<bool> = seen.iter().map(|s| s.windows >= 2 && s.counted == 0 && any).collect();
    let mut closed = long_runs(&unseen, reach);
    for (from, length) in silent_runs(&seen) {
        let run = (from..from + length).map(|slot| slot % week);
        let (counted, tickets) = run.clone().fold((0.0, 0.0), |(counted, tickets), slot| {
            (counted + f64::from(seen[slot].counted), tickets + seen[slot].tickets)
        });
        let edge = (reach / 2).max(1);
        let rate = |first: usize| {
            let slots = (first..first + edge).map(|slot| seen[slot % week].rate());
            slots.sum::<f64>() / edge as f64
        };
        // The quieter side decides: an evening may fade out, a closing hour does not.
        let usual = rate(from + week - edge).min(rate(from + length));
        let expected = counted * usual;
        if expected >= SILENCE && tickets <= STRAY * expected {
            let is_closed = |slot: &usize| {
                let is_zero = seen[*slot].tickets == 0.0;
                let least = if is_zero { COUNTED_MIN } else { COUNTED_STRAY_MIN };
                seen[*slot].counted >= least
            };
            run.filter(is_closed).for_each(|slot| closed[slot] = true);
        }
    }
    closed
}

/// Runs of silent slots on the circular week: the first slot and the length. Empty if all slots are silent.
fn silent_runs(seen: &[Seen]) -> Vec<(usize, usize)> {
    let week = seen.len();
    let Some(busy) = seen.iter().position(|seen| !seen.is_silent()) else { return Vec::new() };
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for at in busy..busy + week {
        if !seen[at % week].is_silent() {
            continue;
        }
        match runs.last_mut().filter(|(from, length)| from + length == at) {
            Some((_, length)) => *length += 1,
            None => runs.push((at, 1)),
        }
    }
    runs
}

/// Marked slots in runs of at least `least` on the circular week. Shorter runs are missing data.
fn long_runs(marked: &[bool], least: usize) -> Vec<bool> {
    let n = marked.len();
    let run =
        |at: usize, step: usize| (1..least).take_while(|k| marked[(at + n + k * step) % n]).count();
    (0..n).map(|at| marked[at] && run(at, 1) + 1 + run(at, n - 1) >= least).collect()
}

/// Median ± [`REACH`] deviations by slot. The deviation is that of all slots relative to their volume, at least that of
/// Poisson counts.
fn ranges(y: &[f32], slots: &Slots) -> Vec<(f32, f32)> {
    let week = slots.starts.len() - 1;
    let mut values: Vec<f32> = Vec::new();
    let mut middles = vec![f64::NAN; week];
    let (mut spread, mut volume) = (0.0, 0.0);
    for (slot, middle) in middles.iter_mut().enumerate() {
        values.clear();
        values.extend(slots.of(slot).map(|t| y[t]).filter(|y| !y.is_nan()));
        if values.len() < 3 {
            continue;
        }
        let Some(found) = upper_median(&mut values) else { continue };
        *middle = f64::from(found);
        for value in &mut values {
            *value = (*value - found).abs();
        }
        spread += upper_median(&mut values).map_or(0.0, f64::from);
        volume += *middle;
    }
    let relative = if volume > 0.0 { MAD_TO_SD * spread / volume } else { 1.0 };
    let range = |middle: f64| {
        let reach = REACH * (relative * middle).max((middle + 1.0).sqrt());
        ((middle - reach).max(0.0) as f32, (middle + reach) as f32)
    };
    middles.into_iter().map(|m| if m.is_nan() { (f32::NAN, f32::NAN) } else { range(m) }).collect()
}
