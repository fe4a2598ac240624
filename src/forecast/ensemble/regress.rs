//! Regressions by lead: cases in blocks of weeks, coefficients, and out-of-sample forecasts of held-out blocks.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, s};

use super::design::{Design, WIDTH};
use super::frame::Frame;
use super::levels::Scale;
use super::season::Season;
use crate::stats::NormalEquations;

/// Maximum number of knots; coefficients are interpolated between them.
const KNOTS_MAX: usize = 9;
/// Maximum number of cases of a knot.
const CASES_MAX: usize = 2500;
/// Blocks of whole weeks for cross-validation.
const BLOCKS: usize = 8;
/// Candidate penalties, as shares of the cases' weight.
const PENALTIES: [f64; 4] = [0.003, 0.02, 0.1, 0.4];
/// Penalty of the constant, relative to other coefficients.
const PENALTY_OF_CONSTANT: f64 = 0.05;
/// Weight of a case whose profile has a single week of data.
const YOUNG: f64 = 0.25;
/// Limit of errors of the initial value, standard deviations (Huber 1964).
const HUBER: f64 = 3.0;

/// A past origin and its target at the lead of a knot.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub o: usize,
    pub t: usize,
    block: usize,
    /// Whether the profile is from a single week of data.
    pub young: bool,
}

/// Lead steps with coefficients of their own: denser at short leads, where coefficients change fast.
pub(super) fn knots(targets: usize) -> Vec<usize> {
    let n = KNOTS_MAX.min(targets);
    let mut knots: Vec<usize> = Vec::with_capacity(n);
    for k in 0..n {
        let share = k as f64 / (n - 1).max(1) as f64;
        let at = (share.powf(1.8) * (targets - 1) as f64).round() as usize;
        knots.push(if n == targets { k } else { at.max(knots.last().map_or(0, |last| last + 1)) });
    }
    knots
}

/// The cases of each knot with origins from `start` on.
pub(super) fn cases(
    frame: &Frame,
    season: &Season,
    start: usize,
    knots: &[usize],
) -> Vec<Vec<Case>> {
    let stride = frame.stride(season.known - start, CASES_MAX);
    let length = ((season.known - start) / BLOCKS).max(frame.week());
    let of_knot = |knot: &usize| {
        let origins = (start..season.known.saturating_sub(*knot)).step_by(stride);
        let cases = origins.map(|o| {
            let t = o + knot;
            let block = ((t - start) / length).min(BLOCKS - 1);
            Case { o, t, block, young: t < start + frame.week() }
        });
        cases.filter(|c| !season.y[c.t].is_nan() && !season.base[c.t].is_nan()).collect()
    };
    knots.iter().map(of_knot).collect()
}

/// The count that corresponds to the value `eta` of a regression.
pub(super) fn count_of(scale: Scale, base: f64, eta: f64) -> f64 {
    match scale {
        Scale::Ratio => base * eta.clamp(-4.0, 3.0).exp(),
        Scale::Difference => (base + eta).max(0.0),
    }
}

/// The dispersion φ of a negative binomial around the initial values. It is used only for weights.
pub(super) fn rough_dispersion(season: &Season, design: &Design, cases: &[Vec<Case>]) -> f64 {
    let (mut excess, mut square) = (0.0, 0.0);
    for case in cases.iter().flatten().step_by(7) {
        let mean = f64::from(season.base[case.t]) * design.guess(Scale::Ratio, case.o).exp();
        let error = (f64::from(season.clean[case.t]) - mean).powi(2);
        excess += error.min(mean * 16.0 + mean * mean) - mean;
        square += mean * mean;
    }
    if square > 0.0 { (excess / square).clamp(0.002, 2.0) } else { 0.05 }
}

/// Weight and response of a case: one step of iteratively reweighted least squares from the initial value, for a negative
/// binomial with log-linear or linear mean (McCullagh and Nelder 1989, § 2.5).
fn response(season: &Season, scale: Scale, case: Case, guess: f64, dispersion: f64) -> (f64, f64) {
    let (y, base) = (f64::from(season.y[case.t]), f64::from(season.base[case.t]));
    let mean = count_of(scale, base, guess);
    let deviation = |mean: f64| (mean + dispersion * mean * mean).sqrt();
    match scale {
        Scale::Ratio => {
            let reach = HUBER * deviation(mean);
            let weight = (mean / deviation(mean)).powi(2);
            (weight, guess + (y - mean).clamp(-reach, reach) / mean)
        }
        Scale::Difference => {
            let reach = HUBER * deviation(base);
            (deviation(base).powi(-2), mean - base + (y - mean).clamp(-reach, reach))
        }
    }
}

/// Results of the regressions on one scale.
pub(super) struct Regressed {
    /// Coefficients, one row per knot.
    pub beta: Array2<f32>,
    /// By knot and case: the out-of-sample mean, tickets.
    pub means: Vec<Vec<f64>>,
}

/// Ridge regressions by knot. The penalty is the one with the least error on held-out blocks.
pub(super) fn regress(
    season: &Season,
    design: &Design,
    scale: Scale,
    cases: &[Vec<Case>],
    dispersion: f64,
) -> Regressed {
    let knots: Vec<Knot<'_>> =
        cases.iter().map(|cases| Knot::new(season, design, scale, cases, dispersion)).collect();
    let mut losses = [0.0; PENALTIES.len()];
    let mut means = Vec::with_capacity(knots.len());
    for knot in &knots {
        let left_out = knot.left_out(season, scale);
        for (loss, means) in losses.iter_mut().zip(left_out.columns()) {
            *loss += knot.loss(season, means);
        }
        means.push(left_out);
    }
    let best = (0..PENALTIES.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap_or(0);
    let mut beta = Array2::zeros((knots.len(), WIDTH));
    for (mut beta, knot) in beta.rows_mut().into_iter().zip(&knots) {
        beta.assign(&solved(&knot.all, PENALTIES[best]).mapv(|b| b as f32));
    }
    Regressed { beta, means: means.iter().map(|means| means.column(best).to_vec()).collect() }
}

/// Coefficients at a penalty that is a share of the cases' weight.
fn solved(equations: &NormalEquations, share: f64) -> Array1<f64> {
    let mut penalty = [1.0; WIDTH];
    penalty[0] = PENALTY_OF_CONSTANT;
    equations.ridge(share * equations.weight(), &penalty)
}

/// One knot's cases as a design matrix.
struct Knot<'c> {
    cases: &'c [Case],
    /// One row per case: regressors, and the response as the last column.
    rows: Array2<f64>,
    /// Equations of each block, and of all blocks.
    blocks: Vec<NormalEquations>,
    all: NormalEquations,
}

impl<'c> Knot<'c> {
    fn new(
        season: &Season,
        design: &Design,
        scale: Scale,
        cases: &'c [Case],
        dispersion: f64,
    ) -> Self {
        let mut rows = Array2::zeros((cases.len(), WIDTH + 1));
        let mut weights = Array1::zeros(cases.len());
        for ((case, mut row), weight) in cases.iter().zip(rows.rows_mut()).zip(&mut weights) {
            let regressors = design.row(scale, case.o, case.t);
            row.iter_mut().zip(regressors).for_each(|(to, x)| *to = f64::from(x));
            let guess = design.guess(scale, case.o);
            (*weight, row[WIDTH]) = response(season, scale, *case, guess, dispersion);
            if case.young {
                *weight *= YOUNG;
            }
        }
        let mut blocks = vec![NormalEquations::new(WIDTH); BLOCKS];
        for (block, cases) in runs(cases) {
            blocks[block].add(rows.slice(s![cases.clone(), ..]), weights.slice(s![cases]));
        }
        let mut all = NormalEquations::new(WIDTH);
        blocks.iter().for_each(|block| all.merge(block, 1.0));
        Self { cases, rows, blocks, all }
    }

    /// Out-of-sample means: one row per case, one column per penalty.
    fn left_out(&self, season: &Season, scale: Scale) -> Array2<f64> {
        let mut means = Array2::zeros((self.cases.len(), PENALTIES.len()));
        for (block, cases) in runs(self.cases) {
            let mut rest = self.all.clone();
            rest.merge(&self.blocks[block], -1.0);
            let mut beta = Array2::zeros((WIDTH, PENALTIES.len()));
            for (mut beta, share) in beta.columns_mut().into_iter().zip(PENALTIES) {
                beta.assign(&solved(&rest, share));
            }
            let values = self.rows.slice(s![cases.clone(), ..WIDTH]).dot(&beta);
            means.slice_mut(s![cases, ..]).assign(&values);
        }
        for (case, mut means) in self.cases.iter().zip(means.rows_mut()) {
            let base = f64::from(season.base[case.t]);
            means.mapv_inplace(|eta| count_of(scale, base, eta));
        }
        means
    }

    /// Sum of absolute errors.
    fn loss(&self, season: &Season, means: ArrayView1<'_, f64>) -> f64 {
        let cases = self.cases.iter().zip(means);
        cases.map(|(case, mean)| (mean - f64::from(season.y[case.t])).abs()).sum()
    }
}

/// Blocks in order, each with the range of its cases.
fn runs(cases: &[Case]) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
    let mut from = 0;
    cases.chunk_by(|a, b| a.block == b.block).map(move |of_block| {
        let range = from..from + of_block.len();
        from = range.end;
        (of_block[0].block, range)
    })
}
