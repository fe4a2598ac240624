//! Regressors of one series: what is known at an origin, and what is known of a target.

use super::frame::Frame;
use super::season::Season;

/// Hours after which a window counts half in the running levels; open windows only.
const HALF_LIVES: [f64; 5] = [0.4, 1.2, 4.0, 16.0, 80.0];
const LEVELS: usize = HALF_LIVES.len();
/// Regressors of an origin: running levels and the day so far.
const AT_ORIGIN: usize = LEVELS + 2;
/// Regressors of a target.
const AT_TARGET: usize = 5;
/// Regressors of both together.
const ACROSS: usize = 5;
/// Regressors in all, the constant first.
pub(super) const WIDTH: usize = 1 + AT_ORIGIN + AT_TARGET + ACROSS;

/// Regressors on one scale: ratios (logarithms) or differences, both relative to the reference profile.
#[derive(Clone, Debug)]
pub(super) struct Design {
    /// By origin `o`: from windows before `o`.
    origin: Vec<[f32; AT_ORIGIN]>,
    /// By target.
    target: Vec<[f32; AT_TARGET]>,
    scale: Scale,
    /// By origin: the recent count itself. By target: the profile.
    recent: Vec<f32>,
    base: Vec<f32>,
    clock: Vec<f32>,
    /// By origin: log of how far off the profile × level was of late, against what is usual.
    pub(super) surprise: Vec<f32>,
    /// By target: log of how far off it usually is at this time of day.
    pub(super) usual: Vec<f32>,
}

/// On which scale a regression works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// `ln(y / profile)`.
    Ratio,
    /// `y − profile`.
    Difference,
}

impl Design {
    pub(super) fn new(frame: &Frame, season: &Season, scale: Scale) -> Self {
        let n = frame.len();
        let mut origin = vec![[0.0; AT_ORIGIN]; n + 1];
        let per_hour = frame.day as f64 / 24.0;
        let keep = HALF_LIVES.map(|hours| 0.5f64.powf(1.0 / (hours * per_hour)));
        let mut recent = vec![0.0f32; n + 1];
        let mut sums = [(0.0f64, 0.0f64, 0.0f64); LEVELS];
        let mut surprise = vec![0.0f32; n + 1];
        let (mut short, mut long) = ((0.0f64, 0.0f64), (0.0f64, 0.0f64));
        let mut by_clock = vec![(0.0f64, 0.0f64); frame.day];
        let keep_short = 0.5f64.powf(1.0 / (8.0 * per_hour));
        let keep_long = 0.5f64.powf(1.0 / (400.0 * per_hour));
        let mut today = (i32::MIN, 0.0, 0.0, 0.0);
        let pull = 3.0f64.max(0.02 * season.mean);
        let daily = season.mean * frame.day as f64;
        // Residual of each window, the day's level taken out.
        let mut residual = vec![f64::NAN; n];
        let mut target = vec![[0.0; AT_TARGET]; n];
        for t in 0..n {
            let base = season.base[t];
            if t < season.known && !season.y[t].is_nan() && !base.is_nan() {
                let y = season.y[t];
                if scale == Scale::Ratio {
                    let m = base * relative(sums[2].0, sums[2].1, sums[2].2, pull, scale).exp();
                    let miss = ((y - m).powi(2) / (m + 0.03 * m * m + 0.1)).min(50.0);
                    short = (short.0 * keep_short + miss, short.1 * keep_short + 1.0);
                    long = (long.0 * keep_long + miss.min(20.0), long.1 * keep_long + 1.0);
                    let cell = &mut by_clock[frame.time_of_day(t)];
                    *cell = (cell.0 * 0.98 + miss.min(20.0), cell.1 * 0.98 + 1.0);
                }
                // The last hours as they came, a surge included; longer spans without outliers.
                for (k, (sum, keep)) in sums.iter_mut().zip(keep).enumerate() {
                    let y = if k < 2 { y } else { season.clean[t] };
                    *sum = (sum.0 * keep + y, sum.1 * keep + base, sum.2 * keep + 1.0);
                }
                if today.0 != frame.date[t] {
                    today = (frame.date[t], 0.0, 0.0, 0.0);
                }
                today = (today.0, today.1 + y, today.2 + base, today.3 + 1.0);
                let x = season.clean[t];
                let level = relative(sums[3].0, sums[3].1, sums[3].2, pull, scale);
                residual[t] = match scale {
                    Scale::Ratio => ((x + 1.0) / (base + 1.0)).ln() - level,
                    Scale::Difference => x - base - level,
                };
            }
            let same_day = t + 1 < n && today.0 == frame.date[t + 1];
            let so_far = if same_day { (today.1, today.2, today.3) } else { (0.0, 0.0, 0.0) };
            let normal = (long.0 + 1.0) / (long.1 + 1.0);
            let prior = 3.0 * per_hour.min(2.0);
            surprise[t + 1] = ((short.0 + prior * normal) / (short.1 + prior) / normal).ln() as f32;
            recent[t + 1] = (sums[1].0 / sums[1].2.max(1e-9)) as f32;
            let row = &mut origin[t + 1];
            for (k, sum) in sums.iter().enumerate() {
                row[k] = relative(sum.0, sum.1, sum.2, pull, scale) as f32;
            }
            row[LEVELS] = relative(so_far.0, so_far.1, so_far.2, pull, scale) as f32;
            row[LEVELS + 1] = match scale {
                Scale::Ratio => {
                    relative(so_far.0, so_far.1, so_far.2, pull + 0.1 * daily, scale) as f32
                }
                Scale::Difference => {
                    ((so_far.0 - so_far.1) / (so_far.2 + 0.1 * frame.day as f64)) as f32
                }
            };
        }
        let reach = (frame.day / 24).max(1) as i64;
        for t in 0..n {
            let base = season.base[t];
            if base.is_nan() {
                continue;
            }
            let around = |back: usize| {
                let (mut sum, mut weight) = (0.0, 0.0);
                for step in -reach..=reach {
                    let u = t as i64 - back as i64 + step;
                    let at = usize::try_from(u).ok().filter(|u| *u < n && *u + frame.day / 4 < t);
                    let Some(r) = at.map(|u| residual[u]).filter(|r| !r.is_nan()) else { continue };
                    let share = 1.0 - step.abs() as f64 / (reach + 1) as f64;
                    sum += share * r;
                    weight += share;
                }
                if weight > 0.0 { sum / weight } else { 0.0 }
            };
            let relation = |other: f64| match scale {
                Scale::Ratio => ((other + 0.5) / (base + 0.5)).ln(),
                Scale::Difference => other - base,
            };
            target[t] = [
                around(frame.day) as f32,
                around(frame.week()) as f32,
                0.0,
                relation(season.quick[t]) as f32,
                relation(season.wide[t]) as f32,
            ];
        }
        smooth_recent(frame, season, &residual, &mut target);
        let base = season.base.iter().map(|b| *b as f32).collect();
        let normal = (long.0 + 1.0) / (long.1 + 1.0);
        let table: Vec<f32> = (0..frame.day)
            .map(|c| {
                let near =
                    |step: usize| by_clock[(c + frame.day + step - reach as usize) % frame.day];
                let (sum, n) = (0..=2 * reach as usize)
                    .fold((0.0, 0.0), |s, step| (s.0 + near(step).0, s.1 + near(step).1));
                ((sum + 10.0 * normal) / (n + 10.0) / normal).ln() as f32
            })
            .collect();
        let usual = (0..n).map(|t| table[frame.time_of_day(t)]).collect();
        let clock = (0..n).map(|t| frame.time_of_day(t) as f32 / frame.day as f32).collect();
        Self { origin, target, scale, recent, base, clock, surprise, usual }
    }

    /// The row of target `t` as seen from origin `o`.
    pub(super) fn row(&self, o: usize, t: usize) -> [f32; WIDTH] {
        let mut row = [1.0; WIDTH];
        row[1..=AT_ORIGIN].copy_from_slice(&self.origin[o]);
        row[1 + AT_ORIGIN..1 + AT_ORIGIN + AT_TARGET].copy_from_slice(&self.target[t]);
        let (recent, base) = (self.recent[o], self.base[t]);
        let angle = std::f32::consts::TAU * self.clock[t];
        let (sin, cos) = angle.sin_cos();
        let at = &self.origin[o];
        row[WIDTH - 5] = at[1] * sin;
        row[WIDTH - 4] = at[1] * cos;
        row[WIDTH - 3] = at[LEVELS] * sin;
        row[WIDTH - 2] = at[LEVELS] * cos;
        row[WIDTH - 1] = match self.scale {
            Scale::Ratio => ((recent + 0.5) / (base + 0.5)).ln(),
            Scale::Difference => recent - base,
        };
        row
    }

    /// What the variance of target `t` seen from `o` is multiplied by.
    pub(super) fn factor(&self, o: usize, t: usize, surprise: f64, usual: f64) -> f64 {
        (surprise * f64::from(self.surprise[o]) + usual * f64::from(self.usual[t]))
            .clamp(-3.0, 3.0)
            .exp()
    }

    /// Ratio or difference of the slowest of the quick levels: a first guess.
    pub(super) fn guess(&self, o: usize) -> f64 {
        f64::from(self.origin[o][2])
    }
}

/// What came against what was expected, pulled towards none.
fn relative(came: f64, expected: f64, windows: f64, pull: f64, scale: Scale) -> f64 {
    match scale {
        Scale::Ratio => ((came + pull) / (expected + pull)).ln(),
        Scale::Difference => (came - expected) / (windows + 0.5),
    }
}

/// Third regressor of a target: the mean residual at this time of day over the days before, newest most.
fn smooth_recent(
    frame: &Frame,
    season: &Season,
    residual: &[f64],
    target: &mut [[f32; AT_TARGET]],
) {
    let mut recent = vec![0.0f64; frame.day];
    for t in 0..frame.len() {
        if t >= frame.day && t - frame.day < season.known {
            let u = t - frame.day;
            if !residual[u].is_nan() {
                let cell = &mut recent[frame.time_of_day(u)];
                *cell += 0.3 * (residual[u] - *cell);
            }
        }
        target[t][2] = recent[frame.time_of_day(t)] as f32;
    }
}
