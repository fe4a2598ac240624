//! Sources of events, positions in them, and dead letters.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Position within one partition. Offsets increase, with possible gaps.
pub type Offset = i64;

/// One ordered log: a partition of a Kafka topic, the local event log, a file, or the demo's operator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId {
    pub topic: Arc<str>,
    pub partition: i32,
}

/// Separates a topic's name from its generation. Kafka allows no `#` in names.
const GENERATION: &str = "#made=";

impl SourceId {
    /// The source of one partition.
    pub fn new(topic: &str, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }

    /// The same partition in a generation of its topic. A topic that is deleted and created again has the same name and the
    /// same offsets, but other records, so it is a different source. Texts show only the name.
    #[must_use]
    pub fn in_generation(&self, generation: Option<&str>) -> Self {
        let name = self.topic_name();
        match generation {
            None => Self::new(name, self.partition),
            Some(generation) => {
                Self::new(&format!("{name}{GENERATION}{generation}"), self.partition)
            }
        }
    }

    /// The generation of the topic, if it is known.
    pub fn generation(&self) -> Option<&str> {
        self.topic.split_once(GENERATION).map(|(_, generation)| generation)
    }

    /// The topic without its generation.
    pub fn topic_name(&self) -> &str {
        self.topic.split_once(GENERATION).map_or(&*self.topic, |(name, _)| name)
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.topic_name(), self.partition)
    }
}

/// The position of one record in one log. It is the key of a dead letter, so that a replay does not write it twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    pub source: SourceId,
    pub offset: Offset,
}

/// Why an event was not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Not JSON, not UTF-8, or not an object.
    Malformed,
    /// A field is missing or of the wrong type or value.
    Field,
    /// The event arrived after its window had closed.
    Late,
    /// The event time is later than the arrival by more than the allowed skew.
    Future,
    /// The event exceeds a limit: its size, or the number of series.
    Limit,
}

impl Reason {
    /// All reasons, in the order of their codes.
    pub const EVERY: [Self; 5] =
        [Self::Malformed, Self::Field, Self::Late, Self::Future, Self::Limit];

    /// The name of the reason in headers, metrics and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Field => "field",
            Self::Late => "late",
            Self::Future => "future",
            Self::Limit => "limit",
        }
    }
}

/// A whole event that was not counted, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    pub position: Position,
    /// Index of the event in its record, from 0.
    pub nth: u16,
    pub received_at: Timestamp,
    pub reason: Reason,
    /// One line for a person: what is wrong and what would work.
    pub detail: String,
    /// The bytes of the record. Empty if a dead letter of the same record with a smaller `nth` has them.
    pub bytes: Box<[u8]>,
}

impl DeadLetter {
    /// Keeps at most `most` bytes of the record. If there are more, the detail says so.
    pub fn cut(&mut self, most: usize) {
        let found = self.bytes.len();
        if found > most {
            self.bytes = self.bytes[..most].into();
            self.detail.push_str(&format!(
                " (the record has {found} bytes, and only the first {most} are kept here)"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_cut_and_says_so() {
        let letter = DeadLetter {
            position: Position { source: SourceId::new("t", 0), offset: 1 },
            nth: 0,
            received_at: Timestamp::MIN,
            reason: Reason::Malformed,
            detail: "not JSON".into(),
            bytes: (*b"abcdef").into(),
        };
        for (most, bytes, detail) in [
            (6, &b"abcdef"[..], "not JSON"),
            (5, b"abcde", "not JSON (the record has 6 bytes, and only the first 5 are kept here)"),
            (0, b"", "not JSON (the record has 6 bytes, and only the first 0 are kept here)"),
        ] {
            let mut cut = letter.clone();
            cut.cut(most);
            assert_eq!((&*cut.bytes, &*cut.detail), (bytes, detail), "{most}");
        }
    }
}
