//! Fuzz tests of the log's messages and of commit metadata.

use std::time::Duration;

use super::{Wire, decode_commit, encode_commit};
use crate::domain::fuzz::fuzz;
use crate::domain::{
    AlarmAction, AlarmEvent, DeadLetter, LifeStep, ListRebuilt, Name, Position, Reason, Scope,
    SeriesKey, Severity, SourceId, TicketFacts, TicketMessage, TicketNews, TicketStep, Timestamp,
    WindowWidth,
};
use crate::window::{AggregationKey, Counts, Frontier, Merge, MergeConfig, MergeState, Partial};

fn wires() -> Vec<Vec<u8>> {
    let at = Timestamp::from_secs(1_767_232_800);
    let source = SourceId::new("support.tickets", 2);
    let position = Position { source: source.clone(), offset: 7 };
    let series = SeriesKey::parse("north/broadband/phone").expect("a series");
    let scope = Scope {
        region: Name::new("north").expect("a name"),
        service: Name::new("tv").expect("a name"),
    };
    let counts = Counts { tickets: 7, topics: [1, 0, 0, 0, 1, 0], ..Counts::default() };
    let partial = |key| Wire::Partial {
        source: source.clone(),
        partial: Partial { window: at, key, counts, upto: 41 },
    };
    let letter = DeadLetter {
        position: position.clone(),
        nth: 3,
        received_at: at,
        reason: Reason::Late,
        detail: "why".into(),
        bytes: (*b"{\"kind\":").into(),
    };
    let event = AlarmEvent {
        event_id: "e".into(),
        alarm_id: "a".into(),
        action: AlarmAction::Raise,
        ts: at,
        severity: Severity::Major,
        scope: scope.clone(),
        device: Some("OLT-17".into()),
        alarm_type: None,
        text: Some("PON down".into()),
        aliases: Box::default(),
    };
    let (system, object) = (Some("EMS1".into()), Some("SubNetwork=1".into()));
    let list = ListRebuilt { ts: at, system, object };
    let step = TicketStep {
        ticket_id: "T-1".into(),
        step: LifeStep::FirstResponse,
        opened_at: Some(at),
        handled_seconds: Some(300),
    };
    let news = [TicketNews::Step(step), TicketNews::Snapshot { open: 40 }];
    let facts = TicketFacts { tier: Some("gold".into()), ..TicketFacts::default() };
    let facts = Some(Box::new(TicketFacts { customer: Some("C-7".into()), ..facts }));
    let batch = news
        .map(|news| TicketMessage { ts: at, series: series.clone(), news, facts: facts.clone() })
        .iter()
        .collect();
    let frontier = Frontier { closed: at, caught_up_at: Some(at) };
    let all = [
        partial(AggregationKey::Tickets(series)),
        partial(AggregationKey::Alarms(scope.clone())),
        partial(AggregationKey::Phrase(scope.clone(), "login error".into())),
        Wire::Frontier { source: source.clone(), frontier, upto: Some(41), reported_at: at },
        Wire::Alarm { position: position.clone(), event },
        Wire::Rebuilt { position, list },
        Wire::Tickets { source: source.clone(), batch },
        Wire::Dead { letter, place: Some((AggregationKey::Alarms(scope), at)) },
        Wire::Leader { instance: "i".into(), url: "http://127.0.0.1:8080".into() },
        Wire::Replicated { instance: "i".into(), what: serde_json::json!({"shifts": [1.5, null]}) },
    ];
    all.into_iter().map(|wire| wire.encode().expect("encodes")).collect()
}

#[test]
fn messages_of_the_log() {
    let width = WindowWidth::new(Duration::from_secs(900)).expect("a width");
    let config = MergeConfig {
        width,
        lateness: Duration::from_secs(600),
        source_timeout: Duration::from_secs(60),
        series_max: 100,
    };
    let none = |_: &AggregationKey, _| Counts::default();
    fuzz("messages of the log", &wires(), |bytes| {
        let Ok(wire) = Wire::decode(bytes) else { return false };
        let again = Wire::decode(&wire.clone().encode().expect("encodes")).expect("decodes");
        // serde_json reads some floats inexactly. Only replicated commands may contain floats.
        assert!(
            again == wire || matches!(wire, Wire::Replicated { .. }),
            "{wire:?} encoded again: {again:?}"
        );
        // Readers of the log merge its messages.
        let mut merge = Merge::restore(config, MergeState::default(), &none);
        let at = Timestamp::from_secs(1_767_240_000);
        match wire {
            Wire::Partial { source, partial } => {
                merge.expect(source.clone(), at);
                merge.apply(&source, vec![partial.clone()], &none);
                merge.apply(&source, vec![partial], &none);
            }
            Wire::Frontier { source, frontier, reported_at, .. } => {
                merge.note(&source, frontier, reported_at);
            }
            _ => return true,
        }
        for _ in 0..3 {
            merge.finalize(at);
            merge.collapse();
        }
        true
    });
}

#[test]
fn commits() {
    let samples = ["v1 closed=1767232800000 decided=41", "v1 closed=-9 decided=-1 more=7"];
    fuzz("commits", &samples, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        match decode_commit(3, &text) {
            Ok(point) => {
                assert_eq!(decode_commit(3, &encode_commit(&point)), Ok(point));
                true
            }
            Err(error) => {
                assert!(error.to_string().len() < 500, "{error}");
                false
            }
        }
    });
}
