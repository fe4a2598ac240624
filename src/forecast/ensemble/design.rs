//! Regressors of one series: those of an origin, those of a target window, and those of both.

use super::frame::Frame;
use super::levels::{AT_ORIGIN, Levels, NOW, SO_FAR, Scale};
use super::season::Season;

/// Number of regressors of a target window.
const AT_TARGET: usize = 5;
/// Number of regressors that depend on both: levels by time of day, and the recent count relative to the profile.
const ACROSS: usize = 5;
/// Number of regressors, the constant first.
pub(super) const WIDTH: usize = 1 + AT_ORIGIN + AT_TARGET + ACROSS;
pub(super) type Row = [f32; WIDTH];
/// Weight of a new residual in the mean for its time of day.
const NEWEST: f32 = 0.3;
/// Weight of the mean over all times of day, windows.
const CLOCK_PRIOR: f64 = 10.0;
/// Time constant of the damped trend, hours.
const FADES: f64 = 4.0;
/// Daily decay of squared errors by time of day.
const CLOCK_KEEP: f64 = 0.98;

/// Regressors on both scales. Positions are those of the frame.
pub(super) struct Design {
    /// The first position with rows.
    from: usize,
    /// By scale and origin: regressors computed from windows before the origin.
    origin: [Vec<[f32; AT_ORIGIN]>; 2],
    now: Vec<f32>,
    /// By origin: difference of the newest counts to the profile, tickets, and its slope, tickets per hour.
    persistence: Vec<[f32; 2]>,
    /// By scale and target: regressors of the target window.
    target: [Vec<[f32; AT_TARGET]>; 2],
    base: Vec<f32>,
    /// By time of day: sine and cosine.
    clock: Vec<[f32; 2]>,
    /// By origin: logarithm of recent squared errors relative to usual ones.
    recent_errors: Vec<f32>,
    /// By time of day: logarithm of the usual squared errors relative to their mean.
    pub usual: Vec<f32>,
    time_of_day: Vec<u16>,
    /// Length of a window, hours.
    hours: f64,
}

impl Design {
    /// Regressors for origins and targets from position `from` on; only older counts of `season` are used.
    pub(super) fn new(frame: &Frame, season: &Season, mean: f64, from: usize) -> Self {
        let (n, kept) = (frame.len(), frame.len() - from);
        let mut levels = Levels::new(frame, mean);
        let mut residual = [vec![f32::NAN; n], vec![f32::NAN; n]];
        let mut origin = [Vec::with_capacity(kept + 1), Vec::with_capacity(kept + 1)];
        let (mut now, mut persistence) =
            (Vec::with_capacity(kept + 1), Vec::with_capacity(kept + 1));
        let mut recent_errors = Vec::with_capacity(kept + 1);
        let mut squared_errors = vec![(0.0f64, 0.0f64); frame.day];
        for t in 0..=season.known {
            if t >= from {
                let date = frame.date.get(t).copied();
                origin[0].push(levels.row(Scale::Ratio, date));
                origin[1].push(levels.row(Scale::Difference, date));
                now.push(levels.now());
                persistence.push(levels.persistence());
                recent_errors.push(levels.recent_errors());
            }
            if t == season.known || season.y[t].is_nan() || season.base[t].is_nan() {
                continue;
            }
            let error = levels.learn(season, t, frame.date[t]);
            let key = &mut squared_errors[usize::from(frame.time_of_day[t])];
            *key = (key.0 * CLOCK_KEEP + error, key.1 * CLOCK_KEEP + 1.0);
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
            persistence,
            target: [targets(Scale::Ratio), targets(Scale::Difference)],
            base: season.base[from..].to_vec(),
            clock: (0..frame.day).map(|time| angle(time).sin_cos().into()).collect(),
            recent_errors,
            usual: usual(&squared_errors, levels.usual_error()),
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

    /// Effective hours of the damped trend at the end of the target `step` steps ahead.
    pub(super) fn trend_hours(&self, step: usize) -> f64 {
        let hours = (step + 1) as f64 * self.hours;
        (1.0 - (-hours / FADES).exp()) * FADES
    }

    /// Persistence forecasts of target `t`: its profile plus the difference at origin `o`, constant and with a damped trend of
    /// `trend_hours` ([`Self::trend_hours`]).
    pub(super) fn persistence(&self, o: usize, t: usize, trend_hours: f64) -> [f64; 2] {
        let [away, slope] = self.persistence[o - self.from].map(f64::from);
        let constant = f64::from(self.base[t - self.from]) + away;
        [constant.max(0.0), (constant + slope * trend_hours).max(0.0)]
    }

    /// The initial value of a regression: logarithm of a ratio, or tickets.
    pub(super) fn guess(&self, scale: Scale, o: usize) -> f64 {
        0.8 * f64::from(self.origin[scale as usize][o - self.from][NOW + 1])
    }

    /// Logarithms of the variance factors of target `t` at origin `o`: of recent errors, and of the time of day.
    pub(super) fn widths(&self, usual: &[f32], o: usize, t: usize) -> [f64; 2] {
        let hour = usual[usize::from(self.time_of_day[t - self.from])];
        [f64::from(self.recent_errors[o - self.from]), f64::from(hour)]
    }
}

fn relation(other: f32, base: f32, scale: Scale) -> f32 {
    match scale {
        Scale::Ratio => ((other + 0.5) / (base + 0.5)).ln(),
        Scale::Difference => other - base,
    }
}

/// Regressors of each target from `from` on: residuals around the same time yesterday and a week ago, their weighted mean
/// over earlier days, and the other profiles relative to the reference profile.
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
        // All of these windows lie at least six hours before the target, so they are known at any origin.
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
            // The same time of day, except at a clock change.
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

/// Logarithm of the mean squared error by time of day, smoothed over the hour around it, relative to the overall mean.
fn usual(squared_errors: &[(f64, f64)], normal: f64) -> Vec<f32> {
    let (day, reach) = (squared_errors.len(), (squared_errors.len() / 24).max(1));
    let mean = |at: usize| {
        let near = (0..=2 * reach).map(|step| squared_errors[(at + day + step - reach) % day]);
        let (sum, n) = near.fold((0.0, 0.0), |s, near| (s.0 + near.0, s.1 + near.1));
        ((sum + CLOCK_PRIOR * normal) / (n + CLOCK_PRIOR) / normal).ln() as f32
    };
    (0..day).map(mean).collect()
}
