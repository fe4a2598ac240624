//! Decode and aggregator of one source: what a reader gives records to and takes reports from.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter as EventCounter;

use super::decoders::Decoders;
use crate::domain::{
    Brief, DeadLetter, Event, EventKind, ListRebuilt, Offset, Place, Position, Reason, SourceId,
    Timestamp, UNKNOWN,
};
use crate::engine::Report;
use crate::ingest::{Decoded, Decoder, Headers, Layout, Reject};
use crate::telemetry::Metrics;
use crate::window::{AggregationKey, Aggregator, AggregatorConfig, CommitPoint, Frontier, Outcome};

/// One record of a log, not yet decoded.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    pub offset: Offset,
    pub appended_at: Timestamp,
    pub hint: Option<EventKind>,
    pub headers: Headers<'a>,
    pub bytes: &'a [u8],
}

/// Counts one source.
pub struct SourceProcessor {
    source: SourceId,
    aggregator: Aggregator,
    config: AggregatorConfig,
    decoders: Arc<Decoders>,
    decoder: Arc<Decoder>,
    layout: Layout,
    metrics: Arc<Metrics>,
    outcomes: Outcomes,
    unmapped: Unmapped,
    pending: Report,
    /// Which of its record's events is decided, from 0, and of how many.
    nth: usize,
    of: usize,
    /// Whether a letter has the record's bytes already.
    has_letter: bool,
    /// Records taken since the last report.
    taken: usize,
    held: usize,
}

impl SourceProcessor {
    /// Goes on from where the source was left, or starts.
    pub fn new(
        source: SourceId,
        from: Option<CommitPoint>,
        config: AggregatorConfig,
        decoders: Arc<Decoders>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let mut aggregator = match from {
            Some(point) => Aggregator::resume(config, point),
            None => Aggregator::new(config),
        };
        let pending = Report::new(source.clone());
        let decoder = decoders.current();
        aggregator.listen(Arc::new(decoder.lexicon.clone()));
        let (outcomes, unmapped) = (Outcomes::new(&metrics, &source), Unmapped::new(&metrics));
        Self {
            source,
            aggregator,
            config,
            decoders,
            decoder,
            layout: Layout::default(),
            metrics,
            outcomes,
            unmapped,
            pending,
            nth: 0,
            of: 1,
            has_letter: false,
            taken: 0,
            held: 0,
        }
    }

    /// Room that alarms, planned work and rejects since the last report take, in about 512 bytes each.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Windows held in memory, and up to when windows are closed.
    pub fn frontier(&self) -> (usize, Timestamp) {
        (self.aggregator.open_windows(), self.aggregator.closed())
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
        report.partials = self.aggregator.changed();
        let commit = self.aggregator.commit_point();
        report.progress =
            Some((Frontier { closed: self.aggregator.closed(), caught_up_at }, commit));
        self.aggregator.committed(&commit);
        (self.taken, self.held) = (0, 0);
        let decoder = self.decoders.current();
        if !Arc::ptr_eq(&decoder, &self.decoder) {
            self.aggregator.listen(Arc::new(decoder.lexicon.clone()));
            self.decoder = decoder;
        }
        report
    }

    /// Counts what a record holds, or says why not.
    pub fn take(&mut self, record: &RecordRef<'_>) {
        self.taken += 1;
        self.has_letter = false;
        let replayed = self.aggregator.begin(record.offset);
        let glance = match record.headers.0 {
            [] => self.decoder.fast_path(record.bytes, record.hint, &mut self.layout),
            _ => None,
        };
        if let Some(glance) = glance {
            self.decide(record, replayed, &glance);
            return;
        }
        match self.decoder.decode(record.bytes, &record.headers, record.hint) {
            Ok(Decoded::Many(all)) => {
                self.of = all.len();
                for (nth, one) in all.into_iter().enumerate() {
                    self.nth = nth;
                    self.one(record, replayed, one);
                }
                (self.nth, self.of) = (0, 1);
            }
            one => self.one(record, replayed, one),
        }
    }

    fn one(&mut self, record: &RecordRef<'_>, replayed: bool, one: Result<Decoded, Reject>) {
        match one {
            Ok(Decoded::One(event)) => {
                let outcome = self.decide(record, replayed, &Brief::from(&event));
                self.keep_state(record, outcome, event);
            }
            Ok(Decoded::Nothing { .. } | Decoded::Many(_)) => {
                self.outcomes.nothing.inc();
            }
            Ok(Decoded::ListRebuilt(list)) => self.rebuilt(record, replayed, list),
            Err(Reject { reason, detail }) if !replayed => {
                self.reject(record, reason, detail, None);
            }
            // It was kept before what was counted with it was committed.
            Err(_) => {
                self.outcomes.replayed.inc();
            }
        }
    }

    /// It is counted nowhere, so that no window can be too late for it.
    fn rebuilt(&mut self, record: &RecordRef<'_>, replayed: bool, list: ListRebuilt) {
        let skew = self.config.max_future_skew;
        if skew.is_some_and(|skew| list.ts > record.appended_at + skew) {
            self.outcomes.future.inc();
            if !replayed {
                self.future(record, list.ts);
            }
            return;
        }
        self.outcomes.nothing.inc();
        if !replayed {
            let ListRebuilt { system, object, ts } = &list;
            let source = &self.source;
            tracing::warn!(?system, ?object, %ts, %source, "a system rebuilt its list of alarms");
        }
        self.held += 1;
        self.pending.rebuilt.push((self.position(record), list));
    }

    fn future(&mut self, record: &RecordRef<'_>, ts: Timestamp) {
        let appended_at = record.appended_at;
        let detail =
            format!("its time {ts} lies too far after {appended_at}, when it was appended");
        self.reject(record, Reason::Future, detail, None);
    }

    fn decide(&mut self, record: &RecordRef<'_>, replayed: bool, event: &Brief<'_>) -> Outcome {
        let outcome = self.aggregator.decide(replayed, record.offset, record.appended_at, event);
        self.outcomes.of(outcome).inc();
        if outcome == Outcome::Counted {
            self.unmapped.note(&event.place);
        }
        match outcome {
            Outcome::Late => {
                let place = (AggregationKey::of(&event.place), self.config.width.floor(event.ts));
                let detail = format!(
                    "its window ended at {}, and the source had closed windows up to {}",
                    self.config.width.end(place.1),
                    self.aggregator.closed()
                );
                self.reject(record, Reason::Late, detail, Some(place));
            }
            Outcome::Future if !replayed => self.future(record, event.ts),
            Outcome::Counted | Outcome::Duplicate | Outcome::Future | Outcome::Replayed => {}
        }
        outcome
    }

    /// State outlives windows: a late clear still clears, and the newest wins whatever is replayed.
    fn keep_state(&mut self, record: &RecordRef<'_>, outcome: Outcome, event: Event) {
        if matches!(outcome, Outcome::Future | Outcome::Duplicate) {
            return;
        }
        let position = self.position(record);
        self.held += 1;
        match event {
            Event::Alarm(alarm) => self.pending.alarms.push((position, alarm)),
            Event::Maintenance(work) => self.pending.maintenance.push((position, work)),
            Event::Ticket(_) => {}
        }
    }

    fn position(&self, record: &RecordRef<'_>) -> Position {
        Position { source: self.source.clone(), offset: record.offset }
    }

    fn reject(
        &mut self,
        record: &RecordRef<'_>,
        reason: Reason,
        detail: String,
        place: Option<(AggregationKey, Timestamp)>,
    ) {
        self.metrics.rejected(reason);
        let detail = match self.of {
            1 => detail,
            of => format!("event {} of {of}: {detail}", self.nth + 1),
        };
        let letter = DeadLetter {
            position: self.position(record),
            // A record holds 1,000 events at most.
            nth: self.nth as u16,
            received_at: record.appended_at,
            reason,
            detail,
            // Once: a batch of many bad events is as large as it came.
            bytes: if std::mem::replace(&mut self.has_letter, true) { &[] } else { record.bytes }
                .into(),
        };
        self.held += 1 + letter.bytes.len() / 512;
        self.pending.dead.push((letter, place));
    }
}

/// Events that lack a name, by which one.
struct Unmapped {
    region: EventCounter,
    service: EventCounter,
    channel: EventCounter,
}

impl Unmapped {
    fn new(metrics: &Metrics) -> Self {
        let of = |attribute| metrics.unmapped(attribute);
        Self { region: of("region"), service: of("service"), channel: of("channel") }
    }

    fn note(&self, place: &Place<'_>) {
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

/// Events of one source by what became of them.
struct Outcomes {
    counted: EventCounter,
    duplicate: EventCounter,
    late: EventCounter,
    future: EventCounter,
    replayed: EventCounter,
    nothing: EventCounter,
}

impl Outcomes {
    fn new(metrics: &Metrics, source: &SourceId) -> Self {
        let of = |outcome| metrics.events(source, outcome);
        Self {
            counted: of("counted"),
            duplicate: of("duplicate"),
            late: of("late"),
            future: of("future"),
            replayed: of("replayed"),
            nothing: of("nothing"),
        }
    }

    fn of(&self, outcome: Outcome) -> &EventCounter {
        match outcome {
            Outcome::Counted => &self.counted,
            Outcome::Duplicate => &self.duplicate,
            Outcome::Late => &self.late,
            Outcome::Future => &self.future,
            Outcome::Replayed => &self.replayed,
        }
    }
}
