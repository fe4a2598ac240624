//! Extra tickets as a distribution, and its combination with a forecast's quantiles.

use std::sync::Arc;

use crate::forecast::types::{NORMAL_SCORES, QUANTILES};

/// Maximum number of points of a distribution.
const POINTS_MAX: usize = 14;
/// Step of the normal scores in a mixture, and the number of scores.
const SCORE_STEP: f64 = 0.25;
const SCORES: usize = 25;

/// Distribution of the extra tickets of one forecast point, negative where alarms keep tickets away. Without points there is
/// no effect.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effect {
    /// (probability, tickets) in order of tickets; the probabilities sum to 1. 0 tickets means that customers do not notice.
    pub points: Vec<(f64, f64)>,
    /// Alarm type or planned work, and its expected tickets; the largest first.
    pub drivers: Vec<(Arc<str>, f64)>,
}

impl Effect {
    /// Builds a distribution from points in any order, merged into a few. Missing probability is added as 0 tickets.
    pub(super) fn of(mut points: Vec<(f64, f64)>, drivers: Vec<(Arc<str>, f64)>) -> Self {
        points.retain(|(p, _)| *p > 1e-9);
        let missing = 1.0 - points.iter().map(|p| p.0).sum::<f64>();
        if missing > 1e-9 {
            points.push((missing, 0.0));
        }
        points.sort_by(|a, b| a.1.total_cmp(&b.1));
        while points.len() > POINTS_MAX {
            points = halved(points);
        }
        Self { points, drivers }
    }

    /// Whether there is no effect.
    pub fn is_none(&self) -> bool {
        self.points.is_empty()
    }

    /// Expected extra tickets.
    pub fn mean(&self) -> f64 {
        self.points.iter().map(|(p, x)| p * x).sum()
    }

    /// Standard deviation of the extra tickets, without the noise of counts.
    pub fn sd(&self) -> f64 {
        let mean = self.mean();
        self.points.iter().map(|(p, x)| p * (x - mean).powi(2)).sum::<f64>().sqrt()
    }

    /// Probability of an effect other than zero.
    pub fn probability(&self) -> f64 {
        self.points.iter().filter(|(_, x)| *x != 0.0).map(|(p, _)| p).sum()
    }

    /// Sum of two independent effects.
    pub fn plus(&self, other: &Self) -> Self {
        if self.is_none() || other.is_none() {
            return if self.is_none() { other.clone() } else { self.clone() };
        }
        let pairs = self
            .points
            .iter()
            .flat_map(|(p, x)| other.points.iter().map(move |(q, y)| (p * q, x + y)));
        let mut drivers = self.drivers.clone();
        for (name, tickets) in &other.drivers {
            match drivers.iter_mut().find(|(known, _)| known == name) {
                Some(known) => known.1 += tickets,
                None => drivers.push((name.clone(), *tickets)),
            }
        }
        drivers.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self::of(pairs.collect(), drivers)
    }

    /// Quantiles of a forecast with this effect, from the quantiles `base` without it ([`QUANTILES`]).
    pub fn widen(&self, base: &[f64; 7]) -> [f64; 7] {
        if self.is_none() {
            return *base;
        }
        let mixture = self.mixture(base);
        QUANTILES.map(|p| mixture.quantile(p).round())
    }

    /// The distribution of a forecast point with this effect, from its quantiles `base` without it.
    ///
    /// Each point shifts the base by its tickets and adds their Poisson noise. The result is the mixture over the points, so
    /// that a distribution of "probably nothing, perhaps a lot" keeps its two peaks.
    pub fn mixture(&self, base: &[f64; 7]) -> Mixture {
        let sd = (base[5] - base[1]) / (NORMAL_SCORES[5] - NORMAL_SCORES[1]);
        let certain = [(1.0, 0.0)];
        let points = if self.is_none() { &certain[..] } else { &self.points };
        let mut mass = Vec::with_capacity(points.len() * SCORES);
        for (p, x) in points {
            let wider = (sd * sd + x.max(0.0)).sqrt() - sd;
            // A negative effect scales the base down.
            let left = if *x < 0.0 && base[3] > 0.0 { (1.0 + x / base[3]).max(0.0) } else { 1.0 };
            for (score, share) in scores() {
                let y = at_score(base, score) * left + x.max(0.0) + score * wider;
                mass.push((y.max(0.0), p * share));
            }
        }
        mass.sort_by(|a, b| a.0.total_cmp(&b.0));
        Mixture { mass }
    }
}

/// A distribution: (tickets, probability) in order of tickets.
#[derive(Clone, Debug)]
pub struct Mixture {
    mass: Vec<(f64, f64)>,
}

impl Mixture {
    /// Quantile at probability `p`, interpolated linearly between the midpoints of the masses.
    pub fn quantile(&self, p: f64) -> f64 {
        let (mut sum, mut before) = (0.0, None);
        for (y, mass) in &self.mass {
            let middle = sum + mass / 2.0;
            if middle >= p {
                return match before {
                    Some((x, at)) if middle > at => x + (y - x) * (p - at) / (middle - at),
                    _ => *y,
                };
            }
            before = Some((*y, middle));
            sum += mass;
        }
        self.mass.last().map_or(0.0, |(y, _)| *y)
    }

    /// Probability of more than `tickets`.
    pub fn above(&self, tickets: f64) -> f64 {
        self.mass.iter().filter(|(y, _)| *y > tickets).map(|(_, p)| p).sum()
    }
}

/// Equidistant normal scores with their probabilities.
fn scores() -> impl Iterator<Item = (f64, f64)> {
    let at = |i: usize| (i as f64 - (SCORES / 2) as f64) * SCORE_STEP;
    let total: f64 = (0..SCORES).map(|i| (-0.5 * at(i).powi(2)).exp()).sum();
    (0..SCORES).map(move |i| (at(i), (-0.5 * at(i).powi(2)).exp() / total))
}

/// The base at a normal score, linear between its quantiles and beyond them.
fn at_score(base: &[f64; 7], score: f64) -> f64 {
    let i = NORMAL_SCORES.partition_point(|z| *z <= score).clamp(1, 6) - 1;
    let slope = (base[i + 1] - base[i]) / (NORMAL_SCORES[i + 1] - NORMAL_SCORES[i]);
    base[i] + (score - NORMAL_SCORES[i]) * slope
}

/// Merges neighbours in pairs; a point at zero is kept.
fn halved(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let zeros = usize::from(points.first().is_some_and(|p| p.1 == 0.0));
    let merged = points[zeros..].chunks(2).map(|pair| {
        let p: f64 = pair.iter().map(|(p, _)| p).sum();
        (p, pair.iter().map(|(p, x)| p * x).sum::<f64>() / p)
    });
    points[..zeros].iter().copied().chain(merged).collect()
}
