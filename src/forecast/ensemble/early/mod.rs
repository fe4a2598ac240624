//! The forecast from a short history: the shape of earlier days × busyness, shrunk to starting values.
//!
//! - The shape of a day is the mean at each time of day over the days before it. Days of the same weekday, and of the
//!   same kind (weekday or weekend), have more weight; how much more follows from past errors.
//! - Busyness is the ratio and the difference of the last hours, of the day so far and of the day before to the shape.
//! - How much of it persists, and how wide the bands are, is at first given by `models/forecaster.toml`, and then learned from
//!   the series' own errors. Bands are wider where busyness moves the forecast far from the shape.
//! - After hours without a ticket where the shape has many, the series has probably paused: the band then begins at zero.
//!
//! It is a function of the windows before the origin.

mod busy;
mod days;
mod pause;
mod prior;
mod shape;
mod width;

use self::busy::{Learned, RunningSums};
use self::days::Days;
use self::prior::Prior;
pub(super) use self::shape::Donor;
use self::shape::Shape;
use super::frame::Frame;
use crate::forecast::spread::quantiles_at;
use crate::forecast::{History, QUANTILES, quantiles};

/// Expected count of a target, and its quantiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expected {
    pub mean: f64,
    pub baseline: f64,
    pub quantiles: [f64; 7],
}

impl Expected {
    fn new(mean: f64, baseline: f64, dispersion: f64) -> Self {
        Self { mean, baseline, quantiles: quantiles(mean, dispersion) }
    }

    /// The mixture of this distribution and no tickets at all, which has the probability `paused` that the series has paused.
    fn unless(self, paused: f64, dispersion: f64) -> Self {
        if paused <= 0.0 {
            return self;
        }
        let rest = QUANTILES.map(|p| (p - paused) / (1.0 - paused));
        let quantiles = quantiles_at(self.mean, dispersion, &rest);
        Self { mean: self.mean * (1.0 - paused), quantiles, ..self }
    }
}

/// How many of the last days a forecast learns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// A young series.
    Full,
    /// A series with a long history whose fit is not ready. Many such forecasts are made at the first start, so each must be
    /// cheap.
    Little,
}

impl Effort {
    const fn days(self) -> usize {
        match self {
            Self::Full => 14,
            Self::Little => 3,
        }
    }
}

/// Forecasts the windows of the frame from position `known` on, from the counts before it. Without any count the forecast is
/// zero.
pub(super) fn forecast(
    frame: &Frame,
    history: &History,
    known: usize,
    donor: Option<&Donor>,
    effort: Effort,
) -> Vec<Expected> {
    let Some(days) = Days::new(frame, history, known) else {
        return vec![Expected::new(0.0, 0.0, 0.0); frame.len() - known];
    };
    let shape = Shape::new(&days, effort.days(), donor);
    let sums = RunningSums::new(frame, &days, &shape);
    let origin = known - sums.from;
    let learned = Learned::by_lead(&sums, origin, days.unrest(), effort.days());
    let busy = sums.at(origin);
    let recent = sums.recent(origin).unwrap_or(0.0);
    let pause = sums.pause(origin);
    let of_target = |t: usize| {
        let (base, novelty) = (sums.base[t], sums.novelty[t]);
        if base.is_nan() {
            return Expected::new(recent, recent, Prior::shipped().width.shapeless);
        }
        let step = t - origin;
        let learned = &learned[sums.bucket(step)];
        let middle = learned.mean(base, &busy);
        let dispersion = learned.dispersion(middle, base, novelty, sums.days[t]);
        let expected = Expected::new(width::skewed(middle, dispersion), base, dispersion);
        expected.unless(pause.chance(sums.lead(step)), dispersion)
    };
    (origin..sums.base.len()).map(of_target).collect()
}

/// The usual week of a history (counts before position `known`), to be lent to another series.
pub(super) fn donor(frame: &Frame, history: &History, known: usize) -> Option<Donor> {
    Days::new(frame, history, known).map(|days| Donor::new(&days))
}
