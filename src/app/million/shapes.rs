//! Every shape of event, through the decoder and on into what counts and keeps it.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::spoilt;
use crate::domain::{Brief, Event, EventKind, Position, SourceId, Timestamp, WindowWidth};
use crate::ingest::samples::{decoder, sample};
use crate::ingest::{Decoded, Decoder, Headers, Layout, Reject, split};
use crate::kafka::Wire;
use crate::window::{AlarmBook, Fold, FoldConfig};

const STRUCTURED: Headers<'static> =
    Headers(&[("content-type", b"application/cloudevents+json; charset=utf-8")]);
/// A body's first byte chooses, so that headers are spoilt too.
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

/// All that an event goes through; what it leads to never panics either.
struct Path {
    decoder: Decoder,
    fold: Fold,
    book: AlarmBook,
    offset: i64,
}

impl Path {
    fn new() -> Self {
        let width = WindowWidth::new(Duration::from_secs(900)).expect("a width");
        let lateness = Duration::from_secs(600);
        let fold = Fold::new(FoldConfig { width, lateness, max_future_skew: None });
        Self { decoder: decoder(), fold, book: AlarmBook::default(), offset: 0 }
    }

    /// Whether it is an event, or a notice that counts for nothing. What is read is fit to be kept and shown, and
    /// is what serde_json reads, if that reads it.
    fn take(&mut self, bytes: &[u8], headers: &Headers<'_>, hint: Option<EventKind>) -> bool {
        let found = self.decoder.decode(bytes, headers, hint);
        self.sound(&found);
        if found.is_err() {
            return false;
        }
        // Of a key that is there twice serde_json keeps the last; here it is a reject, or nobody reads it.
        if let Ok(value) = serde_json::from_slice::<Value>(bytes)
            && serde_json::from_slice(bytes).is_ok_and(|Fields(fields)| fields == fields_of(&value))
            && in_order(&value, bytes)
        {
            let again = self.decoder.decode(value.to_string().as_bytes(), headers, hint);
            assert_eq!(again, found, "as serde_json reads it");
        }
        true
    }

    fn sound(&mut self, found: &Result<Decoded, Reject>) {
        match found {
            Err(Reject { detail, .. }) => {
                assert!(!detail.is_empty() && detail.len() < 2000, "{detail}");
                assert!(!detail.contains('\n'), "{detail}");
            }
            Ok(Decoded::Many(many)) => {
                assert!(many.len() <= self.decoder.limits.batch_events);
                for one in many {
                    assert!(!matches!(one, Ok(Decoded::Many(_))));
                    self.sound(one);
                }
            }
            Ok(Decoded::One(event)) => self.count(event),
            Ok(Decoded::ListRebuilt(list)) => {
                assert!(list.system.iter().all(|system| is_id(system)), "{list:?}");
                assert!(list.object.iter().all(|object| object.chars().count() <= 1000));
            }
            Ok(Decoded::Nothing { .. }) => {}
        }
    }

    fn count(&mut self, event: &Event) {
        assert!(is_id(event.id()) && is_id(event.key()), "{event:?}");
        let ts = event.ts();
        assert!((Timestamp::MIN..Timestamp::MAX).contains(&ts));
        let texts = match event {
            Event::Alarm(e) => [&e.text, &e.device, &e.alarm_type],
            Event::Ticket(e) => [&e.text, &e.priority, &e.tier],
            Event::Maintenance(e) => [&e.text, &e.impact, &None],
        };
        let most = self.decoder.limits.text_chars;
        assert!(texts.into_iter().flatten().all(|text| text.chars().count() <= most));
        let position = Position { source: SourceId::new("t", 0), offset: self.offset };
        self.fold.observe(self.offset, ts, event);
        self.offset += 1;
        let wire = match event {
            Event::Alarm(event) => {
                self.book.observe(&position, event);
                Wire::Alarm { position, event: event.clone() }
            }
            Event::Maintenance(event) => Wire::Maintenance { position, event: event.clone() },
            Event::Ticket(_) => return,
        };
        let bytes = wire.clone().encode().expect("encodes");
        assert_eq!(Wire::decode(&bytes).expect("decodes"), wire);
        if self.offset % 1000 == 0 {
            self.book.advance(ts, |_| {});
            self.fold.changed();
            self.fold.committed(&self.fold.commit_point());
        }
    }
}

/// Whether a trap's bindings lie as serde_json sorts them: of several that may say the same the first one counts.
fn in_order(value: &Value, bytes: &[u8]) -> bool {
    let Some(bindings) = value.get("variable_bindings").and_then(Value::as_object) else {
        return true;
    };
    let text = String::from_utf8_lossy(bytes);
    let places: Vec<_> = bindings.keys().map(|key| text.find(&format!("\"{key}\""))).collect();
    places.iter().all(Option::is_some) && places.is_sorted()
}

fn is_id(id: &str) -> bool {
    (1..=256).contains(&id.chars().count()) && !id.contains(char::is_control)
}

/// How many fields all objects of a JSON text have together.
struct Fields(usize);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Counting)
    }
}

struct Counting;

impl<'de> Visitor<'de> for Counting {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_u64<E>(self, _: u64) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_str<E>(self, _: &str) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Fields, A::Error> {
        let mut sum = 0;
        while let Some(Fields(n)) = items.next_element()? {
            sum += n;
        }
        Ok(Fields(sum))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fields, A::Error> {
        let mut sum = 0;
        while let Some((_, Fields(n))) = entries.next_entry::<IgnoredAny, Fields>()? {
            sum += n + 1;
        }
        Ok(Fields(sum))
    }
}

fn fields_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(fields_of).sum(),
        Value::Object(fields) => fields.len() + fields.values().map(fields_of).sum::<usize>(),
        _ => 0,
    }
}

/// Spoils samples by name and reads them as they are.
fn shape(name: &str, names: &[&str]) {
    let samples: Vec<&str> = names.iter().map(|name| sample(name)).collect();
    bare(name, &samples, Some(EventKind::Alarm));
}

fn bare(name: &str, samples: &[impl AsRef<[u8]>], hint: Option<EventKind>) {
    let mut path = Path::new();
    spoilt(name, samples, |bytes| path.take(bytes, &Headers::default(), hint));
}

#[test]
fn native() {
    let work = r#"{"kind":"maintenance","event_id":"CR-9","action":"plan","ts":"2026-01-01T00:00:00Z",
        "starts_at":"2026-01-02T16:00:00Z","ends_at":1767370000,"region":"north","impact":"outage","text":"OLT"}"#;
    bare("native", &[sample("native alarm"), sample("native call"), work], Some(EventKind::Alarm));
}

#[test]
fn native_tickets_at_a_glance() {
    let samples = [
        r#"{"kind":"ticket","event_id":"T-77","action":"create","ts":"2026-01-01T02:05:00+08:00","region":"north","service":"broadband","channel":"phone","priority":"P2","tier":"premium","text":"no internet"}"#,
        r#" { "event_id" : "T-78" , "ts" : 1767225600 , "region" : "华北" , "service" : "tv" , "channel" : "chat" , "more" : 7 , "other" : "x" }"#,
    ];
    let (decoder, mut layout) = (Decoder::default(), Layout::default());
    spoilt("native ticket at a glance", &samples, |bytes| {
        let hint = Some(EventKind::Ticket);
        // What was seen of records before makes no difference.
        let Some(glance) = decoder.fast_path(bytes, hint, &mut layout) else { return false };
        let decoded = decoder.decode(bytes, &Headers::default(), hint);
        let Ok(Decoded::One(event)) = &decoded else { panic!("the decoder gives {decoded:?}") };
        // The one text that is cut, the other not.
        let mut slow = Brief::from(event);
        if glance.text.is_some_and(|text| text.chars().count() > decoder.limits.text_chars) {
            slow.text = glance.text;
        }
        assert_eq!(slow, glance);
        true
    });
}

#[test]
fn fault_mns() {
    shape("28.532", &["28.532", "28.532 list rebuilt"]);
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
    shape("TMF642 v5", &["TMF642 event"]);
}

#[test]
fn tmf642_bare() {
    shape("TMF642 bare", &["TMF642 bare"]);
}

#[test]
fn tmf621() {
    shape("TMF621", &["TMF621 event", "TMF621 bare"]);
}

#[test]
fn ves() {
    shape("VES", &["VES fault", "VES threshold"]);
}

#[test]
fn ves_batch() {
    shape("VES batch", &["VES batch"]);
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
    spoilt("CloudEvents structured", &samples, |bytes| {
        let told = path.take(bytes, &Headers::default(), None);
        // What says what it is needs no header; what does not is read as what the header says.
        path.take(bytes, &STRUCTURED, None) || told
    });
}

#[test]
fn cloud_events_binary() {
    let names = ["TMF642 bare", "28.532", "native alarm", "VES fault", "CloudEvent"];
    let samples: Vec<&str> = names.iter().map(|name| sample(name)).collect();
    let mut path = Path::new();
    spoilt("CloudEvents binary", &samples, |bytes| {
        let taken = BINARY.map(|headers| path.take(bytes, &headers, None));
        taken.contains(&true)
    });
}

#[test]
fn bodies() {
    let (alarm, call) = (sample("native alarm"), sample("native call"));
    let samples = [format!("[{alarm},\n{call}]"), format!("{alarm}\n{call}\r\n"), alarm.into()];
    let mut path = Path::new();
    spoilt("bodies", &samples, |bytes| {
        let Ok(values) = split(bytes) else { return false };
        assert!(values.iter().map(|value| value.len()).sum::<usize>() <= bytes.len());
        for value in values {
            path.take(value, &Headers::default(), Some(EventKind::Ticket));
        }
        true
    });
}
