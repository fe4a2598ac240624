//! Fetched records by the hundred: the client's own poll makes an event, takes three locks and looks at the clock five
//! times for each.
//!
//! The records of every partition that is assigned are forwarded to one queue of ours, from which librdkafka hands out
//! many at once. Rebalances and what the client complains of stay in the consumer's queue and are served between two
//! batches. Records of an assignment that is over are dropped by librdkafka, which numbers them.
#![allow(unsafe_code, reason = "rdkafka has no safe form of rd_kafka_consume_batch_queue")]

use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as rdsys;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{IsError as _, KafkaError};

use super::context::{Context, Forward};
use crate::domain::{Offset as Position, Timestamp};

/// Most records that are taken at once.
const BATCH_MAX: usize = 512;

/// Where records of several partitions lie until they are taken.
pub(super) struct Queue {
    inner: NonNull<rdsys::rd_kafka_queue_t>,
    /// The client that fills it; it must outlive the queue and its records.
    client: Arc<BaseConsumer<Context>>,
}

// SAFETY: librdkafka locks its queues; the pointer serves for nothing but calls to it.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    /// An empty queue of a client; none if there is no memory left.
    pub(super) fn new(client: Arc<BaseConsumer<Context>>) -> Option<Self> {
        // SAFETY: the client is there as long as the queue.
        let inner = unsafe { rdsys::rd_kafka_queue_new(client.client().native_ptr()) };
        Some(Self { inner: NonNull::new(inner)?, client })
    }

    /// What lies here, at most [`BATCH_MAX`]; waits up to `wait` for the first where nothing does.
    pub(super) fn take(&self, wait: Duration) -> Vec<Received<'_>> {
        // With room for more it would wait for more.
        match self.call(Duration::ZERO, BATCH_MAX) {
            found if found.is_empty() => self.call(wait, 1),
            found => found,
        }
    }

    fn call(&self, wait: Duration, max: usize) -> Vec<Received<'_>> {
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let mut found: Vec<*mut rdsys::rd_kafka_message_t> = Vec::with_capacity(max);
        // SAFETY: there is room for `max` pointers, of which the call writes as many as it returns, or -1.
        unsafe {
            let (queue, room) = (self.inner.as_ptr(), found.as_mut_ptr());
            let n = rdsys::rd_kafka_consume_batch_queue(queue, wait_ms, room, max);
            found.set_len(usize::try_from(n).unwrap_or(0));
        }
        let owned = |inner| Some(Received { inner: NonNull::new(inner)?, queue: PhantomData });
        found.into_iter().filter_map(owned).collect()
    }
}

impl Forward for Queue {
    fn forward(&self, topic: &str, partition: i32) -> bool {
        let Ok(topic) = CString::new(topic) else { return false };
        let client = self.client.client().native_ptr();
        // SAFETY: client and queue are there, and the topic's name ends with a NUL. The partition's queue is counted
        // by its references: giving ours back leaves it to the client.
        unsafe {
            let partition = rdsys::rd_kafka_queue_get_partition(client, topic.as_ptr(), partition);
            if partition.is_null() {
                return false;
            }
            rdsys::rd_kafka_queue_forward(partition, self.inner.as_ptr());
            rdsys::rd_kafka_queue_destroy(partition);
        }
        true
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: it is ours, and records borrow it.
        unsafe { rdsys::rd_kafka_queue_destroy(self.inner.as_ptr()) }
    }
}

/// A record, or what is wrong with its partition, borrowed from the client.
pub struct Received<'q> {
    inner: NonNull<rdsys::rd_kafka_message_t>,
    queue: PhantomData<&'q Queue>,
}

// SAFETY: librdkafka hands a record over whole; what it refers to is counted atomically, and may be read and given back
// by any thread.
unsafe impl Send for Received<'_> {}

impl Received<'_> {
    fn message(&self) -> &rdsys::rd_kafka_message_t {
        // SAFETY: it is ours until it is dropped.
        unsafe { self.inner.as_ref() }
    }

    /// What is wrong, where it is no record.
    pub(super) fn error(&self) -> Option<KafkaError> {
        let code = self.message().err;
        match code {
            rdsys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF => {
                Some(KafkaError::PartitionEOF(self.message().partition))
            }
            code => code.is_error().then(|| KafkaError::MessageConsumption(code.into())),
        }
    }

    /// The topic that it was read from.
    pub fn topic(&self) -> &str {
        // SAFETY: a record refers to its topic, whose name ends with a NUL and stays.
        let name = unsafe { CStr::from_ptr(rdsys::rd_kafka_topic_name(self.message().rkt)) };
        // Names of topics are ASCII.
        name.to_str().unwrap_or_default()
    }

    /// The partition that it was read from.
    pub fn partition(&self) -> i32 {
        self.message().partition
    }

    /// Whether both are of one partition. Cheaper than asking for names.
    pub fn is_beside(&self, other: &Self) -> bool {
        let (this, other) = (self.message(), other.message());
        this.partition == other.partition && ptr::eq(this.rkt, other.rkt)
    }

    /// Its offset in the partition.
    pub fn offset(&self) -> Position {
        self.message().offset
    }

    /// When the broker (`LogAppendTime`) or the producer (`CreateTime`) says that it was appended.
    pub fn appended_at(&self) -> Option<Timestamp> {
        let mut kind = rdsys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the record is there, and so is `kind`.
        let ms = unsafe { rdsys::rd_kafka_message_timestamp(self.inner.as_ptr(), &mut kind) };
        (kind != rdsys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
            .then(|| Timestamp::from_millis(ms))
    }

    /// Names and values; those without a value are left out.
    pub fn headers(&self) -> Vec<(&str, &[u8])> {
        let mut all = Vec::new();
        let mut headers = ptr::null_mut();
        // SAFETY: librdkafka parses the headers once and keeps them with the record. Names end with a NUL, values
        // have the size that it gives; both stay as long as the record.
        unsafe {
            if rdsys::rd_kafka_message_headers(self.inner.as_ptr(), &mut headers).is_error() {
                return all;
            }
            let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
            let mut next = |n| {
                let code =
                    rdsys::rd_kafka_header_get_all(headers, n, &mut name, &mut value, &mut size);
                (!code.is_error()).then(|| (CStr::from_ptr(name).to_str(), bytes(value, size)))
            };
            for n in 0.. {
                match next(n) {
                    Some((Ok(name), Some(value))) => all.push((name, value)),
                    Some(_) => {}
                    None => break,
                }
            }
        }
        all
    }

    /// Empty for a record without a value.
    pub fn payload(&self) -> &[u8] {
        let message = self.message();
        // SAFETY: librdkafka gives where the value begins and its size; it stays as long as the record.
        unsafe { bytes(message.payload, message.len) }.unwrap_or_default()
    }
}

/// # Safety
/// `size` bytes must lie at `start` for as long as `'r`, unless it is null.
unsafe fn bytes<'r>(start: *const std::ffi::c_void, size: usize) -> Option<&'r [u8]> {
    // SAFETY: as above.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast(), size) })
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { rdsys::rd_kafka_message_destroy(self.inner.as_ptr()) }
    }
}
