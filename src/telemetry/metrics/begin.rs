//! Counters that begin with 0. Prometheus takes the first value of a counter as its start: of one that appears with 1, `rate` and
//! `increase` are 0.

use super::{
    AttributeLabels, Metrics, OutcomeLabels, PageLabels, PartitionLabels, ReasonLabels, SinkLabels,
    StatusLabels,
};
use crate::domain::{Reason, SourceId};

const ATTRIBUTES: [&str; 3] = ["region", "service", "channel"];
/// Why a request or a connection is refused.
const REFUSALS: [&str; 5] = ["host", "origin", "token", "connections", "tls"];
/// What becomes of a page.
const PAGE_OUTCOMES: [&str; 3] = ["delivered", "failed", "given_up"];
/// What becomes of a span.
const SPAN_OUTCOMES: [&str; 3] = ["sent", "dropped", "refused"];
/// The statuses of the API's answers.
const API_STATUSES: [u16; 20] = [
    200, 201, 202, 204, 303, 304, 400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 500, 503,
    507,
];
/// The usual statuses of receivers; 0 is no answer.
const RECEIVER_STATUSES: [u16; 14] =
    [0, 200, 201, 202, 204, 400, 401, 403, 404, 429, 500, 502, 503, 504];

impl Metrics {
    /// Begins the counters whose labels are known before anything runs.
    pub(super) fn begin(&self) {
        for reason in Reason::EVERY {
            drop(self.rejected.get_or_create(&ReasonLabels { reason: reason.as_str() }));
        }
        for attribute in ATTRIBUTES {
            drop(self.unmapped.get_or_create(&AttributeLabels { attribute }));
            self.decoding.begin_names(attribute);
        }
        for reason in REFUSALS {
            drop(self.refused.get_or_create(&ReasonLabels { reason }));
        }
        for status in API_STATUSES {
            drop(self.requests.get_or_create(&StatusLabels { status }));
        }
    }

    /// Begins the counters of pages that are held back, by reason.
    pub fn begin_held(&self, reasons: impl IntoIterator<Item = &'static str>) {
        for reason in reasons {
            drop(self.pages_held.get_or_create(&ReasonLabels { reason }));
        }
    }

    /// Begins the counters of events beyond the limits of names, by reason.
    pub fn begin_beyond_limit(&self, reasons: impl IntoIterator<Item = &'static str>) {
        for reason in reasons {
            drop(self.beyond_limit.get_or_create(&ReasonLabels { reason }));
        }
    }

    /// Begins the counter of deleted records of a partition.
    pub fn begin_gone(&self, source: &SourceId) {
        let labels = PartitionLabels { source: source.to_string() };
        drop(self.gone.get_or_create(&labels));
    }

    /// Begins the counters of a receiver's pages.
    pub fn begin_receiver(&self, receiver: &str) {
        for outcome in PAGE_OUTCOMES {
            let labels = PageLabels { receiver: receiver.to_owned(), outcome };
            drop(self.pages.get_or_create(&labels));
        }
        for status in RECEIVER_STATUSES {
            drop(self.outbox.get_or_create(&StatusLabels { status }));
        }
    }

    /// Begins the counters of a sink.
    pub fn begin_sink(&self, sink: &'static str) {
        drop(self.sink_points.get_or_create(&SinkLabels { sink }));
        drop(self.sink_refused.get_or_create(&SinkLabels { sink }));
    }

    /// Begins the counters of traces.
    pub fn begin_spans(&self) {
        for outcome in SPAN_OUTCOMES {
            drop(self.spans.get_or_create(&OutcomeLabels { outcome }));
        }
    }
}
