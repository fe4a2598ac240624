//! One series' fit: coefficients by lead, weights of the members, widths and their calibration.

use super::counts::Spread;
use super::design::{Design, Scale, WIDTH};
use super::frame::Frame;
use super::ridge::Sums;
use super::season::Season;
use crate::forecast::QUANTILES;

/// Leads share coefficients between knots; this many at most.
const KNOTS_MAX: usize = 9;
/// Rows of a knot's regression, at most.
const ROWS_MAX: usize = 2500;
/// Blocks of whole weeks that are left out in turn.
const BLOCKS: usize = 8;
/// Penalties tried, as shares of the rows' weight.
const PENALTIES: [f64; 4] = [0.003, 0.02, 0.1, 0.4];
/// Upper ends of the lead buckets, hours.
pub(super) const BUCKETS: [f64; 3] = [1.0, 3.0, f64::INFINITY];
const BINS: usize = 200;
/// Pulls a bucket's calibration towards none: worth so many days.
const CALIBRATION_PRIOR_DAYS: f64 = 8.0;
const SCALES: [Scale; 2] = [Scale::Ratio, Scale::Difference];

/// What a fit leaves behind for predictions.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    /// First window of the frame that was fitted: predictions start theirs there too.
    pub first: i64,
    /// Lead steps of the knots, ascending.
    knots: Vec<usize>,
    /// By scale and knot.
    beta: [Vec<[f32; WIDTH]>; 2],
    /// By bucket: weight of the ratio scale, `a` and `φ` of `V = a m + φ m²`, calibrated probabilities.
    pub(super) buckets: [Bucket; 3],
    days: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bucket {
    pub ratio: f64,
    pub linear: f64,
    pub square: f64,
    /// Exponents of the recent surprise and of the time of day's.
    pub surprise: f64,
    pub usual: f64,
    pub probabilities: [f64; 7],
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            ratio: 0.5,
            linear: 1.0,
            square: 0.03,
            surprise: 0.0,
            usual: 0.0,
            probabilities: QUANTILES,
        }
    }
}

pub(super) fn bucket_of(frame: &Frame, step: usize) -> usize {
    let hours = step as f64 * 24.0 / frame.day as f64;
    BUCKETS.iter().position(|end| hours < *end).unwrap_or(2)
}

fn knots(targets: usize) -> Vec<usize> {
    let mut knots = Vec::new();
    let n = KNOTS_MAX.min(targets);
    for k in 0..n {
        // Close together at first, where coefficients change fast.
        let share = k as f64 / (n - 1).max(1) as f64;
        let at = if n == targets {
            k
        } else {
            (share.powf(1.8) * (targets - 1) as f64).round() as usize
        };
        let least = knots.last().map_or(0, |last| last + 1);
        knots.push(at.max(least));
    }
    knots
}

/// A count, its forecast and what its variance is multiplied by.
struct Pair {
    y: f64,
    mean: f64,
    factor: f64,
}

/// One evaluated case.
struct Case {
    t: u32,
    o: u32,
    block: u8,
}

impl Fitted {
    /// Learns from windows before `season.known`; `None` where there is too little of them.
    pub(super) fn new(frame: &Frame, season: &Season, targets: usize) -> Option<Self> {
        let known = season.known;
        let start = (0..known).find(|t| !season.y[*t].is_nan())? + frame.week() + frame.day;
        if start + frame.week() > known {
            return None;
        }
        let knots = knots(targets);
        let designs = SCALES.map(|scale| Design::new(frame, season, scale));
        let mut stride = (known - start).div_ceil(ROWS_MAX).max(1);
        while gcd(stride, frame.day) > 1 {
            stride += 1;
        }
        let block_len = ((known - start) / BLOCKS).max(frame.week());
        let mut cases: Vec<Vec<Case>> = Vec::new();
        for knot in &knots {
            let cases_of = (start..known.saturating_sub(*knot)).step_by(stride).filter_map(|o| {
                let t = o + knot;
                (!season.y[t].is_nan() && !season.base[t].is_nan()).then(|| Case {
                    t: t as u32,
                    o: o as u32,
                    block: (((t - start) / block_len).min(BLOCKS - 1)) as u8,
                })
            });
            cases.push(cases_of.collect());
        }
        if cases.iter().any(|cases| cases.len() < 4 * WIDTH) {
            return None;
        }
        let dispersion = rough_dispersion(season, &designs[0], &cases);
        let mut beta = [Vec::new(), Vec::new()];
        let mut means: [Vec<Vec<f64>>; 2] = [Vec::new(), Vec::new()];
        for (s, scale) in SCALES.into_iter().enumerate() {
            (beta[s], means[s]) = regress(season, &designs[s], scale, &cases, dispersion);
        }
        let days = (known - start) as f64 / frame.day as f64;
        let mut fitted =
            Self { first: frame.first, knots, beta, buckets: Default::default(), days };
        fitted.calibrate(frame, season, &designs[0], &cases, &means);
        Some(fitted)
    }

    /// Weights, widths and calibration from forecasts of weeks that were left out.
    fn calibrate(
        &mut self,
        frame: &Frame,
        season: &Season,
        design: &Design,
        cases: &[Vec<Case>],
        means: &[Vec<Vec<f64>>; 2],
    ) {
        for b in 0..3 {
            let of_bucket: Vec<usize> =
                (0..cases.len()).filter(|k| bucket_of(frame, self.knots[*k]) == b).collect();
            let each = || {
                of_bucket.iter().flat_map(|k| {
                    cases[*k].iter().enumerate().map(move |(i, case)| {
                        (season.y[case.t as usize], means[0][*k][i], means[1][*k][i])
                    })
                })
            };
            if each().next().is_none() {
                continue;
            }
            let bucket = &mut self.buckets[b];
            let loss = |w: f64| -> f64 {
                each().map(|(y, a, b)| (y - (w * a + (1.0 - w) * b)).abs()).sum::<f64>()
                    * (1.0 + 0.02 * (w - 0.5).powi(2))
            };
            let tried = [0.5, 0.25, 0.75, 0.0, 1.0, 0.125, 0.375, 0.625, 0.875];
            bucket.ratio = tried
                .into_iter()
                .map(|w| (loss(w), w))
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .map_or(0.5, |best| best.1);
            let w = bucket.ratio;
            let mut pairs: Vec<Pair> = each()
                .map(|(y, a, b)| Pair { y, mean: (w * a + (1.0 - w) * b).max(1e-3), factor: 1.0 })
                .collect();
            let all: Vec<&Case> = of_bucket.iter().flat_map(|k| &cases[*k]).collect();
            (bucket.linear, bucket.square) = variance(&pairs);
            let mut best = (f64::INFINITY, 0.0, 0.0);
            let step = pairs.len().div_ceil(1500).max(1);
            for g1 in [0.0, 0.25, 0.5, 0.75, 1.0] {
                for g2 in [0.0, 0.5, 1.0] {
                    let (mut logs, mut squares, mut n) = (0.0, 0.0, 0.0);
                    for (pair, case) in pairs.iter().zip(&all).step_by(step) {
                        let f = design.factor(case.o as usize, case.t as usize, g1, g2);
                        let v = bucket.linear * pair.mean + bucket.square * pair.mean * pair.mean;
                        let e = ((pair.y - pair.mean).powi(2) / v).min(16.0);
                        logs += f.ln();
                        squares += e / f;
                        n += 1.0;
                    }
                    // Normal likelihood, its scale profiled out.
                    let loss: f64 = logs / n + (squares / n).ln() + 0.002 * (g1 + g2);
                    if loss < best.0 {
                        best = (loss, g1, g2);
                    }
                }
            }
            (bucket.surprise, bucket.usual) = (best.1, best.2);
            for (pair, case) in pairs.iter_mut().zip(&all) {
                pair.factor = design.factor(case.o as usize, case.t as usize, best.1, best.2);
            }
            (bucket.linear, bucket.square) = variance(&pairs);
            bucket.probabilities = probabilities(bucket, &pairs, self.days);
        }
    }

    /// Coefficients at a lead step, between its knots.
    fn beta_at(&self, scale: usize, step: usize) -> [f64; WIDTH] {
        let above = self.knots.partition_point(|knot| *knot < step).min(self.knots.len() - 1);
        let below = if self.knots[above] > step { above - 1 } else { above };
        let (low, high) = (self.knots[below], self.knots[above]);
        let share = if high > low { (step - low) as f64 / (high - low) as f64 } else { 0.0 };
        std::array::from_fn(|j| {
            let (a, b) = (self.beta[scale][below][j], self.beta[scale][above][j]);
            f64::from(a) * (1.0 - share) + f64::from(b) * share
        })
    }

    /// Expected counts of the targets from `season.known` on; zero where closed, `None` where unknown.
    pub(super) fn means(
        &self,
        frame: &Frame,
        season: &Season,
        targets: usize,
    ) -> Vec<Option<(f64, f64)>> {
        let designs = SCALES.map(|scale| Design::new(frame, season, scale));
        let o = season.known;
        (0..targets)
            .map(|step| {
                let t = o + step;
                if season.closed[t] {
                    return Some((0.0, 1.0));
                }
                let base = season.base[t];
                if base.is_nan() {
                    return None;
                }
                let eta = |s: usize| dot(&designs[s].row(o, t), &self.beta_at(s, step));
                let bucket = &self.buckets[bucket_of(frame, step)];
                let ratio = mean_of(Scale::Ratio, base, eta(0));
                let difference = mean_of(Scale::Difference, base, eta(1));
                let mean = (bucket.ratio * ratio + (1.0 - bucket.ratio) * difference).max(1e-3);
                Some((mean, designs[0].factor(o, t, bucket.surprise, bucket.usual)))
            })
            .collect()
    }

    pub(super) fn quantiles(&self, frame: &Frame, step: usize, mean: f64, factor: f64) -> [f64; 7] {
        let bucket = &self.buckets[bucket_of(frame, step)];
        bucket.spread(mean, factor).quantiles(&bucket.probabilities)
    }
}

impl Bucket {
    fn spread(&self, mean: f64, factor: f64) -> Spread {
        let variance = (self.linear * mean + self.square * mean * mean) * factor;
        Spread { mean, variance: variance.max(1e-9) }
    }
}

fn dot(row: &[f32; WIDTH], beta: &[f64; WIDTH]) -> f64 {
    row.iter().zip(beta).map(|(x, b)| f64::from(*x) * b).sum()
}

fn mean_of(scale: Scale, base: f64, eta: f64) -> f64 {
    match scale {
        Scale::Ratio => base * eta.clamp(-4.0, 3.0).exp(),
        Scale::Difference => (base + eta).max(0.0),
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// φ of a first guess, for weights only.
fn rough_dispersion(season: &Season, design: &Design, cases: &[Vec<Case>]) -> f64 {
    let (mut excess, mut square) = (0.0, 0.0);
    for case in cases.iter().flatten().step_by(7) {
        let base = season.base[case.t as usize];
        let mean = base * (0.8 * design.guess(case.o as usize)).exp();
        let miss = (season.clean[case.t as usize] - mean).powi(2).min(mean * 16.0 + mean * mean);
        excess += miss - mean;
        square += mean * mean;
    }
    if square > 0.0 { (excess / square).clamp(0.002, 2.0) } else { 0.05 }
}

/// Ridge regressions by knot; also the means of each case from the blocks that it is not in.
fn regress(
    season: &Season,
    design: &Design,
    scale: Scale,
    cases: &[Vec<Case>],
    dispersion: f64,
) -> (Vec<[f32; WIDTH]>, Vec<Vec<f64>>) {
    let mut penalty = [1.0; WIDTH];
    penalty[0] = 0.05;
    let mut by_knot: Vec<Vec<Sums>> = Vec::new();
    for cases in cases {
        let mut blocks = vec![Sums::new(WIDTH); BLOCKS];
        for case in cases {
            let (o, t) = (case.o as usize, case.t as usize);
            let (y, base) = (season.y[t], season.base[t]);
            let guess = design.guess(o);
            let (w, z) = match scale {
                Scale::Ratio => {
                    let eta = 0.8 * guess;
                    let mean = base * eta.exp();
                    let sd = (mean + dispersion * mean * mean).sqrt();
                    let miss = (y - mean).clamp(-3.0 * sd, 3.0 * sd) / mean;
                    ((mean / sd).powi(2), eta + miss)
                }
                Scale::Difference => {
                    let sd = (base + dispersion * base * base).sqrt();
                    let mean = (base + 0.8 * guess).max(0.0);
                    let miss = (y - mean).clamp(-3.0 * sd, 3.0 * sd);
                    (1.0 / (sd * sd), mean - base + miss)
                }
            };
            blocks[usize::from(case.block)].add(&design.row(o, t), w, z);
        }
        by_knot.push(blocks);
    }
    let mut best: Option<(f64, f64, Vec<Vec<f64>>)> = None;
    for share in PENALTIES {
        let (mut loss, mut means) = (0.0, Vec::new());
        for (blocks, cases) in by_knot.iter().zip(cases) {
            let all = total(blocks);
            let betas: Vec<[f64; WIDTH]> = blocks
                .iter()
                .map(|block| {
                    let mut rest = all.clone();
                    rest.merge(block, -1.0);
                    array(&rest.solve(share * rest.weight, &penalty))
                })
                .collect();
            let of_knot: Vec<f64> = cases
                .iter()
                .map(|case| {
                    let row = design.row(case.o as usize, case.t as usize);
                    let base = season.base[case.t as usize];
                    mean_of(scale, base, dot(&row, &betas[usize::from(case.block)]))
                })
                .collect();
            for (mean, case) in of_knot.iter().zip(cases) {
                loss += (mean - season.y[case.t as usize]).abs();
            }
            means.push(of_knot);
        }
        if best.as_ref().is_none_or(|best| loss < best.0) {
            best = Some((loss, share, means));
        }
    }
    let (_, share, means) = best.unwrap_or_default();
    let beta = by_knot.iter().map(|blocks| {
        let all = total(blocks);
        array(&all.solve(share * all.weight, &penalty)).map(|b| b as f32)
    });
    (beta.collect(), means)
}

fn total(blocks: &[Sums]) -> Sums {
    let mut all = Sums::new(WIDTH);
    for block in blocks {
        all.merge(block, 1.0);
    }
    all
}

fn array(beta: &[f64]) -> [f64; WIDTH] {
    std::array::from_fn(|j| beta[j])
}

/// `a` and `φ` of `V = a m + φ m²` from (count, mean) pairs, by weighted least squares on squared misses.
fn variance(pairs: &[Pair]) -> (f64, f64) {
    let (mut linear, mut square) = (1.0, 0.03);
    for _ in 0..2 {
        let (mut s11, mut s12, mut s22, mut t1, mut t2) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for Pair { y, mean: m, factor } in pairs {
            let v = linear * m + square * m * m + 1e-3;
            let g = 1.0 / (v * v);
            let e = ((y - m) * (y - m) / factor).min(16.0 * v);
            s11 += g * m * m;
            s12 += g * m * m * m;
            s22 += g * m * m * m * m;
            t1 += g * m * e;
            t2 += g * m * m * e;
        }
        let det = s11 * s22 - s12 * s12;
        let (mut a, mut f) = if det > 1e-9 * s11 * s22 {
            ((t1 * s22 - t2 * s12) / det, (t2 * s11 - t1 * s12) / det)
        } else {
            (t1 / s11, 0.0)
        };
        if f < 0.0 {
            (a, f) = (t1 / s11, 0.0);
        } else if a < 0.1 {
            a = 0.1;
            f = ((t2 - a * s12) / s22).max(1e-4);
        }
        (linear, square) = (a.clamp(0.1, 50.0), f.clamp(0.0, 10.0));
    }
    (linear, square)
}

/// Probabilities whose quantiles would have covered as they should: the inverse of the mean PIT histogram
/// (non-randomised, Czado, Gneiting and Held 2009), pulled towards the nominal ones.
fn probabilities(bucket: &Bucket, pairs: &[Pair], days: f64) -> [f64; 7] {
    let mut histogram = [0.0f64; BINS];
    let step = pairs.len().div_ceil(2000).max(1);
    for Pair { y, mean, factor } in pairs.iter().step_by(step) {
        let (low, high) = bucket.spread(*mean, *factor).cdf(*y);
        add_mass(&mut histogram, low, high);
    }
    let total: f64 = histogram.iter().sum();
    if total <= 0.0 {
        return QUANTILES;
    }
    let trust = days / (days + CALIBRATION_PRIOR_DAYS);
    let mut found = QUANTILES;
    let (mut sum, mut bin) = (0.0, 0);
    for slot in &mut found {
        let wanted = *slot * total;
        while bin < BINS && sum + histogram[bin] < wanted {
            sum += histogram[bin];
            bin += 1;
        }
        let part =
            if bin < BINS && histogram[bin] > 0.0 { (wanted - sum) / histogram[bin] } else { 0.0 };
        let at = (bin as f64 + part) / BINS as f64;
        // On the normal scale, where the tails have room.
        let z = |p: f64| super::counts::normal_quantile(p.clamp(5e-4, 1.0 - 5e-4));
        let mixed = trust * z(at) + (1.0 - trust) * z(*slot);
        *slot = 0.5 * statrs::function::erf::erfc(-mixed / std::f64::consts::SQRT_2);
    }
    found
}

/// Spreads one unit of mass evenly over `low..high`.
fn add_mass(histogram: &mut [f64; BINS], low: f64, high: f64) {
    let (from, to) = (low * BINS as f64, (high * BINS as f64).min(BINS as f64 - 1e-9));
    let first = (from as usize).min(BINS - 1);
    let last = (to as usize).min(BINS - 1);
    if last <= first || to - from < 1e-9 {
        histogram[first] += 1.0;
        return;
    }
    for (bin, slot) in histogram.iter_mut().enumerate().take(last + 1).skip(first) {
        let overlap = to.min(bin as f64 + 1.0) - from.max(bin as f64);
        *slot += overlap.max(0.0) / (to - from);
    }
}
