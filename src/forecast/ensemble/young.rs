//! Series with a short history: the forecast of [`early`], at first alone, and once there is a fit, combined with the members.

use std::collections::BTreeMap;
use std::time::Duration;

use super::early::{self, Donor, Effort, Expected};
use super::frame::Frame;
use crate::domain::{DAY, Name, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::{Fallback, ForecastPoint, History, Past, Vintage, rounded};
use crate::text::Stored;

/// Least age at which only the members are used.
const FITTED_ONLY: Duration = Duration::from_secs(35 * 86_400);
/// Least age at which the members are used.
const BEGINS: Duration = Duration::from_secs(15 * 86_400);
/// Age up to which a series borrows from its siblings, and least age at which it lends to them.
const BORROWS: Duration = Duration::from_secs(14 * 86_400);
const LENDS: Duration = Duration::from_secs(21 * 86_400);
/// Correlation of the errors of the two forecasts, for the band of their combination.
const CORRELATION: f64 = 0.7;
/// Number of days of the siblings that are used.
const DAYS_LENT: i64 = 28;
/// Number of days that the forecast from a short history reads, including one for a change of the clocks.
const DAYS: i64 = 30;
/// Position of the median among the quantiles.
const MEDIAN: usize = 3;
/// The only member of a vintage without a fit, and one of the members of a combined vintage.
pub(super) const PROFILE: &str = "profile";

impl Vintage {
    /// Whether its model uses alarms and can warn of a surge. A vintage without a fit does so only while alarms or planned work affect
    /// it.
    pub fn uses_alarms(&self) -> bool {
        self.surges.is_some() || self.members != [PROFILE]
    }
}

/// Number of windows that the forecast from a short history reads.
pub(super) fn span(width: WindowWidth) -> i64 {
    DAYS * width.per_day() as i64
}

/// Share of the forecast from a short history at an age: 1 when the members begin, falling to 0 at [`FITTED_ONLY`].
fn share(age: Duration) -> f64 {
    let left = FITTED_ONLY.saturating_sub(age).as_secs_f64();
    (left / (FITTED_ONLY - BEGINS).as_secs_f64()).min(1.0)
}

/// Start of the first known window of a series before an origin.
fn begin(history: &History, origin: i64) -> Option<Timestamp> {
    let known = history.counts.iter().position(|count| !count.is_nan())?;
    let index = history.first + known as i64;
    (index < origin).then(|| history.width.start(index))
}

/// Vintages of one origin, and the profiles that older series lend to young ones.
pub(super) struct Young<'a> {
    past: &'a Past<'a>,
    origin: i64,
    now: Timestamp,
    /// Profiles by service, channel, and region if it has a place of its own.
    lent: BTreeMap<(Name, Name, Option<Name>), Option<Donor>>,
}

impl<'a> Young<'a> {
    pub(super) fn new(past: &'a Past<'a>, origin: i64) -> Self {
        Self { past, origin, now: past.width.start(origin), lent: BTreeMap::new() }
    }

    /// The vintage of a series, given the vintage of its fit.
    pub(super) fn vintage(
        &mut self,
        series: &SeriesKey,
        history: &History,
        frame: &Frame,
        fitted: Option<Vintage>,
    ) -> Vintage {
        let began = begin(history, self.origin);
        let age = began.map_or(Duration::ZERO, |began| self.now.since(began));
        let fitted = match fitted {
            Some(fitted) if age >= FITTED_ONLY => return fitted,
            fitted => fitted,
        };
        let known = (self.origin - frame.first) as usize;
        let donor = if age < BORROWS { self.donor(series, frame) } else { None };
        let borrowed = donor.is_some();
        let effort = if age < FITTED_ONLY { Effort::Full } else { Effort::Little };
        let expected = early::forecast(frame, history, known, donor, effort);
        let fallback = match began {
            None => Some(Fallback::Nothing),
            Some(_) if age >= FITTED_ONLY => None,
            Some(began) => Some(Fallback::Little {
                days: (age.as_secs() / DAY.as_secs()) as u32,
                settled_at: began + FITTED_ONLY,
                borrowed,
            }),
        };
        let fallback = fallback.map(Stored::Value);
        match fitted {
            Some(fitted) => Vintage { fallback, ..blended(fitted, &expected, share(age)) },
            None => Vintage { fallback, ..self.alone(series, &expected) },
        }
    }

    fn alone(&self, series: &SeriesKey, expected: &[Expected]) -> Vintage {
        let width = self.past.width;
        let targets = expected.iter().enumerate().map(|(step, expected)| ForecastPoint {
            start: width.start(self.origin + step as i64),
            mean: rounded(expected.mean),
            quantiles: expected.quantiles,
            baseline: rounded(expected.baseline),
            level: level(expected.mean, expected.baseline),
            alarm_effect: 0.0,
        });
        Vintage {
            series: series.clone(),
            issued_at: self.now,
            targets: targets.collect(),
            members: vec![PROFILE.to_owned()],
            causes: Vec::new(),
            surges: None,
            fallback: None,
        }
    }

    /// The profile that older series of the same service and channel in other regions lend to a young series. It is the same
    /// for all young series of a place, so that it does not depend on the order of the series.
    fn donor(&mut self, series: &SeriesKey, frame: &Frame) -> Option<&Donor> {
        if series.region.is_all() {
            return None;
        }
        let own_place = self.past.places.contains_key(&series.region);
        let place = own_place.then(|| series.region.clone());
        let key = (series.service.clone(), series.channel.clone(), place);
        if !self.lent.contains_key(&key) {
            let donor = self.sum_of_siblings(series).and_then(|sum| {
                let known = (self.origin - frame.first) as usize;
                early::donor(frame, &sum, known)
            });
            self.lent.insert(key.clone(), donor);
        }
        self.lent.get(&key)?.as_ref()
    }

    /// The sum of the last weeks of the older siblings. A window that is missing in one of them is missing in the sum.
    fn sum_of_siblings(&self, series: &SeriesKey) -> Option<History> {
        let width = self.past.width;
        let first = self.origin - DAYS_LENT * width.per_day() as i64;
        let is_sibling = |key: &SeriesKey| {
            key.service == series.service && key.channel == series.channel && !key.region.is_all()
        };
        let is_old = |history: &&History| {
            begin(history, self.origin).is_some_and(|began| began + LENDS <= self.now)
        };
        let siblings = self.past.series.iter().filter(|(key, _)| is_sibling(key));
        let mut sum: Option<History> = None;
        for history in siblings.map(|(_, history)| history).filter(is_old) {
            let of_sibling = (first..self.origin).map(|index| history.get(index));
            match &mut sum {
                None => {
                    sum = Some(History { width, first, counts: of_sibling.collect() });
                }
                Some(sum) => {
                    sum.counts.iter_mut().zip(of_sibling).for_each(|(sum, count)| *sum += count);
                }
            }
        }
        sum
    }
}

fn level(mean: f64, baseline: f64) -> f64 {
    if baseline > 0.0 { rounded(mean / baseline) } else { 1.0 }
}

/// Standard deviation of the error of the weighted mean of two forecasts, relative to that of each forecast. It is below 1,
/// because their errors partly cancel out.
fn combined(share: f64) -> f64 {
    (1.0 - 2.0 * (1.0 - CORRELATION) * share * (1.0 - share)).sqrt()
}

/// The weighted mean of both forecasts, quantile by quantile. Its band is a little narrower than the mean of both bands.
fn blended(mut fitted: Vintage, expected: &[Expected], share: f64) -> Vintage {
    let narrower = combined(share);
    for (target, expected) in fitted.targets.iter_mut().zip(expected) {
        let mix = |member: f64, early: f64| (1.0 - share) * member + share * early;
        let baseline = mix(target.baseline, expected.baseline);
        let mean = mix(target.mean, expected.mean);
        (target.baseline, target.mean) = (rounded(baseline), rounded(mean));
        target.level = level(mean, baseline);
        let median = mix(target.quantiles[MEDIAN], expected.quantiles[MEDIAN]);
        for (quantile, early) in target.quantiles.iter_mut().zip(expected.quantiles) {
            *quantile = (median + narrower * (mix(*quantile, early) - median)).round();
        }
    }
    fitted.members.push(PROFILE.to_owned());
    fitted
}
