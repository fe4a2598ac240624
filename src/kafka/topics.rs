//! Creates missing topics.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode as Code;

use super::context::Context;
use super::faults::Fault;
use super::settings::{KafkaProblem, Settings};
use crate::domain::{EventKind, SourceId};
use crate::telemetry::Health;

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Number of partitions of a topic that surgecast creates. At most this many instances can count it.
const PARTITIONS: i32 = 6;
/// The broker's default.
const DEFAULT_REPLICATION: i32 = -1;

/// A topic that surgecast needs.
struct Required {
    name: String,
    partitions: i32,
    config: &'static [(&'static str, &'static str)],
}

/// The broker sets the append time, so a wrong clock of a producer does no harm.
const BROKER_TIME: &[(&str, &str)] = &[("message.timestamp.type", "LogAppendTime")];
/// Long enough for restarts; the store keeps the history.
const SEVEN_DAYS: &[(&str, &str)] = &[("retention.ms", "604800000")];
/// The newest state of each alert is kept forever.
const LAST: &[(&str, &str)] = &[("cleanup.policy", "compact")];
/// The newest message of each series is kept for a day.
const LAST_OF_A_DAY: &[(&str, &str)] =
    &[("cleanup.policy", "compact,delete"), ("retention.ms", "86400000")];
/// Time to repair the systems that send such events.
const THIRTY_DAYS: &[(&str, &str)] = &[("retention.ms", "2592000000")];

fn required(settings: &Settings) -> Vec<Required> {
    let inputs = settings.topics.every().map(|(name, kind)| {
        let partitions = if kind == EventKind::Maintenance { 1 } else { PARTITIONS };
        Required { name: name.to_owned(), partitions, config: BROKER_TIME }
    });
    let ours = [
        (settings.partials(), 1, SEVEN_DAYS),
        (settings.dead_letters(), 1, THIRTY_DAYS),
        (settings.outlook(), PARTITIONS, LAST_OF_A_DAY),
        (settings.alerts(), 1, LAST),
    ];
    let ours = ours.map(|(name, partitions, config)| Required { name, partitions, config });
    inputs.into_iter().chain(ours).collect()
}

/// Creates missing topics. Returns every partition of the input topics.
///
/// # Errors
/// [`KafkaProblem`] if no broker answers or it refuses.
pub fn prepare(settings: &Settings, health: Arc<Health>) -> Result<Vec<SourceId>, KafkaProblem> {
    let client = metadata_client(settings, health.clone())?;
    let mut known = partitions(&client)?;
    let missing: Vec<Required> =
        required(settings).into_iter().filter(|required| is_missing(&known, required)).collect();
    if !missing.is_empty() {
        create(settings, health, &missing)?;
        known = partitions(&client)?;
        if let Some(late) = missing.iter().find(|required| is_missing(&known, required)) {
            return Err(KafkaProblem(format!("topic {} is being created", late.name)));
        }
    }
    known.retain(|source| settings.topics.kind_of(&source.topic).is_some());
    Ok(known)
}

/// Names of missing topics, which [`prepare`] would create. Changes nothing.
///
/// # Errors
/// [`KafkaProblem`] if no broker answers or it refuses.
pub fn missing(settings: &Settings) -> Result<Vec<String>, KafkaProblem> {
    let known = partitions(&metadata_client(settings, Arc::default())?)?;
    let missing = required(settings).into_iter().filter(|required| is_missing(&known, required));
    Ok(missing.map(|required| required.name).collect())
}

/// Input topics with settings that put counting at risk, and the fault of each. Topics whose settings may not be read are left out.
///
/// # Errors
/// [`KafkaProblem`] if no broker answers or it refuses.
pub(super) fn risky_settings(
    settings: &Settings,
    health: Arc<Health>,
) -> Result<Vec<(String, Fault)>, KafkaProblem> {
    let admin = admin(settings, health)?;
    let asked = settings.topics.every().map(|(topic, _)| ResourceSpecifier::Topic(topic));
    let options = AdminOptions::new().request_timeout(Some(ANSWER_WITHIN));
    let found = block_on(admin.describe_configs(&asked, &options));
    let found = found.map_err(|error| settings.problem(&error))?;
    let mut risky = Vec::new();
    for resource in found.into_iter().flatten() {
        let OwnedResourceSpecifier::Topic(topic) = &resource.specifier else { continue };
        let has = |key: &str, word: &str| {
            let value = resource.get(key).and_then(|entry| entry.value.as_deref());
            value.is_some_and(|value| value.contains(word))
        };
        if has("message.timestamp.type", "CreateTime") {
            risky.push((topic.clone(), Fault::Time));
        }
        if has("cleanup.policy", "compact") {
            risky.push((topic.clone(), Fault::Compacted));
        }
    }
    Ok(risky)
}

fn admin(settings: &Settings, health: Arc<Health>) -> Result<AdminClient<Context>, KafkaProblem> {
    let context = Context::new(settings.clone(), health);
    settings.client().create_with_context(context).map_err(|error| settings.problem(&error))
}

/// A client without a group, for metadata only.
fn metadata_client(
    settings: &Settings,
    health: Arc<Health>,
) -> Result<BaseConsumer<Context>, KafkaProblem> {
    let context = Context::new(settings.clone(), health);
    settings.client().create_with_context(context).map_err(|error| settings.problem(&error))
}

fn is_missing(known: &[SourceId], required: &Required) -> bool {
    !known.iter().any(|source| *source.topic == *required.name)
}

fn create(
    settings: &Settings,
    health: Arc<Health>,
    missing: &[Required],
) -> Result<(), KafkaProblem> {
    let admin = admin(settings, health)?;
    let new = missing.iter().map(|Required { name, partitions, config }| {
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
            Ok(topic) => tracing::info!(topic, "kafka: topic created"),
            // Another instance was faster.
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
pub(super) fn partitions(client: &BaseConsumer<Context>) -> Result<Vec<SourceId>, KafkaProblem> {
    let all = client.fetch_metadata(None, ANSWER_WITHIN).map_err(|error| {
        // Polling serves the event with the reason, if there is one.
        while client.poll(Duration::ZERO).is_some() {}
        client.context().problem(&error)
    })?;
    let sources = all.topics().iter().flat_map(|topic| {
        topic.partitions().iter().map(|partition| SourceId::new(topic.name(), partition.id()))
    });
    Ok(sources.collect())
}
