//! The forecaster's state. Steps change it; it can be restored from the store at any time.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::alarm_spells::AlarmSpells;
use super::beyond::BeyondLimit;
use super::config::ForecasterConfig;
use super::histories::Histories;
use super::issuer::Issuer;
use super::situation::Observed;
use crate::anomaly::Complaints;
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::Nowcast;
use crate::telemetry::Metrics;
use crate::window::{AlarmBook, Counts, Merge, MergeState};

mod commands;
mod histories;
mod restore;

/// The state after some report. It holds no store: a step returns its changes as effects.
pub struct State {
    pub config: ForecasterConfig,
    pub metrics: Arc<Metrics>,
    pub merge: Merge,
    pub observed: Observed,
    /// Ticket series with finalized windows, without roll-ups. They are forecast.
    pub leaves: BTreeSet<SeriesKey>,
    pub issuer: Issuer,
    /// Up to when open windows have been examined.
    pub looked_upto: Option<Timestamp>,
    /// Nowcasts that are not replicated yet.
    pub unreplicated: Vec<Nowcast>,
    /// Events of names beyond the limit.
    pub beyond: BeyondLimit,
}

impl State {
    /// An empty state.
    pub fn new(config: ForecasterConfig, metrics: Arc<Metrics>) -> Self {
        let nothing = &|_: &_, _| Counts::default();
        Self {
            merge: Merge::restore(config.merge(), MergeState::default(), nothing),
            observed: Observed {
                histories: Histories::new(config.width),
                alarms: AlarmBook::new(config.alarms),
                spells: AlarmSpells::default(),
                complaints: Complaints::new(config.width),
            },
            leaves: BTreeSet::new(),
            issuer: Issuer::new(config.issue.clone(), config.refit, config.width, &metrics),
            looked_upto: None,
            unreplicated: Vec::new(),
            beyond: BeyondLimit::default(),
            config,
            metrics,
        }
    }
}
