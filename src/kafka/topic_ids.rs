//! Asks for the ids of topics. A topic that is deleted and created again has the same name and another id.
#![allow(unsafe_code, reason = "rdkafka has no safe form of rd_kafka_DescribeTopics")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as rdsys;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{IsError as _, RDKafkaErrorCode as Code};
use rdkafka::types::RDKafkaRespErr;

use super::context::Context;

/// Ids of topics that exist, by name: 32 hexadecimal digits. `None` from brokers before release 2.8, which have no ids.
pub type TopicIds = BTreeMap<String, Option<String>>;

/// Asks for the ids of topics. Topics that do not exist are left out. If brokers or rights do not allow the question, all
/// ids are `None`.
///
/// # Errors
/// The broker's or the client's code.
pub(super) fn topic_ids(
    consumer: &BaseConsumer<Context>,
    topics: &[&str],
    within: Duration,
) -> Result<TopicIds, Code> {
    match ask(consumer, topics, within) {
        Err(Code::UnsupportedVersion | Code::UnsupportedFeature) => {
            Ok(topics.iter().map(|name| ((*name).to_owned(), None)).collect())
        }
        found => found,
    }
}

fn ask(
    consumer: &BaseConsumer<Context>,
    topics: &[&str],
    within: Duration,
) -> Result<TopicIds, Code> {
    let client = consumer.client().native_ptr();
    let names: Vec<CString> = topics.iter().filter_map(|name| CString::new(*name).ok()).collect();
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    let wait_ms = i32::try_from(within.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client is alive. Names end with a NUL and live until the collection is dropped, which copies them.
    // Every object that is made here is destroyed here; the event is destroyed after its parts were read.
    unsafe {
        let collection =
            rdsys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let operation = rdsys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        let options = rdsys::rd_kafka_AdminOptions_new(client, operation);
        // A time-out out of range keeps the default.
        let _ =
            rdsys::rd_kafka_AdminOptions_set_request_timeout(options, wait_ms, ptr::null_mut(), 0);
        let queue = rdsys::rd_kafka_queue_new(client);
        rdsys::rd_kafka_DescribeTopics(client, collection, options, queue);
        let event = rdsys::rd_kafka_queue_poll(queue, wait_ms.saturating_add(1000));
        let found = match event.is_null() {
            true => Err(Code::OperationTimedOut),
            false => read(event),
        };
        if !event.is_null() {
            rdsys::rd_kafka_event_destroy(event);
        }
        rdsys::rd_kafka_queue_destroy(queue);
        rdsys::rd_kafka_AdminOptions_destroy(options);
        rdsys::rd_kafka_TopicCollection_destroy(collection);
        found
    }
}

/// # Safety
/// `event` must be the answer to `DescribeTopics`.
unsafe fn read(event: *mut rdsys::rd_kafka_event_t) -> Result<TopicIds, Code> {
    let mut ids = TopicIds::new();
    // SAFETY: the event owns its parts, and they are only read.
    unsafe {
        let code = rdsys::rd_kafka_event_error(event);
        if code.is_error() {
            return Err(code.into());
        }
        let mut count = 0;
        let result = rdsys::rd_kafka_event_DescribeTopics_result(event);
        let topics = rdsys::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        for n in 0..count {
            let topic = *topics.add(n);
            let error = rdsys::rd_kafka_TopicDescription_error(topic);
            let code = match error.is_null() {
                true => RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR,
                false => rdsys::rd_kafka_error_code(error),
            };
            match code {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => {}
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART => continue,
                other => return Err(other.into()),
            }
            let name = CStr::from_ptr(rdsys::rd_kafka_TopicDescription_name(topic));
            let id = rdsys::rd_kafka_TopicDescription_topic_id(topic);
            let bits = (!id.is_null()).then(|| {
                (
                    rdsys::rd_kafka_Uuid_most_significant_bits(id),
                    rdsys::rd_kafka_Uuid_least_significant_bits(id),
                )
            });
            let id = bits.filter(|bits| *bits != (0, 0));
            let id = id.map(|(most, least)| format!("{most:016x}{least:016x}"));
            ids.insert(name.to_string_lossy().into_owned(), id);
        }
    }
    Ok(ids)
}
