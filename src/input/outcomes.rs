//! Counts the events of one source for the metrics.

use super::tally::Waiting;
use crate::domain::{Place, SourceId, UNKNOWN};
use crate::telemetry::Metrics;
use crate::window::Outcome;

/// Counts events whose region, service or channel is unknown.
pub(super) struct Unmapped {
    region: Waiting,
    service: Waiting,
    channel: Waiting,
}

impl Unmapped {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let of = |attribute| Waiting::new(metrics.unmapped(attribute));
        Self { region: of("region"), service: of("service"), channel: of("channel") }
    }

    pub(super) fn every(&mut self) -> [&mut Waiting; 3] {
        [&mut self.region, &mut self.service, &mut self.channel]
    }

    pub(super) fn note(&mut self, place: &Place<'_>) {
        let (region, service, channel) = match *place {
            Place::Tickets { region, service, channel } => (region, service, Some(channel)),
            Place::Alarms { region, service } => (region, service, None),
            Place::Maintenance => return,
        };
        if region == UNKNOWN {
            self.region.inc();
        }
        if service == UNKNOWN {
            self.service.inc();
        }
        if channel == Some(UNKNOWN) {
            self.channel.inc();
        }
    }
}

/// Counts events of one source by outcome.
pub(super) struct Outcomes {
    counted: Waiting,
    duplicate: Waiting,
    late: Waiting,
    pub(super) future: Waiting,
    pub(super) replayed: Waiting,
    pub(super) nothing: Waiting,
    pub(super) null: Waiting,
}

impl Outcomes {
    pub(super) fn new(metrics: &Metrics, source: &SourceId) -> Self {
        let of = |outcome| Waiting::new(metrics.events(source, outcome));
        Self {
            counted: of("counted"),
            duplicate: of("duplicate"),
            late: of("late"),
            future: of("future"),
            replayed: of("replayed"),
            nothing: of("nothing"),
            null: of("null"),
        }
    }

    pub(super) fn every(&mut self) -> [&mut Waiting; 7] {
        let Self { counted, duplicate, late, future, replayed, nothing, null } = self;
        [counted, duplicate, late, future, replayed, nothing, null]
    }

    pub(super) fn of(&mut self, outcome: Outcome) -> &mut Waiting {
        match outcome {
            Outcome::Counted => &mut self.counted,
            Outcome::Duplicate => &mut self.duplicate,
            Outcome::Late => &mut self.late,
            Outcome::Future => &mut self.future,
            Outcome::Replayed => &mut self.replayed,
        }
    }
}
