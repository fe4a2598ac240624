//! Topics that are missing are created.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode as Code;

use super::context::Context;
use super::settings::{KafkaProblem, Settings};
use crate::domain::SourceId;
use crate::telemetry::Health;

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Partitions of a topic that this program creates: room for as many workers.
const PARTITIONS: i32 = 6;
/// As the broker is configured.
const DEFAULT_REPLICATION: i32 = -1;

/// Creates the input topics that are not there. Returns every partition of all three.
///
/// # Errors
/// [`KafkaProblem`] if no broker answers or it does not allow it.
pub fn prepare(settings: &Settings, health: Arc<Health>) -> Result<Vec<SourceId>, KafkaProblem> {
    let context = Context::new(settings.clone(), health.clone(), Box::new(|_| None));
    // One without a group: it only asks.
    let asker: BaseConsumer<Context> =
        settings.client().create_with_context(context).map_err(|error| settings.problem(&error))?;
    let known = partitions(&asker, settings)?;
    let is_missing = |topic: &&str| !known.iter().any(|source| &*source.topic == *topic);
    let missing: Vec<&str> =
        settings.topics.every().map(|(topic, _)| topic).into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(known);
    }
    create(settings, health, &missing)?;
    let known = partitions(&asker, settings)?;
    for (topic, _) in settings.topics.every() {
        if !known.iter().any(|source| &*source.topic == topic) {
            return Err(KafkaProblem(format!("topic {topic} is being created")));
        }
    }
    Ok(known)
}

fn create(settings: &Settings, health: Arc<Health>, missing: &[&str]) -> Result<(), KafkaProblem> {
    let context = Context::new(settings.clone(), health, Box::new(|_| None));
    let admin: AdminClient<Context> =
        settings.client().create_with_context(context).map_err(|error| settings.problem(&error))?;
    let new = missing.iter().map(|topic| {
        let partitions = if *topic == settings.topics.maintenance { 1 } else { PARTITIONS };
        // The broker's time cannot be set by a producer whose clock is wrong.
        NewTopic::new(topic, partitions, TopicReplication::Fixed(DEFAULT_REPLICATION))
            .set("message.timestamp.type", "LogAppendTime")
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

fn partitions(
    asker: &BaseConsumer<Context>,
    settings: &Settings,
) -> Result<Vec<SourceId>, KafkaProblem> {
    let all = asker.fetch_metadata(None, ANSWER_WITHIN).map_err(|error| {
        // Why nobody answered comes as an event, if it is known.
        while asker.poll(Duration::ZERO).is_some() {}
        asker.context().problem(&error)
    })?;
    let ours = all.topics().iter().filter(|topic| settings.topics.kind_of(topic.name()).is_some());
    let sources = ours.flat_map(|topic| {
        topic.partitions().iter().map(|partition| SourceId::new(topic.name(), partition.id()))
    });
    Ok(sources.collect())
}
