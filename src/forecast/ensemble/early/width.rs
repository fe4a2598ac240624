//! The dispersion of forecasts: the usual dispersion, updated by the series' own errors.

use super::prior::Prior;

/// Candidate logarithms of the factor on the usual dispersion: the first, the step and their number.
const FIRST: f64 = -3.0;
const STEP: f64 = 0.7;
const CANDIDATES: usize = 12;
/// Variance that is added to that of a small mean, tickets².
const VARIANCE_MIN: f64 = 0.05;
/// Degrees of freedom of the distribution of errors: a few large errors are expected.
const FREEDOM: i32 = 6;
/// Tickets that are added to the mean and to the shape before their ratio (the departure) is taken, and the squared logarithm
/// below which a departure is ordinary.
const DEPARTURE_TICKETS: f64 = 0.5;
const ORDINARY: f64 = 0.03;
/// Minimum number of tickets of a shape when its uncertainty is computed.
const SHAPE_MIN: f64 = 0.3;
/// Limits of the dispersion.
const LIMITS: (f64, f64) = (1e-4, 20.0);

/// The quantities on which the dispersion of a forecast point depends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    /// Usual dispersion, before the series' own errors.
    pub usual: f64,
    /// Squared logarithm of the mean relative to the shape, less if it is ordinary: a mean far from the shape is less certain.
    pub departure: f64,
    /// Dispersion caused by the uncertainty of the shape.
    pub shape: f64,
}

impl Point {
    /// Computes it for a mean, the tickets of the shape, and the number of days from which the shape was computed.
    pub(super) fn new(usual: f64, mean: f64, base: f64, days: f64) -> Self {
        let width = &Prior::shipped().width;
        let log = ((mean + DEPARTURE_TICKETS) / (base + DEPARTURE_TICKETS)).ln();
        let square = log * log;
        Self {
            usual,
            departure: (square * square / (square + ORDINARY)).min(width.departure_max),
            shape: width.shape / (base.max(SHAPE_MIN) * days.max(1.0)),
        }
    }
}

/// A past error.
#[derive(Clone, Copy, Debug)]
pub(super) struct PastError {
    pub point: Point,
    pub mean: f64,
    pub squared: f64,
    /// Weight of the error.
    pub weight: f64,
}

/// The distribution of the factor on the usual dispersion, given past errors.
pub(super) struct Posterior {
    logs: [f64; CANDIDATES],
    factors: [Factor; CANDIDATES],
}

fn candidate(k: usize) -> f64 {
    FIRST + STEP * k as f64
}

impl Posterior {
    pub(super) fn new() -> Self {
        let spread = Prior::shipped().width.spread;
        Self {
            logs: std::array::from_fn(|k| -0.5 * (candidate(k) / spread).powi(2)),
            factors: std::array::from_fn(|k| Factor::at(candidate(k))),
        }
    }

    /// Adds an error. It is modelled by a Student distribution whose squared scale is the variance of the count.
    pub(super) fn add(&mut self, error: &PastError) {
        let square = error.mean * error.mean;
        for (log, factor) in self.logs.iter_mut().zip(&self.factors) {
            let dispersion = factor.dispersion(&error.point);
            let variance = error.mean + VARIANCE_MIN + dispersion * square;
            let surprise = 1.0 + error.squared / (variance * f64::from(FREEDOM));
            *log -= 0.5 * error.weight * (variance * surprise.powi(FREEDOM + 1)).ln();
        }
    }

    /// The expected factor, between the mean of the logarithm and the logarithm of the mean.
    pub(super) fn factor(&self) -> Factor {
        let best = self.logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for (k, log) in self.logs.iter().enumerate() {
            let (weight, value) = ((log - best).exp(), candidate(k));
            sum += weight;
            first += weight * value;
            second += weight * value * value;
        }
        let mean = first / sum;
        Factor::at(mean + 0.5 * (second / sum - mean * mean))
    }
}

/// A factor on the usual dispersion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factor {
    of_usual: f64,
    of_departure: f64,
}

impl Factor {
    fn at(log: f64) -> Self {
        let width = &Prior::shipped().width;
        let of_departure = width.departure * (width.departure_follows * log).exp();
        Self { of_usual: log.exp(), of_departure }
    }

    /// φ of the variance `m + φ m²`.
    pub(super) fn dispersion(self, point: &Point) -> f64 {
        let sum = self.of_usual * point.usual + self.of_departure * point.departure + point.shape;
        sum.clamp(LIMITS.0, LIMITS.1)
    }
}

impl Default for Factor {
    fn default() -> Self {
        Self::at(0.0)
    }
}

/// The mean of the count distribution of a forecast. Busyness estimates the median. The distribution of uncertain levels is
/// skewed, so the mean is larger than the median.
pub(super) fn skewed(mean: f64, dispersion: f64) -> f64 {
    mean * (1.0 + dispersion.min(1.0)).powf(Prior::shipped().width.skew)
}
