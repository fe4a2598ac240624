//! The forecast from little history: the shape of the days so far × busyness, shrunk to starting values.
//!
//! - The shape of a day is the mean at each time of day over the days before it. Days of the same weekday, and of the
//!   same kind (weekday or weekend), have more weight; how much more follows from past errors.
//! - Busyness is the ratio and the difference of the last hours, of the day so far and of the day before to the shape.
//! - How much of it stays, and how wide the bands are, begins with `models/forecaster.toml` and follows own errors.
//!
//! It is a function of the windows before the origin.

mod busy;
mod days;
mod prior;
mod shape;

use self::busy::{Learned, Track};
use self::days::Days;
use self::prior::Prior;
pub(super) use self::shape::Donor;
use self::shape::Shape;
use super::frame::Frame;
use crate::forecast::{History, quantiles};

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
}

/// How many of the last days a forecast learns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// A young series.
    Full,
    /// A series with a long history whose fit is not ready: many such forecasts are made at the first start.
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

/// Forecast of the windows of the frame from position `known` on, from counts before it. Without any count it is zero.
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
    let track = Track::new(frame, &days, &shape);
    let origin = known - track.from;
    let learned = Learned::by_lead(&track, origin, days.unrest(), effort.days());
    let busy = track.at(origin);
    let recent = track.recent(origin).unwrap_or(0.0);
    let of_target = |t: usize| {
        let (base, novelty) = (track.base[t], track.novelty[t]);
        if base.is_nan() {
            return Expected::new(recent, recent, Prior::shipped().width.shapeless);
        }
        let learned = &learned[track.bucket(t - origin)];
        Expected::new(learned.mean(base, &busy), base, learned.dispersion(novelty))
    };
    (origin..track.base.len()).map(of_target).collect()
}

/// The usual week of a history, to lend to another series: from counts before position `known`.
pub(super) fn donor(frame: &Frame, history: &History, known: usize) -> Option<Donor> {
    Days::new(frame, history, known).map(|days| Donor::new(&days))
}
