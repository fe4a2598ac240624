//! Sends waiting spans to the collector. Nothing else waits for this.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;

use super::client::{ExportError, OtlpClient, Taken};
use super::queue::{Queue, WAITING_MAX};
use crate::domain::Backoff;
use crate::telemetry::{Health, LogLimit, Metrics};

/// Interval of checks for waiting spans.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After this time without spans, the collector is probed.
const PROBE_EVERY: Duration = Duration::from_secs(60);
/// Maximum number of spans of one request: about 200 kB.
const SPANS_MAX: usize = 512;
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
/// The component of `/ready`.
const COMPONENT: &str = "otlp";

/// Sends spans.
pub struct Exporter {
    queue: Arc<Queue>,
    client: OtlpClient,
    resource: ResourceAttributesWithSchema,
}

/// Reports an exporter's work: health, metrics and log lines.
struct Reporter<'a> {
    health: &'a Health,
    metrics: &'a Metrics,
    /// Limits the lines about dropped spans.
    dropped: LogLimit,
    /// Limits the lines about refused spans.
    refused: LogLimit,
}

impl Exporter {
    pub(super) fn new(queue: Arc<Queue>, client: OtlpClient, resource: &Resource) -> Self {
        Self { queue, client, resource: resource.into() }
    }

    /// Runs until `stop` is set, then tries once to send the waiting spans.
    pub fn run(self, health: &Health, metrics: &Metrics, stop: &AtomicBool) {
        let reporter = Reporter::new(health, metrics);
        health.degraded(COMPONENT, "not connected yet");
        let (mut backoff, mut wait, mut quiet) = (BACKOFF, Duration::ZERO, PROBE_EVERY);
        while !stop.load(Ordering::Relaxed) {
            if wait.is_zero() {
                match self.round(&reporter, quiet >= PROBE_EVERY) {
                    Ok(true) => (quiet, backoff) = (Duration::ZERO, BACKOFF),
                    Ok(false) => {}
                    Err(least) => {
                        wait = backoff.next_wait().max(least.unwrap_or_default());
                        // A collector that was down is probed if nothing waits to be sent.
                        quiet = PROBE_EVERY;
                    }
                }
            }
            self.report_dropped(&reporter);
            std::thread::park_timeout(LOOK_EVERY);
            wait = wait.saturating_sub(LOOK_EVERY);
            quiet = quiet.saturating_add(LOOK_EVERY);
        }
        // The last try: the process ends with or without it.
        let _ = self.round(&reporter, false);
        self.report_dropped(&reporter);
    }

    /// Sends all waiting spans. If there are none and a probe is `due`, probes the collector. Returns whether the collector
    /// answered.
    ///
    /// # Errors The collector accepted nothing. It may ask for a wait.
    fn round(&self, reporter: &Reporter<'_>, due: bool) -> Result<bool, Option<Duration>> {
        let mut answered = false;
        // As many requests as a full queue needs. Spans that end meanwhile wait for the next round.
        for _ in 0..WAITING_MAX / SPANS_MAX {
            let spans = self.queue.take(SPANS_MAX);
            if spans.is_empty() && (answered || !due) {
                break;
            }
            let count = spans.len() as u64;
            // An empty request is a probe.
            let resource_spans = match spans.as_slice() {
                [] => Vec::new(),
                _ => group_spans_by_resource_and_scope(spans.clone(), &self.resource),
            };
            match self.client.send(&ExportTraceServiceRequest { resource_spans }) {
                Ok(taken) => reporter.taken(count, &taken),
                Err(ExportError::Temporary(why, wait)) => {
                    self.queue.put_back(spans);
                    reporter.failed(&why);
                    return Err(wait);
                }
                Err(ExportError::Refused(why)) => {
                    reporter.metrics.spans("refused", count);
                    reporter.failed(&why);
                    return Err(None);
                }
            }
            answered = true;
        }
        Ok(answered)
    }

    fn report_dropped(&self, reporter: &Reporter<'_>) {
        let dropped = self.queue.take_dropped();
        if dropped == 0 {
            return;
        }
        reporter.metrics.spans("dropped", dropped);
        if reporter.dropped.due().is_some() {
            tracing::warn!(
                dropped,
                "otlp: spans were dropped, because {WAITING_MAX} of them waited for the collector; everything else goes on"
            );
        }
    }
}

impl<'a> Reporter<'a> {
    fn new(health: &'a Health, metrics: &'a Metrics) -> Self {
        Self { health, metrics, dropped: LogLimit::new(), refused: LogLimit::new() }
    }

    fn taken(&self, count: u64, taken: &Taken) {
        let refused = taken.refused.min(count);
        self.metrics.spans("sent", count - refused);
        self.metrics.spans("refused", refused);
        if refused > 0 && self.refused.due().is_some() {
            tracing::warn!(refused, why = taken.why, "otlp: the collector refused spans");
        }
        if self.health.ready(COMPONENT) {
            tracing::info!("otlp: connected, sending traces");
        }
    }

    fn failed(&self, why: &str) {
        if self.health.degraded(COMPONENT, why) {
            tracing::warn!("otlp: {why}; spans wait or are dropped, everything else goes on");
        }
    }
}

#[cfg(test)]
mod tests;
