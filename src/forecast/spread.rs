//! Quantiles of counts: negative binomial with variance `m + φ m²`.

use statrs::function::beta::beta_reg;
use statrs::function::gamma::{gamma_ur, ln_gamma};

use super::{QUANTILES, Target, rounded};

/// Above this mean a gamma approximation is closer than its own model error.
const WALK_MAX: f64 = 400.0;

/// Expected tickets below which a band says too little of its shape to be scaled, and the dispersion then.
const SHAPELESS: f64 = 0.5;
const DISPERSION: f64 = 0.06;

/// The φ that an 80 % band shows; 0 where it is no wider than Poisson's.
pub fn dispersion(mean: f64, quantiles: &[f64; 7]) -> f64 {
    if mean < SHAPELESS {
        return DISPERSION;
    }
    let sd = (quantiles[5] - quantiles[1]) / (NORMAL[5] - NORMAL[1]);
    ((sd * sd - mean) / (mean * mean)).max(0.0)
}

impl Target {
    /// Puts down to today's level what the mean has beyond what alarms bring, so that its drivers add up to it.
    pub(super) fn explain(&mut self) {
        self.alarm_effect = self.alarm_effect.min(self.mean);
        if self.baseline > 0.0 {
            self.level = rounded((self.mean - self.alarm_effect) / self.baseline);
        }
    }

    /// Moves the mean by `tickets`, not below zero, and the band with it: the dispersion stays.
    pub fn shift(&mut self, tickets: f64) {
        let before = self.mean;
        let after = (before + tickets).max(0.0);
        self.mean = rounded(after);
        let dispersion = dispersion(before, &self.quantiles);
        if before < SHAPELESS || after <= 0.0 {
            self.quantiles = quantiles(after, dispersion);
            return;
        }
        let variance = |mean: f64| mean + dispersion * mean * mean;
        let wider = (variance(after) / variance(before)).sqrt();
        self.quantiles = self.quantiles.map(|q| (after + (q - before) * wider).max(0.0).round());
    }
}

/// Counts at [`QUANTILES`] for a mean and a dispersion φ ≥ 0.
pub fn quantiles(mean: f64, dispersion: f64) -> [f64; 7] {
    if mean.is_nan() || mean <= 0.0 {
        return [0.0; 7];
    }
    if mean > WALK_MAX { approximate(mean, dispersion) } else { walk(mean, dispersion) }
}

/// P(K ≤ `count`) of the negative binomial with this mean and dispersion φ ≥ 0.
///
/// By the regularised incomplete beta function, Poisson's by the gamma function (Johnson, Kemp and Kotz,
/// *Univariate Discrete Distributions*).
pub fn cumulative(mean: f64, dispersion: f64, count: f64) -> f64 {
    if count < 0.0 {
        return 0.0;
    }
    if mean.is_nan() || mean <= 0.0 {
        return 1.0;
    }
    if dispersion < 1e-5 {
        return gamma_ur(count + 1.0, mean);
    }
    let size = 1.0 / dispersion;
    beta_reg(size, count + 1.0, size / (size + mean))
}

/// Probability mass at zero, and the step from one count to the next.
fn start(mean: f64, dispersion: f64) -> (f64, impl Fn(f64) -> f64) {
    let size = 1.0 / dispersion.max(1e-6);
    let p = mean / (mean + size);
    let zero = -size * (mean / size).ln_1p();
    (zero, move |k: f64| p * (k + size - 1.0) / k)
}

fn walk(mean: f64, dispersion: f64) -> [f64; 7] {
    let (ln_zero, step) = start(mean, dispersion);
    let mut found = [0.0; 7];
    let mut next = 0;
    // Where the mass at zero underflows, start at a count where it does not.
    let mut k = 0.0;
    let mut mass = ln_zero.exp();
    let mut sum = mass;
    if mass < 1e-280 {
        let sd = (mean + dispersion * mean * mean).sqrt();
        k = (mean - 12.0 * sd).max(0.0).floor();
        mass = ln_mass(k, mean, dispersion).exp();
        sum = mass;
    }
    let stop = mean + 40.0 * (mean + dispersion * mean * mean).sqrt() + 40.0;
    loop {
        while next < 7 && sum >= QUANTILES[next] {
            found[next] = k;
            next += 1;
        }
        if next == 7 || k > stop {
            break;
        }
        k += 1.0;
        mass *= step(k);
        sum += mass;
    }
    for slot in found.iter_mut().skip(next) {
        *slot = k;
    }
    found
}

/// ln P(K = k) of the negative binomial.
pub fn ln_mass(k: f64, mean: f64, dispersion: f64) -> f64 {
    let size = 1.0 / dispersion.max(1e-6);
    ln_gamma(k + size) - ln_gamma(size) - ln_gamma(k + 1.0)
        + size * (size / (size + mean)).ln()
        + k * (mean / (size + mean)).ln()
}

/// Standard normal quantiles at [`QUANTILES`].
const NORMAL: [f64; 7] = [-1.959964, -1.281552, -0.674490, 0.0, 0.674490, 1.281552, 1.959964];

/// A gamma distribution of the same mean and variance, by Wilson and Hilferty's cube (1931).
fn approximate(mean: f64, dispersion: f64) -> [f64; 7] {
    let variance = mean + dispersion * mean * mean;
    let shape = mean * mean / variance;
    NORMAL.map(|z| {
        let root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape.sqrt());
        (mean * root.max(0.0).powi(3)).round()
    })
}

/// E|Y − median| of a Poisson count: the error of someone who knows the true rate.
///
/// With `F` the distribution function: `E|Y − c| = c(2F(c) − 1) + m(1 − 2F(c − 1))` for integer c.
pub fn poisson_floor(mean: f64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    if mean > WALK_MAX {
        return (2.0 * mean / std::f64::consts::PI).sqrt();
    }
    let mut mass = (-mean).exp();
    let (mut k, mut sum, mut below) = (0.0, mass, 0.0);
    while sum < 0.5 {
        k += 1.0;
        mass *= mean / k;
        below = sum;
        sum += mass;
    }
    k * (2.0 * sum - 1.0) + mean * (1.0 - 2.0 * below)
}
