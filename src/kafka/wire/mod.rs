//! Messages of the replicated log (topic `surgecast.partials`) and their JSON form.

mod form;
mod message;
mod ticket_table;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::form::{Body, TicketsForm};
pub use self::message::Wire;

/// The version that this release writes and reads. Other versions are refused.
pub const WIRE_VERSION: u32 = 1;

/// Why bytes are not a message of the replicated log.
#[derive(Debug, Error)]
pub enum WireError {
    #[error("message is not JSON of a known type: {0}")]
    Syntax(#[from] serde_json::Error),
    #[error(
        "message has version {0}, this release reads {WIRE_VERSION}: update the older instances"
    )]
    Version(u32),
}

/// An encoded message.
pub type EncodedWire = Result<Vec<u8>, WireError>;

/// The JSON object. It is a type of its own, so that [`Wire`] can change without a change of the format.
#[derive(Serialize, Deserialize)]
struct Envelope<B> {
    v: u32,
    #[serde(flatten)]
    body: B,
}

/// The fields before the body.
#[derive(Deserialize)]
struct Head<'a> {
    v: u32,
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
}

impl<'a> Head<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        // sonic-rs skips the body fast; serde_json says what is wrong.
        let head =
            sonic_rs::from_slice(bytes).or_else(|_| serde_json::from_slice::<Self>(bytes))?;
        // Fields of a later version may have another meaning, so the body of such a message is not read.
        if head.v == WIRE_VERSION { Ok(head) } else { Err(WireError::Version(head.v)) }
    }
}

impl Wire {
    /// Encodes a message as JSON.
    ///
    /// # Errors
    /// Never for these types; the encoder's signature has an error.
    pub fn encode(self) -> Result<Vec<u8>, WireError> {
        let envelope = Envelope { v: WIRE_VERSION, body: Body::from(self) };
        // sonic-rs writes long lists of tickets faster.
        sonic_rs::to_vec(&envelope).or_else(|_| Ok(serde_json::to_vec(&envelope)?))
    }

    /// Decodes a message. Unknown fields are ignored.
    ///
    /// # Errors
    /// [`WireError`] for another version or an unknown type.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        if Head::read(bytes)?.kind == "tickets" {
            return Ok(serde_json::from_slice::<TicketsForm>(bytes)?.into());
        }
        Ok(serde_json::from_slice::<Envelope<Body>>(bytes)?.body.into())
    }

    /// Decodes a message of one type, such as `leader`; `None` for all others, whose bodies are not read.
    ///
    /// # Errors
    /// As for [`Self::decode`].
    pub fn decode_only(kind: &str, bytes: &[u8]) -> Result<Option<Self>, WireError> {
        // Most messages have thousands of bytes after their type. [`Self::encode`] writes the type first.
        let rest = bytes.strip_prefix(br#"{"v":1,"type":""#);
        let is_kind = |rest: &[u8]| {
            rest.strip_prefix(kind.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'"'))
        };
        if rest.is_some_and(|rest| !is_kind(rest)) {
            return Ok(None);
        }
        match Head::read(bytes)?.kind == kind {
            true => Self::decode(bytes).map(Some),
            false => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        AlarmEvent, DeadLetter, Name, Position, Reason, Scope, SeriesKey, SourceId, TOPICS,
        Timestamp,
    };
    use crate::window::{AggregationKey, Counts, Frontier, Partial};

    fn name() -> impl Strategy<Value = Name> {
        "[a-zé☎ \"\\\\]{1,12}".prop_filter_map("a name", |text| Name::filter(&text).ok())
    }

    fn key() -> impl Strategy<Value = AggregationKey> {
        prop_oneof![
            (name(), name(), name())
                .prop_map(|(r, s, c)| AggregationKey::Tickets(SeriesKey::new(r, s, c))),
            (name(), name())
                .prop_map(|(region, service)| AggregationKey::Alarms(Scope { region, service })),
            Just(AggregationKey::Maintenance),
            (name(), name(), "[a-z中 ]{1,12}").prop_map(|(region, service, phrase)| {
                AggregationKey::Phrase(Scope { region, service }, phrase.into())
            }),
        ]
    }

    fn wire() -> impl Strategy<Value = Wire> {
        let made = || prop_oneof![Just(None), "[0-9a-f]{32}(~[0-9]{1,9})?".prop_map(Some)];
        let source = move || {
            ("[a-z.]{1,20}", any::<i32>(), made())
                .prop_map(|(t, p, made)| SourceId::new(&t, p).in_generation(made.as_deref()))
        };
        let topics = prop_oneof![Just([0; TOPICS]), any::<[u32; TOPICS]>()];
        let counts = (any::<[u32; 4]>(), any::<[u32; 5]>(), topics).prop_map(
            |([tickets, cleared, other, duplicates], raised, topics)| Counts {
                tickets,
                raised,
                cleared,
                other,
                duplicates,
                topics,
            },
        );
        let partial = (source(), any::<i64>(), key(), counts, any::<i64>()).prop_map(
            |(source, ms, key, counts, upto)| {
                let window = Timestamp::from_millis(ms);
                Wire::Partial { source, partial: Partial { window, key, counts, upto } }
            },
        );
        let times = any::<(i64, Option<i64>, i64)>();
        let note = (source(), times, any::<Option<i64>>()).prop_map(
            |(source, (closed, caught_up, reported), upto)| Wire::Frontier {
                source,
                frontier: Frontier {
                    closed: Timestamp::from_millis(closed),
                    caught_up_at: caught_up.map(Timestamp::from_millis),
                },
                upto,
                reported_at: Timestamp::from_millis(reported),
            },
        );
        let position =
            || (source(), 0i64..1 << 50).prop_map(|(source, offset)| Position { source, offset });
        let dead = (position(), prop::collection::vec(any::<u8>(), 0..40), key(), any::<bool>());
        let dead = dead.prop_map(|(position, bytes, key, late)| Wire::Dead {
            letter: DeadLetter {
                position,
                nth: u16::from(late),
                received_at: Timestamp::from_secs(1_767_232_800),
                reason: if late { Reason::Late } else { Reason::Malformed },
                detail: "why".into(),
                bytes: bytes.into(),
            },
            place: late.then_some((key, Timestamp::from_secs(1_767_232_800))),
        });
        let alarm =
            (position(), name(), name()).prop_map(|(position, region, service)| Wire::Alarm {
                position,
                event: AlarmEvent {
                    event_id: "e".into(),
                    alarm_id: "a".into(),
                    action: crate::domain::AlarmAction::Clear,
                    ts: Timestamp::from_millis(1_767_232_800_123),
                    severity: crate::domain::Severity::Major,
                    scope: Scope { region, service },
                    device: Some("OLT-1".into()),
                    alarm_type: None,
                    text: Some("ü \"\n".into()),
                    aliases: Box::default(),
                },
            });
        prop_oneof![partial, note, dead, alarm]
    }

    proptest! {
        #[test]
        fn a_message_survives_encoding(wire in wire()) {
            let bytes = wire.clone().encode().expect("encodes");
            prop_assert_eq!(Wire::decode(&bytes).expect("decodes"), wire);
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Wire::decode(&bytes);
        }
    }

    #[test]
    fn only_messages_that_name_the_leader_are_read() {
        let decode_leader = |bytes: &[u8]| Wire::decode_only("leader", bytes);
        let leader = Wire::Leader { instance: "i".into(), url: "http://127.0.0.1:1".into() };
        let bytes = leader.clone().encode().expect("encodes");
        assert_eq!(decode_leader(&bytes).expect("decodes"), Some(leader.clone()));
        // The order of fields does not matter.
        let moved = br#"{"url":"http://127.0.0.1:1","type":"leader","instance":"i","v":1}"#;
        assert_eq!(decode_leader(moved).expect("decodes"), Some(leader));
        let what = serde_json::json!({});
        let other = Wire::Replicated { instance: "i".into(), what }.encode().expect("encodes");
        assert!(other.starts_with(br#"{"v":1,"type":""#), "the version and the type come first");
        assert_eq!(decode_leader(&other).expect("decodes"), None);
        assert!(decode_leader(br#"{"v":2,"type":"leader"}"#).is_err());
        assert!(decode_leader(b"{").is_err());
    }

    #[test]
    fn topics_and_phrases_keep_the_fields_of_older_releases() {
        let scope = SeriesKey::parse("north/broadband/phone").expect("series").scope();
        let partial = Wire::Partial {
            source: SourceId::new("support.tickets", 2),
            partial: Partial {
                window: Timestamp::from_secs(1_767_232_800),
                key: AggregationKey::Phrase(scope, "login error".into()),
                counts: Counts { tickets: 2, topics: [1, 0, 0, 0, 1, 0], ..Counts::default() },
                upto: 41,
            },
        };
        let text = String::from_utf8(partial.encode().expect("encodes")).expect("utf-8");
        insta::assert_snapshot!(text, @r#"{"v":1,"type":"partial","topic":"support.tickets","partition":2,"window_ms":1767232800000,"cell":{"phrase":{"region":"north","service":"broadband","phrase":"login error"}},"tickets":2,"raised":[0,0,0,0,0],"cleared":0,"other":0,"duplicates":0,"topics":[1,0,0,0,1,0],"upto":41}"#);
    }

    #[test]
    fn the_form_is_pinned() {
        let series = SeriesKey::parse("north/broadband/phone").expect("series");
        let partial = Wire::Partial {
            source: SourceId::new("support.tickets", 2),
            partial: Partial {
                window: Timestamp::from_secs(1_767_232_800),
                key: AggregationKey::Tickets(series),
                counts: Counts { tickets: 7, ..Counts::default() },
                upto: 41,
            },
        };
        let text = String::from_utf8(partial.clone().encode().expect("encodes")).expect("utf-8");
        insta::assert_snapshot!(text, @r#"{"v":1,"type":"partial","topic":"support.tickets","partition":2,"window_ms":1767232800000,"cell":{"tickets":{"region":"north","service":"broadband","channel":"phone"}},"tickets":7,"raised":[0,0,0,0,0],"cleared":0,"other":0,"duplicates":0,"upto":41}"#);
        // The form before topics.
        assert_eq!(Wire::decode(text.as_bytes()).expect("decodes"), partial);
        let error = Wire::decode(br#"{"v":2,"type":"new"}"#).expect_err("version").to_string();
        insta::assert_snapshot!(error, @"message has version 2, this release reads 1: update the older instances");
    }
}
