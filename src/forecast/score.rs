//! Scores of vintages against the truth, as sums that add up.

use serde::{Deserialize, Serialize};

use super::{QUANTILES, Target, poisson_floor};

/// Sums over scored windows; dividing them gives the figures that people see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Scored windows.
    pub n: u32,
    /// Σ actual.
    pub actual: f64,
    /// Σ |actual − median|.
    pub absolute: f64,
    /// Σ (mean − actual).
    pub bias: f64,
    /// Σ |actual − last week's count|, and Σ actual over the windows where that count is known.
    pub naive_absolute: f64,
    pub naive_actual: f64,
    /// Σ over windows and quantiles of the pinball loss.
    pub pinball: f64,
    /// Windows inside the closed 80 % and 95 % intervals.
    pub inside80: u32,
    pub inside95: u32,
    /// Σ of the expected |y − median| of a Poisson count with the forecast's mean: the noise floor.
    pub floor: f64,
}

/// The figures that people see; `None` where nothing was scored or nothing came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Scored windows.
    pub n: u32,
    /// Σ|y − median| / Σy.
    pub wape: Option<f64>,
    /// The same for last week's count.
    pub wape_naive: Option<f64>,
    /// The same for someone who knew the true rate of a Poisson count.
    pub wape_floor: Option<f64>,
    /// Mean over the seven quantiles of 2 · Σ pinball / Σy.
    pub wql: Option<f64>,
    /// Σ(mean − y) / Σy.
    pub bias: Option<f64>,
    /// Shares inside the closed 80 % and 95 % intervals.
    pub coverage80: Option<f64>,
    pub coverage95: Option<f64>,
}

impl Score {
    /// Scores one target; `naive` is last week's count where it is known.
    pub fn of(target: &Target, actual: f64, naive: Option<f64>) -> Self {
        let q = &target.quantiles;
        let pinball = QUANTILES.iter().zip(q).map(|(p, q)| {
            let miss = actual - q;
            (p * miss).max((p - 1.0) * miss)
        });
        let inside = |low: f64, high: f64| u32::from((low..=high).contains(&actual));
        Self {
            n: 1,
            actual,
            absolute: (actual - q[3]).abs(),
            bias: target.mean - actual,
            naive_absolute: naive.map_or(0.0, |naive| (actual - naive).abs()),
            naive_actual: naive.map_or(0.0, |_| actual),
            pinball: pinball.sum(),
            inside80: inside(q[1], q[5]),
            inside95: inside(q[0], q[6]),
            floor: poisson_floor(target.mean),
        }
    }

    /// Adds the sums of another.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.actual += other.actual;
        self.absolute += other.absolute;
        self.bias += other.bias;
        self.naive_absolute += other.naive_absolute;
        self.naive_actual += other.naive_actual;
        self.pinball += other.pinball;
        self.inside80 += other.inside80;
        self.inside95 += other.inside95;
        self.floor += other.floor;
    }

    /// Divides the sums.
    pub fn figures(&self) -> Figures {
        let share = |sum: f64, of: f64| (of > 0.0).then(|| sum / of);
        let part = |n: u32| (self.n > 0).then(|| f64::from(n) / f64::from(self.n));
        Figures {
            n: self.n,
            wape: share(self.absolute, self.actual),
            wape_naive: share(self.naive_absolute, self.naive_actual),
            wape_floor: share(self.floor, self.actual),
            wql: share(2.0 * self.pinball / QUANTILES.len() as f64, self.actual),
            bias: share(self.bias, self.actual),
            coverage80: part(self.inside80),
            coverage95: part(self.inside95),
        }
    }
}
