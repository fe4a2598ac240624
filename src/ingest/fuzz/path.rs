//! The path of a decoded event: aggregator, alarm book and wire format.

use std::time::Duration;

use serde_json::Value;

use super::fields::{Fields, fields_of};
use crate::domain::{Event, EventKind, Position, SourceId, Timestamp, WindowWidth};
use crate::ingest::samples::decoder;
use crate::ingest::{Decoded, Decoder, Headers, Reject};
use crate::kafka::Wire;
use crate::window::{Aggregator, AggregatorConfig, AlarmBook};

/// The components that process a decoded event. None of them may panic.
pub(super) struct Path {
    decoder: Decoder,
    aggregator: Aggregator,
    book: AlarmBook,
    offset: i64,
}

impl Path {
    pub(super) fn new() -> Self {
        let width = WindowWidth::new(Duration::from_secs(900)).expect("a width");
        let lateness = Duration::from_secs(600);
        let aggregator = Aggregator::new(AggregatorConfig {
            width,
            lateness,
            max_future_skew: None,
            names_max: AggregatorConfig::NAMES,
        });
        Self { decoder: decoder(), aggregator, book: AlarmBook::default(), offset: 0 }
    }

    /// Decodes and processes bytes. Returns whether they were accepted. Checks that the result is valid, and that it is
    /// the same after serde_json has read and written the bytes.
    pub(super) fn process(
        &mut self,
        bytes: &[u8],
        headers: &Headers<'_>,
        hint: Option<EventKind>,
    ) -> bool {
        let found = self.decoder.decode(bytes, headers, hint);
        self.check(&found);
        if found.is_err() {
            return false;
        }
        // Skip texts with duplicate keys: serde_json keeps the last value, and the decoder rejects or ignores them.
        if let Ok(value) = serde_json::from_slice::<Value>(bytes)
            && serde_json::from_slice(bytes).is_ok_and(|Fields(fields)| fields == fields_of(&value))
            && in_order(&value, bytes)
        {
            let again = self.decoder.decode(value.to_string().as_bytes(), headers, hint);
            assert_eq!(again, found, "as serde_json reads it");
        }
        true
    }

    fn check(&mut self, found: &Result<Decoded, Reject>) {
        match found {
            Err(Reject { detail, .. }) => {
                assert!(!detail.is_empty() && detail.len() < 2000, "{detail}");
                assert!(!detail.contains('\n'), "{detail}");
            }
            Ok(Decoded::Many(many)) => {
                assert!(many.len() <= 50_000);
                for one in many {
                    assert!(!matches!(one, Ok(Decoded::Many(_))));
                    self.check(one);
                }
            }
            Ok(Decoded::One(event)) => self.count(event),
            Ok(Decoded::Update { event, arrival }) => {
                self.count(arrival);
                self.count(event);
            }
            Ok(Decoded::ListRebuilt(list)) => {
                assert!(list.system.iter().all(|system| is_id(system)), "{list:?}");
                assert!(list.object.iter().all(|object| object.chars().count() <= 1000));
            }
            Ok(Decoded::Null | Decoded::Ignored { .. }) => {}
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
        self.aggregator.observe(self.offset, ts, event);
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
            self.aggregator.changed();
            self.aggregator.committed(&self.aggregator.commit_point());
        }
    }
}

/// Whether the bindings of a trap are in serde_json's order. The order matters, because the first matching binding counts.
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
