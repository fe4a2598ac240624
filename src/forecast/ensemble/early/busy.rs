//! Busyness: how far recent counts are from the shape of the day, and how much of this difference persists.

use super::days::Days;
use super::pause::Pause;
use super::prior::{DIFFERENCES, Prior, RATIOS};
use super::shape::Shape;
use super::width::{Factor, PastError, Point, Posterior};
use crate::forecast::ensemble::frame::Frame;
use crate::stats::{CoefficientPrior, NormalEquations};

/// Ends of the lead buckets, hours.
const BUCKETS: [f64; 3] = [1.0, 3.0, f64::INFINITY];
/// Leads of past forecasts in hours, the same number in each bucket.
const LEADS: [f64; 6] = [0.0, 0.5, 1.25, 2.25, 3.5, 5.0];
const LEADS_A_BUCKET: f64 = 2.0;
/// Hours between past origins.
const EVERY: usize = 3;
/// Number of past origins per day.
const A_DAY: f64 = 8.0;
/// Prior tickets of a ratio: the minimum, and the share of an average window.
const PRIOR_TICKETS: (f64, f64) = (5.0, 0.02);
/// Lengths in hours of the spans for ratios and differences.
const HOUR: usize = 1;
const HOURS: usize = 3;
/// Middle of the horizon in hours, the distance in hours up to which errors are near, and the weight of all other errors in the
/// share of the ratio.
const LEAD_MIDDLE: usize = 3;
const NEAR: (usize, f64) = (4, 0.15);
/// Dispersion that is assumed for the weights.
const ROUGH: f64 = 0.03;
/// Limit of the absolute logarithm of a ratio.
const RATIO_MAX: f64 = 1.5;
/// Candidate shares of the ratio, and how fast the weight of a candidate falls with its error.
const SHARES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
const SCORE: f64 = 12.0;
/// Factor on squared errors. Errors of coefficients are smaller on the trials to which they were fitted than on future counts.
const OPTIMISM: f64 = 1.6;

/// Known counts and the shape by position, as running sums over windows in which both are known.
pub(super) struct RunningSums {
    /// Shape by position from `from` on; NaN where unknown.
    pub base: Vec<f64>,
    counts: Vec<f64>,
    sums: Vec<[f64; 3]>,
    /// By position: position of the first window of the day, and the factor for a day of a kind that is new.
    day_start: Vec<usize>,
    pub novelty: Vec<f64>,
    /// By position: number of days before the position's day.
    pub days: Vec<f64>,
    pub from: usize,
    per_hour: usize,
    pull: f64,
}

impl RunningSums {
    pub(super) fn new(frame: &Frame, days: &Days, shape: &Shape) -> Self {
        let (from, n) = (days.from, frame.len() - days.from);
        let (mut base, mut counts) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let (mut sums, mut day_start) = (vec![[0.0; 3]], Vec::with_capacity(n));
        let (mut novelty, mut days_before) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let by_row = days.novelties();
        for t in from..frame.len() {
            let (row, slot) = days.at(frame, t);
            let (y, usual) = (days.rows[row].counts[slot], shape.rows[row][slot]);
            let mut sum = sums.last().copied().unwrap_or_default();
            if !y.is_nan() && !usual.is_nan() {
                sum = [sum[0] + y, sum[1] + usual, sum[2] + 1.0];
            }
            let same = t > from && frame.date[t] == frame.date[t - 1];
            let start = day_start.last().copied().filter(|_| same).unwrap_or(t - from);
            day_start.push(start);
            sums.push(sum);
            base.push(usual);
            counts.push(y);
            novelty.push(by_row[row]);
            days_before.push(row as f64);
        }
        let pull = PRIOR_TICKETS.0 + PRIOR_TICKETS.1 * days.mean;
        let per_hour = (frame.day / 24).max(1);
        Self { base, counts, sums, day_start, novelty, days: days_before, from, per_hour, pull }
    }

    /// Tickets, usual tickets and number of windows of `a..b`.
    fn between(&self, a: usize, b: usize) -> [f64; 3] {
        std::array::from_fn(|k| self.sums[b][k] - self.sums[a][k])
    }

    fn ratio(&self, a: usize, b: usize) -> f64 {
        let [tickets, usual, _] = self.between(a, b);
        ((tickets + self.pull) / (usual + self.pull)).ln()
    }

    /// Ratios and difference at origin `o`, counted from `from`.
    pub(super) fn at(&self, o: usize) -> Busy {
        let before = |hours: usize| o.saturating_sub(hours * self.per_hour);
        // At midnight the day so far is empty.
        let today = self.day_start.get(o).copied().unwrap_or(o).min(o);
        let yesterday = today.checked_sub(1).map_or(0, |last| self.day_start[last]);
        let difference = |hours: usize| {
            let [tickets, usual, windows] = self.between(before(hours), o);
            (tickets - usual) / (windows + 0.3)
        };
        Busy {
            ratios: [
                self.ratio(before(HOUR), o),
                self.ratio(before(HOURS), o),
                self.ratio(today, o),
                self.ratio(yesterday, today),
            ],
            differences: [difference(HOUR), difference(HOURS)],
        }
    }

    /// Mean count of the last hours before `o`. It does not need the shape, so it is also used where the shape is not known.
    pub(super) fn recent(&self, o: usize) -> Option<f64> {
        let mean = |from: usize| {
            let known = self.counts[from..o].iter().filter(|y| !y.is_nan());
            let (sum, n) = known.fold((0.0, 0.0), |sum, y| (sum.0 + y, sum.1 + 1.0));
            (n > 0.0).then(|| sum / n)
        };
        mean(o.saturating_sub(HOURS * self.per_hour))
            .or_else(|| mean(o.saturating_sub(24 * self.per_hour)))
            .or_else(|| mean(0))
    }

    /// The time without a ticket before `o`.
    pub(super) fn pause(&self, o: usize) -> Pause {
        let (mut windows, mut missed) = (0.0, 0.0);
        for (y, usual) in self.counts[..o].iter().zip(&self.base[..o]).rev() {
            if *y > 0.0 {
                break;
            }
            if *y == 0.0 {
                windows += 1.0;
                missed += if usual.is_nan() { 0.0 } else { *usual };
            }
        }
        Pause { hours: windows / self.per_hour as f64, missed }
    }

    /// Hours from an origin to the window `step` steps later.
    pub(super) fn lead(&self, step: usize) -> f64 {
        step as f64 / self.per_hour as f64
    }

    fn steps(&self, hours: f64) -> usize {
        (hours * self.per_hour as f64) as usize
    }

    pub(super) fn bucket(&self, step: usize) -> usize {
        let hours = self.lead(step);
        BUCKETS.iter().position(|end| hours < *end).unwrap_or(2)
    }
}

/// The busyness at an origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Busy {
    ratios: [f64; RATIOS],
    differences: [f64; DIFFERENCES],
}

/// A past forecast: the busyness at its origin, and the shape and the count of its target.
#[derive(Clone, Copy)]
struct Trial {
    busy: Busy,
    base: f64,
    y: f64,
    novelty: f64,
    /// Number of days before the day of the target.
    days: f64,
    /// Whether the target is at a similar time of day. Errors at other times of day have less weight.
    is_near: bool,
    /// Age of the trial at the origin of the forecast, in days.
    age: f64,
}

impl Trial {
    /// The weight of the trial, where trials at other times of day have the weight `others`.
    fn near(&self, others: f64) -> f64 {
        if self.is_near { 1.0 } else { others }
    }

    fn weight(&self) -> f64 {
        1.0 / (1.0 / (self.base + 0.5) + ROUGH) / LEADS_A_BUCKET
    }
}

/// The coefficients and shares that are learned for a lead bucket.
pub(super) struct Learned {
    ratios: [f64; RATIOS],
    differences: [f64; DIFFERENCES],
    /// Share of the ratio in the mean.
    share: f64,
    /// Usual dispersion at this lead, and the factor on it.
    usual: f64,
    factor: Factor,
}

impl Learned {
    /// Learns from past forecasts at origins before `o`, for each lead bucket. `unrest` is a factor on the prior dispersion.
    pub(super) fn by_lead(sums: &RunningSums, o: usize, unrest: f64, shaped: usize) -> [Self; 3] {
        let mut trials: [Vec<Trial>; 3] = Default::default();
        let every = EVERY * sums.per_hour;
        let oldest = o.saturating_sub(shaped * 24 * sums.per_hour);
        let day = 24 * sums.per_hour;
        // The middle of the horizon that is to be forecast.
        let middle = o + LEAD_MIDDLE * sums.per_hour;
        let near = |t: usize| {
            let apart = (middle - t) % day;
            apart.min(day - apart) <= NEAR.0 * sums.per_hour
        };
        let mut origin = o.saturating_sub(sums.per_hour);
        while origin > oldest {
            let busy = sums.at(origin);
            for step in LEADS.map(|hours| sums.steps(hours)) {
                let t = origin + step;
                if t < o && !sums.base[t].is_nan() && !sums.counts[t].is_nan() {
                    let (base, y) = (sums.base[t], sums.counts[t]);
                    trials[sums.bucket(step)].push(Trial {
                        busy,
                        base,
                        y,
                        novelty: sums.novelty[t],
                        days: sums.days[t],
                        is_near: near(t),
                        age: (o - origin) as f64 / day as f64,
                    });
                }
            }
            origin = origin.saturating_sub(every);
        }
        std::array::from_fn(|bucket| Self::new(&trials[bucket], bucket, unrest))
    }

    fn new(trials: &[Trial], bucket: usize, unrest: f64) -> Self {
        let prior = Prior::shipped();
        let mut learned = Self {
            ratios: prior.busyness.ratios(bucket),
            differences: prior.busyness.differences(bucket),
            share: 0.5,
            usual: prior.width.dispersion[bucket] * unrest,
            factor: Factor::default(),
        };
        if trials.is_empty() {
            return learned;
        }
        let mut of_ratios = NormalEquations::new(RATIOS);
        let mut of_differences = NormalEquations::new(DIFFERENCES);
        for trial in trials {
            let row: Vec<(usize, f64)> = trial.busy.ratios.into_iter().enumerate().collect();
            let found = ((trial.y + 0.5) / (trial.base + 0.5)).ln().clamp(-RATIO_MAX, RATIO_MAX);
            of_ratios.add_sparse(&row, trial.weight(), found);
            // Relative to the volume, so that the prior has the same weight at any volume.
            let [hour, hours] = trial.busy.differences.map(f64::abs);
            let of_base = |tickets: f64| tickets / (trial.base + hour.max(hours) + 0.5);
            let row = trial.busy.differences.map(of_base);
            let row: Vec<(usize, f64)> = row.into_iter().enumerate().collect();
            let found = of_base(trial.y - trial.base).clamp(-RATIO_MAX, RATIO_MAX);
            of_differences.add_sparse(&row, trial.weight(), found);
        }
        learned.ratios = shrunk(&of_ratios, learned.ratios);
        learned.differences = shrunk(&of_differences, learned.differences);
        learned.share = learned.best_share(trials);
        learned.factor = learned.factor_of(trials, prior);
        learned
    }

    /// The share of the ratio: the mean of the candidates, whose weights fall exponentially with their errors.
    fn best_share(&self, trials: &[Trial]) -> f64 {
        let mut losses = [0.0; SHARES.len()];
        for trial in trials {
            let members = self.members(trial.base, &trial.busy);
            for (loss, share) in losses.iter_mut().zip(SHARES) {
                *loss += trial.near(NEAR.1) * (trial.y - mixed(share, members)).abs();
            }
        }
        let least = losses.into_iter().fold(f64::INFINITY, f64::min).max(1e-9);
        let days = trials.len() as f64 / (A_DAY * LEADS_A_BUCKET);
        let weight = |loss: f64| (-SCORE * days.sqrt() * (loss / least - 1.0)).exp();
        let weights = losses.map(weight);
        let sum: f64 = weights.iter().sum();
        weights.iter().zip(SHARES).map(|(weight, share)| weight * share).sum::<f64>() / sum
    }

    /// The factor on the usual dispersion, learned from the errors of the trials.
    fn factor_of(&self, trials: &[Trial], prior: &Prior) -> Factor {
        let width = &prior.width;
        let mut posterior = Posterior::new();
        for trial in trials {
            let mean = self.mean(trial.base, &trial.busy);
            posterior.add(&PastError {
                point: self.point(mean, trial.base, trial.novelty, trial.days),
                mean,
                squared: OPTIMISM * (trial.y - mean).powi(2),
                weight: width.weight
                    * trial.near(width.weight_of_other_hours)
                    * (-trial.age / width.half_life).exp2(),
            });
        }
        posterior.factor()
    }

    fn point(&self, mean: f64, base: f64, novelty: f64, days: f64) -> Point {
        Point::new(self.usual * novelty, mean, base, days)
    }

    /// The mean computed by ratio, and the mean computed by difference.
    fn members(&self, base: f64, busy: &Busy) -> [f64; 2] {
        let log: f64 = self.ratios.iter().zip(busy.ratios).map(|(b, x)| b * x).sum();
        let (low, high) = (-2.0 * RATIO_MAX, 2.0 * RATIO_MAX);
        let by_ratio = base * log.clamp(low, high).exp();
        let more: f64 = self.differences.iter().zip(busy.differences).map(|(b, x)| b * x).sum();
        [by_ratio, (base + more).max(0.0)]
    }

    /// Expected count of a target with this shape.
    pub(super) fn mean(&self, base: f64, busy: &Busy) -> f64 {
        mixed(self.share, self.members(base, busy)).max(1e-3)
    }

    /// Dispersion of a target with this mean and shape, on a day of this novelty, after this number of days.
    pub(super) fn dispersion(&self, mean: f64, base: f64, novelty: f64, days: f64) -> f64 {
        self.factor.dispersion(&self.point(mean, base, novelty, days))
    }
}

fn mixed(share: f64, [by_ratio, by_difference]: [f64; 2]) -> f64 {
    share * by_ratio + (1.0 - share) * by_difference
}

/// Coefficients shrunk towards those of the prior.
fn shrunk<const N: usize>(equations: &NormalEquations, mean: [f64; N]) -> [f64; N] {
    let precision = [Prior::shipped().busyness.weight; N];
    let found = equations.with_prior(&CoefficientPrior { mean: &mean, precision: &precision });
    std::array::from_fn(|k| found[k])
}
