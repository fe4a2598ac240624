//! Numbers of clocks that were met and breached, by week, place and agreement.

use serde::{Deserialize, Serialize};

use super::assessment::Assessment;
use super::sla::{Clock, ClockState};
use crate::domain::Scope;

/// Numbers of clocks by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockCounts {
    /// Still running, and not at risk.
    pub running: u32,
    pub at_risk: u32,
    pub met: u32,
    pub breached: u32,
}

impl ClockCounts {
    fn of(&mut self, state: ClockState) -> Option<&mut u32> {
        match state {
            ClockState::Running => Some(&mut self.running),
            ClockState::AtRisk => Some(&mut self.at_risk),
            ClockState::Met => Some(&mut self.met),
            ClockState::Breached => Some(&mut self.breached),
            ClockState::Void => None,
        }
    }

    fn change(&mut self, gained: &Self, lost: &Self) {
        let of = |own: u32, gained: u32, lost: u32| own.saturating_add(gained).saturating_sub(lost);
        self.running = of(self.running, gained.running, lost.running);
        self.at_risk = of(self.at_risk, gained.at_risk, lost.at_risk);
        self.met = of(self.met, gained.met, lost.met);
        self.breached = of(self.breached, gained.breached, lost.breached);
    }

    /// Share of the decided clocks that were met, 0–1; `None` while none is decided.
    pub fn share_met(&self) -> Option<f64> {
        let decided = self.met + self.breached;
        (decided > 0).then(|| f64::from(self.met) / f64::from(decided))
    }
}

/// Compliance of the tickets that were created in one week, in one place, under one agreement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compliance {
    pub first_response: ClockCounts,
    pub resolution: ClockCounts,
    /// Tickets with a clock.
    pub tickets: u32,
    /// Tickets that repeat an earlier one of their customer.
    pub duplicates: u32,
}

impl Compliance {
    fn add(&mut self, own: &Assessment) {
        self.tickets += 1;
        self.duplicates += u32::from(own.duplicate_of.is_some());
        let both = [
            (&mut self.first_response, own.first_response),
            (&mut self.resolution, own.resolution),
        ];
        for (counts, clock) in both {
            if let Some(count) = clock.and_then(|clock: Clock| counts.of(clock.state)) {
                *count += 1;
            }
        }
    }

    /// Applies a change.
    pub fn change(&mut self, change: &ComplianceChange) {
        let ComplianceChange { gained, lost } = change;
        self.first_response.change(&gained.first_response, &lost.first_response);
        self.resolution.change(&gained.resolution, &lost.resolution);
        self.tickets = (self.tickets + gained.tickets).saturating_sub(lost.tickets);
        self.duplicates = (self.duplicates + gained.duplicates).saturating_sub(lost.duplicates);
    }
}

/// How a compliance changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ComplianceChange {
    gained: Compliance,
    lost: Compliance,
}

impl ComplianceChange {
    pub(super) fn gain(&mut self, own: &Assessment) {
        self.gained.add(own);
    }

    pub(super) fn lose(&mut self, own: &Assessment) {
        self.lost.add(own);
    }
}

/// Where a ticket counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComplianceKey {
    /// Monday of the week in which the ticket was created, in the region's zone, as days since 1970-01-01.
    pub monday: i32,
    pub scope: Scope,
    /// The name of the agreement.
    pub sla: Box<str>,
}

/// Open tickets of a place that have a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenClocks {
    /// Tickets of which a clock is at risk.
    pub at_risk: u32,
    /// Open tickets of which a clock is breached.
    pub breached: u32,
}
