//! Decodes and counts the records of one source.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decoders::Decoders;
use super::outcomes::{Outcomes, Unmapped};
use super::record_contents::RecordContents;
use super::tally::{Tally, Waiting};
use crate::domain::{
    Brief, DeadLetter, Event, EventKind, FactsRef, ListRebuilt, Name, NewsRef, Offset, Place,
    Position, Reason, SeriesKey, SourceId, TicketBatch, TicketEvent, TicketNews, Timestamp,
};
use crate::engine::Report;
use crate::ingest::{Decoded, Decoder, Doubt, Headers, Layout, Notes, PlainTicket, Reject};
use crate::telemetry::Metrics;
use crate::window::{AggregationKey, Aggregator, AggregatorConfig, CommitPoint, Frontier, Outcome};

/// Unit of [`SourceProcessor::held`], in bytes.
const HELD_BYTES: usize = 512;

/// One record of a log, not yet decoded.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    pub offset: Offset,
    pub appended_at: Timestamp,
    pub hint: Option<EventKind>,
    pub headers: Headers<'a>,
    pub bytes: &'a [u8],
}

/// Decodes and counts one source. Readers give it records and take reports.
pub struct SourceProcessor {
    source: SourceId,
    aggregator: Aggregator,
    config: AggregatorConfig,
    decoders: Arc<Decoders>,
    decoder: Arc<Decoder>,
    layout: Layout,
    notes: Notes,
    contents: RecordContents,
    metrics: Arc<Metrics>,
    outcomes: Outcomes,
    unmapped: Unmapped,
    rejected: BTreeMap<Reason, Waiting>,
    pending: Report,
    /// Index of the current event in its record.
    nth: usize,
    /// Number of events in the current record.
    of: usize,
    /// Whether an earlier dead letter of the current record already has its bytes.
    has_letter: bool,
    /// Records taken since the last report.
    taken: usize,
    /// Alarms, planned work and rejects that wait for the report, in units of about 512 bytes.
    held: usize,
    /// Memory of the full batches of tickets that wait for the report.
    ticket_bytes: usize,
}

impl SourceProcessor {
    /// A processor that resumes at `from`, or starts at the beginning.
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
        aggregator.set_classifier(Arc::new(decoder.lexicon.clone()));
        let (outcomes, unmapped) = (Outcomes::new(&metrics, &source), Unmapped::new(&metrics));
        metrics.decoding.begin(&source, Doubt::EVERY.map(Doubt::as_str));
        Self {
            source,
            aggregator,
            config,
            decoders,
            decoder,
            layout: Layout::default(),
            notes: Notes::default(),
            contents: RecordContents::default(),
            metrics,
            outcomes,
            unmapped,
            rejected: BTreeMap::new(),
            pending,
            nth: 0,
            of: 1,
            has_letter: false,
            taken: 0,
            held: 0,
            ticket_bytes: 0,
        }
    }

    /// Memory of alarms, planned work and rejects since the last report, in units of about 512 bytes.
    pub fn held(&self) -> usize {
        self.held + self.ticket_bytes / HELD_BYTES
    }

    /// Number of windows held in memory, and the end of the closed windows.
    pub fn frontier(&self) -> (usize, Timestamp) {
        (self.aggregator.open_windows(), self.aggregator.closed())
    }

    /// Number of records taken since the last report.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Takes the report about the time since the last report. `caught_up_at` is the clock time at which the source had been
    /// read to its end.
    ///
    /// Windows that are closed in this report are dropped. The caller must store the report, or start over from the last
    /// stored one.
    pub fn report(&mut self, caught_up_at: Option<Timestamp>) -> Report {
        let mut report = std::mem::replace(&mut self.pending, Report::new(self.source.clone()));
        report.partials = self.aggregator.changed();
        self.hint(&report);
        let commit = self.aggregator.commit_point();
        self.aggregator.committed(&commit);
        report.progress =
            Some((Frontier { closed: self.aggregator.closed(), caught_up_at }, commit));
        (self.taken, self.held, self.ticket_bytes) = (0, 0, 0);
        let decoder = self.decoders.current();
        if !Arc::ptr_eq(&decoder, &self.decoder) {
            self.aggregator.set_classifier(Arc::new(decoder.lexicon.clone()));
            self.decoder = decoder;
        }
        report
    }

    /// What the events of the last report add to the metrics. Publish it once the report is durable.
    pub(super) fn take_tally(&mut self) -> Tally {
        let mut tally = Tally::default();
        tally.take(self.outcomes.every());
        tally.take(self.unmapped.every());
        tally.take(self.rejected.values_mut());
        tally
    }

    /// Counts and logs what the sender should correct.
    fn hint(&mut self, report: &Report) {
        let (hints, metrics) = (&self.decoders.hints, &self.metrics);
        if !self.notes.is_empty() {
            hints.notes(&self.source, self.notes.take(), metrics);
        }
        if let Some((count, id)) = self.contents.differing() {
            hints.differing(&self.source, count, &id, metrics);
        }
        report.partials.iter().for_each(|partial| hints.names(&partial.key, metrics));
    }

    /// Takes a record without a value: a tombstone of a compacted topic.
    pub fn take_null(&mut self, offset: Offset) {
        self.taken += 1;
        self.aggregator.begin(offset);
        self.outcomes.null.inc();
    }

    /// Counts the events of a record, or turns them into dead letters.
    pub fn take(&mut self, record: &RecordRef<'_>) {
        self.taken += 1;
        self.has_letter = false;
        let replayed = self.aggregator.begin(record.offset);
        let plain = match record.headers.0 {
            [] => self.decoder.fast_path(record.bytes, record.hint, &mut self.layout),
            _ => None,
        };
        if let Some(plain) = plain {
            let outcome = self.decide(record, replayed, &plain.brief());
            self.keep_step(outcome, &plain);
            return;
        }
        let decoder = &self.decoder;
        let (hint, appended_at) = (record.hint, Some(record.appended_at));
        match decoder.decode_noting(record.bytes, &record.headers, hint, appended_at, &self.notes) {
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
            Ok(Decoded::Update { event, arrival }) => {
                // First the arrival: the time of the change may close the window of the creation.
                let change = Brief::from(&event);
                let (offset, at) = (record.offset, record.appended_at);
                let arrived =
                    self.aggregator.arrive(replayed, offset, at, &Brief::from(&arrival), &change);
                let outcome = self.decide(record, replayed, &change);
                // A step contains the creation time of its ticket; other changes do not.
                match event {
                    Event::Ticket(TicketEvent { news: None, .. }) if arrived => {
                        self.keep_state(record, Outcome::Counted, arrival);
                    }
                    event => self.keep_state(record, outcome, event),
                }
            }
            Ok(Decoded::Null) => {
                self.outcomes.null.inc();
            }
            Ok(Decoded::Ignored { .. } | Decoded::Many(_)) => {
                self.outcomes.nothing.inc();
            }
            Ok(Decoded::ListRebuilt(list)) => self.rebuilt(record, replayed, list),
            Err(Reject { reason, detail }) if !replayed => {
                self.reject(record, reason, detail, None);
            }
            // The dead letter was stored before the restart: a commit follows its dead letters.
            Err(_) => {
                self.outcomes.replayed.inc();
            }
        }
    }

    /// Takes a rebuilt list. It belongs to no window, so it cannot be late.
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
            tracing::warn!(?system, ?object, %ts, %source, "alarms: a system rebuilt its list");
        }
        self.held += 1;
        self.pending.rebuilt.push((self.position(record), list));
    }

    fn future(&mut self, record: &RecordRef<'_>, ts: Timestamp) {
        let appended_at = record.appended_at;
        let detail = format!("its time {ts} is too far after {appended_at}, when it arrived");
        self.reject(record, Reason::Future, detail, None);
    }

    fn decide(&mut self, record: &RecordRef<'_>, replayed: bool, event: &Brief<'_>) -> Outcome {
        let outcome = self.aggregator.decide(replayed, record.offset, record.appended_at, event);
        self.outcomes.of(outcome).inc();
        if outcome == Outcome::Counted {
            self.unmapped.note(&event.place);
        }
        if matches!(outcome, Outcome::Counted | Outcome::Duplicate) {
            self.contents.take(event, outcome == Outcome::Duplicate);
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

    /// Stores the step of a plain ticket, as [`Self::keep_state`] does for other events.
    fn keep_step(&mut self, outcome: Outcome, plain: &PlainTicket<'_>) {
        let Some(step) = plain.step else { return };
        if matches!(outcome, Outcome::Future | Outcome::Duplicate) {
            return;
        }
        let Brief { ts, place, .. } = plain.brief();
        let Place::Tickets { region, service, channel } = place else { return };
        let facts = self.decoder.facts(plain.words, self.aggregator.topic());
        self.keep_ticket(ts, [region, service, channel], NewsRef::Step(step), facts);
    }

    fn keep_ticket(
        &mut self,
        ts: Timestamp,
        series: [&str; 3],
        news: NewsRef<'_>,
        facts: Option<FactsRef<'_>>,
    ) {
        let batches = &mut self.pending.tickets;
        if batches.last().is_none_or(TicketBatch::is_full) {
            self.ticket_bytes += batches.last().map_or(0, TicketBatch::bytes);
            batches.push(TicketBatch::default());
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(ts, series, news, facts);
        }
    }

    /// Stores the effect of an event on states that outlive windows: a late clear still clears. Replays are harmless, because
    /// the newest event wins.
    fn keep_state(&mut self, record: &RecordRef<'_>, outcome: Outcome, event: Event) {
        if matches!(outcome, Outcome::Future | Outcome::Duplicate) {
            return;
        }
        match event {
            Event::Alarm(alarm) => {
                self.held += 1;
                self.pending.alarms.push((self.position(record), alarm));
            }
            Event::Maintenance(work) => {
                self.held += 1;
                self.pending.maintenance.push((self.position(record), work));
            }
            Event::Ticket(mut ticket) => {
                let Some(news) = ticket.news.take() else { return };
                let is_snapshot = matches!(news, TicketNews::Snapshot { .. });
                // What a snapshot says holds for its own time only.
                if outcome == Outcome::Late && is_snapshot {
                    return;
                }
                let topic = self.aggregator.topic();
                let facts = match is_snapshot {
                    true => None,
                    false => self.decoder.facts((&ticket).into(), topic),
                };
                let SeriesKey { region, service, channel } = &ticket.series;
                let series = [region, service, channel].map(Name::as_str);
                self.keep_ticket(ticket.ts, series, NewsRef::from(&news), facts);
            }
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
        let metrics = &self.metrics;
        let rejected = self.rejected.entry(reason);
        rejected.or_insert_with(|| Waiting::new(metrics.rejected(reason))).inc();
        let detail = match self.of {
            1 => detail,
            of => format!("event {} of {of}: {detail}", self.nth + 1),
        };
        let letter = DeadLetter {
            position: self.position(record),
            // A record holds at most 50,000 events.
            nth: self.nth as u16,
            received_at: record.appended_at,
            reason,
            detail,
            // Only the first dead letter of a record holds its bytes.
            bytes: if std::mem::replace(&mut self.has_letter, true) { &[] } else { record.bytes }
                .into(),
        };
        self.held += 1 + letter.bytes.len() / HELD_BYTES;
        self.pending.dead.push((letter, place));
    }
}
