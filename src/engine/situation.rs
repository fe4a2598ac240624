//! What is known when a window is finalized.

use super::alarm_spells::AlarmSpells;
use super::histories::Histories;
use crate::anomaly::Complaints;
use crate::domain::Timestamp;
use crate::forecast::PlannedWork;
use crate::telemetry::Metrics;
use crate::window::AlarmBook;

/// What final windows and alarms say, kept in memory.
pub struct Observed {
    pub histories: Histories,
    pub alarms: AlarmBook,
    /// What alarms did in the last weeks.
    pub spells: AlarmSpells,
    /// What customers said in the last weeks.
    pub complaints: Complaints,
}

impl Observed {
    /// What a step works with, where windows before `end` are final.
    pub fn situation<'a>(
        &'a self,
        work: &'a [PlannedWork],
        end: Timestamp,
        metrics: &'a Metrics,
    ) -> Situation<'a> {
        let Self { histories, alarms, spells, complaints } = self;
        Situation { histories, alarms, spells, complaints, work, end, metrics }
    }
}

/// What a step of the issuer works with besides its own state.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    pub histories: &'a Histories,
    pub alarms: &'a AlarmBook,
    pub spells: &'a AlarmSpells,
    pub complaints: &'a Complaints,
    pub work: &'a [PlannedWork],
    /// End of the last final window.
    pub end: Timestamp,
    pub metrics: &'a Metrics,
}
