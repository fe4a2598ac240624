//! What is no event: the log's messages, commits, what customers say, and the files of people.

use std::time::Duration;

use super::spoilt;
use crate::domain::{
    AlarmAction, AlarmEvent, DeadLetter, ListRebuilt, Listen as _, Name, Position, Reason, Scope,
    SeriesKey, Severity, SourceId, Timestamp, Topic, WindowWidth,
};
use crate::forecast::Calendar;
use crate::ingest::{Lexicon, Table};
use crate::kafka::{Wire, decode_commit, encode_commit};
use crate::window::{Cell, Counts, Frontier, Merge, MergeConfig, MergeState, Partial};

const SAID: &[u8] =
    "text of customers: 宽带断网了,没有信号! No internet since 8am; can't log in (error 651).\n\
    el módem no enciende ¿por qué? Ünïcödé ﬁ ＦＵＬＬ　ＷＩＤＴＨ \u{301}e\u{301} 👩‍👩‍👧"
        .as_bytes();

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
    let partial = |cell| Wire::Partial {
        source: source.clone(),
        partial: Partial { window: at, cell, counts, upto: 41 },
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
    };
    let (system, object) = (Some("EMS1".into()), Some("SubNetwork=1".into()));
    let list = ListRebuilt { ts: at, system, object };
    let frontier = Frontier { closed: at, caught_up_at: Some(at) };
    let all = [
        partial(Cell::Tickets(series)),
        partial(Cell::Alarms(scope.clone())),
        partial(Cell::Phrase(scope.clone(), "login error".into())),
        Wire::Frontier { source: source.clone(), frontier, upto: Some(41), reported_at: at },
        Wire::Alarm { position: position.clone(), event },
        Wire::Rebuilt { position, list },
        Wire::Dead { letter, place: Some((Cell::Alarms(scope), at)) },
        Wire::Leader { instance: "i".into(), url: "http://127.0.0.1:8080".into() },
        Wire::Told { instance: "i".into(), what: serde_json::json!({"shifts": [1.5, null]}) },
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
    };
    let none = |_: &Cell, _| Counts::default();
    spoilt("messages of the log", &wires(), |bytes| {
        let Ok(wire) = Wire::decode(bytes) else { return false };
        let again = Wire::decode(&wire.clone().encode().expect("encodes")).expect("decodes");
        // serde_json reads some floats, which only what people told may hold, a digit off.
        assert!(
            again == wire || matches!(wire, Wire::Told { .. }),
            "{wire:?} written again: {again:?}"
        );
        // Whoever reads the log merges it.
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
            merge.settle(at);
            merge.collapse();
        }
        true
    });
}

#[test]
fn commits() {
    let samples = ["v1 closed=1767232800000 decided=41", "v1 closed=-9 decided=-1 more=7"];
    spoilt("commits", &samples, |bytes| {
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

#[test]
fn texts_of_customers() {
    let lexicon = Lexicon::default();
    spoilt("texts of customers", &[SAID], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let mut phrases = 0;
        let topic = lexicon.hear(&text, Some(&mut |_| phrases += 1));
        assert!(phrases <= 32);
        assert_eq!(topic, lexicon.classify(&text), "whether phrases are wanted or not");
        topic.is_some_and(|topic| topic != Topic::Other)
    });
}

#[test]
fn lexicons() {
    let sample = "[outage]\nstrong = [\"no internet\", \"断网\"]\nwords = [\"down*\"]\n\
        not = [\"not down\"]\n[billing]\nweak = [\"bill\"]\n[phrases]\nignore = [\"hello\"]\n";
    spoilt("lexicons", &[sample], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        match Lexicon::from_toml(&text) {
            Ok(lexicon) => {
                lexicon.classify(&text);
                true
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        }
    });
}

#[test]
fn look_up_tables() {
    let sample = "match,pattern,value\nexact,OLT-17,north\nprefix,\"gNB,1\",\"so\"\"uth\"\n\
        regex,\"(?i-u)^eNB[0-9]{1,4}x?$\",east\nprefix,,rest\n";
    spoilt("look-up tables", &[sample], |bytes| {
        match Table::from_csv(&String::from_utf8_lossy(bytes)) {
            Ok(_) => true,
            Err(error) => {
                let text = error.to_string();
                assert!(!text.is_empty() && text.len() < 2000, "{text}");
                false
            }
        }
    });
}

#[test]
fn holidays() {
    let sample = "days = [\"2026-01-01\", \"2026-02-17\"]\nworking_days = [\"2026-02-14\"]\n\
        school_holidays = []\n# a note\nevents = [\n  \"2026-11-11\",\n]\n";
    spoilt("holidays", &[sample], |bytes| {
        match Calendar::from_toml(&String::from_utf8_lossy(bytes)) {
            Ok(_) => true,
            Err(error) => {
                assert!(!error.is_empty());
                false
            }
        }
    });
}
