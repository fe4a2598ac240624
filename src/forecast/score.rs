//! Scores of forecast points against actual counts, as additive sums.

use serde::{Deserialize, Serialize};

use super::{ForecastPoint, History, QUANTILES, poisson_floor, rounded};

/// Target accuracy, 1 − WAPE, that operators commonly set.
pub const TARGET_ACCURACY: f64 = 0.87;
/// Days over which the scale of MASE is computed.
const SCALE_DAYS: u32 = 56;

/// Scale of MASE (Hyndman and Koehler 2006): mean |y − y a week before| over the eight weeks before window `end`, tickets. A
/// week is 168 hours here. `None` if there is no pair of known windows, or if the scale is zero.
pub fn scale(history: &History, end: i64) -> Option<f64> {
    let day = history.width.per_day() as i64;
    let (mut sum, mut n) = (0.0, 0u32);
    for index in history.first.max(end - day * i64::from(SCALE_DAYS))..end.min(history.end()) {
        let error = f64::from(history.get(index)) - f64::from(history.get(index - 7 * day));
        if !error.is_nan() {
            sum += error.abs();
            n += 1;
        }
    }
    (n > 0 && sum > 0.0).then(|| sum / f64::from(n))
}

/// Sums over scored windows; [`Self::figures`] divides them into accuracy measures.
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
    /// Σ pinball loss by quantile, and Σ actual over the windows for which it is known.
    pub by_quantile: [f64; 7],
    pub by_quantile_actual: f64,
    /// Windows inside the closed 80 % and 95 % intervals.
    pub inside80: u32,
    pub inside95: u32,
    /// Σ of the expected |y − median| of a Poisson count whose rate is the forecast's mean: the noise floor.
    pub floor: f64,
    /// Σ |actual − median| / [`scale`], and the number of windows whose series has a scale.
    pub scaled: f64,
    pub scaled_n: u32,
}

/// Accuracy measures, where y is the actual count; `None` if nothing was scored or the divisor is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Scored windows.
    pub n: u32,
    /// Σy / n: tickets per window.
    pub mean: Option<f64>,
    /// Σ|y − median| / Σy.
    pub wape: Option<f64>,
    /// WAPE of last week's count.
    pub wape_naive: Option<f64>,
    /// WAPE at the noise floor: that of a forecaster that knows the true rate of a Poisson count.
    pub wape_floor: Option<f64>,
    /// Mean over the seven quantiles of 2 · Σ pinball / Σy.
    pub wql: Option<f64>,
    /// Σ(mean − y) / Σy.
    pub bias: Option<f64>,
    /// Shares inside the closed 80 % and 95 % intervals.
    pub coverage80: Option<f64>,
    pub coverage95: Option<f64>,
    /// Mean |y − median| / scale; the scale is the mean error of last week's count ([`scale`]).
    pub mase: Option<f64>,
    /// 2 · Σ pinball / Σy by quantile.
    pub quantile_loss: Option<[f64; 7]>,
}

impl Figures {
    /// Whether [`TARGET_ACCURACY`] can be reached at this volume: the noise floor is not above it.
    pub fn reachable(&self) -> Option<bool> {
        self.wape_floor.map(|floor| 1.0 - floor >= TARGET_ACCURACY)
    }

    /// The measures that are exported as metrics and points, by name; some may be `None`.
    pub fn by_name(&self) -> [(&'static str, Option<f64>); 6] {
        [
            ("wape", self.wape),
            ("wape_naive", self.wape_naive),
            ("wape_floor", self.wape_floor),
            ("mase", self.mase),
            ("coverage80", self.coverage80),
            ("bias", self.bias),
        ]
    }

    /// Whether the forecasts reached [`TARGET_ACCURACY`].
    pub fn reached(&self) -> Option<bool> {
        self.wape.map(|wape| 1.0 - wape >= TARGET_ACCURACY)
    }
}

impl Score {
    /// Scores one forecast point; `naive` is last week's count if known.
    pub fn of(target: &ForecastPoint, actual: f64, naive: Option<f64>) -> Self {
        let q = &target.quantiles;
        let mut by_quantile = [0.0; 7];
        for ((loss, p), q) in by_quantile.iter_mut().zip(QUANTILES).zip(q) {
            let miss = actual - q;
            *loss = (p * miss).max((p - 1.0) * miss);
        }
        let inside = |low: f64, high: f64| u32::from((low..=high).contains(&actual));
        Self {
            n: 1,
            actual,
            absolute: (actual - q[3]).abs(),
            bias: target.mean - actual,
            naive_absolute: naive.map_or(0.0, |naive| (actual - naive).abs()),
            naive_actual: naive.map_or(0.0, |_| actual),
            pinball: by_quantile.iter().sum(),
            by_quantile,
            by_quantile_actual: actual,
            inside80: inside(q[1], q[5]),
            inside95: inside(q[0], q[6]),
            floor: poisson_floor(target.mean),
            scaled: 0.0,
            scaled_n: 0,
        }
    }

    /// Adds the scaled error for MASE, if there is a scale.
    #[must_use]
    pub fn scaled_by(self, scale: Option<f64>) -> Self {
        match scale {
            Some(scale) => Self { scaled: self.absolute / scale, scaled_n: self.n, ..self },
            None => self,
        }
    }

    /// Rounds to thousandths, so that sums depend neither on the order of addition nor on storage in between.
    #[must_use]
    pub fn in_thousandths(mut self) -> Self {
        let numbers = [
            &mut self.actual,
            &mut self.absolute,
            &mut self.bias,
            &mut self.naive_absolute,
            &mut self.naive_actual,
            &mut self.pinball,
            &mut self.by_quantile_actual,
            &mut self.floor,
            &mut self.scaled,
        ];
        for number in numbers.into_iter().chain(&mut self.by_quantile) {
            *number = rounded(*number);
        }
        self
    }

    /// Adds other sums.
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
        for (sum, more) in self.by_quantile.iter_mut().zip(other.by_quantile) {
            *sum += more;
        }
        self.by_quantile_actual += other.by_quantile_actual;
        self.scaled += other.scaled;
        self.scaled_n += other.scaled_n;
    }

    /// Divides the sums.
    pub fn figures(&self) -> Figures {
        let share = |sum: f64, of: f64| (of > 0.0).then(|| sum / of);
        let part = |n: u32| (self.n > 0).then(|| f64::from(n) / f64::from(self.n));
        Figures {
            n: self.n,
            mean: (self.n > 0).then(|| self.actual / f64::from(self.n)),
            wape: share(self.absolute, self.actual),
            wape_naive: share(self.naive_absolute, self.naive_actual),
            wape_floor: share(self.floor, self.actual),
            wql: share(2.0 * self.pinball / QUANTILES.len() as f64, self.actual),
            bias: share(self.bias, self.actual),
            coverage80: part(self.inside80),
            coverage95: part(self.inside95),
            mase: share(self.scaled, f64::from(self.scaled_n)),
            quantile_loss: (self.by_quantile_actual > 0.0)
                .then(|| self.by_quantile.map(|loss| 2.0 * loss / self.by_quantile_actual)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Timestamp, WindowWidth};

    #[test]
    fn the_scale_covers_eight_weeks_and_skips_missing_windows() {
        let mut history = History::new(WindowWidth::HOUR, 0);
        // Ten more a week; the first weeks lie before the eight.
        for index in 0..10 * 168 {
            history.set(index, (index / 168) as f32 * if index < 168 { 99.0 } else { 10.0 });
        }
        assert_eq!(scale(&history, 10 * 168), Some(10.0));
        history.set(9 * 168 + 5, f32::NAN);
        assert_eq!(scale(&history, 10 * 168), Some(10.0));
        assert_eq!(scale(&history, 168), None);
    }

    #[test]
    fn figures_of_sums() {
        let target = ForecastPoint {
            start: Timestamp::from_secs(0),
            mean: 100.0,
            quantiles: [80.0, 85.0, 95.0, 100.0, 105.0, 115.0, 120.0],
            baseline: 100.0,
            level: 1.0,
            alarm_effect: 0.0,
        };
        let mut sums = Score::of(&target, 110.0, Some(130.0)).scaled_by(Some(20.0));
        sums.merge(&Score::of(&target, 90.0, None));
        let figures = sums.figures();
        assert_eq!((figures.n, figures.wape, figures.bias), (2, Some(0.1), Some(0.0)));
        assert_eq!((figures.wape_naive, figures.mase), (Some(20.0 / 110.0), Some(0.5)));
        assert_eq!((figures.reachable(), figures.reached()), (Some(true), Some(true)));
        let by_quantile = figures.quantile_loss.expect("known").iter().sum::<f64>() / 7.0;
        assert!((by_quantile - figures.wql.expect("known")).abs() < 1e-12);
        assert_eq!(Score::default().figures().reachable(), None);
    }
}
