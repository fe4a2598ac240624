//! Decode and fold of one source: what a reader gives records to and takes reports from.

use std::sync::Arc;

use super::report::Report;
use crate::domain::{DeadLetter, Event, EventKind, Offset, Position, Reason, SourceId, Timestamp};
use crate::ingest;
use crate::telemetry::Metrics;
use crate::window::{Cell, CommitPoint, Fate, Fold, FoldConfig, Frontier};

/// One record of a log, not yet decoded.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    pub offset: Offset,
    pub appended_at: Timestamp,
    pub hint: Option<EventKind>,
    pub bytes: &'a [u8],
}

/// Counts one source.
pub struct Counter {
    source: SourceId,
    fold: Fold,
    config: FoldConfig,
    limits: ingest::Limits,
    metrics: Arc<Metrics>,
    pending: Report,
    /// Records taken since the last report.
    taken: usize,
}

impl Counter {
    /// Goes on from where the source was left, or starts.
    pub fn new(
        source: SourceId,
        from: Option<CommitPoint>,
        config: FoldConfig,
        limits: ingest::Limits,
        metrics: Arc<Metrics>,
    ) -> Self {
        let fold = match from {
            Some(point) => Fold::resume(config, point),
            None => Fold::new(config),
        };
        let pending = Report::new(source.clone());
        Self { source, fold, config, limits, metrics, pending, taken: 0 }
    }

    /// Records taken since the last report.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Everything that happened since the last report. `caught_up_at` is the clock's time at which the source
    /// had been read to its end.
    ///
    /// Windows that were closed at the last report are forgotten: whoever took that one stores it, or starts over
    /// from the store.
    pub fn report(&mut self, caught_up_at: Option<Timestamp>) -> Report {
        let mut report = std::mem::replace(&mut self.pending, Report::new(self.source.clone()));
        report.partials = self.fold.changed();
        let commit = self.fold.commit_point();
        report.progress = Some((Frontier { closed: self.fold.closed(), caught_up_at }, commit));
        self.fold.committed(&commit);
        self.taken = 0;
        report
    }

    /// Counts a record, or says why not.
    pub fn take(&mut self, record: &RecordRef<'_>) {
        self.taken += 1;
        let position = Position { source: self.source.clone(), offset: record.offset };
        let event = match ingest::decode(record.bytes, record.hint, &self.limits) {
            Ok(event) => event,
            Err(reject) => {
                self.fold.skip(record.offset);
                self.reject(position, record, reject.reason, reject.detail, None);
                return;
            }
        };
        let fate = self.fold.observe(record.offset, record.appended_at, &event);
        self.metrics.event(&self.source, fate_name(fate));
        match fate {
            Fate::Late => {
                let place = (Cell::of(&event), self.config.width.floor(event.ts()));
                let detail = format!(
                    "its window ended at {}, and the source had closed windows up to {}",
                    self.config.width.end(place.1),
                    self.fold.closed()
                );
                self.reject(position.clone(), record, Reason::Late, detail, Some(place));
            }
            Fate::Future => {
                let detail = format!(
                    "its time {} lies too far after {}, when it was appended",
                    event.ts(),
                    record.appended_at
                );
                self.reject(position, record, Reason::Future, detail, None);
                return;
            }
            Fate::Duplicate => return,
            Fate::Counted | Fate::Replayed => {}
        }
        // State outlives windows: a late clear still clears, and the newest wins whatever is replayed.
        match event {
            Event::Alarm(alarm) => self.pending.alarms.push((position, alarm)),
            Event::Maintenance(work) => self.pending.maintenance.push((position, work)),
            Event::Ticket(_) => {}
        }
    }

    fn reject(
        &mut self,
        position: Position,
        record: &RecordRef<'_>,
        reason: Reason,
        detail: String,
        place: Option<(Cell, Timestamp)>,
    ) {
        self.metrics.rejected(reason);
        let letter = DeadLetter {
            position,
            received_at: record.appended_at,
            reason,
            detail,
            bytes: record.bytes.into(),
        };
        self.pending.dead.push((letter, place));
    }
}

fn fate_name(fate: Fate) -> &'static str {
    match fate {
        Fate::Counted => "counted",
        Fate::Duplicate => "duplicate",
        Fate::Late => "late",
        Fate::Future => "future",
        Fate::Replayed => "replayed",
    }
}
