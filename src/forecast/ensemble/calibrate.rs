//! Weights, variance and calibration by lead bucket, from out-of-sample forecasts of held-out weeks.

use super::counts::Spread;
use crate::forecast::QUANTILES;
use crate::stats::normal;

/// Bins of the PIT histogram.
const BINS: usize = 200;
/// Weight of the uncalibrated quantiles, in days.
const PRIOR_DAYS: f64 = 8.0;
/// Horizons of six hours in a day.
const HORIZONS_A_DAY: f64 = 4.0;
/// Limit of a squared error, in variances.
const SQUARED_ERROR_MAX: f64 = 16.0;
/// Candidate shares of the ratio scale; the first wins a tie.
const SHARES: [f64; 9] = [0.5, 0.375, 0.625, 0.25, 0.75, 0.125, 0.875, 0.0, 1.0];
/// Candidate shares of persistence; the first wins a tie.
const PERSISTENCE: [f64; 9] = [0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0];
/// Half-life of squared errors in the recent variance, and the weight of the long-term variance, both in days.
const RECENT_DAYS: f64 = 4.0;
const RECENT_PRIOR: f64 = 4.0;
/// Limits of the factor of recent variance.
const RECENT_FACTOR: (f64, f64) = (0.6, 4.0);
/// Candidate exponents of the recent errors and of the usual error at the time of day.
const RECENT_EXPONENTS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
const USUAL_EXPONENTS: [f64; 3] = [0.0, 0.5, 1.0];
/// Maximum number of trials for exponents and histograms.
const CASES_MAX: usize = 1500;
/// Default coefficients of the variance.
const VARIANCE: (f64, f64) = (1.0, 0.03);

/// Means of the members, tickets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Means {
    /// Regressions on the ratio scale and on the difference scale.
    pub regressed: [f64; 2],
    /// Persistence of the newest difference to the profile: constant, and with a damped trend.
    pub persistence: [f64; 2],
}

/// An actual count, its out-of-sample means, and the logarithms of variance factors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    pub y: f64,
    pub means: Means,
    pub widths: [f64; 2],
    /// Age of the trial at the time of the fit, in days.
    pub age: f64,
}

/// Weights, variance and calibrated probabilities of a lead bucket.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bucket {
    /// Shares: of the ratio scale within the regressions, of constant persistence, and of persistence with trend.
    shares: [f32; 3],
    /// `a` and `φ` of the variance `a m + φ m²`.
    linear: f32,
    square: f32,
    exponents: [f32; 2],
    probabilities: [f32; 7],
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            shares: [0.5, 0.0, 0.0],
            linear: VARIANCE.0 as f32,
            square: VARIANCE.1 as f32,
            exponents: [0.0; 2],
            probabilities: QUANTILES.map(|p| p as f32),
        }
    }
}

/// A trial, with the mean of the bucket.
struct Scored {
    y: f64,
    mean: f64,
    widths: [f64; 2],
    /// Factor on the variance of the trial.
    factor: f64,
    age: f64,
}

impl Scored {
    fn squared_error(&self) -> f64 {
        (self.y - self.mean).powi(2)
    }
}

impl Bucket {
    /// Computes a bucket from trials over `days`.
    pub(super) fn new(trials: &[Trial], days: f64) -> Self {
        let mut bucket = Self::default();
        if trials.is_empty() {
            return bucket;
        }
        bucket.shares = shares(trials).map(|share| share as f32);
        let scored = trials.iter().map(|trial| Scored {
            y: trial.y,
            mean: bucket.mean(trial.means),
            widths: trial.widths,
            factor: 1.0,
            age: trial.age,
        });
        let mut scored: Vec<Scored> = scored.collect();
        bucket.set_variance(&scored);
        let step = trials.len().div_ceil(CASES_MAX);
        bucket.set_exponents(scored.iter().step_by(step));
        for scored in &mut scored {
            scored.factor = factor(bucket.exponents, scored.widths);
        }
        bucket.set_variance(&scored);
        bucket.set_probabilities(scored.iter().step_by(step), days);
        bucket.scale_to_recent(&scored);
        bucket
    }

    /// The weighted mean of the members.
    pub(super) fn mean(&self, means: Means) -> f64 {
        mix(self.shares.map(f64::from), means).max(1e-3)
    }

    pub(super) fn quantiles(&self, mean: f64, widths: [f64; 2]) -> [f64; 7] {
        self.spread(mean, factor(self.exponents, widths))
            .quantiles(&self.probabilities.map(f64::from))
    }

    /// Variance of a mean without factors.
    fn variance(&self, mean: f64) -> f64 {
        f64::from(self.linear) * mean + f64::from(self.square) * mean * mean
    }

    fn spread(&self, mean: f64, factor: f64) -> Spread {
        Spread { mean, variance: (self.variance(mean) * factor).max(1e-9) }
    }

    /// Maximum-likelihood exponents: normal errors, the scale profiled out, outliers limited.
    fn set_exponents<'a>(&mut self, trials: impl Iterator<Item = &'a Scored>) {
        let squares: Vec<(f64, [f64; 2])> = trials
            .map(|scored| {
                (
                    (scored.squared_error() / self.variance(scored.mean)).min(SQUARED_ERROR_MAX),
                    scored.widths,
                )
            })
            .collect();
        let n = squares.len() as f64;
        let mut best = f64::INFINITY;
        for recent_errors in RECENT_EXPONENTS {
            for usual in USUAL_EXPONENTS {
                let exponents = [recent_errors as f32, usual as f32];
                let (mut logs, mut sum) = (0.0, 0.0);
                for (square, widths) in &squares {
                    let log = log_factor(exponents, *widths);
                    logs += log;
                    sum += square / log.exp();
                }
                let loss = logs / n + (sum / n).ln() + 0.002 * (recent_errors + usual);
                if loss < best {
                    (best, self.exponents) = (loss, exponents);
                }
            }
        }
    }

    /// `a` and `φ` by weighted least squares of squared errors on `m` and `m²`.
    fn set_variance(&mut self, trials: &[Scored]) {
        let (mut linear, mut square) = VARIANCE;
        let errors: Vec<(f64, f64)> = trials
            .iter()
            .map(|scored| (scored.mean, scored.squared_error() / scored.factor))
            .collect();
        for _ in 0..2 {
            let (mut s11, mut s12, mut s22, mut t1, mut t2) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (m, error) in errors.iter().copied() {
                let v = linear * m + square * m * m + 1e-3;
                let (g, error) = (m / v / v, error.min(SQUARED_ERROR_MAX * v));
                s11 += g * m;
                s12 += g * m * m;
                s22 += g * m * m * m;
                t1 += g * error;
                t2 += g * m * error;
            }
            let determinant = s11 * s22 - s12 * s12;
            let (mut a, mut f) = (t1 / s11, 0.0);
            if determinant > 1e-9 * s11 * s22 {
                let both =
                    ((t1 * s22 - t2 * s12) / determinant, (t2 * s11 - t1 * s12) / determinant);
                if both.1 >= 0.0 {
                    (a, f) = both;
                }
                if a < 0.1 {
                    (a, f) = (0.1, ((t2 - 0.1 * s12) / s22).max(1e-4));
                }
            }
            (linear, square) = (a.clamp(0.1, 50.0), f.clamp(0.0, 10.0));
        }
        (self.linear, self.square) = (linear as f32, square as f32);
    }

    /// Scales the variance by the squared errors of the last days relative to the whole period.
    fn scale_to_recent(&mut self, trials: &[Scored]) {
        let (mut recent, mut all) = ((0.0, 0.0), (0.0, 0.0));
        for scored in trials {
            let spread = self.spread(scored.mean, scored.factor);
            let error = (scored.squared_error() / spread.variance).min(SQUARED_ERROR_MAX);
            let weight = (-scored.age / RECENT_DAYS).exp2();
            recent = (recent.0 + weight * error, recent.1 + weight);
            all = (all.0 + error, all.1 + 1.0);
        }
        let usual = (all.0 / all.1).max(1e-3);
        // Sum of the weights in days.
        let days = recent.1 / all.1 * trials.iter().map(|t| t.age).fold(0.0, f64::max);
        let now = recent.0 / recent.1.max(1e-9) / usual;
        let factor = (now * days + RECENT_PRIOR) / (days + RECENT_PRIOR);
        let factor = factor.clamp(RECENT_FACTOR.0, RECENT_FACTOR.1) as f32;
        self.linear *= factor;
        self.square *= factor;
    }

    /// Probabilities whose quantiles have nominal coverage: the inverse of the mean PIT histogram (non-randomised: Czado,
    /// Gneiting and Held 2009), shrunk towards the nominal probabilities on the normal scale. Counts of one horizon are
    /// correlated and count as one observation. One more observation is assumed beyond either end, because future errors may
    /// exceed all past ones (as in conformal prediction: Vovk, Gammerman and Shafer 2005).
    fn set_probabilities<'a>(&mut self, trials: impl Iterator<Item = &'a Scored>, days: f64) {
        let mut histogram = [0.0f64; BINS];
        for scored in trials {
            let (low, high) = self.spread(scored.mean, scored.factor).cdf(scored.y);
            add_mass(&mut histogram, low, high);
        }
        let total: f64 = histogram.iter().sum();
        let trust = days / (days + PRIOR_DAYS);
        let n = days * HORIZONS_A_DAY;
        let (mut sum, mut bin) = (0.0, 0);
        for (slot, nominal) in self.probabilities.iter_mut().zip(QUANTILES) {
            let wanted = ((nominal * (n + 2.0) - 1.0) / n).clamp(0.0, 1.0) * total;
            while bin + 1 < BINS && sum + histogram[bin] < wanted {
                sum += histogram[bin];
                bin += 1;
            }
            let part = if histogram[bin] > 0.0 { (wanted - sum) / histogram[bin] } else { 0.0 };
            let found = ((bin as f64 + part) / BINS as f64).clamp(5e-4, 1.0 - 5e-4);
            let score = trust * normal::quantile(found) + (1.0 - trust) * normal::quantile(nominal);
            *slot = normal::cdf(score) as f32;
        }
    }
}

fn regressed(ratio: f64, means: Means) -> f64 {
    ratio * means.regressed[0] + (1.0 - ratio) * means.regressed[1]
}

fn mix([ratio, constant, trend]: [f64; 3], means: Means) -> f64 {
    let [persistent, trending] = means.persistence;
    (1.0 - constant - trend) * regressed(ratio, means) + constant * persistent + trend * trending
}

fn factor(exponents: [f32; 2], widths: [f64; 2]) -> f64 {
    if exponents == [0.0; 2] {
        return 1.0;
    }
    log_factor(exponents, widths).exp()
}

fn log_factor(exponents: [f32; 2], widths: [f64; 2]) -> f64 {
    let log = f64::from(exponents[0]) * widths[0] + f64::from(exponents[1]) * widths[1];
    log.clamp(-3.0, 3.0)
}

/// Shares with the least absolute error: first of the ratio scale, then of one kind of persistence.
fn shares(trials: &[Trial]) -> [f64; 3] {
    let (ratio, _) = least(trials, SHARES, |means| {
        let [ratio, difference] = means.regressed;
        [difference, ratio]
    });
    let persistence =
        |k: usize| move |means: Means| [regressed(ratio, means), means.persistence[k]];
    let (constant, constant_loss) = least(trials, PERSISTENCE, persistence(0));
    let (trend, trend_loss) = least(trials, PERSISTENCE, persistence(1));
    if trend_loss < constant_loss { [ratio, 0.0, trend] } else { [ratio, constant, 0.0] }
}

/// The share of the second of two means that has the least absolute error, and that error. The share of the first mean is the
/// rest.
fn least<const N: usize>(
    trials: &[Trial],
    shares: [f64; N],
    of: impl Fn(Means) -> [f64; 2],
) -> (f64, f64) {
    let mut losses = [0.0; N];
    for trial in trials {
        let [first, second] = of(trial.means);
        for (loss, share) in losses.iter_mut().zip(shares) {
            *loss += (trial.y - ((1.0 - share) * first + share * second)).abs();
        }
    }
    let best = (0..N).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap_or(0);
    (shares[best], losses[best])
}

/// Spreads one unit of mass evenly over `low..high`.
fn add_mass(histogram: &mut [f64; BINS], low: f64, high: f64) {
    let (from, to) = (low * BINS as f64, (high * BINS as f64).min(BINS as f64 - 1e-9));
    let (first, last) = ((from as usize).min(BINS - 1), (to as usize).min(BINS - 1));
    if last <= first || to - from < 1e-9 {
        histogram[first] += 1.0;
        return;
    }
    for (bin, slot) in histogram.iter_mut().enumerate().take(last + 1).skip(first) {
        let overlap = to.min(bin as f64 + 1.0) - from.max(bin as f64);
        *slot += overlap.max(0.0) / (to - from);
    }
}
