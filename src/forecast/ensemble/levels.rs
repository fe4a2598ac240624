//! Levels: exponentially weighted tickets relative to the profile, over open windows only.

use super::frame::Frame;
use super::season::Season;

/// Half-lives of the levels, open hours.
const HALF_LIVES: [f64; 5] = [0.4, 1.2, 4.0, 16.0, 80.0];
/// The first levels use raw counts, including surges; the others use counts without outliers.
const RAW: usize = 2;
/// Index of the level for residuals, and of the level for squared errors.
const OF_RESIDUALS: usize = 3;
const OF_ERRORS: usize = 2;
/// Index of the level that represents the present.
pub(super) const NOW: usize = 1;
/// Position of the current day's level among the regressors of an origin.
pub(super) const SO_FAR: usize = HALF_LIVES.len();
/// Number of regressors of an origin: the levels, and the current day's level, slightly and strongly shrunk.
pub(super) const AT_ORIGIN: usize = SO_FAR + 2;
/// Half-lives of recent and usual squared errors, open hours.
const ERROR_HALF_LIVES: [f64; 2] = [8.0, 400.0];
/// Limits of a single squared error, in variances.
const ERROR_MAX: [f64; 2] = [50.0, 20.0];

/// Scale of a regression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// `ln(y / profile)`.
    Ratio,
    /// `y − profile`.
    Difference,
}

/// Exponentially weighted tickets, expected tickets and windows.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    actual: f64,
    expected: f64,
    windows: f64,
}

impl Sums {
    fn add(&mut self, keep: f64, actual: f64, expected: f64) {
        self.actual = self.actual * keep + actual;
        self.expected = self.expected * keep + expected;
        self.windows = self.windows * keep + 1.0;
    }
}

/// The state of one series after some window.
pub(super) struct Levels {
    keep: [f64; HALF_LIVES.len()],
    sums: [Sums; HALF_LIVES.len()],
    today: (i32, Sums),
    /// The prior: tickets as the weight of a ratio of 1, and the tickets of an average day.
    pull: f64,
    daily: f64,
    per_day: f64,
    per_hour: f64,
    keep_error: [f64; 2],
    errors: [(f64, f64); 2],
}

impl Levels {
    pub(super) fn new(frame: &Frame, mean: f64) -> Self {
        let per_hour = frame.day as f64 / 24.0;
        let keep = |hours: f64| 0.5f64.powf(1.0 / (hours * per_hour));
        Self {
            keep: HALF_LIVES.map(keep),
            sums: Default::default(),
            today: (i32::MIN, Sums::default()),
            pull: f64::max(3.0, 0.02 * mean),
            daily: mean * frame.day as f64,
            per_day: frame.day as f64,
            per_hour,
            keep_error: ERROR_HALF_LIVES.map(keep),
            errors: Default::default(),
        }
    }

    /// Adds a known open window. Returns its squared error in variances of a negative binomial.
    pub(super) fn learn(&mut self, season: &Season, t: usize, date: i32) -> f64 {
        let (y, clean) = (f64::from(season.y[t]), f64::from(season.clean[t]));
        let base = f64::from(season.base[t]);
        let expected = base * self.ratio(&self.sums[OF_ERRORS]);
        let variance = expected + 0.03 * expected * expected + 0.1;
        let error = ((y - expected) * (y - expected) / variance).min(ERROR_MAX[0]);
        for ((sum, keep), max) in self.errors.iter_mut().zip(self.keep_error).zip(ERROR_MAX) {
            *sum = (sum.0 * keep + error.min(max), sum.1 * keep + 1.0);
        }
        for (k, (sums, keep)) in self.sums.iter_mut().zip(self.keep).enumerate() {
            sums.add(keep, if k < RAW { y } else { clean }, base);
        }
        if self.today.0 != date {
            self.today = (date, Sums::default());
        }
        self.today.1.add(1.0, y, base);
        error.min(ERROR_MAX[1])
    }

    /// The ratio or difference of actual to expected tickets, shrunk towards no difference.
    fn relative(&self, sums: &Sums, scale: Scale) -> f64 {
        match scale {
            Scale::Ratio => self.ratio(sums).ln(),
            Scale::Difference => (sums.actual - sums.expected) / (sums.windows + 0.5),
        }
    }

    /// The factor on the profile, shrunk towards 1.
    fn ratio(&self, sums: &Sums) -> f64 {
        (sums.actual + self.pull) / (sums.expected + self.pull)
    }

    /// Residuals of a count from profile and level, by scale.
    pub(super) fn residuals(&self, clean: f64, base: f64) -> [f64; 2] {
        let level = &self.sums[OF_RESIDUALS];
        let ratio = (clean + 1.0) / ((base + 1.0) * self.ratio(level));
        [ratio.ln(), clean - base - self.relative(level, Scale::Difference)]
    }

    /// Regressors of an origin whose first target window is on `date`.
    pub(super) fn row(&self, scale: Scale, date: Option<i32>) -> [f32; AT_ORIGIN] {
        let none = Sums::default();
        let so_far = if date == Some(self.today.0) { &self.today.1 } else { &none };
        std::array::from_fn(|k| {
            let value = match k {
                SO_FAR => self.relative(so_far, scale),
                // A few windows carry little information about the whole day.
                k if k > SO_FAR => match scale {
                    Scale::Ratio => {
                        let pull = self.pull + 0.1 * self.daily;
                        ((so_far.actual + pull) / (so_far.expected + pull)).ln()
                    }
                    Scale::Difference => {
                        (so_far.actual - so_far.expected) / (so_far.windows + 0.1 * self.per_day)
                    }
                },
                k => self.relative(&self.sums[k], scale),
            };
            value as f32
        })
    }

    /// The recent mean count, independent of the profile.
    pub(super) fn now(&self) -> f32 {
        (self.sums[NOW].actual / self.sums[NOW].windows.max(1e-9)) as f32
    }

    /// Difference of the newest counts to the profile, tickets per window, and its slope, tickets per hour.
    pub(super) fn persistence(&self) -> [f32; 2] {
        let away = |sums: &Sums| (sums.actual - sums.expected) / sums.windows.max(1e-9);
        // Mean age of an exponentially weighted mean, hours.
        let age = |keep: f64| keep / (1.0 - keep) / self.per_hour;
        let newest = away(&self.sums[0]);
        let slope = (newest - away(&self.sums[NOW])) / (age(self.keep[NOW]) - age(self.keep[0]));
        [newest as f32, slope as f32]
    }

    /// The usual squared error, shrunk towards 1.
    pub(super) fn usual_error(&self) -> f64 {
        (self.errors[1].0 + 1.0) / (self.errors[1].1 + 1.0)
    }

    /// Logarithm of the recent squared errors relative to the usual ones.
    pub(super) fn recent_errors(&self) -> f32 {
        let (usual, prior) = (self.usual_error(), 3.0 * self.per_hour.min(2.0));
        let recent = (self.errors[0].0 + prior * usual) / (self.errors[0].1 + prior);
        (recent / usual).ln() as f32
    }
}
