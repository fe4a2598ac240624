//! What the group has counted of each partition, whether or not its commits still exist.
//!
//! Brokers delete the offsets of a group that was away for long, and those of a deleted topic. The store and the replicated log
//! still know how far each partition was counted: every report ends with a frontier.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::context::lock;
use super::log::{From, LogReader};
use super::resume::gap_of;
use super::settings::{KafkaProblem, Settings};
use super::wire::Wire;
use crate::domain::{Offset, SourceId, Timestamp};
use crate::telemetry::Health;
use crate::window::CommitPoint;

const WAIT: Duration = Duration::from_millis(200);
/// Most messages of one read.
const MESSAGES_MAX: usize = 10_000;
/// Reads without a message after which the log counts as unreadable.
const EMPTY_READS_MAX: usize = 50;

/// How far a partition was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Generation of the topic, if it is known.
    pub generation: Option<String>,
    /// End of the closed windows.
    pub closed: Timestamp,
    /// Largest offset that was counted; -1 before the first record.
    pub decided_upto: Offset,
    /// When the partition was last known to be read to its end.
    pub caught_up_at: Option<Timestamp>,
}

impl Counted {
    /// The point from which counting goes on behind what was counted.
    pub(super) fn point(&self) -> CommitPoint {
        let next = self.decided_upto + 1;
        CommitPoint { closed: self.closed, ..CommitPoint::start(next) }
    }

    fn topic_id(&self) -> Option<&str> {
        gap_of(self.generation.as_deref()?).0
    }

    /// Takes what is read later in the log. A worker that was replaced may write its last report late, so of one generation
    /// the largest offset counts, and of one topic the generation after the last gap.
    fn take(&mut self, later: Self) {
        let gap = |one: &Self| one.generation.as_deref().and_then(|made| gap_of(made).1);
        if self.topic_id() != later.topic_id() {
            *self = later;
            return;
        }
        let caught_up_at = self.caught_up_at.max(later.caught_up_at);
        if (gap(self), self.decided_upto) <= (gap(&later), later.decided_upto) {
            *self = later;
        }
        self.caught_up_at = caught_up_at;
    }
}

/// What was counted of all partitions, as far as the log was read.
#[derive(Default)]
struct Known {
    /// By partition, without a generation.
    partitions: BTreeMap<SourceId, Counted>,
    /// Next offset of the log; `None` before anything was read.
    next: Option<Offset>,
}

/// What the group has counted, shared by the thread that reads the log and the one that assigns partitions.
#[derive(Default)]
pub struct CountedSoFar(Mutex<Known>);

impl CountedSoFar {
    /// What a store knows, which has read the log up to `next`. Sources have the generations that they are counted in.
    pub fn new(
        next: Option<Offset>,
        stored: impl Iterator<Item = (SourceId, CommitPoint)>,
    ) -> Self {
        let partitions = stored.map(|(source, point)| {
            let counted = Counted {
                generation: source.generation().map(str::to_owned),
                closed: point.closed,
                decided_upto: point.decided_upto,
                caught_up_at: None,
            };
            (source.in_generation(None), counted)
        });
        Self(Mutex::new(Known { partitions: partitions.collect(), next }))
    }

    /// Takes a message of the log at `offset`.
    pub fn note(&self, offset: Offset, message: &Wire) {
        let known = &mut *lock(&self.0);
        if known.next.is_some_and(|next| offset < next) {
            return;
        }
        known.next = Some(offset + 1);
        let Wire::Frontier { source, frontier, upto, .. } = message else { return };
        let counted = Counted {
            generation: source.generation().map(str::to_owned),
            closed: frontier.closed,
            decided_upto: upto.unwrap_or(-1),
            caught_up_at: frontier.caught_up_at,
        };
        match known.partitions.get_mut(&source.in_generation(None)) {
            Some(before) => before.take(counted),
            None => _ = known.partitions.insert(source.in_generation(None), counted),
        }
    }

    /// Reads the log up to its present end.
    ///
    /// # Errors
    /// [`KafkaProblem`] if the log cannot be read.
    pub(super) fn read_on(
        &self,
        settings: &Settings,
        health: Arc<Health>,
    ) -> Result<(), KafkaProblem> {
        let from = lock(&self.0).next.map_or(From::Start, From::Offset);
        let mut reader = LogReader::open(settings, health, from, Some("frontier"))?;
        let mut empty = 0;
        while !reader.is_at_end() {
            let before = reader.position();
            for (offset, message) in reader.read(WAIT, MESSAGES_MAX)? {
                // A message of a later release says nothing here.
                if let Ok(message) = message {
                    self.note(offset, &message);
                }
            }
            empty = if reader.position() > before { 0 } else { empty + 1 };
            if empty > EMPTY_READS_MAX {
                let topic = settings.partials();
                return Err(KafkaProblem(format!(
                    "{topic} cannot be read: it is unknown how far the partitions were counted whose offsets the broker no \
                     longer has"
                )));
            }
        }
        let known = &mut *lock(&self.0);
        known.next = known.next.max(Some(reader.position()));
        Ok(())
    }

    /// How far a partition was counted, as far as the log was read.
    pub(super) fn get(&self, source: &SourceId) -> Option<Counted> {
        lock(&self.0).partitions.get(&source.in_generation(None)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;

    use super::*;
    use crate::kafka::LogWriter;
    use crate::window::Frontier;

    fn frontier(made: &str, upto: Offset, caught_up: Option<i64>) -> Wire {
        let source = SourceId::new("t", 0).in_generation((!made.is_empty()).then_some(made));
        let at = Timestamp::from_secs;
        let frontier = Frontier { closed: at(upto * 10), caught_up_at: caught_up.map(at) };
        let upto = (upto >= 0).then_some(upto);
        Wire::Frontier { source, frontier, upto, reported_at: at(0) }
    }

    #[test]
    fn the_last_frontier_of_the_last_generation_counts() {
        // Generation and largest offset of each message; then: those that are known.
        type Message<'m> = (&'m str, i64);
        let cases: [(&[Message<'_>], Message<'_>); 9] = [
            (&[("a", 3), ("a", 7)], ("a", 7)),
            // The last report of a worker that was replaced.
            (&[("a", 7), ("a", 3)], ("a", 7)),
            (&[("a", 7), ("a~9", 8), ("a", 8)], ("a~9", 8)),
            (&[("a~9", 8), ("a~20", 19), ("a~9", 30)], ("a~20", 19)),
            (&[("a~9", 20), ("a~10", 9)], ("a~10", 9)),
            // The topic was created again.
            (&[("a", 7), ("b", -1)], ("b", -1)),
            (&[("a~9", 70), ("b", 2), ("b", 4)], ("b", 4)),
            // Brokers without ids.
            (&[("", 2), ("", 5)], ("", 5)),
            (&[("", 5), ("~9", 8)], ("~9", 8)),
        ];
        for (messages, (made, upto)) in cases {
            let known = CountedSoFar::default();
            for (offset, (made, upto)) in (0..).zip(messages) {
                known.note(offset, &frontier(made, *upto, None));
            }
            let found = known.get(&SourceId::new("t", 0)).expect("known");
            let generation = found.generation.clone().unwrap_or_default();
            assert_eq!((&*generation, found.decided_upto), (made, upto), "{messages:?}");
            assert_eq!(found.closed, Timestamp::from_secs(upto * 10), "{messages:?}");
            assert_eq!(found.point().resume_at, upto + 1);
        }
    }

    #[test]
    fn what_the_store_knows_is_continued_by_the_log() {
        let source = SourceId::new("t", 0).in_generation(Some("a"));
        let point = CommitPoint { decided_upto: 40, ..CommitPoint::start(41) };
        let known = CountedSoFar::new(Some(10), [(source.clone(), point)].into_iter());
        // The store has read this one.
        known.note(9, &frontier("b", 3, None));
        assert_eq!(known.get(&source).expect("known").decided_upto, 40);
        known.note(10, &frontier("a", 44, Some(900)));
        known.note(11, &frontier("a", 46, None));
        let found = known.get(&source).expect("known");
        let caught_up_at = Some(Timestamp::from_secs(900));
        assert_eq!((found.decided_upto, found.caught_up_at), (46, caught_up_at));
        assert_eq!(known.get(&SourceId::new("t", 1)), None);
    }

    #[test]
    fn the_log_is_read_to_its_end_each_time() {
        let cluster = MockCluster::new(1).expect("a cluster");
        let settings = Settings::at(cluster.bootstrap_servers());
        cluster.create_topic(&settings.partials(), 1, 1).expect("a topic");
        let health = Arc::new(Health::default());
        let log = LogWriter::open(&settings, health.clone()).expect("a writer");
        let known = CountedSoFar::default();
        let read = || known.read_on(&settings, health.clone()).expect("it is read");
        let upto = || known.get(&SourceId::new("t", 0)).map(|found| found.decided_upto);
        read();
        assert_eq!(upto(), None, "the log is empty");
        let leader = || Wire::Leader { instance: "i".into(), url: "http://127.0.0.1:1".into() };
        log.write(vec![frontier("a", 4, None), leader()]).expect("written");
        read();
        assert_eq!(upto(), Some(4));
        log.write(vec![leader(), frontier("a", 9, None)]).expect("written");
        read();
        assert_eq!(upto(), Some(9));
        read();
        assert_eq!(upto(), Some(9));
    }
}
