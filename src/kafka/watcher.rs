//! A thread beside the polling one that asks the cluster whether each topic still exists and is the same, and where its
//! partitions end.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;

use super::consumer::{End, Ends};
use super::context::{Change, Context, lock};
use super::faults::Fault;
use super::settings::KafkaProblem;
use super::topics::risky_settings;
use crate::domain::{Clock, SourceId, printable};

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Once one partition had no answer, the time limit for the others is reduced to this.
const ANSWER_SOON: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Number of rounds after which a topic that is not found counts as deleted. Brokers learn of changes one after the other.
const MISSING_ROUNDS: u32 = 3;
/// Number of rounds after which the faults of partitions that other instances count are forgotten.
const FORGET_ROUND: u32 = 10;
/// Interval of checks of the topics' settings, in rounds.
const CHECK_EVERY: u32 = 60;

/// Interval of checks of the group's members and of unread partitions, in rounds.
const ASK_EVERY: u32 = 15;
/// Maximum number of foreign members that are named.
const NAMED_MAX: usize = 5;

/// Asks for settings of input topics that put counting at risk, and notes which are compacted. `None` if they cannot be read.
pub(super) fn look_at_settings(context: &Context) -> Option<Vec<(String, Fault)>> {
    match risky_settings(&context.settings, context.health()) {
        Ok(found) => {
            let compacted = found.iter().filter(|(_, fault)| *fault == Fault::Compacted);
            context.set_compacted(compacted.map(|(topic, _)| topic.clone()).collect());
            Some(found)
        }
        Err(problem) => {
            tracing::debug!(%problem, "kafka: cannot read the settings of topics");
            None
        }
    }
}

/// Asks about all topics and all assigned partitions, about once a second.
pub(super) struct Watcher {
    consumer: Arc<BaseConsumer<Context>>,
    ends: Arc<Mutex<Ends>>,
    stop: Arc<AtomicBool>,
    clock: Arc<dyn Clock>,
    /// Number of consecutive rounds in which a topic was not found.
    missing: HashMap<String, u32>,
    round: u32,
}

impl Watcher {
    pub(super) fn new(
        consumer: Arc<BaseConsumer<Context>>,
        ends: Arc<Mutex<Ends>>,
        stop: Arc<AtomicBool>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { consumer, ends, stop, clock, missing: HashMap::new(), round: 0 }
    }

    /// Runs until `stop` is set.
    pub(super) fn run(mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            let found = self.look();
            let context = self.consumer.context();
            match found {
                Ok(0) => {}
                Ok(_) => context.mark_healthy(),
                Err(problem) => context.mark_unhealthy(&problem.0),
            }
            self.round = self.round.saturating_add(1);
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Asks once. Returns the number of partitions whose end is known.
    fn look(&mut self) -> Result<usize, KafkaProblem> {
        // Ask before reading the end offsets: those of a new topic say nothing about the topic that is counted.
        if !self.topics()? {
            return Ok(0);
        }
        if self.round % CHECK_EVERY == 1 {
            self.settings();
        }
        if self.round % ASK_EVERY == 2 {
            self.members();
            self.consumer.context().ask_again(&self.consumer)?;
        }
        self.partitions()
    }

    /// Looks for topics that are missing or new. Returns false if the session must start over.
    fn topics(&mut self) -> Result<bool, KafkaProblem> {
        let context = self.consumer.context();
        let topics = context.settings.topics.every().map(|(topic, _)| topic);
        let ids = context.topic_ids(&self.consumer, &topics)?;
        for topic in topics {
            let Some(id) = ids.get(topic) else {
                let rounds = self.missing.entry(topic.to_owned()).or_default();
                *rounds += 1;
                if *rounds == MISSING_ROUNDS {
                    let why = format!(
                        "topic {topic} does not exist any more: create it again; its partitions are then read from \
                         their beginnings"
                    );
                    context.fault(&topic, Fault::Missing, Some(&why));
                    context.lost_topic(Change::Deleted(topic.to_owned()));
                }
                continue;
            };
            self.missing.remove(topic);
            context.fault(&topic, Fault::Missing, None);
            let counted = context.assigned_ids().remove(topic).flatten();
            if let (Some(counted), Some(id)) = (counted, id)
                && counted != *id
            {
                context.lost_topic(Change::Recreated(topic.to_owned()));
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Warns of topics with settings that put counting at risk.
    fn settings(&self) {
        let context = self.consumer.context();
        let Some(found) = look_at_settings(context) else { return };
        for (topic, _) in context.settings.topics.every() {
            let report = |fault, why: String| {
                let is_so = found.iter().any(|(other, seen)| other == topic && *seen == fault);
                context.fault(&topic, fault, is_so.then_some(why.as_str()));
            };
            report(
                Fault::Time,
                format!(
                    "topic {topic} has message.timestamp.type=CreateTime: a producer's wrong clock decides which of its \
                     events are too far in the future; set LogAppendTime"
                ),
            );
            report(
                Fault::Compacted,
                format!(
                    "topic {topic} is compacted: Kafka may delete an event before it is read, if a later one has the same \
                     key, and then the count is too small; set cleanup.policy=delete"
                ),
            );
        }
    }

    /// Asks for the ends of all assigned partitions.
    fn partitions(&self) -> Result<usize, KafkaProblem> {
        let context = self.consumer.context();
        let problem = |error: KafkaError| context.problem(&error);
        let assigned = self.consumer.assignment().map_err(problem)?;
        let sources: Vec<SourceId> = assigned
            .elements()
            .iter()
            .map(|element| SourceId::new(element.topic(), element.partition()))
            .collect();
        let unresolved = context.unresolved();
        if self.round == FORGET_ROUND {
            let topics = context.settings.topics.every().map(|(topic, _)| topic.to_owned());
            let names = sources.iter().chain(&unresolved).map(SourceId::to_string);
            let names = names.chain(topics).chain([group_of(context)]);
            context.keep_faults(&names.collect::<Vec<_>>());
        }
        let mut failed: Vec<(&SourceId, KafkaProblem)> = Vec::new();
        for source in &sources {
            let at = self.clock.now();
            let within = if failed.is_empty() { ANSWER_WITHIN } else { ANSWER_SOON };
            match self.consumer.fetch_watermarks(source.topic_name(), source.partition, within) {
                Ok((_, readable)) => {
                    let high = context.high(source).unwrap_or(readable).max(readable);
                    lock(&self.ends).insert(source.clone(), End { readable, high, at });
                    context.fault(source, Fault::End, None);
                }
                Err(error) => failed.push((source, context.problem(&error))),
            }
        }
        lock(&self.ends).retain(|source, _| sources.contains(source));
        if failed.len() == sources.len()
            && let Some((_, problem)) = failed.pop()
        {
            return Err(problem);
        }
        for (source, problem) in &failed {
            let why = format!("{source}: its end offset is unknown: {problem}");
            context.fault(*source, Fault::End, Some(&why));
        }
        Ok(sources.len() - failed.len() + unresolved.len())
    }

    /// Checks whether members of the group are other programs.
    fn members(&self) {
        let context = self.consumer.context();
        let settings = &context.settings;
        let found = match self.consumer.fetch_group_list(Some(&settings.group), ANSWER_WITHIN) {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "kafka: cannot list the members of the group");
                return;
            }
        };
        let members = found.groups().iter().flat_map(|group| group.members());
        let others: BTreeSet<String> = members
            .filter(|member| member.client_id() != settings.client_id())
            .map(|member| format!("{} at {}", member.client_id(), member.client_host()))
            .collect();
        let why = (!others.is_empty()).then(|| {
            let others: Vec<String> = others.into_iter().take(NAMED_MAX).collect();
            format!(
                "another program is a member of the consumer group {}: {}; Kafka gives it partitions that are then not \
                 counted. Set another kafka.group, or stop the other program",
                settings.group,
                printable(&others.join(", "))
            )
        });
        context.fault(&group_of(context), Fault::Shared, why.as_deref());
    }
}

/// The name of the group, for faults that otherwise belong to topics and partitions.
fn group_of(context: &Context) -> String {
    format!("group {}", context.settings.group)
}
