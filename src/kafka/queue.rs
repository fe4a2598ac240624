//! Takes fetched records in batches. The client's own poll would create an event, take three locks and read the clock five
//! times for each record.
//!
//! The records of all assigned partitions are forwarded to one queue, from which librdkafka returns many at once.
//! Rebalances and errors stay in the consumer's queue and are served between two batches. librdkafka drops records of
//! former assignments by their version number.
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

/// Maximum number of records in a batch.
const BATCH_MAX: usize = 512;

/// Records of several partitions that wait to be taken.
pub(super) struct Queue {
    inner: NonNull<rdsys::rd_kafka_queue_t>,
    /// The client that fills the queue. It must outlive the queue and its records.
    client: Arc<BaseConsumer<Context>>,
}

// SAFETY: librdkafka locks its queues; the pointer is only passed to its functions.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    /// An empty queue of a client; `None` if no memory is left.
    pub(super) fn new(client: Arc<BaseConsumer<Context>>) -> Option<Self> {
        // SAFETY: the client lives as long as the queue.
        let inner = unsafe { rdsys::rd_kafka_queue_new(client.client().native_ptr()) };
        Some(Self { inner: NonNull::new(inner)?, client })
    }

    /// Takes the waiting records, at most [`BATCH_MAX`]. If there is none, waits up to `wait` for one.
    pub(super) fn take(&self, wait: Duration) -> Vec<Received<'_>> {
        // With room for more records, the call would wait for more.
        match self.call(Duration::ZERO, BATCH_MAX) {
            found if found.is_empty() => self.call(wait, 1),
            found => found,
        }
    }

    fn call(&self, wait: Duration, max: usize) -> Vec<Received<'_>> {
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let mut found: Vec<*mut rdsys::rd_kafka_message_t> = Vec::with_capacity(max);
        // SAFETY: there is room for `max` pointers. The call returns how many it wrote, or -1.
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
        // SAFETY: client and queue are alive, and the topic's name ends with a NUL. The partition's queue has a
        // reference count: the call below releases our reference, and the client keeps its own.
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
        // SAFETY: we own the queue, and records borrow it.
        unsafe { rdsys::rd_kafka_queue_destroy(self.inner.as_ptr()) }
    }
}

/// A record, or an error of its partition, borrowed from the client.
pub struct Received<'q> {
    inner: NonNull<rdsys::rd_kafka_message_t>,
    queue: PhantomData<&'q Queue>,
}

// SAFETY: librdkafka passes ownership of a record. Its references are counted atomically, so any thread may read and
// release it.
unsafe impl Send for Received<'_> {}

impl Received<'_> {
    fn message(&self) -> &rdsys::rd_kafka_message_t {
        // SAFETY: we own the record until it is dropped.
        unsafe { self.inner.as_ref() }
    }

    /// The error, if this is not a record.
    pub(super) fn error(&self) -> Option<KafkaError> {
        let code = self.message().err;
        match code {
            rdsys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF => {
                Some(KafkaError::PartitionEOF(self.message().partition))
            }
            code => code.is_error().then(|| KafkaError::MessageConsumption(code.into())),
        }
    }

    /// Topic of the record.
    pub fn topic(&self) -> &str {
        if self.message().rkt.is_null() {
            // An error of the client, not of a partition.
            return "";
        }
        // SAFETY: a record holds a reference to its topic, whose name ends with a NUL and does not change.
        let name = unsafe { CStr::from_ptr(rdsys::rd_kafka_topic_name(self.message().rkt)) };
        // Names of topics are ASCII.
        name.to_str().unwrap_or_default()
    }

    /// Partition of the record.
    pub fn partition(&self) -> i32 {
        self.message().partition
    }

    /// Whether both records are of one partition. Cheaper than comparing names.
    pub fn is_of_same_partition(&self, other: &Self) -> bool {
        let (this, other) = (self.message(), other.message());
        this.partition == other.partition && ptr::eq(this.rkt, other.rkt)
    }

    /// Offset in the partition.
    pub fn offset(&self) -> Position {
        self.message().offset
    }

    /// Append time, set by the broker (`LogAppendTime`) or the producer (`CreateTime`).
    pub fn appended_at(&self) -> Option<Timestamp> {
        let mut kind = rdsys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the record and `kind` are alive.
        let ms = unsafe { rdsys::rd_kafka_message_timestamp(self.inner.as_ptr(), &mut kind) };
        (kind != rdsys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
            .then(|| Timestamp::from_millis(ms))
    }

    /// Names and values of headers that have a value.
    pub fn headers(&self) -> Vec<(&str, &[u8])> {
        let mut all = Vec::new();
        let mut headers = ptr::null_mut();
        // SAFETY: librdkafka parses the headers once and keeps them with the record. Names end with a NUL, and values
        // have the returned size. Both live as long as the record.
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

    /// Whether the record has no value: a tombstone of a compacted topic.
    pub fn is_null(&self) -> bool {
        self.message().payload.is_null()
    }

    /// The record's value; empty if it has none.
    pub fn payload(&self) -> &[u8] {
        let message = self.message();
        // SAFETY: librdkafka returns the value's start and size. The value lives as long as the record.
        unsafe { bytes(message.payload, message.len) }.unwrap_or_default()
    }
}

/// # Safety
/// Unless `start` is null, `size` bytes at `start` must be valid for `'r`.
unsafe fn bytes<'r>(start: *const std::ffi::c_void, size: usize) -> Option<&'r [u8]> {
    // SAFETY: as above.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast(), size) })
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        // SAFETY: we own the record, and nothing borrows it.
        unsafe { rdsys::rd_kafka_message_destroy(self.inner.as_ptr()) }
    }
}
