//! Strength of complaints by family.

use super::family::Family;
use super::incident::Incident;
use super::{exponential, long_tail, rebound, two_humps};
use crate::domain::{Timestamp, Zone};

impl Family {
    /// Strength of an incident in a channel at an instant, from 0 to about 1.
    pub(super) fn strength(self, i: &Incident, channel: &str, at: Timestamp, zone: Zone) -> f64 {
        match self {
            Self::Exponential => exponential::strength(i, channel, at),
            Self::LongTail => long_tail::strength(i, channel, at, zone),
            Self::TwoHumps => two_humps::strength(i, channel, at),
            Self::Rebound => rebound::strength(i, channel, at),
        }
    }

    /// Tickets per hour of an incident of size 1 at full strength, for a series with `average` tickets in an average hour and
    /// `ordinary` tickets in this hour.
    pub(super) fn unit(self, average: f64, ordinary: f64) -> f64 {
        match self {
            Self::Exponential | Self::TwoHumps | Self::Rebound => average,
            Self::LongTail => average.powf(0.3) * ordinary.powf(0.7),
        }
    }
}
