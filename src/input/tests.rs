use std::sync::Arc;

use serde_json::{Value, json};

use super::{Decoders, RecordRef, SourceProcessor};
use crate::domain::{MINUTE, SourceId, Timestamp, WindowWidth};
use crate::ingest::{Decoder, Headers};
use crate::telemetry::{Exposition, Metrics};
use crate::window::AggregatorConfig;

/// A processor, its metrics, and the offset of its next record.
struct Partition {
    processor: SourceProcessor,
    metrics: Arc<Metrics>,
    next: i64,
}

impl Partition {
    fn new() -> Self {
        Self::with(Arc::new(Metrics::default()))
    }

    fn with(metrics: Arc<Metrics>) -> Self {
        let config = AggregatorConfig {
            width: WindowWidth::QUARTER,
            lateness: 10 * MINUTE,
            max_future_skew: Some(5 * MINUTE),
            names_max: AggregatorConfig::NAMES,
        };
        let decoders = Arc::new(Decoders::new(Decoder::default()));
        let source = SourceId::new("t", 0);
        let processor = SourceProcessor::new(source, None, config, decoders, metrics.clone());
        Self { processor, metrics, next: 0 }
    }

    fn take(&mut self, value: &Value) {
        let bytes = value.to_string().into_bytes();
        self.processor.take(&RecordRef {
            offset: self.next,
            appended_at: Timestamp::parse("2026-11-28T23:00:00Z").expect("a time"),
            hint: None,
            headers: Headers::default(),
            bytes: &bytes,
        });
        self.next += 1;
    }

    /// Tickets, other changes and duplicates in all windows so far.
    fn counts(&mut self) -> (u32, u32, u32) {
        let partials = self.processor.report(None).partials;
        self.processor.take_tally().publish();
        partials.iter().map(|partial| &partial.counts).fold(
            (0, 0, 0),
            |(tickets, other, twice), counts| {
                (tickets + counts.tickets, other + counts.other, twice + counts.duplicates)
            },
        )
    }

    fn metric(&self, line: &str) -> f64 {
        let text = self.metrics.text(Exposition::Classic);
        let found = text.lines().find_map(|found| found.strip_prefix(line));
        found.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
    }
}

fn ticket(kind: &str, id: &str, created: &str, at: &str) -> Value {
    let mut ticket = json!({"id": id, "description": "d", "status": "inProgress"});
    if !created.is_empty() {
        ticket["creationDate"] = json!(format!("2026-11-28T{created}:00Z"));
    }
    let event_time = format!("2026-11-28T{at}:00Z");
    json!({"eventId": "0", "eventTime": event_time, "eventType": kind, "event": {"troubleTicket": ticket}})
}

#[test]
fn a_ticket_arrives_once_whatever_names_it_first() {
    const CREATE: &str = "TroubleTicketCreateEvent";
    const CHANGE: &str = "TroubleTicketAttributeValueChangeEvent";
    const RESOLVE: &str = "TroubleTicketResolvedEvent";
    type Counted = (u32, u32, u32);
    let cases: [(&[Value], Counted); 9] = [
        (&[ticket(CREATE, "A", "20:30", "20:30")], (1, 0, 0)),
        (&[ticket(CHANGE, "A", "20:30", "20:50")], (1, 1, 0)),
        (
            &[ticket(CREATE, "A", "20:30", "20:31"), ticket(CHANGE, "A", "20:30", "20:32")],
            (1, 1, 0),
        ),
        (
            &[ticket(CHANGE, "A", "20:30", "20:31"), ticket(CHANGE, "A", "20:30", "20:32")],
            (1, 2, 0),
        ),
        (
            &[ticket(CHANGE, "A", "20:30", "20:31"), ticket(RESOLVE, "A", "20:30", "20:33")],
            (1, 2, 0),
        ),
        (
            &[ticket(CHANGE, "A", "20:30", "20:31"), ticket(CREATE, "A", "20:30", "20:31")],
            (1, 1, 1),
        ),
        (
            &[ticket(CHANGE, "A", "20:30", "20:31"), ticket(CHANGE, "B", "20:30", "20:31")],
            (2, 2, 0),
        ),
        // Nobody knows when it was created, or whether it was seen: its window is closed.
        (&[ticket(CHANGE, "A", "", "20:31")], (0, 1, 0)),
        (
            &[
                ticket(CREATE, "B", "22:00", "22:00"),
                ticket(CREATE, "C", "22:00", "22:00"),
                ticket(CHANGE, "A", "20:30", "22:01"),
            ],
            (2, 1, 0),
        ),
    ];
    for (records, want) in cases {
        let mut partition = Partition::new();
        records.iter().for_each(|record| partition.take(record));
        assert_eq!(partition.counts(), want, "{records:?}");
    }
}

#[test]
fn records_without_events_and_odd_duplicates_are_counted_as_such() {
    let mut partition = Partition::new();
    partition.processor.take_null(0);
    partition.next = 1;
    partition.take(&json!(null));
    partition.take(&json!({"schema": {}, "payload": null}));
    partition.take(&json!([]));
    let native = |ts: &str, region: &str| {
        json!({"kind": "ticket", "event_id": "0", "ts": format!("2026-11-28T20:{ts}:00Z"), "region": region,
            "service": "s", "channel": "c"})
    };
    partition.take(&native("30", "north"));
    partition.take(&native("30", "north"));
    partition.take(&native("31", "north"));
    partition.take(&native("30", " North "));
    let alarm = json!({"kind": "alarm", "event_id": "a", "ts": "2026-11-28T20:30:00Z", "severity": "urgent"});
    partition.take(&json!([alarm, alarm]));
    assert_eq!(partition.counts(), (1, 0, 4));
    let outcome = |outcome: &str| {
        let line =
            format!("surgecast_ingest_events_total{{source=\"t[0]\",outcome=\"{outcome}\"}}");
        partition.metric(&line)
    };
    assert_eq!((outcome("null"), outcome("nothing"), outcome("counted")), (3.0, 1.0, 2.0));
    assert_eq!(partition.metric("surgecast_duplicates_differing_total{source=\"t[0]\"}"), 2.0);
    assert_eq!(partition.metric("surgecast_names_alike_total{attribute=\"region\"}"), 1.0);
    assert_eq!(partition.metric("surgecast_events_unknown_words_total{list=\"severity\"}"), 2.0);
}

#[test]
fn metrics_count_events_once_their_report_is_durable() {
    let native = |id: &str| json!({"kind": "ticket", "event_id": id, "ts": "2026-11-28T20:30:00Z"});
    let mut partition = Partition::new();
    let counted = |partition: &Partition| {
        let of = |line: &str| partition.metric(line);
        (
            of("surgecast_ingest_events_total{source=\"t[0]\",outcome=\"counted\"}"),
            of("surgecast_dead_letters_total{reason=\"field\"}"),
            of("surgecast_events_unmapped_total{attribute=\"region\"}"),
        )
    };
    partition.take(&native("a"));
    partition.take(&native("b"));
    partition.take(&json!({"kind": "ticket", "event_id": "c"}));
    let _ = partition.processor.report(None);
    let lost = partition.processor.take_tally();
    assert_eq!(counted(&partition), (0.0, 0.0, 0.0), "the report is not durable yet");
    // It is never written: a new session counts the records again.
    drop(lost);
    let mut again = Partition::with(partition.metrics.clone());
    again.take(&native("a"));
    again.take(&native("b"));
    again.take(&json!({"kind": "ticket", "event_id": "c"}));
    again.counts();
    assert_eq!(counted(&again), (2.0, 1.0, 2.0));
    // Nothing is added twice.
    again.counts();
    assert_eq!(counted(&again), (2.0, 1.0, 2.0));
}
