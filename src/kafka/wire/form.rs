//! The JSON format of messages. Empty fields that older releases do not know are left out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::message::Wire;
use super::ticket_table::TicketTable;
use crate::domain::{
    AlarmEvent, DeadLetter, ListRebuilt, MaintenanceEvent, Name, Offset, Position, Reason, Scope,
    SeriesKey, SourceId, TOPICS, TicketMessage, Timestamp,
};
use crate::window::{AggregationKey, Counts, Frontier, Partial};

/// Generation of a topic. Older releases neither write nor read this field.
type Made = Option<String>;

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Body {
    Partial {
        topic: String,
        partition: i32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Made,
        window_ms: i64,
        #[serde(rename = "cell")]
        key: KeyForm,
        tickets: u32,
        /// In the order of `Severity::EVERY`.
        raised: [u32; 5],
        cleared: u32,
        other: u32,
        duplicates: u32,
        /// Topics in the order of `Topic::EVERY`. Older releases neither write nor read this field.
        #[serde(default, skip_serializing_if = "has_no_topics")]
        topics: [u32; TOPICS],
        upto: Offset,
    },
    Frontier {
        topic: String,
        partition: i32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Made,
        closed_ms: i64,
        caught_up_ms: Option<i64>,
        upto: Option<Offset>,
        reported_ms: i64,
    },
    Alarm {
        topic: String,
        partition: i32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Made,
        offset: Offset,
        event: AlarmEvent,
    },
    Rebuilt {
        topic: String,
        partition: i32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Made,
        offset: Offset,
        list: ListRebuilt,
    },
    Maintenance {
        topic: String,
        partition: i32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Made,
        offset: Offset,
        event: MaintenanceEvent,
    },
    Tickets(TicketsForm),
    Dead(DeadForm),
    Leader {
        instance: String,
        url: String,
    },
    #[serde(rename = "told")]
    Replicated {
        instance: String,
        what: serde_json::Value,
    },
}

/// Messages about tickets. They are decoded directly, without trying the other forms, because there are many.
#[derive(Serialize, Deserialize)]
pub(super) struct TicketsForm {
    topic: String,
    partition: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made: Made,
    /// The form before `table`, which is still read.
    #[serde(default, skip_serializing)]
    messages: Vec<TicketMessage>,
    #[serde(default)]
    table: TicketTable,
}

/// A dead letter.
#[derive(Serialize, Deserialize)]
pub(super) struct DeadForm {
    topic: String,
    partition: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made: Made,
    offset: Offset,
    /// Index of the event in its record. Releases that do not know this field keep only one dead letter per record.
    #[serde(default, skip_serializing_if = "is_first")]
    nth: u16,
    received_ms: i64,
    reason: Reason,
    detail: String,
    /// Base64: the bytes need not be text.
    bytes: String,
    #[serde(rename = "cell")]
    key: Option<KeyForm>,
    window_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum KeyForm {
    Tickets {
        region: Name,
        service: Name,
        channel: Name,
    },
    Alarms {
        region: Name,
        service: Name,
    },
    Maintenance,
    /// Releases that do not know phrases skip this message and log it.
    Phrase {
        region: Name,
        service: Name,
        phrase: Box<str>,
    },
}

fn is_first(nth: &u16) -> bool {
    *nth == 0
}

fn has_no_topics(topics: &[u32; TOPICS]) -> bool {
    topics.iter().all(|n| *n == 0)
}

impl From<Wire> for Body {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Partial { source, partial: Partial { window, key, counts, upto } } => {
                Self::Partial {
                    topic: source.topic_name().to_owned(),
                    partition: source.partition,
                    made: made(&source),
                    window_ms: window.millis(),
                    key: key.into(),
                    tickets: counts.tickets,
                    raised: counts.raised,
                    cleared: counts.cleared,
                    other: counts.other,
                    duplicates: counts.duplicates,
                    topics: counts.topics,
                    upto,
                }
            }
            Wire::Frontier { source, frontier, upto, reported_at } => Self::Frontier {
                topic: source.topic_name().to_owned(),
                partition: source.partition,
                made: made(&source),
                closed_ms: frontier.closed.millis(),
                caught_up_ms: frontier.caught_up_at.map(Timestamp::millis),
                upto,
                reported_ms: reported_at.millis(),
            },
            Wire::Alarm { position, event } => {
                let (topic, partition, made, offset) = parts(&position);
                Self::Alarm { topic, partition, made, offset, event }
            }
            Wire::Rebuilt { position, list } => {
                let (topic, partition, made, offset) = parts(&position);
                Self::Rebuilt { topic, partition, made, offset, list }
            }
            Wire::Maintenance { position, event } => {
                let (topic, partition, made, offset) = parts(&position);
                Self::Maintenance { topic, partition, made, offset, event }
            }
            Wire::Tickets { source, batch } => Self::Tickets(TicketsForm {
                topic: source.topic_name().to_owned(),
                partition: source.partition,
                made: made(&source),
                messages: Vec::new(),
                table: TicketTable(batch),
            }),
            Wire::Dead { letter, place } => {
                let (topic, partition, made, offset) = parts(&letter.position);
                let (key, window) = place.unzip();
                Self::Dead(DeadForm {
                    topic,
                    partition,
                    made,
                    offset,
                    nth: letter.nth,
                    received_ms: letter.received_at.millis(),
                    reason: letter.reason,
                    detail: letter.detail,
                    bytes: BASE64.encode(&letter.bytes),
                    key: key.map(KeyForm::from),
                    window_ms: window.map(Timestamp::millis),
                })
            }
            Wire::Leader { instance, url } => Self::Leader { instance, url },
            Wire::Replicated { instance, what } => Self::Replicated { instance, what },
        }
    }
}

fn made(source: &SourceId) -> Made {
    source.generation().map(str::to_owned)
}

fn parts(position: &Position) -> (String, i32, Made, Offset) {
    let source = &position.source;
    (source.topic_name().to_owned(), source.partition, made(source), position.offset)
}

fn source(topic: &str, partition: i32, made: Made) -> SourceId {
    SourceId::new(topic, partition).in_generation(made.as_deref())
}

fn position(topic: &str, partition: i32, made: Made, offset: Offset) -> Position {
    Position { source: source(topic, partition, made), offset }
}

impl From<Body> for Wire {
    fn from(body: Body) -> Self {
        match body {
            Body::Partial {
                topic,
                partition,
                made,
                window_ms,
                key,
                tickets,
                raised,
                cleared,
                other,
                duplicates,
                topics,
                upto,
            } => Self::Partial {
                source: source(&topic, partition, made),
                partial: Partial {
                    window: Timestamp::from_millis(window_ms),
                    key: key.into(),
                    counts: Counts { tickets, raised, cleared, other, duplicates, topics },
                    upto,
                },
            },
            Body::Frontier {
                topic,
                partition,
                made,
                closed_ms,
                caught_up_ms,
                upto,
                reported_ms,
            } => Self::Frontier {
                source: source(&topic, partition, made),
                frontier: Frontier {
                    closed: Timestamp::from_millis(closed_ms),
                    caught_up_at: caught_up_ms.map(Timestamp::from_millis),
                },
                upto,
                reported_at: Timestamp::from_millis(reported_ms),
            },
            Body::Alarm { topic, partition, made, offset, event } => {
                Self::Alarm { position: position(&topic, partition, made, offset), event }
            }
            Body::Rebuilt { topic, partition, made, offset, list } => {
                Self::Rebuilt { position: position(&topic, partition, made, offset), list }
            }
            Body::Maintenance { topic, partition, made, offset, event } => {
                Self::Maintenance { position: position(&topic, partition, made, offset), event }
            }
            Body::Tickets(form) => form.into(),
            Body::Dead(form) => form.into(),
            Body::Leader { instance, url } => Self::Leader { instance, url },
            Body::Replicated { instance, what } => Self::Replicated { instance, what },
        }
    }
}

impl From<TicketsForm> for Wire {
    fn from(form: TicketsForm) -> Self {
        let source = source(&form.topic, form.partition, form.made);
        let TicketTable(mut batch) = form.table;
        form.messages.iter().for_each(|message| batch.push_message(message));
        Self::Tickets { source, batch }
    }
}

impl From<DeadForm> for Wire {
    fn from(form: DeadForm) -> Self {
        let letter = DeadLetter {
            position: position(&form.topic, form.partition, form.made, form.offset),
            nth: form.nth,
            received_at: Timestamp::from_millis(form.received_ms),
            reason: form.reason,
            detail: form.detail,
            // Surgecast wrote it. Damaged text is kept as it is.
            bytes: BASE64.decode(&form.bytes).unwrap_or(form.bytes.into_bytes()).into(),
        };
        let window = form.window_ms.map(Timestamp::from_millis);
        Self::Dead { letter, place: form.key.map(AggregationKey::from).zip(window) }
    }
}

impl From<AggregationKey> for KeyForm {
    fn from(key: AggregationKey) -> Self {
        match key {
            AggregationKey::Tickets(SeriesKey { region, service, channel }) => {
                Self::Tickets { region, service, channel }
            }
            AggregationKey::Alarms(Scope { region, service }) => Self::Alarms { region, service },
            AggregationKey::Maintenance => Self::Maintenance,
            AggregationKey::Phrase(Scope { region, service }, phrase) => {
                Self::Phrase { region, service, phrase }
            }
        }
    }
}

impl From<KeyForm> for AggregationKey {
    fn from(form: KeyForm) -> Self {
        match form {
            KeyForm::Tickets { region, service, channel } => {
                Self::Tickets(SeriesKey { region, service, channel })
            }
            KeyForm::Alarms { region, service } => Self::Alarms(Scope { region, service }),
            KeyForm::Maintenance => Self::Maintenance,
            KeyForm::Phrase { region, service, phrase } => {
                Self::Phrase(Scope { region, service }, phrase)
            }
        }
    }
}
