//! Weights, widths and calibration by lead, from forecasts of weeks that a regression had not seen.

use super::counts::Spread;
use crate::forecast::QUANTILES;
use crate::stats::normal;

/// Bins of the PIT histogram.
const BINS: usize = 200;
/// Calibration counts against none as so many days.
const PRIOR_DAYS: f64 = 8.0;
/// Horizons of six hours.
const HORIZONS_A_DAY: f64 = 4.0;
/// Squared misses count up to so many variances.
const MISS_MAX: f64 = 16.0;
/// Shares of the ratio scale that are tried; the first wins a tie.
const SHARES: [f64; 9] = [0.5, 0.375, 0.625, 0.25, 0.75, 0.125, 0.875, 0.0, 1.0];
/// Shares of what is carried on that are tried; the first wins a tie.
const CARRIED: [f64; 9] = [0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0];
/// Days after which a miss counts half for the width at present, and days that the usual width weighs as much.
const RECENT_DAYS: f64 = 4.0;
const RECENT_PRIOR: f64 = 4.0;
/// Variance is multiplied by no less and no more for it.
const FOLLOWS: (f64, f64) = (0.6, 4.0);
/// Exponents of the recent surprise and of the hour's.
const SURPRISE: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
const USUAL: [f64; 3] = [0.0, 0.5, 1.0];
/// Cases that exponents and histograms are found by, at most.
const CASES_MAX: usize = 1500;
const ORDINARY: (f64, f64) = (1.0, 0.03);

/// What the members expect, tickets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Means {
    /// On the scale of ratios and on that of differences.
    pub regressed: [f64; 2],
    /// The newest difference to the profile carried on: as it is, and with its trend.
    pub carried: [f64; 2],
}

/// A count, what was expected of it, and the logarithms of what may multiply its variance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    pub y: f64,
    pub means: Means,
    pub widths: [f64; 2],
    /// Days before the fit.
    pub age: f64,
}

/// A lead bucket's shares, variance, and probabilities at which quantiles are read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bucket {
    /// Of the ratio scale in what is regressed; of what is carried on, as it is and as it goes.
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
            linear: ORDINARY.0 as f32,
            square: ORDINARY.1 as f32,
            exponents: [0.0; 2],
            probabilities: QUANTILES.map(|p| p as f32),
        }
    }
}

/// A trial, and what the bucket made of it.
struct Seen {
    y: f64,
    mean: f64,
    widths: [f64; 2],
    /// What multiplies its variance.
    factor: f64,
    age: f64,
}

impl Seen {
    fn miss(&self) -> f64 {
        (self.y - self.mean).powi(2)
    }
}

impl Bucket {
    /// From trials that cover so many days.
    pub(super) fn new(trials: &[Trial], days: f64) -> Self {
        let mut bucket = Self::default();
        if trials.is_empty() {
            return bucket;
        }
        bucket.shares = shares(trials).map(|share| share as f32);
        let seen = trials.iter().map(|trial| Seen {
            y: trial.y,
            mean: bucket.mean(trial.means),
            widths: trial.widths,
            factor: 1.0,
            age: trial.age,
        });
        let mut seen: Vec<Seen> = seen.collect();
        bucket.set_variance(&seen);
        let step = trials.len().div_ceil(CASES_MAX);
        bucket.set_exponents(seen.iter().step_by(step));
        for seen in &mut seen {
            seen.factor = factor(bucket.exponents, seen.widths);
        }
        bucket.set_variance(&seen);
        bucket.set_probabilities(seen.iter().step_by(step), days);
        bucket.follow(&seen);
        bucket
    }

    /// The mean that they make together.
    pub(super) fn mean(&self, means: Means) -> f64 {
        mix(self.shares.map(f64::from), means).max(1e-3)
    }

    pub(super) fn quantiles(&self, mean: f64, widths: [f64; 2]) -> [f64; 7] {
        self.spread(mean, factor(self.exponents, widths))
            .quantiles(&self.probabilities.map(f64::from))
    }

    /// Variance of a mean before anything multiplies it.
    fn variance(&self, mean: f64) -> f64 {
        f64::from(self.linear) * mean + f64::from(self.square) * mean * mean
    }

    fn spread(&self, mean: f64, factor: f64) -> Spread {
        Spread { mean, variance: (self.variance(mean) * factor).max(1e-9) }
    }

    /// Exponents that make the trials likeliest: normal, the scale profiled out and outliers cut.
    fn set_exponents<'a>(&mut self, trials: impl Iterator<Item = &'a Seen>) {
        let squares: Vec<(f64, [f64; 2])> = trials
            .map(|seen| ((seen.miss() / self.variance(seen.mean)).min(MISS_MAX), seen.widths))
            .collect();
        let n = squares.len() as f64;
        let mut best = f64::INFINITY;
        for surprise in SURPRISE {
            for usual in USUAL {
                let exponents = [surprise as f32, usual as f32];
                let (mut logs, mut sum) = (0.0, 0.0);
                for (square, widths) in &squares {
                    let log = log_factor(exponents, *widths);
                    logs += log;
                    sum += square / log.exp();
                }
                let loss = logs / n + (sum / n).ln() + 0.002 * (surprise + usual);
                if loss < best {
                    (best, self.exponents) = (loss, exponents);
                }
            }
        }
    }

    /// `a` and `φ` by weighted least squares of squared misses on `m` and `m²`.
    fn set_variance(&mut self, trials: &[Seen]) {
        let (mut linear, mut square) = ORDINARY;
        let misses: Vec<(f64, f64)> =
            trials.iter().map(|seen| (seen.mean, seen.miss() / seen.factor)).collect();
        for _ in 0..2 {
            let (mut s11, mut s12, mut s22, mut t1, mut t2) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (m, miss) in misses.iter().copied() {
                let v = linear * m + square * m * m + 1e-3;
                let (g, miss) = (m / v / v, miss.min(MISS_MAX * v));
                s11 += g * m;
                s12 += g * m * m;
                s22 += g * m * m * m;
                t1 += g * miss;
                t2 += g * m * miss;
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

    /// Widens or narrows by how far off forecasts were in the last days, against the whole time.
    fn follow(&mut self, trials: &[Seen]) {
        let (mut recent, mut all) = ((0.0, 0.0), (0.0, 0.0));
        for seen in trials {
            let spread = self.spread(seen.mean, seen.factor);
            let miss = (seen.miss() / spread.variance).min(MISS_MAX);
            let weight = (-seen.age / RECENT_DAYS).exp2();
            recent = (recent.0 + weight * miss, recent.1 + weight);
            all = (all.0 + miss, all.1 + 1.0);
        }
        let usual = (all.0 / all.1).max(1e-3);
        // Weights add up to so many days.
        let days = recent.1 / all.1 * trials.iter().map(|t| t.age).fold(0.0, f64::max);
        let now = recent.0 / recent.1.max(1e-9) / usual;
        let follows = (now * days + RECENT_PRIOR) / (days + RECENT_PRIOR);
        let follows = follows.clamp(FOLLOWS.0, FOLLOWS.1) as f32;
        self.linear *= follows;
        self.square *= follows;
    }

    /// Probabilities whose quantiles would have covered as they should: the inverse of the mean PIT histogram
    /// (non-randomised: Czado, Gneiting and Held 2009), pulled towards the nominal ones on the normal scale. Outcomes of
    /// a horizon go together and count as one; one more is taken to lie beyond either end, for what is to come may
    /// be farther off than all that came (as ranks have it in conformal prediction: Vovk, Gammerman and Shafer 2005).
    fn set_probabilities<'a>(&mut self, trials: impl Iterator<Item = &'a Seen>, days: f64) {
        let mut histogram = [0.0f64; BINS];
        for seen in trials {
            let (low, high) = self.spread(seen.mean, seen.factor).cdf(seen.y);
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

fn mix([ratio, kept, going]: [f64; 3], means: Means) -> f64 {
    let [carried, gone] = means.carried;
    (1.0 - kept - going) * regressed(ratio, means) + kept * carried + going * gone
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

/// Shares of the members whose mean comes closest: of the ratio scale first, then what is carried on, as it is or as it goes.
fn shares(trials: &[Trial]) -> [f64; 3] {
    let (ratio, _) = least(trials, SHARES, |means| {
        let [ratio, difference] = means.regressed;
        [difference, ratio]
    });
    let carried = |k: usize| move |means: Means| [regressed(ratio, means), means.carried[k]];
    let (kept, of_kept) = least(trials, CARRIED, carried(0));
    let (going, of_going) = least(trials, CARRIED, carried(1));
    if of_going < of_kept { [ratio, 0.0, going] } else { [ratio, kept, 0.0] }
}

/// The share of the second of two means that has the least absolute loss, the first being the rest; and that loss.
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
