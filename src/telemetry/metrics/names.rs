//! The names and help texts of all metrics.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{family::Family, gauge::Gauge};

use super::Metrics;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
    commit: &'static str,
}

impl Metrics {
    /// Registers all metrics with name and help text.
    pub(super) fn register(&mut self) {
        self.register_input();
        self.register_engine();
        self.register_output();
    }

    /// Events and sources.
    fn register_input(&mut self) {
        let r = &mut self.registry;
        r.register("ingest_events", "Events by source and outcome", self.events.clone());
        r.register("dead_letters", "Events not counted, by reason", self.rejected.clone());
        r.register(
            "events_unmapped",
            "Events counted under `unknown`, by missing attribute",
            self.unmapped.clone(),
        );
        r.register(
            "clock_jumps",
            "Jumps of the machine's clock by ten seconds or more",
            self.clock_jumps.clone(),
        );
        r.register(
            "ingest_gone",
            "Records that the broker deleted before they were counted, by partition",
            self.gone.clone(),
        );
        r.register(
            "ingest_gone_unknown",
            "Replacements of a topic while it was not read, with an unknown number of records that were not counted, by partition",
            self.gone_unknown.clone(),
        );
        self.decoding.register(r);
        r.register("ingest_lag", "Records not yet read, by partition", self.lag.clone());
        r.register(
            "source_frontier_age_seconds",
            "Clock time since the end of the newest window closed for the source",
            self.source_age.clone(),
        );
        r.register("source_windows_open", "Open windows, by source", self.source_windows.clone());
    }

    /// Windows, alarms and forecasts.
    fn register_engine(&mut self) {
        let r = &mut self.registry;
        r.register("windows_settled", "Finalized windows", self.finalized.clone());
        r.register("windows_revised", "Finalized windows that changed later", self.revised.clone());
        r.register(
            "alarms",
            "Network alarms by effect: began, repeated, flapped, resynced (ended by a rebuilt list), unpaired (a clear without an alarm), refused (too many), lists_refused (too many lists)",
            self.alarms.clone(),
        );
        r.register("alarms_standing", "Active network alarms", self.alarms_active.clone());
        r.register(
            "ticket_steps",
            "Steps of tickets by effect: opened, responded, resolved, reopened, abandoned, snapshots, repeated, unpaired (resolved, never created), given_up (too many are open), stale (no news for 90 days), old (of a forgotten ticket)",
            self.tickets.clone(),
        );
        r.register(
            "tickets_open",
            "Open tickets of series whose events carry the ids of tickets",
            self.tickets_open.clone(),
        );
        r.register("vintages_issued", "Forecasts issued", self.vintages.clone());
        r.register(
            "forecast_duration_seconds",
            "Time to forecast all series after a window was finalized",
            self.forecast_seconds.clone(),
        );
        r.register(
            "refit_duration_seconds",
            "Time to fit all series in the background",
            self.refit_seconds.clone(),
        );
        r.register(
            "staffing_tables_duration_seconds",
            "Time to compute the tables that give the agents needed for each number of arrivals; 0 until they are ready",
            self.staffing_tables_seconds.clone(),
        );
        r.register(
            "store_commit_duration_seconds",
            "Time to store one batch of counts with the forecasts and alerts that follow from it",
            self.commit_seconds.clone(),
        );
        r.register(
            "leads",
            "1 on the instance that sends pages and answers changes by people, 0 on the others",
            self.leads.clone(),
        );
        r.register(
            "frontier_age_seconds",
            "Clock time since the end of the last finalized window",
            self.frontier_age.clone(),
        );
        r.register("windows_open", "Windows that are not finalized", self.open_windows.clone());
        r.register("series_known", "Forecast series, including roll-ups", self.series.clone());
        r.register(
            "series_named",
            "Ticket series that are counted under their own names, not under `_other`; at most limits.series",
            self.named_series.clone(),
        );
        r.register(
            "windows_restored",
            "Windows by series that were restored from InfluxDB when the store was empty",
            self.restored.clone(),
        );
        r.register(
            "events_beyond_limit",
            "Events counted under the region `_other`, by reason",
            self.beyond_limit.clone(),
        );
    }

    /// The ledger, deliveries, sinks and requests.
    fn register_output(&mut self) {
        let r = &mut self.registry;
        r.register(
            "forecast_ledger",
            "Forecast accuracy of the last seven days from the ledger, for roll-ups over at least two of region, service and channel",
            self.ledger.clone(),
        );
        r.register(
            "outbox_tries",
            "Delivery attempts by HTTP status, 0 without answer",
            self.outbox.clone(),
        );
        r.register(
            "pages",
            "Pages by receiver and outcome: delivered, failed (a try), given_up",
            self.pages.clone(),
        );
        r.register(
            "pages_pending",
            "Pages that wait to be delivered, by receiver",
            self.pages_pending.clone(),
        );
        r.register(
            "pages_held",
            "Pages that were held back, by reason: silence, quiet_hours, planned_work, inhibited",
            self.pages_held.clone(),
        );
        r.register("sink_points", "Points written, by sink", self.sink_points.clone());
        r.register(
            "sink_points_refused",
            "Points refused permanently, by sink",
            self.sink_refused.clone(),
        );
        r.register(
            "trace_spans",
            "Spans of traces by outcome: sent, dropped (too many waited for the collector), refused",
            self.spans.clone(),
        );
        r.register("http_requests", "API requests by status", self.requests.clone());
        r.register(
            "http_refused",
            "Requests and connections refused, by reason: host, origin, token, connections, tls",
            self.refused.clone(),
        );
        let build = Family::<BuildLabels, Gauge>::default();
        let commit = env!("SURGECAST_COMMIT");
        build.get_or_create(&BuildLabels { version: env!("CARGO_PKG_VERSION"), commit }).set(1);
        r.register("build_info", "Always 1; the labels say what runs", build);
    }
}
