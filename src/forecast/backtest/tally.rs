//! Sums of a backtest, and the measures derived from them.

use std::ops::Range;

use super::pit::{self, BINS};
use crate::domain::Zone;
use crate::forecast::{Figures, ForecastPoint, History, Score};

/// Sums over scored windows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    score: Score,
    /// Σ |y − median| / scale, and the windows whose series has a scale.
    scaled: f64,
    scaled_n: u32,
    /// Actual counts by [`pit::bins`].
    bins: [f64; BINS],
}

impl Tally {
    /// Scores one forecast point; `naive` is the count a civil week before, `scale` comes from [`weekly_scale`].
    pub fn of(target: &ForecastPoint, actual: f64, naive: Option<f64>, scale: Option<f64>) -> Self {
        let score = Score::of(target, actual, naive);
        let scaled = scale.map_or(0.0, |scale| score.absolute / scale);
        let bins = pit::bins(target, actual);
        Self { score, scaled, scaled_n: u32::from(scale.is_some()), bins }
    }

    /// Adds other sums.
    pub fn merge(&mut self, other: &Self) {
        self.score.merge(&other.score);
        self.scaled += other.scaled;
        self.scaled_n += other.scaled_n;
        for (sum, more) in self.bins.iter_mut().zip(other.bins) {
            *sum += more;
        }
    }

    /// Divides the sums.
    pub fn summary(&self) -> Summary {
        let n = f64::from(self.score.n);
        let share = |bins: Range<usize>| {
            (n > 0.0).then(|| self.bins.get(bins).into_iter().flatten().sum::<f64>() / n)
        };
        let mut density = [0.0; BINS];
        for (bin, found) in density.iter_mut().enumerate() {
            *found = if n > 0.0 { self.bins[bin] / n / pit::nominal(bin) } else { 0.0 };
        }
        Summary {
            figures: self.score.figures(),
            mean: (n > 0.0).then(|| self.score.actual / n),
            mase: (self.scaled_n > 0).then(|| self.scaled / f64::from(self.scaled_n)),
            pit80: share(2..6),
            pit95: share(1..7),
            density,
        }
    }
}

/// Measures of a backtest; `None` where nothing was scored, there were no tickets, or there is no scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub figures: Figures,
    /// Tickets per scored window.
    pub mean: Option<f64>,
    pub mase: Option<f64>,
    /// Randomised PIT coverage of the 80 % and 95 % intervals.
    pub pit80: Option<f64>,
    pub pit95: Option<f64>,
    /// By bin of [`pit`]: share of actual counts / share for a perfect forecast.
    pub density: [f64; BINS],
}

/// Scale of MASE (Hyndman and Koehler 2006): mean |y − y a civil week before| over the windows before `end` for which both
/// are known, tickets. `None` if there are no such windows, or if it is zero.
pub fn weekly_scale(history: &History, zone: Zone, end: i64) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0u32);
    for index in history.first..end.min(history.end()) {
        let error = f64::from(history.get(index)) - week_before(history, zone, index);
        if !error.is_nan() {
            sum += error.abs();
            n += 1;
        }
    }
    (n > 0 && sum > 0.0).then(|| sum / f64::from(n))
}

/// The count a civil week before a window; NaN if missing.
pub fn week_before(history: &History, zone: Zone, index: i64) -> f64 {
    let start = zone.days_before(history.width.start(index), 7);
    f64::from(history.get(history.width.index(start)))
}
