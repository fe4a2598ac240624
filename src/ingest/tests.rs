use proptest::prelude::*;
use serde_json::{Value, json};

use super::detect::Probe;
use super::frame::Frame;
use super::mapping::Mapping;
use super::reject::object_text;
use super::{Limits, Notes, decode, split};
use crate::domain::{AlarmAction, Event, EventKind, Reason, Severity, TicketAction, Zone};

const SAMPLES: [&str; 3] = [
    r#"{"kind":"alarm","event_id":"ems1-88121","alarm_id":"a-551","action":"raise","ts":"2026-01-01T02:03:04Z","severity":"critical",
 "region":"north","service":"broadband","device":"OLT-17","type":"lossOfSignal","text":"PON port down"}"#,
    r#"{"kind":"ticket","event_id":"T-77","action":"create","ts":"2026-01-01T02:05:00+08:00","region":"north","service":"broadband",
 "channel":"phone","priority":"P2","tier":"premium","text":"no internet since this morning"}"#,
    r#"{"kind":"maintenance","event_id":"CR-9","action":"plan","ts":"2026-01-01T00:00:00Z","starts_at":"2026-01-02T16:00:00Z",
 "ends_at":"2026-01-02T20:00:00Z","region":"north","service":"broadband","impact":"outage","text":"OLT upgrade"}"#,
];

fn read(text: &str) -> Result<Event, super::Reject> {
    decode(text.as_bytes(), None, &Limits::default())
}

/// A ticket with a new value for one field; `null` removes it.
fn ticket_with(key: &str, value: Value) -> String {
    let mut event = json!({"kind": "ticket", "event_id": "T-1", "ts": 1_767_233_000});
    event[key] = value;
    event.to_string()
}

#[test]
fn all_fields_of_the_samples_are_decoded() {
    let Ok(Event::Alarm(alarm)) = read(SAMPLES[0]) else { panic!("no alarm") };
    assert_eq!(alarm.ts.to_string(), "2026-01-01T02:03:04Z");
    assert_eq!((alarm.severity, &*alarm.alarm_id), (Severity::Critical, "a-551"));
    assert_eq!(alarm.alarm_type.as_deref(), Some("lossOfSignal"));
    let Ok(Event::Ticket(ticket)) = read(SAMPLES[1]) else { panic!("no ticket") };
    assert_eq!(ticket.series.to_string(), "north/broadband/phone");
    assert_eq!(ticket.ts.to_string(), "2025-12-31T18:05:00Z");
    let Ok(Event::Maintenance(work)) = read(SAMPLES[2]) else { panic!("no maintenance") };
    assert_eq!(work.ends_at.since(work.starts_at).as_secs(), 4 * 3600);
}

#[test]
fn absent_fields_have_defaults() {
    let event = br#"{"event_id":"x","ts":1767233000000,"extra":{"deep":[1,{}]}}"#;
    let limits = Limits::default();
    let Ok(Event::Alarm(alarm)) = decode(event, Some(EventKind::Alarm), &limits) else {
        panic!("no alarm")
    };
    assert_eq!((&*alarm.alarm_id, alarm.action), ("x", AlarmAction::Raise));
    assert_eq!(alarm.severity, Severity::Indeterminate);
    assert_eq!(alarm.scope.to_string(), "unknown/unknown");
    let Ok(Event::Ticket(ticket)) = decode(event, Some(EventKind::Ticket), &limits) else {
        panic!("no ticket")
    };
    assert_eq!(ticket.action, TicketAction::Create);
    assert_eq!(ticket.series.to_string(), "unknown/unknown/unknown");
    // Maintenance without a region is for all regions.
    let work = r#"{"kind":"Maintenance","event_id":"c","ts":1767233000,"region":"",
        "starts_at":1767240000,"ends_at":1767250000}"#;
    let Ok(Event::Maintenance(work)) = read(work) else { panic!("no maintenance") };
    assert_eq!((work.region, work.service), (None, None));
}

#[test]
fn a_cleared_severity_is_a_clear() {
    for severity in ["CLEARED", "cleared", "Normal"] {
        let text =
            json!({"kind": "alarm", "event_id": "x", "ts": 1_767_233_000, "severity": severity});
        let Ok(Event::Alarm(alarm)) = read(&text.to_string()) else { panic!("no alarm") };
        assert_eq!(alarm.action, AlarmAction::Clear);
    }
}

#[test]
fn a_reject_names_the_field() {
    use Reason::{Field, Malformed};
    let cases = [
        ("[1]".into(), Malformed, "starts with `{`"),
        (String::new(), Malformed, "starts with `{`"),
        ("{\"kind\":".into(), Malformed, "not JSON"),
        ("{} {}".into(), Malformed, "not JSON"),
        (ticket_with("kind", Value::Null), Field, "`kind` is missing"),
        (ticket_with("kind", json!("call")), Field, "`kind` is `call`: use alarm, ticket"),
        (ticket_with("event_id", Value::Null), Field, "`event_id` is missing"),
        (ticket_with("event_id", json!({})), Field, "`event_id` is an object, it must be text"),
        (ticket_with("event_id", json!("")), Field, "`event_id` is empty"),
        (ticket_with("event_id", json!("a\nb")), Field, "`event_id` has a control character"),
        (ticket_with("event_id", json!("é".repeat(257))), Field, "`event_id` has more than 256"),
        (ticket_with("ts", Value::Null), Field, "`ts` is missing"),
        (ticket_with("ts", json!("now")), Field, "`ts` cannot be read: `now` is not an RFC 3339"),
        (ticket_with("ts", json!(-5)), Field, "`ts` cannot be read: time is outside"),
        (ticket_with("ts", json!([{}])), Field, "`ts` is an array"),
        (
            ticket_with("action", json!("assigned")),
            Field,
            "`action` is `assigned`: use create, update",
        ),
        (ticket_with("region", json!({})), Field, "`region` is an object, it must be text"),
        (ticket_with("region", json!("_all")), Field, "`region` `_all` is reserved"),
        (ticket_with("service", json!("x".repeat(65))), Field, "`service` has more than 64"),
        (ticket_with("channel", json!("a/b")), Field, "`channel` has a control character or a `/`"),
        (ticket_with("text", json!(true)), Field, "`text` is true or false, it must be text"),
        (
            r#"{"kind":"maintenance","event_id":"c","ts":1767233000,"starts_at":1767240000,
             "ends_at":1767240000}"#
                .into(),
            Field,
            "`starts_at` (2026-01-01T04:00:00Z) is not before `ends_at`",
        ),
    ];
    for (text, reason, part) in cases {
        let reject = read(&text).expect_err(&text);
        assert_eq!(reject.reason, reason, "{text}: {reject}");
        assert!(reject.detail.contains(part), "{text}: {reject}");
        assert!(!reject.detail.contains('\n'), "{reject}");
    }
}

#[test]
fn calls_with_any_outcome_are_arrivals() {
    for outcome in ["offered", "answered", "Abandoned", "lost"] {
        let text = ticket_with("outcome", json!(outcome));
        let Ok(Event::Ticket(ticket)) = read(&text) else { panic!("{outcome}") };
        assert_eq!((ticket.action, &*ticket.event_id), (TicketAction::Create, "T-1"), "{outcome}");
    }
    let reject = read(&ticket_with("outcome", json!({}))).expect_err("an object");
    assert!(reject.detail.contains("`outcome` is an object"), "{reject}");
}

#[test]
fn limits_are_enforced() {
    let limits = Limits::default();
    let long = ticket_with("text", json!("é".repeat(1500)));
    let Ok(Event::Ticket(ticket)) = read(&long) else { panic!("no ticket") };
    assert_eq!(ticket.text.map(|text| text.chars().count()), Some(1000));
    let reject = read(&ticket_with("text", json!("x".repeat(70_000)))).expect_err("too large");
    assert_eq!(reject.reason, Reason::Limit);
    let reject = decode(b"{\"kind\":\"\xff\"}", None, &limits).expect_err("no UTF-8");
    assert_eq!((reject.reason, reject.detail.contains("UTF-8")), (Reason::Malformed, true));
    for opener in ["[", "{\"a\":"] {
        let deep = format!("{{\"x\":{}", opener.repeat(60_000 / opener.len()));
        assert!(read(&deep).expect_err("deep").detail.contains("nested"), "{opener}");
    }
    // Brackets in a text do not count as nesting.
    assert!(read(&ticket_with("text", json!("[{\"".repeat(200)))).is_ok());
}

#[test]
fn bodies_have_three_forms() {
    let (a, b) = (r#"{"a":1}"#, r#"{ "b" : [2] }"#);
    let cases = [
        (a.to_owned(), vec![a]),
        (format!("[{a} ,\n {b}]"), vec![a, b]),
        (format!("{a}\n{b}\n\n"), vec![a, b]),
        (format!("{a}\r\n{b}"), vec![a, b]),
        ("[]".into(), vec![]),
        (" \n".into(), vec![]),
    ];
    for (body, want) in cases {
        let want: Vec<&[u8]> = want.iter().map(|text| text.as_bytes()).collect();
        assert_eq!(split(body.as_bytes()), Ok(want), "{body}");
    }
    let error = split(b"{\"a\":1}\n{\"b\":}\n").expect_err("broken");
    assert_eq!((error.line, error.column), (2, 6), "{error}");
    insta::assert_snapshot!(error, @"line 2, column 6: expected value");
    let deep = format!("[{}", "[".repeat(1_000_000));
    assert!(split(deep.as_bytes()).is_err());
}

/// The results of both parsers for the same text.
fn both(text: &str, hint: Option<EventKind>) -> [Option<Event>; 2] {
    let limits = Limits::default();
    let (mapping, notes) = (Mapping::NONE, Notes::default());
    let frame = Frame::new(&limits, &mapping, hint, Zone::UTC, &notes);
    let peer = object_text(text.as_bytes(), &limits)
        .ok()
        .and_then(|text| serde_json::from_str::<Probe<'_>>(text).ok()?.native.event(&frame).ok());
    [decode(text.as_bytes(), hint, &limits).ok(), peer]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ -~é☎\\n\\\\\"]{0,30}".prop_map(Value::from),
        (600_000_000_i64..4_200_000_000).prop_map(Value::from),
        (1e9_f64..1e16).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!("2026-01-01T02:05:00.125+08:00")),
        prop::sample::select(vec!["ALARM", "Ticket", "maintenance", "raise", "create", "major"])
            .prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes, Some(EventKind::Alarm), &Limits::default());
        let _ = split(&bytes);
    }

    #[test]
    fn mutated_samples_never_panic(
        which in 0..3_usize, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = SAMPLES[which].as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        if let Err(reject) = decode(&bytes, None, &Limits::default()) {
            prop_assert!(!reject.detail.is_empty() && !reject.detail.contains('\n'));
        }
    }

    #[test]
    fn sonic_agrees_with_serde_json(
        fields in prop::collection::btree_map(
            prop::sample::select(vec![
                "kind", "event_id", "alarm_id", "action", "ts", "severity", "region", "service",
                "channel", "device", "type", "starts_at", "ends_at", "text", "unknown",
            ]),
            value(),
            0..12,
        ),
        id in "[!-~]{1,40}",
    ) {
        let mut event = serde_json::to_value(&fields).expect("text keys");
        let [ours, peer] = both(&event.to_string(), Some(EventKind::Ticket));
        prop_assert_eq!(ours, peer);
        // Also with valid required fields.
        event["event_id"] = json!(id);
        event["ts"] = json!("2026-01-01T02:05:00Z");
        let [ours, peer] = both(&event.to_string(), Some(EventKind::Ticket));
        prop_assert_eq!(ours, peer);
    }
}

#[test]
fn known_differences_between_the_parsers() {
    // (name, text, accepted by sonic-rs, accepted by serde_json). An update that changes them fails this test.
    let head = r#"{"event_id":"x","ts":1767233000"#;
    let cases = [
        ("duplicate key", format!(r#"{head},"ts":1767233000}}"#), false, false),
        ("lone surrogate", format!(r#"{head},"text":"\ud800"}}"#), false, false),
        ("raw control character", format!("{head},\"text\":\"a\tb\"}}"), false, false),
        ("number out of range", format!(r#"{head},"unknown":1e999}}"#), true, true),
        ("leading zero", format!(r#"{head},"unknown":01}}"#), false, false),
        ("trailing comma", format!("{head},}}"), false, false),
    ];
    for (what, text, ours, peer) in cases {
        let found = both(&text, Some(EventKind::Ticket)).map(|event| event.is_some());
        assert_eq!(found, [ours, peer], "{what}");
    }
}
