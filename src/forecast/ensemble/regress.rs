//! Regressions by lead: cases in blocks of weeks, coefficients, and forecasts of the blocks left out.

use super::design::{Design, Row, WIDTH};
use super::frame::Frame;
use super::levels::Scale;
use super::ridge::{Sums, Weighed};
use super::season::Season;

/// Leads share coefficients between knots; this many at most.
const KNOTS_MAX: usize = 9;
/// Cases of a knot, at most.
const CASES_MAX: usize = 2500;
/// Blocks of whole weeks that are left out in turn.
const BLOCKS: usize = 8;
/// Penalties that are tried, as shares of the cases' weight.
const PENALTIES: [f64; 4] = [0.003, 0.02, 0.1, 0.4];
/// The constant is hardly shrunk.
const PENALTY_OF_CONSTANT: f64 = 0.05;
/// Weight of a case whose profile rests on a single week.
const YOUNG: f64 = 0.25;
/// Misses of a first guess count up to so many standard deviations (Huber 1964).
const HUBER: f64 = 3.0;

/// A past origin with the target that its knot's lead gives.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub o: usize,
    pub t: usize,
    block: usize,
    /// Its profile rests on a single week.
    pub young: bool,
}

/// Lead steps at which coefficients are found: close together at first, where they change fast.
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

/// The cases of each knot whose origin lies at `start` or after it.
pub(super) fn cases(
    frame: &Frame,
    season: &Season,
    start: usize,
    knots: &[usize],
) -> Vec<Vec<Case>> {
    let stride = stride(season.known - start, CASES_MAX, frame.day);
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

/// Step that takes about `most` of `n` windows, every time of day in its turn.
pub(super) fn stride(n: usize, most: usize, day: usize) -> usize {
    let mut stride = n.div_ceil(most).max(1);
    while gcd(stride, day) > 1 {
        stride += 1;
    }
    stride
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The count that a regression's value `eta` stands for.
pub(super) fn count_of(scale: Scale, base: f64, eta: f64) -> f64 {
    match scale {
        Scale::Ratio => base * eta.clamp(-4.0, 3.0).exp(),
        Scale::Difference => (base + eta).max(0.0),
    }
}

pub(super) fn dot(row: &Row, beta: &[f64; WIDTH]) -> f64 {
    row.iter().zip(beta).map(|(x, b)| f64::from(*x) * b).sum()
}

/// φ of a negative binomial around the first guesses: for weights only.
pub(super) fn rough_dispersion(season: &Season, design: &Design, cases: &[Vec<Case>]) -> f64 {
    let (mut excess, mut square) = (0.0, 0.0);
    for case in cases.iter().flatten().step_by(7) {
        let mean = f64::from(season.base[case.t]) * design.guess(Scale::Ratio, case.o).exp();
        let miss = (f64::from(season.clean[case.t]) - mean).powi(2);
        excess += miss.min(mean * 16.0 + mean * mean) - mean;
        square += mean * mean;
    }
    if square > 0.0 { (excess / square).clamp(0.002, 2.0) } else { 0.05 }
}

/// Weight and response of a case: one step of iteratively reweighted least squares from the first guess, for
/// a negative binomial of log-linear mean or a linear one (McCullagh and Nelder 1989, § 2.5).
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

/// What regressions on one scale give.
pub(super) struct Regressed {
    /// By knot.
    pub beta: Vec<[f32; WIDTH]>,
    /// By knot and case: the count expected by the regression of the other blocks.
    pub means: Vec<Vec<f64>>,
}

/// Ridge regressions by knot, with the penalty that forecasts left-out blocks best.
pub(super) fn regress(
    season: &Season,
    design: &Design,
    scale: Scale,
    cases: &[Vec<Case>],
    dispersion: f64,
) -> Regressed {
    let mut penalty = [1.0; WIDTH];
    penalty[0] = PENALTY_OF_CONSTANT;
    let mut knots = Vec::with_capacity(cases.len());
    for cases in cases {
        let rows: Vec<Row> = cases.iter().map(|c| design.row(scale, c.o, c.t)).collect();
        let weighed = |(case, x)| {
            let case: &Case = case;
            let guess = design.guess(scale, case.o);
            let (w, z) = response(season, scale, *case, guess, dispersion);
            Weighed { x, w: if case.young { YOUNG * w } else { w }, z }
        };
        let weighed: Vec<Weighed<'_>> = cases.iter().zip(&rows).map(weighed).collect();
        let mut blocks = vec![Sums::new(); BLOCKS];
        let mut next = &weighed[..];
        for of_block in cases.chunk_by(|a, b| a.block == b.block) {
            let (now, later) = next.split_at(of_block.len());
            blocks[of_block[0].block].add(now);
            next = later;
        }
        let mut all = Sums::new();
        blocks.iter().for_each(|block| all.merge(block, 1.0));
        knots.push((rows, blocks, all));
    }
    let mut losses = [0.0; PENALTIES.len()];
    let mut means = Vec::with_capacity(cases.len());
    for ((rows, blocks, all), cases) in knots.iter().zip(cases) {
        let without = |block: &Sums| {
            let mut rest = all.clone();
            rest.merge(block, -1.0);
            Tried::new(PENALTIES.map(|share| rest.solve(share * rest.weight, &penalty)))
        };
        let tried: Vec<Tried> = blocks.iter().map(without).collect();
        let mut of_knot = [0.0; PENALTIES.len()];
        let mean = |(case, row): (&Case, &Row)| {
            let (y, base) = (f64::from(season.y[case.t]), f64::from(season.base[case.t]));
            let means = tried[case.block].dots(row).map(|eta| count_of(scale, base, eta));
            for (loss, mean) in of_knot.iter_mut().zip(means) {
                *loss += (mean - y).abs();
            }
            means
        };
        means.push(cases.iter().zip(rows).map(mean).collect::<Vec<_>>());
        losses.iter_mut().zip(of_knot).for_each(|(loss, of_knot)| *loss += of_knot);
    }
    let best = (0..PENALTIES.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap_or(0);
    let beta = |all: &Sums| all.solve(PENALTIES[best] * all.weight, &penalty).map(|b| b as f32);
    let of_best = |means: Vec<[f64; PENALTIES.len()]>| means.iter().map(|m| m[best]).collect();
    Regressed {
        beta: knots.iter().map(|(_, _, all)| beta(all)).collect(),
        means: means.into_iter().map(of_best).collect(),
    }
}

/// Coefficients by regressor and penalty.
struct Tried([[f64; PENALTIES.len()]; WIDTH]);

impl Tried {
    fn new(beta: [[f64; WIDTH]; PENALTIES.len()]) -> Self {
        Self(std::array::from_fn(|j| beta.map(|beta| beta[j])))
    }

    /// What a row comes to with each penalty.
    fn dots(&self, row: &Row) -> [f64; PENALTIES.len()] {
        let mut dots = [0.0; PENALTIES.len()];
        for (x, beta) in row.iter().zip(&self.0) {
            dots.iter_mut().zip(beta).for_each(|(dot, b)| *dot += f64::from(*x) * b);
        }
        dots
    }
}
