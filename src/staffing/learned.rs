//! Handling times that are learned from resolved contacts, by hour of the day, shrunk towards the configured one.

use serde::{Deserialize, Serialize};

use super::{Plan, Profile};
use crate::domain::{Timestamp, Zone};
use crate::forecast::Vintage;

/// Handling times of plans are rounded to powers of this number, so that a few tables are enough for all of them.
const STEP: f64 = 1.05;

/// How a profile learns handling times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AhtLearning {
    /// Number of contacts at which the observed handling time has the same weight as the configured one.
    pub prior: f64,
    /// Maximum ratio of a learned handling time to the configured one, and vice versa.
    pub factor_max: f64,
    /// Factor on the reported seconds. It is 1, unless the reported times are those of chats that were handled together with
    /// other chats.
    pub reported_factor: f64,
}

/// Handling times of contacts: weights and weighted seconds, altogether and by hour of the day of their creation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HandlingTimes {
    pub all: (f64, f64),
    /// Sums for 24 hours, or empty.
    pub by_hour: Vec<(f64, f64)>,
}

impl HandlingTimes {
    /// Adds the handling times of another series.
    pub fn plus(&mut self, other: &Self) {
        let add = |own: &mut (f64, f64), other: &(f64, f64)| {
            own.0 += other.0;
            own.1 += other.1;
        };
        add(&mut self.all, &other.all);
        if self.by_hour.len() < other.by_hour.len() {
            self.by_hour.resize(other.by_hour.len(), (0.0, 0.0));
        }
        self.by_hour.iter_mut().zip(&other.by_hour).for_each(|(own, other)| add(own, other));
    }
}

/// The mean of values, shrunk towards `usual`, which has the weight of `prior` values.
fn shrunk((weight, sum): (f64, f64), usual: f64, prior: f64) -> f64 {
    (sum + usual * prior) / (weight + prior)
}

impl AhtLearning {
    /// Handling time in seconds of a contact that is created in this hour of the day. The mean of all hours is shrunk towards
    /// `configured`, and the mean of the hour is shrunk towards that result. In both steps n observed contacts have the weight
    /// n / (n + prior). The result is bounded.
    pub fn seconds(&self, configured: f64, own: &HandlingTimes, hour: usize) -> f64 {
        let reported = |(weight, sum): (f64, f64)| (weight, sum * self.reported_factor);
        let all = shrunk(reported(own.all), configured, self.prior);
        let hour = own.by_hour.get(hour).copied().unwrap_or_default();
        let hour = shrunk(reported(hour), all, self.prior);
        hour.clamp(configured / self.factor_max, configured * self.factor_max)
    }
}

/// The handling times with which a plan was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnedAht {
    /// Seconds in the config.
    pub configured: u64,
    /// Number of contacts from which they were learned; older contacts have less weight.
    pub tickets: u32,
    /// Handling time used in the queueing model, in seconds. The load of each window is exact nevertheless.
    pub model_seconds: f64,
    /// Start of each window, and the handling time of its contacts in seconds.
    pub windows: Vec<(Timestamp, f64)>,
}

impl LearnedAht {
    /// The handling times for the windows of a forecast; `None` unless the profile learns them.
    pub fn new(
        profile: &Profile,
        own: &HandlingTimes,
        vintage: &Vintage,
        zone: Zone,
    ) -> Option<Self> {
        let learning = profile.aht_learning?;
        let configured = profile.aht.as_secs_f64();
        let seconds = |start: Timestamp| {
            let hour = zone.minute_of_week(start) as usize / 60 % 24;
            (learning.seconds(configured, own, hour) * 10.0).round() / 10.0
        };
        let windows: Vec<(Timestamp, f64)> =
            vintage.targets.iter().map(|point| (point.start, seconds(point.start))).collect();
        let (mut work, mut contacts) = (0.0, 0.0);
        for (point, (_, seconds)) in vintage.targets.iter().zip(&windows) {
            work += (point.mean + 1e-6) * seconds;
            contacts += point.mean + 1e-6;
        }
        let mean = if contacts > 0.0 { work / contacts } else { configured };
        let steps = ((mean / configured).ln() / STEP.ln()).round();
        Some(Self {
            configured: profile.aht.as_secs(),
            tickets: own.all.0.round() as u32,
            model_seconds: (configured * STEP.powf(steps) * 100.0).round() / 100.0,
            windows,
        })
    }

    /// The profile with the handling time used in the model.
    pub fn profile(&self, own: &Profile) -> Profile {
        Profile { aht: std::time::Duration::from_secs_f64(self.model_seconds), ..own.clone() }
    }

    /// The forecast, converted to contacts with the model's handling time that cause the same load.
    pub fn same_load(&self, vintage: &Vintage) -> Vintage {
        let mut scaled = vintage.clone();
        for point in &mut scaled.targets {
            let factor = self.factor(point.start);
            point.mean *= factor;
            point.baseline *= factor;
            point.quantiles.iter_mut().for_each(|quantile| *quantile *= factor);
        }
        scaled
    }

    /// Number of contacts with the model's handling time that cause the same load as one contact of this window.
    pub fn factor(&self, start: Timestamp) -> f64 {
        let known = self.windows.iter().find(|(at, _)| *at == start);
        known.map_or(1.0, |(_, seconds)| seconds / self.model_seconds)
    }

    /// Mean seconds of the contacts of a forecast.
    fn mean(&self, vintage: &Vintage) -> f64 {
        let (mut work, mut contacts) = (0.0, 0.0);
        for point in &vintage.targets {
            let weight = point.mean + 1e-6;
            work += weight * self.factor(point.start) * self.model_seconds;
            contacts += weight;
        }
        if contacts > 0.0 { work / contacts } else { self.model_seconds }
    }

    /// Converts a plan that was made from [`Self::same_load`] of a forecast to a plan of the forecast.
    pub fn plan_of(&self, plan: Plan, vintage: &Vintage) -> Plan {
        let mut plan = plan;
        for target in &mut plan.targets {
            let point = vintage.targets.iter().find(|point| point.start == target.start);
            target.arrivals = point.map_or(target.arrivals, |point| point.mean);
        }
        if let crate::text::Stored::Value(basis) = &mut plan.basis {
            basis.aht = self.mean(vintage).round() as u64;
            basis.learned = Some(self.clone());
        }
        plan
    }
}
