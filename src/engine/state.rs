//! The forecaster's state. Steps change it; it can be restored from the store at any time.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::alarm_spells::AlarmSpells;
use super::beyond::BeyondLimit;
use super::config::ForecasterConfig;
use super::generations::Generations;
use super::histories::Histories;
use super::issuer::Issuer;
use super::report::Report;
use super::restored_ahead::RestoredAhead;
use super::situation::Observed;
use crate::alert::HoldReason;
use crate::anomaly::Complaints;
use crate::domain::{SeriesKey, TicketBatch, Timestamp};
use crate::forecast::Nowcast;
use crate::store::CustomerKey;
use crate::telemetry::Metrics;
use crate::tickets::AssessmentBook;
use crate::window::{
    AlarmBook, Beyond, Counts, Merge, MergeState, Pairing, Tally, TicketBook, TicketTally,
};

mod commands;
mod histories;
mod restore;

/// The state after some report. It holds no store: a step returns its changes as effects.
pub struct State {
    pub config: ForecasterConfig,
    pub metrics: Arc<Metrics>,
    pub merge: Merge,
    pub generations: Generations,
    pub observed: Observed,
    /// Restored windows from the frontier on.
    pub restored: RestoredAhead,
    /// Ticket series with finalized windows, without roll-ups. They are forecast.
    pub leaves: BTreeSet<SeriesKey>,
    pub issuer: Issuer,
    /// The time up to which open windows have been examined.
    pub looked_upto: Option<Timestamp>,
    /// Nowcasts that are not replicated yet.
    pub unreplicated: Vec<Nowcast>,
    /// Events that were counted under another name, because names exceed the limit.
    pub beyond: BeyondLimit,
    /// Hashes customer ids; `None` if they are stored unchanged.
    pub customer_key: Option<CustomerKey>,
}

impl State {
    /// An empty state.
    pub fn new(config: ForecasterConfig, metrics: Arc<Metrics>) -> Self {
        let nothing = &|_: &_, _| Counts::default();
        Self {
            merge: Merge::restore(config.merge(), MergeState::default(), nothing),
            generations: Generations::default(),
            observed: Observed {
                histories: Histories::new(config.width),
                alarms: AlarmBook::new(config.alarms),
                pairing: Pairing::default(),
                spells: AlarmSpells::default(),
                complaints: Complaints::new(config.width),
                tickets: TicketBook::new(config.tickets).judged_by(config.terms()),
                assessments: AssessmentBook::new(config.policy.clone()),
            },
            restored: RestoredAhead::default(),
            leaves: BTreeSet::new(),
            issuer: Issuer::new(
                config.issue.clone(),
                config.refit,
                (config.width, config.lateness),
                &metrics,
            ),
            looked_upto: None,
            unreplicated: Vec::new(),
            beyond: BeyondLimit::default(),
            customer_key: None,
            config,
            metrics,
        }
    }

    /// Sets the metrics of what was restored, and begins the counters of what may happen.
    pub fn begin_metrics(&mut self) {
        let Observed { alarms, tickets, .. } = &self.observed;
        self.metrics.alarms(&Tally::default().counts(), alarms.active_count());
        self.metrics.tickets(&TicketTally::default().counts(), tickets.open_count());
        self.metrics.begin_beyond_limit(Beyond::EVERY.map(Beyond::as_str));
        self.metrics.begin_held(HoldReason::EVERY.map(HoldReason::as_str));
    }

    /// Reports in which each message of an alarm has the alarm's id, and customers have hashed ids. A clear may lack the system of its
    /// raise.
    pub fn paired<'r>(&mut self, reports: &'r [Report]) -> Cow<'r, [Report]> {
        let mut renamed = Vec::new();
        for (at, report) in reports.iter().enumerate() {
            for (nth, (_, alarm)) in report.alarms.iter().enumerate() {
                if let Some(id) = self.observed.pairing.take(alarm) {
                    renamed.push((at, nth, id));
                }
            }
        }
        let key = self.customer_key.as_ref().filter(|_| reports.iter().any(has_customer));
        if renamed.is_empty() && key.is_none() {
            return Cow::Borrowed(reports);
        }
        let mut reports = reports.to_vec();
        if let Some(key) = key {
            reports.iter_mut().flat_map(|report| &mut report.tickets).for_each(|batch| {
                if batch.has_customer() {
                    *batch = batch.with_customers(|id| key.hashed(id));
                }
            });
        }
        for (at, nth, id) in renamed {
            reports[at].alarms[nth].1.alarm_id = id;
        }
        Cow::Owned(reports)
    }
}

/// Whether a report names a customer.
fn has_customer(report: &Report) -> bool {
    report.tickets.iter().any(TicketBatch::has_customer)
}
