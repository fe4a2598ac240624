//! Topics that are missing are created.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode as Code;

use super::context::Context;
use super::settings::{KafkaProblem, Settings};
use crate::domain::{EventKind, SourceId};
use crate::telemetry::Health;

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Partitions of a topic that this program creates: room for as many workers.
const PARTITIONS: i32 = 6;
/// As the broker is configured.
const DEFAULT_REPLICATION: i32 = -1;

/// A topic that has to be there.
struct Wanted {
    name: String,
    partitions: i32,
    config: &'static [(&'static str, &'static str)],
}

/// The broker's time cannot be set by a producer whose clock is wrong.
const BROKER_TIME: &[(&str, &str)] = &[("message.timestamp.type", "LogAppendTime")];
/// History lives in the store.
const SEVEN_DAYS: &[(&str, &str)] = &[("retention.ms", "604800000")];
/// What an alert was last is kept for good.
const LAST: &[(&str, &str)] = &[("cleanup.policy", "compact")];
/// The newest of each series, for as long as it says something.
const LAST_OF_A_DAY: &[(&str, &str)] =
    &[("cleanup.policy", "compact,delete"), ("retention.ms", "86400000")];
/// Time to put right what sends them.
const THIRTY_DAYS: &[(&str, &str)] = &[("retention.ms", "2592000000")];

fn wanted(settings: &Settings) -> Vec<Wanted> {
    let inputs = settings.topics.every().map(|(name, kind)| {
        let partitions = if kind == EventKind::Maintenance { 1 } else { PARTITIONS };
        Wanted { name: name.to_owned(), partitions, config: BROKER_TIME }
    });
    let ours = [
        (settings.partials(), 1, SEVEN_DAYS),
        (settings.dead_letters(), 1, THIRTY_DAYS),
        (settings.outlook(), PARTITIONS, LAST_OF_A_DAY),
        (settings.alerts(), 1, LAST),
    ];
    let ours = ours.map(|(name, partitions, config)| Wanted { name, partitions, config });
    inputs.into_iter().chain(ours).collect()
}

/// Creates the topics that are not there. Returns every partition of those that are counted.
///
/// # Errors
/// [`KafkaProblem`] if no broker answers or it does not allow it.
pub fn prepare(settings: &Settings, health: Arc<Health>) -> Result<Vec<SourceId>, KafkaProblem> {
    let asker = asker(settings, health.clone())?;
    let mut known = partitions(&asker)?;
    let missing: Vec<Wanted> =
        wanted(settings).into_iter().filter(|wanted| is_missing(&known, wanted)).collect();
    if !missing.is_empty() {
        create(settings, health, &missing)?;
        known = partitions(&asker)?;
        if let Some(late) = missing.iter().find(|wanted| is_missing(&known, wanted)) {
            return Err(KafkaProblem(format!("topic {} is being created", late.name)));
        }
    }
    known.retain(|source| settings.topics.kind_of(&source.topic).is_some());
    Ok(known)
}

/// Names of the topics that are not there and that [`prepare`] would create. Changes nothing.
///
/// # Errors
/// [`KafkaProblem`] if no broker answers or it does not allow it.
pub fn missing(settings: &Settings) -> Result<Vec<String>, KafkaProblem> {
    let known = partitions(&asker(settings, Arc::default())?)?;
    let missing = wanted(settings).into_iter().filter(|wanted| is_missing(&known, wanted));
    Ok(missing.map(|wanted| wanted.name).collect())
}

/// A client without a group: it only asks.
fn asker(settings: &Settings, health: Arc<Health>) -> Result<BaseConsumer<Context>, KafkaProblem> {
    let context = Context::new(settings.clone(), health);
    settings.client().create_with_context(context).map_err(|error| settings.problem(&error))
}

fn is_missing(known: &[SourceId], wanted: &Wanted) -> bool {
    !known.iter().any(|source| *source.topic == *wanted.name)
}

fn create(
    settings: &Settings,
    health: Arc<Health>,
    missing: &[Wanted],
) -> Result<(), KafkaProblem> {
    let context = Context::new(settings.clone(), health);
    let admin: AdminClient<Context> =
        settings.client().create_with_context(context).map_err(|error| settings.problem(&error))?;
    let new = missing.iter().map(|Wanted { name, partitions, config }| {
        let topic = NewTopic::new(name, *partitions, TopicReplication::Fixed(DEFAULT_REPLICATION));
        config.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
    });
    let new: Vec<_> = new.collect();
    let options = AdminOptions::new()
        .request_timeout(Some(ANSWER_WITHIN * 2))
        .operation_timeout(Some(ANSWER_WITHIN * 2));
    let made = block_on(admin.create_topics(&new, &options));
    for result in made.map_err(|error| settings.problem(&error))? {
        match result {
            Ok(topic) => tracing::info!(topic, "created the topic"),
            // Another instance was quicker.
            Err((_, Code::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                let why = settings.explain(code);
                return Err(KafkaProblem(format!("cannot create topic {topic}: {why}")));
            }
        }
    }
    Ok(())
}

/// Partitions of every topic.
pub(super) fn partitions(asker: &BaseConsumer<Context>) -> Result<Vec<SourceId>, KafkaProblem> {
    let all = asker.fetch_metadata(None, ANSWER_WITHIN).map_err(|error| {
        // Why nobody answered comes as an event, if it is known.
        while asker.poll(Duration::ZERO).is_some() {}
        asker.context().problem(&error)
    })?;
    let sources = all.topics().iter().flat_map(|topic| {
        topic.partitions().iter().map(|partition| SourceId::new(topic.name(), partition.id()))
    });
    Ok(sources.collect())
}
