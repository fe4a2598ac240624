//! All metrics. There are no labels per series.

mod begin;
mod names;

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::{
    counter::Counter, family::Family, gauge::Gauge, histogram::Histogram,
};
use prometheus_client::registry::Registry;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::components::Components;
use super::decoding::DecodingMetrics;
use super::exposition::{Exposition, classic};
use super::health::Health;
use crate::domain::{Reason, SeriesKey, SourceId};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PartitionLabels {
    source: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttributeLabels {
    attribute: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SinkLabels {
    sink: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EffectLabels {
    effect: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PageLabels {
    receiver: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiverLabels {
    receiver: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LedgerLabels {
    region: String,
    service: String,
    channel: String,
    lead_h: u32,
    figure: &'static str,
}

/// The metrics of `/metrics`. Counting is cheap and thread-safe.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    events: Family<SourceLabels, Counter>,
    rejected: Family<ReasonLabels, Counter>,
    unmapped: Family<AttributeLabels, Counter>,
    clock_jumps: Counter,
    gone: Family<PartitionLabels, Counter>,
    gone_unknown: Family<PartitionLabels, Counter>,
    /// Metrics of decoding.
    pub decoding: DecodingMetrics,
    lag: Family<PartitionLabels, Gauge>,
    source_age: Family<PartitionLabels, Gauge<f64, AtomicU64>>,
    source_windows: Family<PartitionLabels, Gauge>,
    finalized: Counter,
    revised: Counter,
    alarms: Family<EffectLabels, Counter>,
    alarms_active: Gauge,
    tickets: Family<EffectLabels, Counter>,
    tickets_open: Gauge,
    vintages: Counter,
    forecast_seconds: Histogram,
    refit_seconds: Histogram,
    staffing_tables_seconds: Gauge<f64, AtomicU64>,
    commit_seconds: Histogram,
    leads: Gauge,
    frontier_age: Gauge<f64, AtomicU64>,
    open_windows: Gauge,
    series: Gauge,
    named_series: Gauge,
    restored: Gauge,
    beyond_limit: Family<ReasonLabels, Counter>,
    ledger: Family<LedgerLabels, Gauge<f64, AtomicU64>>,
    /// Whether accuracy figures of the ledger were set since the start.
    ledger_is_set: AtomicBool,
    outbox: Family<StatusLabels, Counter>,
    pages: Family<PageLabels, Counter>,
    pages_pending: Family<ReceiverLabels, Gauge>,
    pages_held: Family<ReasonLabels, Counter>,
    sink_points: Family<SinkLabels, Counter>,
    sink_refused: Family<SinkLabels, Counter>,
    spans: Family<OutcomeLabels, Counter>,
    requests: Family<StatusLabels, Counter>,
    refused: Family<ReasonLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0]);
        let mut metrics = Self {
            registry: Registry::with_prefix("surgecast"),
            events: Family::default(),
            rejected: Family::default(),
            unmapped: Family::default(),
            clock_jumps: Counter::default(),
            gone: Family::default(),
            gone_unknown: Family::default(),
            decoding: DecodingMetrics::default(),
            lag: Family::default(),
            source_age: Family::default(),
            source_windows: Family::default(),
            finalized: Counter::default(),
            revised: Counter::default(),
            alarms: Family::default(),
            alarms_active: Gauge::default(),
            tickets: Family::default(),
            tickets_open: Gauge::default(),
            vintages: Counter::default(),
            forecast_seconds: seconds(),
            refit_seconds: Histogram::new([0.1, 0.5, 2.0, 10.0, 60.0, 300.0]),
            staffing_tables_seconds: Gauge::default(),
            commit_seconds: seconds(),
            leads: Gauge::default(),
            frontier_age: Gauge::default(),
            open_windows: Gauge::default(),
            series: Gauge::default(),
            named_series: Gauge::default(),
            restored: Gauge::default(),
            beyond_limit: Family::default(),
            ledger: Family::default(),
            ledger_is_set: AtomicBool::new(false),
            outbox: Family::default(),
            pages: Family::default(),
            pages_pending: Family::default(),
            pages_held: Family::default(),
            sink_points: Family::default(),
            sink_refused: Family::default(),
            spans: Family::default(),
            requests: Family::default(),
            refused: Family::default(),
        };
        metrics.register();
        metrics.begin();
        metrics
    }
}

impl Metrics {
    /// Metrics that also show the state of each component.
    pub fn of(health: Arc<Health>) -> Self {
        let mut metrics = Self::default();
        metrics.registry.register_collector(Box::new(Components(health)));
        metrics
    }

    /// The counter of a source's events with one outcome. Keep it, because a look-up takes longer than counting.
    pub fn events(&self, source: &SourceId, outcome: &'static str) -> Counter {
        let labels = SourceLabels { source: source.to_string(), outcome };
        self.events.get_or_create(&labels).clone()
    }

    /// The counter of dead letters with this reason.
    pub fn rejected(&self, reason: Reason) -> Counter {
        self.rejected.get_or_create(&ReasonLabels { reason: reason.as_str() }).clone()
    }

    /// The counter of events without a region, a service or a channel.
    pub fn unmapped(&self, attribute: &'static str) -> Counter {
        self.unmapped.get_or_create(&AttributeLabels { attribute }).clone()
    }

    /// Counts a jump of the machine's clock.
    pub fn clock_jumped(&self) {
        self.clock_jumps.inc();
    }

    /// Counts records of a partition that were deleted before they were counted.
    pub fn gone(&self, source: &SourceId, records: i64) {
        let labels = PartitionLabels { source: source.to_string() };
        self.gone.get_or_create(&labels).inc_by(u64::try_from(records).unwrap_or(0));
    }

    /// Counts a topic that was replaced, when it is not known how many records of a partition were not counted.
    pub fn gone_unknown(&self, source: &SourceId) {
        let labels = PartitionLabels { source: source.to_string() };
        self.gone_unknown.get_or_create(&labels).inc();
    }

    /// Sets the progress of a partition that this instance counts. `lag` is in records, if the partition's end is known.
    pub fn partition(
        &self,
        source: &SourceId,
        lag: Option<i64>,
        frontier_age_seconds: f64,
        open_windows: usize,
    ) {
        let labels = PartitionLabels { source: source.to_string() };
        if let Some(lag) = lag {
            self.lag.get_or_create(&labels).set(lag);
        }
        self.source_age.get_or_create(&labels).set(frontier_age_seconds);
        self.source_windows.get_or_create(&labels).set(open_windows as i64);
    }

    /// Records not yet read of a partition that this instance counts, if its end is known.
    pub fn lag_of(&self, source: &SourceId) -> Option<i64> {
        let labels = PartitionLabels { source: source.to_string() };
        self.lag.get(&labels).map(|lag| lag.get())
    }

    /// Removes the metrics of a partition that another instance counts from now on.
    pub fn remove_partition(&self, source: &SourceId) {
        let labels = PartitionLabels { source: source.to_string() };
        self.lag.remove(&labels);
        self.source_age.remove(&labels);
        self.source_windows.remove(&labels);
    }

    /// Counts a window that was finalized.
    pub fn finalized(&self) {
        self.finalized.inc();
    }

    /// Counts a finalized window that changed.
    pub fn revised(&self) {
        self.revised.inc();
    }

    /// Adds the raises and clears since the last call, by effect, and sets the number of active alarms.
    pub fn alarms(&self, counts: &[(&'static str, u64)], active: usize) {
        for (effect, count) in counts {
            self.alarms.get_or_create(&EffectLabels { effect }).inc_by(*count);
        }
        self.alarms_active.set(active as i64);
    }

    /// Adds the steps of tickets since the last call, by effect, and sets the number of open tickets.
    pub fn tickets(&self, counts: &[(&'static str, u64)], open: u64) {
        for (effect, count) in counts {
            self.tickets.get_or_create(&EffectLabels { effect }).inc_by(*count);
        }
        self.tickets_open.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// Counts vintages that were issued together, and the time it took.
    pub fn vintages(&self, count: usize, seconds: f64) {
        self.vintages.inc_by(count as u64);
        self.forecast_seconds.observe(seconds);
    }

    /// Observes the time to fit all series.
    pub fn refitted(&self, seconds: f64) {
        self.refit_seconds.observe(seconds);
    }

    /// Sets the time that building the tables of staffing took.
    pub fn staffing_tables(&self, seconds: f64) {
        self.staffing_tables_seconds.set(seconds);
    }

    /// Observes the time to store a report.
    pub fn commit(&self, seconds: f64) {
        self.commit_seconds.observe(seconds);
    }

    /// Sets whether this instance is the leader.
    pub fn leads(&self, leads: bool) {
        self.leads.set(i64::from(leads));
    }

    /// Sets the forecaster's state: after a report, and every second.
    pub fn frontier(&self, age_seconds: f64, open_windows: usize, series: usize) {
        self.frontier_age.set(age_seconds);
        self.open_windows.set(open_windows as i64);
        self.series.set(series as i64);
    }

    /// Sets the number of ticket series that are counted under their own names.
    pub fn named_series(&self, series: usize) {
        self.named_series.set(series as i64);
    }

    /// Sets the number of windows that were restored from InfluxDB.
    pub fn restored(&self, windows: u64) {
        self.restored.set(i64::try_from(windows).unwrap_or(i64::MAX));
    }

    /// Adds events that were counted under another name, by reason.
    pub fn beyond_limit(&self, reason: &'static str, events: u64) {
        self.beyond_limit.get_or_create(&ReasonLabels { reason }).inc_by(events);
    }

    /// Sets an accuracy figure of the last seven days from the ledger; `None` removes it. For roll-ups only, whose number
    /// is bounded.
    pub fn ledger(
        &self,
        series: &SeriesKey,
        lead_h: u32,
        figure: &'static str,
        value: Option<f64>,
    ) {
        let SeriesKey { region, service, channel } = series;
        let labels = LedgerLabels {
            region: region.to_string(),
            service: service.to_string(),
            channel: channel.to_string(),
            lead_h,
            figure,
        };
        self.ledger_is_set.store(true, Ordering::Relaxed);
        match value {
            Some(value) => _ = self.ledger.get_or_create(&labels).set(value),
            None => _ = self.ledger.remove(&labels),
        }
    }

    /// Whether accuracy figures of the ledger were set since the start.
    pub fn has_ledger(&self) -> bool {
        self.ledger_is_set.load(Ordering::Relaxed)
    }

    /// Counts a delivery attempt of the outbox by HTTP status; 0 without an answer.
    pub fn delivery(&self, status: u16) {
        self.outbox.get_or_create(&StatusLabels { status }).inc();
    }

    /// Counts a page of a receiver by outcome: `delivered`, `failed` (a try) or `given_up`.
    pub fn page(&self, receiver: &str, outcome: &'static str) {
        let labels = PageLabels { receiver: receiver.to_owned(), outcome };
        self.pages.get_or_create(&labels).inc();
    }

    /// Sets how many pages wait for a receiver.
    pub fn pages_pending(&self, receiver: &str, pages: usize) {
        let labels = ReceiverLabels { receiver: receiver.to_owned() };
        self.pages_pending.get_or_create(&labels).set(pages as i64);
    }

    /// Counts a page that is held back.
    pub fn page_held(&self, reason: &'static str) {
        self.pages_held.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// Counts points that a sink accepted.
    pub fn sink_written(&self, sink: &'static str, points: usize) {
        self.sink_points.get_or_create(&SinkLabels { sink }).inc_by(points as u64);
    }

    /// Counts points that a sink refused permanently.
    pub fn sink_refused(&self, sink: &'static str, points: usize) {
        self.sink_refused.get_or_create(&SinkLabels { sink }).inc_by(points as u64);
    }

    /// Counts spans of traces by outcome: `sent`, `dropped` or `refused`.
    pub fn spans(&self, outcome: &'static str, spans: u64) {
        self.spans.get_or_create(&OutcomeLabels { outcome }).inc_by(spans);
    }

    /// Counts an answered request.
    pub fn request(&self, status: u16) {
        self.requests.get_or_create(&StatusLabels { status }).inc();
    }

    /// Counts a request or a connection that was refused before it was handled.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// All metrics in a text format.
    pub fn text(&self, format: Exposition) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) if format == Exposition::Classic => classic(&text),
            Ok(()) => text,
            // Writing to a String does not fail, but an encoder may.
            Err(error) => format!("# cannot encode the metrics: {error}\n"),
        }
    }
}
