//! Onset: when customers notice a fault, in minutes after the first alarm, or after they wake up if it was raised at night.

use chrono::{TimeDelta, Timelike};

use super::episode::{Episode, Kind};
use super::prior::{NightPrior, Prior};
use crate::domain::{Timestamp, Zone};

/// Grid of onsets, minutes after the first alarm.
pub(super) const LAGS: [f64; 14] =
    [2.0, 6.0, 11.0, 17.0, 24.0, 32.0, 42.0, 55.0, 75.0, 105.0, 150.0, 210.0, 300.0, 420.0];
/// Grid of onsets in the morning, minutes of the local day.
pub(super) const MORNING: [f64; 16] = [
    330.0, 345.0, 360.0, 375.0, 390.0, 405.0, 420.0, 435.0, 450.0, 465.0, 480.0, 500.0, 520.0,
    540.0, 570.0, 600.0,
];
/// Local minute of the day at which customers begin to wake up.
const WAKE: i64 = 360;
/// States with a smaller probability are dropped.
const PROBABILITY_MIN: f64 = 0.003;

/// One possible onset of an episode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct OnsetState {
    /// Minutes after the episode's start.
    pub(super) minutes: f64,
    pub(super) weight: f64,
    pub(super) slot: Slot,
    /// When customers next wake up, in minutes after the episode's start; infinite for an onset in the morning.
    pub(super) wake: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Lag(usize),
    Morning(usize),
}

/// Distributions of the onset.
#[derive(Clone, Debug)]
pub(super) struct Onset {
    pub(super) fault: [f64; LAGS.len()],
    pub(super) overrun: [f64; LAGS.len()],
    pub(super) morning: [f64; MORNING.len()],
    /// By local hour of the first alarm: share of faults noticed only in the morning.
    pub(super) night: [f64; 24],
}

impl Onset {
    pub(super) fn of_prior(prior: &Prior) -> Self {
        let (median, spread) = (prior.onset.median, prior.onset.spread);
        let lag = LAGS.map(|m| bell((m / median).ln() / spread));
        let wake = prior.night.wakes_at * 60.0;
        let morning = MORNING.map(|m| bell((m - wake) / 60.0 / prior.night.wakes_spread));
        let night = std::array::from_fn(|hour| night_share(&prior.night, hour as f64 + 0.5));
        Self { fault: shares(lag), overrun: shares(lag), morning: shares(morning), night }
    }

    pub(super) fn states(&self, episode: &Episode, zone: Zone) -> Vec<OnsetState> {
        let local = zone.local(episode.starts);
        let by_lag = match episode.kind {
            Kind::Fault => &self.fault,
            Kind::Overrun => &self.overrun,
        };
        let asleep = self.night[local.hour() as usize];
        let mut states = Vec::with_capacity(LAGS.len() + MORNING.len());
        let evening = TimeDelta::days(i64::from(local.hour() >= 12));
        let midnight = (local + evening).date().and_hms_opt(0, 0, 0).unwrap_or(local);
        let woken = zone.instant(midnight + TimeDelta::minutes(WAKE));
        let wake = minutes_between(episode.starts, woken);
        for (i, (minutes, share)) in LAGS.iter().zip(by_lag).enumerate() {
            let weight = (1.0 - asleep) * share;
            let wake = if wake > *minutes { wake } else { wake + 1440.0 };
            states.push(OnsetState { minutes: *minutes, weight, slot: Slot::Lag(i), wake });
        }
        for (i, (of_day, share)) in MORNING.iter().zip(&self.morning).enumerate() {
            let at = zone.instant(midnight + TimeDelta::minutes(*of_day as i64));
            let minutes = minutes_between(episode.starts, at);
            if minutes > 0.0 {
                let (weight, slot) = (asleep * share, Slot::Morning(i));
                states.push(OnsetState { minutes, weight, slot, wake: f64::INFINITY });
            }
        }
        let total: f64 = states.iter().map(|s| s.weight).sum();
        states.retain(|s| s.weight > PROBABILITY_MIN * total);
        let total: f64 = states.iter().map(|s| s.weight).sum();
        states.iter_mut().for_each(|s| s.weight /= total);
        states
    }
}

/// Minutes from `a` to `b`, negative if `b` is earlier.
pub(super) fn minutes_between(a: Timestamp, b: Timestamp) -> f64 {
    (b.millis() - a.millis()) as f64 / 60_000.0
}

fn bell(z: f64) -> f64 {
    (-0.5 * z * z).exp()
}

pub(super) fn shares<const N: usize>(weights: [f64; N]) -> [f64; N] {
    let total: f64 = weights.iter().sum();
    weights.map(|w| w / total)
}

/// Share of faults that are noticed only in the morning: full between `from` and `to`, decreasing over two hours on either
/// side.
fn night_share(prior: &NightPrior, hour: f64) -> f64 {
    let length = (prior.to - prior.from).rem_euclid(24.0);
    let into = (hour - prior.from).rem_euclid(24.0);
    let outside = if into <= length { 0.0 } else { (into - length).min(24.0 - into) };
    prior.share * (1.0 - outside / 2.0).clamp(0.02, 1.0)
}
