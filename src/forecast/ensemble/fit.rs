//! Fit and forecast of one series.

use ndarray::{Array2, ArrayView1};

use super::calibrate::{Bucket, Means, Trial};
use super::design::{Design, Row, WIDTH};
use super::frame::Frame;
use super::levels::Scale;
use super::limits::Limits;
use super::regress::{self, Regressed, count_of};
use super::season::{Season, counts};
use super::shift::Shift;
use crate::forecast::History;

/// Ends of the lead buckets, hours.
const BUCKETS: [f64; 3] = [1.0, 3.0, f64::INFINITY];
const SCALES: [Scale; 2] = [Scale::Ratio, Scale::Difference];
/// Number of weeks before an origin from which its levels and residuals are computed.
const MEMORY_WEEKS: usize = 4;

/// A fit of one series.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    limits: Limits,
    /// Lead steps of the knots, ascending.
    knots: Vec<usize>,
    /// Coefficients by scale: a row per knot.
    beta: [Array2<f32>; 2],
    buckets: [Bucket; 3],
    /// By time of day: logarithm of the usual squared error.
    usual: Vec<f32>,
    /// A lasting change of the level, if there was one.
    pub shift: Option<Shift>,
}

/// Expected count of a target window.
pub(super) struct Expected {
    pub mean: f64,
    pub baseline: f64,
    /// Logarithms of the factors on its variance.
    widths: [f64; 2],
}

impl Expected {
    const ZERO: Self = Self { mean: 0.0, baseline: 0.0, widths: [0.0; 2] };
}

fn bucket_of(frame: &Frame, step: usize) -> usize {
    let hours = step as f64 * 24.0 / frame.day as f64;
    BUCKETS.iter().position(|end| hours < *end).unwrap_or(2)
}

fn dot(row: &Row, beta: ArrayView1<'_, f32>) -> f64 {
    row.iter().zip(beta).map(|(x, b)| f64::from(*x) * f64::from(*b)).sum()
}

impl Fitted {
    /// Fits the windows of a frame; `None` with less than two weeks and a day of history.
    pub(super) fn new(frame: &Frame, history: &History, targets: usize) -> Option<Self> {
        let mut y = counts(frame, history, frame.len());
        let shift = Shift::find(frame, &y).map(|(t, factor)| {
            let index = frame.first + t as i64;
            Shift { index, since: history.width.start(index), factor }
        });
        if let Some(shift) = shift {
            shift.scale(frame.first, &mut y);
        }
        let limits = Limits::new(frame, &y);
        let season = Season::new(frame, y, &limits, 0, 0);
        // Profiles exist after a week, plus their lag of a day.
        let start = season.y.iter().position(|y| !y.is_nan())? + frame.week() + frame.day;
        if start + frame.week() > frame.len() {
            return None;
        }
        let design = Design::new(frame, &season, limits.mean, 0);
        let knots = regress::knots(targets);
        let cases = regress::cases(frame, &season, start, &knots);
        if cases.iter().any(|cases| cases.len() < 4 * WIDTH) {
            return None;
        }
        let dispersion = regress::rough_dispersion(&season, &design, &cases);
        let [ratio, difference] =
            SCALES.map(|scale| regress::regress(&season, &design, scale, &cases, dispersion));
        let days = (frame.len() - start) as f64 / frame.day as f64;
        // With more than two weeks of cases, leave out the first: its errors are larger than later ones.
        let grown = start + 2 * frame.week() <= frame.len();
        let bucket = |b: usize| {
            let of_bucket = (0..knots.len()).filter(|k| bucket_of(frame, knots[*k]) == b);
            let trials = of_bucket.flat_map(|k| {
                let trend_hours = design.trend_hours(knots[k]);
                let means = ratio.means[k].iter().zip(&difference.means[k]);
                let trials = means.zip(&cases[k]).filter(|(_, case)| !(grown && case.young));
                let (season, design) = (&season, &design);
                trials.map(move |((a, b), case)| Trial {
                    y: f64::from(season.y[case.t]),
                    means: Means {
                        regressed: [*a, *b],
                        persistence: design.persistence(case.o, case.t, trend_hours),
                    },
                    widths: design.widths(&design.usual, case.o, case.t),
                    age: (frame.len() - case.t) as f64 / frame.day as f64,
                })
            });
            Bucket::new(&trials.collect::<Vec<_>>(), days)
        };
        let buckets = std::array::from_fn(bucket);
        let beta = [ratio, difference].map(|of: Regressed| of.beta);
        Some(Self { limits, knots, beta, buckets, usual: design.usual, shift })
    }

    /// The regression's value for the row of a target, interpolated between knots.
    fn value(&self, scale: Scale, step: usize, row: &Row) -> f64 {
        let beta = &self.beta[scale as usize];
        let above = self.knots.partition_point(|knot| *knot < step).min(self.knots.len() - 1);
        let below = if self.knots[above] > step { above - 1 } else { above };
        let (low, high) = (self.knots[below], self.knots[above]);
        let first = dot(row, beta.row(below));
        if high == low {
            return first;
        }
        let share = (step - low) as f64 / (high - low) as f64;
        (1.0 - share) * first + share * dot(row, beta.row(above))
    }

    /// Expected counts of the windows of the frame from `known` on, zero where closed. `None` if a window has no profile.
    pub(super) fn expect(
        &self,
        frame: &Frame,
        history: &History,
        known: usize,
    ) -> Option<Vec<Expected>> {
        let from = known.saturating_sub(MEMORY_WEEKS * frame.week());
        let mut y = counts(frame, history, known);
        if let Some(shift) = self.shift {
            shift.scale(frame.first, &mut y);
        }
        let season = Season::new(frame, y, &self.limits, from, known);
        let design = Design::new(frame, &season, self.limits.mean, known);
        let expect = |t: usize| {
            if self.limits.is_closed(frame.slot[t]) {
                return Some(Expected::ZERO);
            }
            let baseline = f64::from(season.base[t]);
            if baseline.is_nan() {
                return None;
            }
            let step = t - known;
            let regressed = SCALES.map(|scale| {
                let value = self.value(scale, step, &design.row(scale, known, t));
                count_of(scale, baseline, value)
            });
            let means = Means {
                regressed,
                persistence: design.persistence(known, t, design.trend_hours(step)),
            };
            let mean = self.buckets[bucket_of(frame, step)].mean(means);
            Some(Expected { mean, baseline, widths: design.widths(&self.usual, known, t) })
        };
        (known..frame.len()).map(expect).collect()
    }

    /// Quantiles of the count.
    pub(super) fn quantiles(&self, frame: &Frame, step: usize, expected: &Expected) -> [f64; 7] {
        if expected.mean <= 0.0 {
            return [0.0; 7];
        }
        self.buckets[bucket_of(frame, step)].quantiles(expected.mean, expected.widths)
    }
}
