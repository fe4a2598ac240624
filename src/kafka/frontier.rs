//! How far the group has counted each partition. People can read it and, while no instance counts, set it.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::{Offset, TopicPartitionList};

use super::commit::{decode_commit, encode_commit, generation_of, with_generation};
use super::context::Context;
use super::settings::{KafkaProblem, Settings};
use super::topics::partitions;
use crate::domain::{Offset as Position, SourceId, Timestamp};
use crate::telemetry::Health;
use crate::window::CommitPoint;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The offsets of one partition that the broker has, and where counting resumes.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionFrontier {
    pub source: SourceId,
    /// First offset that the broker has, and the offset after the last.
    pub low: Position,
    pub high: Position,
    /// `None` before the first commit.
    pub committed: Option<CommitPoint>,
    /// Why the commit cannot be read; `None` if it can.
    pub unreadable: Option<String>,
}

/// The offset at which counting is to resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResumeAt {
    Earliest,
    Latest,
    Offset(Position),
    /// The first record that was appended at this time or later.
    Time(Timestamp),
}

/// Reads and sets the group's commits without being a member.
pub struct Frontiers {
    inner: BaseConsumer<Context>,
    settings: Settings,
}

impl Frontiers {
    /// Opens a client without joining the group.
    ///
    /// # Errors
    /// [`KafkaProblem`] for properties that cannot be used.
    pub fn open(settings: &Settings) -> Result<Self, KafkaProblem> {
        let context = Context::new(settings.clone(), Arc::new(Health::default()));
        let mut config = settings.client();
        config.set("group.id", &settings.group).set("enable.auto.commit", "false");
        let inner =
            config.create_with_context(context).map_err(|error| settings.problem(&error))?;
        Ok(Self { inner, settings: settings.clone() })
    }

    /// Every partition of the counted topics, in order.
    ///
    /// # Errors
    /// [`KafkaProblem`] if no broker answers.
    pub fn all(&self) -> Result<Vec<PartitionFrontier>, KafkaProblem> {
        let mut known = partitions(&self.inner)?;
        known.retain(|source| self.settings.topics.kind_of(&source.topic).is_some());
        known.sort();
        known.into_iter().map(|source| self.one(source)).collect()
    }

    fn one(&self, source: SourceId) -> Result<PartitionFrontier, KafkaProblem> {
        let problem = |error: KafkaError| self.settings.problem(&error);
        let ends = self.inner.fetch_watermarks(&source.topic, source.partition, ANSWER_WITHIN);
        let (low, high) = ends.map_err(problem)?;
        let mut asked = TopicPartitionList::new();
        asked.add_partition(&source.topic, source.partition);
        let found = self.inner.committed_offsets(asked, ANSWER_WITHIN).map_err(problem)?;
        let found = found.elements();
        let first = found.first().map(|one| (one.offset(), one.metadata()));
        let made = first.and_then(|(_, metadata)| generation_of(metadata)).map(str::to_owned);
        let (committed, unreadable) = match first {
            Some((Offset::Offset(at), metadata)) => match decode_commit(at, metadata) {
                Ok(point) => (Some(point), None),
                Err(error) => (None, Some(error.to_string())),
            },
            _ => (None, None),
        };
        // Keep the generation: it identifies the counts of its topic.
        let source = source.in_generation(made.as_deref());
        Ok(PartitionFrontier { source, low, high, committed, unreadable })
    }

    /// The offset at which a partition would resume.
    ///
    /// # Errors
    /// [`KafkaProblem`] for an offset that the broker does not have.
    pub fn find(&self, at: &PartitionFrontier, to: ResumeAt) -> Result<Position, KafkaProblem> {
        let (source, low, high) = (&at.source, at.low, at.high);
        match to {
            ResumeAt::Earliest => Ok(low),
            ResumeAt::Latest => Ok(high),
            ResumeAt::Offset(offset) if (low..=high).contains(&offset) => Ok(offset),
            ResumeAt::Offset(offset) => {
                Err(KafkaProblem(format!("{source} has offsets {low} to {high}, not {offset}")))
            }
            ResumeAt::Time(time) => {
                let mut asked = TopicPartitionList::new();
                asked
                    .add_partition_offset(
                        source.topic_name(),
                        source.partition,
                        Offset::Offset(time.millis()),
                    )
                    .map_err(|error| self.settings.problem(&error))?;
                let found = self.inner.offsets_for_times(asked, ANSWER_WITHIN);
                let found = found.map_err(|error| self.settings.problem(&error))?;
                Ok(match found.elements().first().map(|element| element.offset()) {
                    Some(Offset::Offset(offset)) => offset,
                    // Nothing was appended since.
                    _ => high,
                })
            }
        }
    }

    /// Sets where partitions resume. Records that are skipped forward are never counted. Moving backward counts records again.
    ///
    /// # Errors
    /// [`KafkaProblem`] while instances of the group count: stop them first.
    pub fn set(&self, points: &[(SourceId, CommitPoint)]) -> Result<(), KafkaProblem> {
        let problem = |error: KafkaError| match error.rdkafka_error_code() {
            Some(Code::UnknownMemberId | Code::IllegalGeneration | Code::RebalanceInProgress) => {
                KafkaProblem("instances of the group are counting: stop all of them first".into())
            }
            _ => self.settings.problem(&error),
        };
        let mut list = TopicPartitionList::with_capacity(points.len());
        for (source, point) in points {
            let mut element = list.add_partition(source.topic_name(), source.partition);
            element.set_offset(Offset::Offset(point.resume_at)).map_err(problem)?;
            element.set_metadata(with_generation(encode_commit(point), source.generation()));
        }
        self.inner.commit(&list, CommitMode::Sync).map_err(problem)
    }
}

/// The commit that makes counting resume at `resume_at`.
pub fn reset(at: &PartitionFrontier, resume_at: Position) -> CommitPoint {
    let before = at.committed.clone().unwrap_or(CommitPoint {
        resume_at: at.low,
        decided_upto: -1,
        ..CommitPoint::start(at.low)
    });
    if resume_at >= before.resume_at {
        return CommitPoint {
            resume_at,
            decided_upto: before.decided_upto.max(resume_at - 1),
            ..before
        };
    }
    // Records that are read again must not be taken for late or decided.
    CommitPoint { beside: before.beside.before(resume_at), ..CommitPoint::start(resume_at) }
}
