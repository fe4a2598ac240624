//! Regressors of one series: what is known at an origin, and what is known of a target.

use super::frame::Frame;
use super::levels::{AT_ORIGIN, Levels, NOW, SO_FAR, Scale};
use super::season::Season;

/// Regressors of a target.
const AT_TARGET: usize = 5;
/// Regressors of both: levels by time of day, and the recent count against the profile.
const ACROSS: usize = 5;
/// Regressors in all, the constant first.
pub(super) const WIDTH: usize = 1 + AT_ORIGIN + AT_TARGET + ACROSS;
pub(super) type Row = [f32; WIDTH];
/// Share of a residual in the mean of its time of day.
const NEWEST: f32 = 0.3;
/// Weight of the mean over all times of day in that of one.
const CLOCK_PRIOR: f64 = 10.0;
/// Time constant with which a trend fades, hours.
const FADES: f64 = 4.0;
/// What a miss keeps at its time of day after a day.
const CLOCK_KEEP: f64 = 0.98;

/// Both scales' regressors. Positions are those of the frame.
pub(super) struct Design {
    /// The first position that rows are kept of.
    from: usize,
    /// By scale and origin: from windows before it.
    origin: [Vec<[f32; AT_ORIGIN]>; 2],
    now: Vec<f32>,
    /// By origin: how far off the newest counts are, and how much farther an hour on.
    carried: Vec<[f32; 2]>,
    /// By scale and target.
    target: [Vec<[f32; AT_TARGET]>; 2],
    base: Vec<f32>,
    /// By time of day: its sine and cosine.
    clock: Vec<[f32; 2]>,
    /// By origin: logarithm of how far off profile and level were of late, against what is usual.
    surprise: Vec<f32>,
    /// By time of day: logarithm of how far off they usually are then; by target through `time_of_day`.
    pub usual: Vec<f32>,
    time_of_day: Vec<u16>,
    /// Length of a window.
    hours: f64,
}

impl Design {
    /// For origins and targets from position `from` on, from counts in `season` that are older.
    pub(super) fn new(frame: &Frame, season: &Season, mean: f64, from: usize) -> Self {
        let (n, kept) = (frame.len(), frame.len() - from);
        let mut levels = Levels::new(frame, mean);
        let mut residual = [vec![f32::NAN; n], vec![f32::NAN; n]];
        let mut origin = [Vec::with_capacity(kept + 1), Vec::with_capacity(kept + 1)];
        let (mut now, mut carried) = (Vec::with_capacity(kept + 1), Vec::with_capacity(kept + 1));
        let mut surprise = Vec::with_capacity(kept + 1);
        let mut misses = vec![(0.0f64, 0.0f64); frame.day];
        for t in 0..=season.known {
            if t >= from {
                let date = frame.date.get(t).copied();
                origin[0].push(levels.row(Scale::Ratio, date));
                origin[1].push(levels.row(Scale::Difference, date));
                now.push(levels.now());
                carried.push(levels.carried());
                surprise.push(levels.surprise());
            }
            if t == season.known || season.y[t].is_nan() || season.base[t].is_nan() {
                continue;
            }
            let miss = levels.learn(season, t, frame.date[t]);
            let cell = &mut misses[usize::from(frame.time_of_day[t])];
            *cell = (cell.0 * CLOCK_KEEP + miss, cell.1 * CLOCK_KEEP + 1.0);
            let (clean, base) = (f64::from(season.clean[t]), f64::from(season.base[t]));
            let [ratio, difference] = levels.residuals(clean, base);
            (residual[0][t], residual[1][t]) = (ratio as f32, difference as f32);
        }
        let targets = |scale| targets(frame, season, &residual[scale as usize], scale, from);
        let angle = |time: usize| std::f32::consts::TAU * time as f32 / frame.day as f32;
        Self {
            from,
            origin,
            now,
            carried,
            target: [targets(Scale::Ratio), targets(Scale::Difference)],
            base: season.base[from..].to_vec(),
            clock: (0..frame.day).map(|time| angle(time).sin_cos().into()).collect(),
            surprise,
            usual: usual(&misses, levels.usual_miss()),
            hours: 24.0 / frame.day as f64,
            time_of_day: frame.time_of_day[from..].to_vec(),
        }
    }

    /// The row of target `t` as seen from origin `o`.
    pub(super) fn row(&self, scale: Scale, o: usize, t: usize) -> Row {
        let (o, t) = (o - self.from, t - self.from);
        let mut row = [1.0; WIDTH];
        let at = &self.origin[scale as usize][o];
        row[1..=AT_ORIGIN].copy_from_slice(at);
        row[1 + AT_ORIGIN..WIDTH - ACROSS].copy_from_slice(&self.target[scale as usize][t]);
        let [sin, cos] = self.clock[usize::from(self.time_of_day[t])];
        let across = [
            at[NOW] * sin,
            at[NOW] * cos,
            at[SO_FAR] * sin,
            at[SO_FAR] * cos,
            relation(self.now[o], self.base[t], scale),
        ];
        row[WIDTH - ACROSS..].copy_from_slice(&across);
        row
    }

    /// Hours that a trend has gone on for by the end of the target `step` steps ahead, were it not to fade.
    pub(super) fn gone(&self, step: usize) -> f64 {
        let hours = (step + 1) as f64 * self.hours;
        (1.0 - (-hours / FADES).exp()) * FADES
    }

    /// The profile of target `t` with the difference to it that origin `o` sees, and with that difference going
    /// on as it did, less and less so: [`Self::gone`] hours.
    pub(super) fn carried(&self, o: usize, t: usize, gone: f64) -> [f64; 2] {
        let [away, slope] = self.carried[o - self.from].map(f64::from);
        let there = f64::from(self.base[t - self.from]) + away;
        [there.max(0.0), (there + slope * gone).max(0.0)]
    }

    /// The level that a first guess takes: logarithm of a ratio, or tickets.
    pub(super) fn guess(&self, scale: Scale, o: usize) -> f64 {
        0.8 * f64::from(self.origin[scale as usize][o - self.from][NOW + 1])
    }

    /// Logarithms of what multiplies the variance of target `t` seen from `o`: recent surprise, and the hour's.
    pub(super) fn widths(&self, usual: &[f32], o: usize, t: usize) -> [f64; 2] {
        let hour = usual[usize::from(self.time_of_day[t - self.from])];
        [f64::from(self.surprise[o - self.from]), f64::from(hour)]
    }
}

fn relation(other: f32, base: f32, scale: Scale) -> f32 {
    match scale {
        Scale::Ratio => ((other + 0.5) / (base + 0.5)).ln(),
        Scale::Difference => other - base,
    }
}

/// Of each target from `from` on: residuals around the same time yesterday and a week ago, their mean over
/// the days before (newest most), and what the other profiles say.
fn targets(
    frame: &Frame,
    season: &Season,
    residual: &[f32],
    scale: Scale,
    from: usize,
) -> Vec<[f32; AT_TARGET]> {
    let reach = (frame.day / 24).max(1);
    let around = |t: usize, back: usize| {
        let (mut sum, mut weight) = (0.0, 0.0);
        // All of it lies six hours and more before the target: known at any origin.
        let Some(first) = t.checked_sub(back + reach) else { return 0.0 };
        for (step, r) in residual[first..=first + 2 * reach].iter().enumerate() {
            if !r.is_nan() {
                let share = (reach + 1 - step.abs_diff(reach)) as f32;
                sum += share * r;
                weight += share;
            }
        }
        if weight > 0.0 { sum / weight } else { 0.0 }
    };
    let mut daily = vec![0.0f32; frame.day];
    let mut rows = Vec::with_capacity(frame.len() - from);
    // Nothing is learned before the first residual.
    let begins = residual.iter().position(|r| !r.is_nan()).map_or(from, |first| from.min(first));
    for t in begins..frame.len() {
        let hour = &mut daily[usize::from(frame.time_of_day[t])];
        if t >= frame.day && !residual[t - frame.day].is_nan() {
            // The same time of day but for a change of the clocks.
            *hour += NEWEST * (residual[t - frame.day] - *hour);
        }
        if t < from {
            continue;
        }
        let base = season.base[t];
        rows.push(if base.is_nan() {
            [0.0; AT_TARGET]
        } else {
            [
                around(t, frame.day),
                around(t, frame.week()),
                *hour,
                relation(season.quick[t], base, scale),
                relation(season.wide[t], base, scale),
            ]
        });
    }
    rows
}

/// Logarithm of the mean miss by time of day, its hour around it, against the usual one.
fn usual(misses: &[(f64, f64)], normal: f64) -> Vec<f32> {
    let (day, reach) = (misses.len(), (misses.len() / 24).max(1));
    let mean = |at: usize| {
        let near = (0..=2 * reach).map(|step| misses[(at + day + step - reach) % day]);
        let (sum, n) = near.fold((0.0, 0.0), |s, near| (s.0 + near.0, s.1 + near.1));
        ((sum + CLOCK_PRIOR * normal) / (n + CLOCK_PRIOR) / normal).ln() as f32
    };
    (0..day).map(mean).collect()
}
