//! The input of the issuer when a window is finalized.

use super::alarm_spells::AlarmSpells;
use super::histories::Histories;
use crate::anomaly::Complaints;
use crate::domain::Timestamp;
use crate::forecast::PlannedWork;
use crate::telemetry::Metrics;
use crate::tickets::AssessmentBook;
use crate::window::{AlarmBook, Pairing, TicketBook};

/// Histories, alarms and complaints, kept in memory.
pub struct Observed {
    pub histories: Histories,
    pub alarms: AlarmBook,
    /// Finds the alarm of a message that has other ids.
    pub pairing: Pairing,
    /// Alarm spells of the last weeks.
    pub spells: AlarmSpells,
    /// Topics and phrases of the last weeks.
    pub complaints: Complaints,
    /// Tickets that are open, or were open recently.
    pub tickets: TicketBook,
    /// Priorities, SLA clocks and customers of these tickets.
    pub assessments: AssessmentBook,
}

impl Observed {
    /// The input of a step. Windows before `end` are final.
    pub fn situation<'a>(
        &'a self,
        work: &'a [PlannedWork],
        end: Timestamp,
        metrics: &'a Metrics,
    ) -> Situation<'a> {
        let Self { histories, alarms, spells, complaints, tickets, assessments, .. } = self;
        Situation {
            histories,
            alarms,
            spells,
            complaints,
            tickets,
            assessments,
            work,
            end,
            metrics,
        }
    }
}

/// The input of a step of the issuer, besides its own state.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    pub histories: &'a Histories,
    pub alarms: &'a AlarmBook,
    pub spells: &'a AlarmSpells,
    pub complaints: &'a Complaints,
    pub tickets: &'a TicketBook,
    pub assessments: &'a AssessmentBook,
    pub work: &'a [PlannedWork],
    /// End of the last finalized window.
    pub end: Timestamp,
    pub metrics: &'a Metrics,
}
