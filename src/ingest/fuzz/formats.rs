//! Events of all formats, through the decoder and the code that counts and stores them.

use serde_json::Value;

use super::path::Path;
use crate::domain::fuzz::fuzz;
use crate::domain::{Brief, Event, EventKind, TicketNews};
use crate::ingest::samples::sample;
use crate::ingest::{Decoded, Decoder, Headers, Layout, split};

const STRUCTURED: Headers<'static> =
    Headers(&[("content-type", b"application/cloudevents+json; charset=utf-8")]);
/// Headers of CloudEvents in binary mode. Each body is decoded with all of them.
const BINARY: [Headers<'static>; 4] = [
    Headers(&[("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/ems1")]),
    Headers(&[
        ("ce-specversion", b"1.0"),
        ("ce-type", b"org.tmforum.AlarmClearedEvent"),
        ("ce-time", b"2026-01-01T02:03:05Z"),
        ("content-type", b"application/json"),
    ]),
    Headers(&[("ce_specversion", b"1.0"), ("ce_id", b"\xff"), ("ce_time", b"1e400")]),
    Headers(&[("ce_specversion", b"0.2"), ("ce_id", b""), ("content-type", b"text/plain")]),
];

/// Mutates samples by name and decodes them without headers.
fn format(name: &str, names: &[&str]) {
    let samples: Vec<&str> = names.iter().map(|name| sample(name)).collect();
    bare(name, &samples, Some(EventKind::Alarm));
}

fn bare(name: &str, samples: &[impl AsRef<[u8]>], hint: Option<EventKind>) {
    let mut path = Path::new();
    fuzz(name, samples, |bytes| path.process(bytes, &Headers::default(), hint));
}

#[test]
fn native() {
    let work = r#"{"kind":"maintenance","event_id":"CR-9","action":"plan","ts":"2026-01-01T00:00:00Z",
        "starts_at":"2026-01-02T16:00:00Z","ends_at":1767370000,"region":"north","impact":"outage","text":"OLT"}"#;
    bare("native", &[sample("native alarm"), sample("native call"), work], Some(EventKind::Alarm));
}

#[test]
fn native_tickets_by_the_fast_path() {
    let samples = [
        r#"{"kind":"ticket","event_id":"T-77","action":"create","ts":"2026-01-01T02:05:00+08:00","region":"north","service":"broadband","channel":"phone","priority":"P2","tier":"premium","text":"no internet"}"#,
        r#" { "event_id" : "T-78" , "ts" : 1767225600 , "region" : "华北" , "service" : "tv" , "channel" : "chat" , "more" : 7 , "other" : "x" }"#,
        r#"{"kind":"ticket","event_id":"T-79","ticket_id":"INC-1","action":"resolve","ts":1767225600123,"region":"north","service":"tv","channel":"chat","handled_seconds":300,"customer_id":"C-1","priority":"P1","text":"thank you"}"#,
    ];
    let (decoder, mut layout) = (Decoder::default(), Layout::default());
    fuzz("native ticket by the fast path", &samples, |bytes| {
        let hint = Some(EventKind::Ticket);
        // The layout of previous records makes no difference.
        let Some(fast) = decoder.fast_path(bytes, hint, &mut layout) else { return false };
        let decoded = decoder.decode(bytes, &Headers::default(), hint);
        let Ok(Decoded::One(event)) = &decoded else { panic!("the decoder gives {decoded:?}") };
        // The decoder cuts long texts, the fast path does not.
        let (mut slow, brief) = (Brief::from(event), fast.brief());
        if brief.text.is_some_and(|text| text.chars().count() > decoder.limits.text_chars) {
            slow.text = brief.text;
        }
        assert_eq!(slow, brief);
        let Event::Ticket(ticket) = event else { panic!("{event:?} is no ticket") };
        assert_eq!(ticket.news, fast.step.map(|step| TicketNews::Step(step.into())));
        if fast.step.is_some() {
            assert_eq!(decoder.facts(ticket.into(), None), decoder.facts(fast.words, None));
        }
        true
    });
}

#[test]
fn fault_mns() {
    format("28.532", &["28.532", "28.532 list rebuilt"]);
}

#[test]
fn tmf642_v4() {
    let v4 = sample("TMF642 event")
        .replace("AlarmCreateEvent", "alarmCreateEvent")
        .replace("\"alarmedObject\":{\"id\":\"gNB17\"}", "\"alarmedObject\":[{\"id\":\"gNB17\"}]");
    bare("TMF642 v4", &[v4], None);
}

#[test]
fn tmf642_v5() {
    format("TMF642 v5", &["TMF642 event"]);
}

#[test]
fn tmf642_bare() {
    format("TMF642 bare", &["TMF642 bare"]);
}

#[test]
fn tmf621() {
    format("TMF621", &["TMF621 event", "TMF621 bare"]);
}

#[test]
fn ves() {
    format("VES", &["VES fault", "VES threshold"]);
}

#[test]
fn ves_batch() {
    format("VES batch", &["VES batch"]);
}

#[test]
fn traps() {
    let samples = ["trap", "enterprise trap"].map(sample);
    let sorted = samples.map(|text| serde_json::from_str::<Value>(text).expect("JSON").to_string());
    let all: Vec<&str> = samples.into_iter().chain(sorted.iter().map(String::as_str)).collect();
    bare("SNMP trap", &all, Some(EventKind::Alarm));
}

#[test]
fn cloud_events_structured() {
    let encoded = r#"{"specversion":"1.0","id":"ce-2","source":"/ems1","data_base64":
        "eyJraW5kIjoiYWxhcm0iLCJldmVudF9pZCI6Im4xIiwidHMiOjE3NjcyMzMwMDB9"}"#;
    let quoted = r#"{"specversion":"1.0","data":"{\"kind\":\"alarm\",\"event_id\":\"n1\",\"ts\":1767233000}"}"#;
    let samples = [sample("CloudEvent"), encoded, quoted];
    let mut path = Path::new();
    fuzz("CloudEvents structured", &samples, |bytes| {
        let without_headers = path.process(bytes, &Headers::default(), None);
        // The header identifies a CloudEvent that its keys do not identify.
        path.process(bytes, &STRUCTURED, None) || without_headers
    });
}

#[test]
fn cloud_events_binary() {
    let names = ["TMF642 bare", "28.532", "native alarm", "VES fault", "CloudEvent"];
    let samples: Vec<&str> = names.iter().map(|name| sample(name)).collect();
    let mut path = Path::new();
    fuzz("CloudEvents binary", &samples, |bytes| {
        let accepted = BINARY.map(|headers| path.process(bytes, &headers, None));
        accepted.contains(&true)
    });
}

#[test]
fn bodies() {
    let (alarm, call) = (sample("native alarm"), sample("native call"));
    let samples = [format!("[{alarm},\n{call}]"), format!("{alarm}\n{call}\r\n"), alarm.into()];
    let mut path = Path::new();
    fuzz("bodies", &samples, |bytes| {
        let Ok(values) = split(bytes) else { return false };
        assert!(values.iter().map(|value| value.len()).sum::<usize>() <= bytes.len());
        for value in values {
            path.process(value, &Headers::default(), Some(EventKind::Ticket));
        }
        true
    });
}
