//! The shape of a day: the mean at each time of day over earlier days, similar days with more weight.

use super::days::{Day, Days, is_weekend};
use super::prior::Prior;

/// Relative variance of a window's count up to which the shape is not smoothed, and up to which it is smoothed only a little.
const STEADY: [f64; 2] = [0.01, 0.04];
/// Maximum number of last days from which the smoothing is chosen. More days would take more time and change little.
const SMOOTHED: usize = 7;
/// Minimum number of scored days for the choice of the smoothing.
const SCORED_MIN: usize = 3;
/// Weights of days for the choice of the smoothing.
const SIMILAR: [f64; 3] = [0.3, 1.0, 2.0];
/// Weight of the score of a day: the logarithm of its relative error is multiplied by it.
const SCORE: f64 = 3.0;
/// Smallest relative error in a score.
const ERROR_MIN: f64 = 0.02;
/// Share of a day's level that is removed from its score, and the prior tickets of that level.
const LEVELLED: f64 = 0.7;
const LEVEL_TICKETS: f64 = 5.0;
/// Lower limit of the shape: a share of the average count, and at most this many tickets; it falls with every day of history.
const FLOOR: (f64, f64) = (0.1, 1.0);

/// The shape of other series: the usual count by weekday and time of day.
pub(in crate::forecast::ensemble) struct Donor {
    pub usual: [Vec<f64>; 7],
}

/// The usual count by day and time of day, computed from the days before; NaN where unknown.
pub(super) struct Shape {
    pub rows: Vec<Vec<f64>>,
}

/// Sums and numbers of known counts by weekday and time of day.
struct Sums {
    by_weekday: [Vec<(f64, f64)>; 7],
    /// The tickets of the series, and those of the donor in the same windows.
    own: f64,
    donated: f64,
    slots: usize,
}

impl Sums {
    fn new(slots: usize) -> Self {
        let none = || vec![(0.0, 0.0); slots];
        let by_weekday = std::array::from_fn(|_| none());
        Self { by_weekday, own: 0.0, donated: 0.0, slots }
    }

    fn add(&mut self, day: &Day, donor: Option<&Donor>) {
        for (slot, y) in day.clean.iter().enumerate().filter(|(_, y)| !y.is_nan()) {
            let sum = &mut self.by_weekday[day.weekday][slot];
            *sum = (sum.0 + y, sum.1 + 1.0);
            let there = donor.map_or(f64::NAN, |donor| donor.usual[day.weekday][slot]);
            if !there.is_nan() {
                (self.own, self.donated) = (self.own + y, self.donated + there);
            }
        }
    }

    /// The weighted mean by time of day for a weekday.
    fn mean(&self, weekday: usize, weights: [f64; 3], donor: Option<&Donor>) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); self.slots];
        for (other, of_day) in self.by_weekday.iter().enumerate() {
            let weight = match other {
                _ if other == weekday => weights[2],
                _ if is_weekend(other) == is_weekend(weekday) => weights[1],
                _ => weights[0],
            };
            for (sum, (tickets, n)) in sums.iter_mut().zip(of_day) {
                *sum = (sum.0 + weight * tickets, sum.1 + weight * n);
            }
        }
        if let Some(donor) = donor.filter(|_| self.donated > 0.0) {
            let scale = (self.own + LEVEL_TICKETS) / (self.donated + LEVEL_TICKETS);
            let weight = Prior::shipped().siblings.weight;
            for (sum, there) in sums.iter_mut().zip(&donor.usual[weekday]) {
                if !there.is_nan() {
                    *sum = (sum.0 + weight * scale * there, sum.1 + weight);
                }
            }
        }
        sums.into_iter().map(|(tickets, n)| tickets / n).collect()
    }
}

/// Mean over `reach` neighbours on either side with triangular weights, for values that are known.
fn smoothed(values: &[f64], reach: usize) -> Vec<f64> {
    let n = values.len();
    if reach == 0 {
        return values.to_vec();
    }
    // The day is a circle.
    let circle = values.iter().cycle().skip(n - reach % n).take(n + 2 * reach);
    let circle: Vec<f64> = circle.copied().collect();
    let around = |near: &[f64]| {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (step, value) in near.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            let share = (reach + 1 - step.abs_diff(reach)) as f64;
            (sum, weight) = (sum + share * value, weight + share);
        }
        sum / weight
    };
    let near = circle.windows(2 * reach + 1);
    values
        .iter()
        .zip(near)
        .map(|(own, near)| if own.is_nan() { *own } else { around(near) })
        .collect()
}

/// Sum of the errors of the shape of a day, scaled to the level of that day, relative to its tickets: absolute and squared
/// errors. `None` if less than a quarter of the day is known.
fn errors(day: &Day, shape: &[f64]) -> Option<(f64, f64)> {
    let known = || day.clean.iter().zip(shape).filter(|(y, s)| !y.is_nan() && !s.is_nan());
    if 4 * known().count() < shape.len() {
        return None;
    }
    let (tickets, usual) = known().fold((0.0, 0.0), |sum, (y, s)| (sum.0 + y, sum.1 + s));
    let level = ((tickets + LEVEL_TICKETS) / (usual + LEVEL_TICKETS)).powf(LEVELLED);
    let (absolute, squared) = known().fold((0.0, 0.0), |sum, (y, s)| {
        let error = y - level * s;
        (sum.0 + error.abs(), sum.1 + error * error)
    });
    Some((absolute / tickets.max(1.0), squared))
}

/// Number of neighbours on either side over which the shape is smoothed.
fn reach(days: &Days, shaped: usize, donor: Option<&Donor>) -> usize {
    let hour = (days.slots / 24).max(1);
    let mut reaches = vec![0, 1, 2, 3, hour, 2 * hour];
    reaches.sort_unstable();
    reaches.dedup();
    let mut sums = Sums::new(days.slots);
    let (mut losses, mut scored) = (vec![0.0; reaches.len()], 0);
    for (at, day) in days.rows.iter().enumerate() {
        if at + shaped.min(SMOOTHED) < days.rows.len() {
            sums.add(day, donor);
            continue;
        }
        let mean = sums.mean(day.weekday, SIMILAR, donor);
        let found = reaches.iter().map(|reach| errors(day, &smoothed(&mean, *reach)));
        if let Some(found) = found.collect::<Option<Vec<_>>>() {
            losses.iter_mut().zip(found).for_each(|(loss, (_, squared))| *loss += squared);
            scored += 1;
        }
        sums.add(day, donor);
    }
    if scored >= SCORED_MIN {
        let best = (0..reaches.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b]));
        return best.map_or(0, |best| reaches[best]);
    }
    match 1.0 / days.mean.max(0.1) + days.roughness().unwrap_or(0.0) {
        noise if noise <= STEADY[0] => 0,
        noise if noise <= STEADY[1] => 1,
        _ => hour.max(2),
    }
}

impl Shape {
    /// The shape of each of the last `shaped` days, computed from the days before it. The weight of similar days is learned
    /// from past errors.
    pub(super) fn new(days: &Days, shaped: usize, donor: Option<&Donor>) -> Self {
        let choices = &Prior::shipped().days;
        let reach = reach(days, shaped, donor);
        let mut sums = Sums::new(days.slots);
        if let (Some(donor), Some(first)) = (donor, days.rows.first()) {
            // The first day has no day before it: only its scale is used.
            let mut known = Sums::new(days.slots);
            known.add(first, Some(donor));
            (sums.own, sums.donated) = (known.own, known.donated);
        }
        let mut scores: Vec<f64> = choices.iter().map(|choice| choice.belief.ln()).collect();
        let mut candidates = Vec::with_capacity(days.rows.len());
        for (age, day) in days.rows.iter().enumerate() {
            if age > 0 && age + shaped < days.rows.len() {
                candidates.push(Vec::new());
                sums.add(day, donor);
                continue;
            }
            let of = choices
                .iter()
                .map(|choice| smoothed(&sums.mean(day.weekday, choice.weights, donor), reach));
            let of: Vec<Vec<f64>> = of.collect();
            let found: Option<Vec<_>> = of.iter().map(|shape| errors(day, shape)).collect();
            for (score, (absolute, _)) in scores.iter_mut().zip(found.unwrap_or_default()) {
                *score -= SCORE * (absolute + ERROR_MIN).ln();
            }
            candidates.push(of);
            if age == 0 {
                (sums.own, sums.donated) = (0.0, 0.0);
            }
            sums.add(day, donor);
        }
        let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = scores.iter().map(|score| (score - best).exp()).collect();
        let total: f64 = shares.iter().sum();
        let row = |(age, of): (usize, &Vec<Vec<f64>>)| {
            if of.is_empty() {
                return vec![f64::NAN; days.slots];
            }
            let floor = (FLOOR.0 * days.mean).min(FLOOR.1) / (age + 1) as f64;
            let mix = |slot: usize| {
                let sum: f64 =
                    of.iter().zip(&shares).map(|(shape, share)| share * shape[slot]).sum();
                // NaN stays NaN.
                let mean = sum / total;
                if mean < floor { floor } else { mean }
            };
            (0..days.slots).map(mix).collect()
        };
        Self { rows: candidates.iter().enumerate().map(row).collect() }
    }
}

impl Donor {
    /// The shape computed from the days of other series.
    pub(super) fn new(days: &Days) -> Self {
        let choices = &Prior::shipped().days;
        let reach = reach(days, SMOOTHED, None);
        let mut sums = Sums::new(days.slots);
        days.rows.iter().for_each(|day| sums.add(day, None));
        let weights = choices.last().map_or(SIMILAR, |choice| choice.weights);
        Self { usual: std::array::from_fn(|day| smoothed(&sums.mean(day, weights, None), reach)) }
    }
}
