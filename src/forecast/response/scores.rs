//! Regressions on features of episodes: log-odds that customers notice, and ln size.

use std::collections::BTreeMap;

use super::context::SiteContext;
use super::episode::{FEATURES, PLAIN};
use super::gather::Sums;
use super::model::{ResponseModel, Score, real_features, size_features};
use super::prior::Prior;
use crate::stats::{CoefficientPrior, NormalEquations, logistic, logistic_regression, sparse_dot};

/// Prior standard deviation of the effects of alarm types: on log-odds, and on ln size.
const TYPE_SPREAD: (f64, f64) = (1.0, 0.3);
/// Prior standard deviation of the effects of services and scopes: on log-odds, and on ln size.
const GROUP_SPREAD: (f64, f64) = (0.5, 0.25);

pub(super) fn improve_scores(
    model: &mut ResponseModel,
    prior: &Prior,
    context: &SiteContext<'_>,
    sums: &Sums,
) {
    let columns = FEATURES + model.classes.names.len();
    let padded = |features: [f64; FEATURES], others: f64| {
        let mut all = vec![others; columns];
        all[..FEATURES].copy_from_slice(&features);
        all
    };
    let r = &prior.real;
    let mean = padded(real_features(r), 0.0);
    let mut features = [r.spread.powi(-2); FEATURES];
    features[PLAIN..].fill((2.0 * r.spread).powi(-2));
    let precision = padded(features, TYPE_SPREAD.0.powi(-2));
    let start = CoefficientPrior { mean: &mean, precision: &precision };
    let coefficients = logistic_regression(&sums.rows, &sums.real, &start, &mean);
    let residual = |i: usize, score: f64| {
        let p = logistic(score);
        (sums.real[i] - p, p * (1.0 - p))
    };
    let scores: Vec<f64> = sums.rows.iter().map(|row| sparse_dot(row, &coefficients)).collect();
    model.real = grouped(context, sums, coefficients, &scores, GROUP_SPREAD.0, &residual);

    let s = &prior.size;
    let mean = padded(size_features(s), 0.0);
    let spread = model.size_spread.powi(2);
    let mut features = [10.0; FEATURES];
    features[0] = s.weight / spread;
    let precision = padded(features, TYPE_SPREAD.1.powi(-2));
    let start = CoefficientPrior { mean: &mean, precision: &precision };
    let y: Vec<f64> = sums.ln_size.iter().map(|(mean, _)| *mean).collect();
    let mut equations = NormalEquations::new(columns);
    for ((row, y), real) in sums.rows.iter().zip(&y).zip(&sums.real) {
        equations.add_sparse(row, real / spread, *y);
    }
    let coefficients = equations.with_prior(&start).to_vec();
    let scores: Vec<f64> = sums.rows.iter().map(|row| sparse_dot(row, &coefficients)).collect();
    let residual =
        |i: usize, score: f64| (sums.real[i] / spread * (y[i] - score), sums.real[i] / spread);
    let (mut square, mut n) = (s.weight * s.spread.powi(2), s.weight);
    for (i, score) in scores.iter().enumerate() {
        square += sums.real[i] * ((y[i] - score).powi(2) + sums.ln_size[i].1);
        n += sums.real[i];
    }
    model.size_spread = (square / n).sqrt().clamp(0.2, 1.5);
    model.size = grouped(context, sums, coefficients, &scores, GROUP_SPREAD.1, &residual);
}

/// Adds effects of services, then of scopes, shrunk towards zero. `residual` returns slope and curvature of a row's
/// log-likelihood at a score.
fn grouped(
    context: &SiteContext<'_>,
    sums: &Sums,
    coefficients: Vec<f64>,
    scores: &[f64],
    spread: f64,
    residual: &dyn Fn(usize, f64) -> (f64, f64),
) -> Score {
    let mut score = Score { coefficients, ..Score::default() };
    let mut services: BTreeMap<_, (f64, f64)> = BTreeMap::new();
    for (i, site) in sums.groups.iter().enumerate() {
        let (slope, curve) = residual(i, scores[i]);
        let sum = services.entry(&context.sites[*site].scope.service).or_default();
        *sum = (sum.0 + slope, sum.1 + curve);
    }
    let step = |(slope, curve): (f64, f64)| {
        (slope / (curve + spread.powi(-2))).clamp(-2.0 * spread, 2.0 * spread)
    };
    score.services = services.into_iter().map(|(name, sum)| (name.clone(), step(sum))).collect();
    let mut scopes: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (i, site) in sums.groups.iter().enumerate() {
        let service = score.services[&context.sites[*site].scope.service];
        let (slope, curve) = residual(i, scores[i] + service);
        let sum = scopes.entry(*site).or_default();
        *sum = (sum.0 + slope, sum.1 + curve);
    }
    let named =
        scopes.into_iter().map(|(site, sum)| (context.sites[site].scope.clone(), step(sum)));
    score.scopes = named.collect();
    score
}
