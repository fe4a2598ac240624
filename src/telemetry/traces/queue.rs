//! Spans that have ended and wait to be sent: a bounded number, of which the newest are kept.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::trace::Status;
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// Maximum number of spans that wait: about 4 MB.
pub(super) const WAITING_MAX: usize = 4096;
/// The field that prevents a span from being sent.
const QUIET: &str = "quiet";

/// Spans that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<VecDeque<SpanData>>,
    dropped: AtomicU64,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<SpanData>> {
        // Whatever was interrupted, the queue itself is consistent.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a span. If the queue is full, the oldest one is dropped. This never waits for the collector.
    pub(super) fn push(&self, span: SpanData) {
        let mut waiting = self.waiting();
        let oldest = if waiting.len() >= WAITING_MAX { waiting.pop_front() } else { None };
        waiting.push_back(span);
        drop(waiting);
        if oldest.is_some() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes the oldest spans, at most `max`.
    pub(super) fn take(&self, max: usize) -> Vec<SpanData> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(max);
        waiting.drain(..count).collect()
    }

    /// Puts back spans that were taken and not sent, as far as there is room; the oldest are dropped.
    pub(super) fn put_back(&self, spans: Vec<SpanData>) {
        let mut waiting = self.waiting();
        let room = WAITING_MAX.saturating_sub(waiting.len());
        let (all, kept) = (spans.len(), spans.len().min(room));
        spans.into_iter().rev().take(kept).for_each(|span| waiting.push_front(span));
        self.dropped.fetch_add((all - kept) as u64, Ordering::Relaxed);
    }

    /// Number of spans that were dropped since the last call.
    pub(super) fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

/// Puts ended spans into the queue.
#[derive(Debug)]
pub(super) struct Feeder(pub(super) Arc<Queue>);

impl SpanProcessor for Feeder {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    /// Drops spans of rounds in which nothing happened. They have no children, so no trace becomes incomplete.
    fn on_end(&self, mut span: SpanData) {
        let quiet = |attribute: &KeyValue| {
            attribute.key.as_str() == QUIET && attribute.value == Value::Bool(true)
        };
        let failed = matches!(span.status, Status::Error { .. });
        if failed || !span.attributes.iter().any(quiet) {
            span.attributes.retain(|attribute| attribute.key.as_str() != QUIET);
            self.0.push(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::UNIX_EPOCH;

    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

    use super::*;

    /// A span whose id is `n`.
    pub(in super::super) fn span(n: u64) -> SpanData {
        let (trace, state) = (TraceId::from(7u128), TraceState::default());
        SpanData {
            span_context: SpanContext::new(
                trace,
                SpanId::from(n),
                TraceFlags::SAMPLED,
                false,
                state,
            ),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: "commit".into(),
            start_time: UNIX_EPOCH,
            end_time: UNIX_EPOCH,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::builder("surgecast").build(),
        }
    }

    fn ids(spans: &[SpanData]) -> Vec<u64> {
        let id = |span: &SpanData| u64::from_be_bytes(span.span_context.span_id().to_bytes());
        spans.iter().map(id).collect()
    }

    #[test]
    fn the_newest_spans_are_kept_and_the_others_counted() {
        let (queue, most) = (Queue::default(), WAITING_MAX as u64);
        (0..most + 3).for_each(|n| queue.push(span(n)));
        assert_eq!(queue.take_dropped(), 3);
        let taken = queue.take(2);
        assert_eq!(ids(&taken), [3, 4]);
        queue.push(span(most + 3));
        queue.put_back(taken);
        assert_eq!((queue.take_dropped(), queue.take_dropped()), (1, 0), "there is room for one");
        let rest = ids(&queue.take(usize::MAX));
        let expected: Vec<u64> = (4..most + 4).collect();
        assert_eq!(rest, expected);
        assert!(queue.take(1).is_empty());
    }

    #[test]
    fn a_span_in_which_nothing_happened_is_not_sent() {
        let queue = Arc::new(Queue::default());
        let feeder = Feeder(queue.clone());
        let failed = Status::error("no answer");
        let cases = [
            (1, Some(true), Status::Unset),
            (2, Some(false), Status::Unset),
            (3, None, Status::Unset),
            (4, Some(true), failed),
        ];
        for (n, quiet, status) in cases {
            let mut span = SpanData { status, ..span(n) };
            span.attributes.extend(quiet.map(|quiet| KeyValue::new("quiet", quiet)));
            feeder.on_end(span);
        }
        let sent = queue.take(9);
        assert_eq!(ids(&sent), [2, 3, 4], "one that failed is sent");
        assert!(sent.iter().all(|span| span.attributes.is_empty()));
    }
}
