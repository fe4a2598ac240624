//! Open tickets by series.

use serde::Serialize;
use utoipa::ToSchema;

use super::Key;
use crate::domain::SeriesKey;
use crate::window::{self, Mean};

/// Number of tickets at which the observed mean has the same weight as the configured handling time.
pub const HANDLING_PRIOR: f64 = crate::staffing::AHT_PRIOR;

/// A mean time; tickets of two weeks ago weigh half.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeanTime {
    /// Weight of the tickets behind it.
    pub tickets: f64,
    /// The mean; null without tickets.
    pub mean_seconds: Option<f64>,
}

impl From<Mean> for MeanTime {
    fn from(mean: Mean) -> Self {
        Self { tickets: tenths(mean.weight), mean_seconds: mean.value().map(tenths) }
    }
}

/// Handling times of resolved tickets.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandlingTime {
    #[serde(flatten)]
    pub mean: MeanTime,
    /// The AHT that the config gives the series; null without a staffing profile.
    pub configured_seconds: Option<f64>,
    /// The mean, shrunk towards the configured AHT: with n tickets, the mean has the weight n / (n + 30).
    pub learned_seconds: Option<f64>,
}

/// The open tickets of a series, as of the last finalized window.
#[derive(Debug, Serialize, ToSchema)]
pub struct Backlog {
    #[serde(flatten)]
    pub key: Key,
    /// How many tickets are open.
    pub open: u32,
    /// How many of them have a known id. The others are from a snapshot, or their ids were forgotten.
    pub known: u32,
    /// Since when the oldest one with a known id is open; null without one.
    pub oldest: Option<String>,
    /// Time of the first ticket message of this series. Without a snapshot, tickets opened before this time are missing.
    pub since: String,
    /// Time of the newest snapshot; null without one.
    pub anchored_at: Option<String>,
    /// Time from the creation of a ticket to its first response.
    pub first_response: MeanTime,
    pub handling: HandlingTime,
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl Backlog {
    /// The backlog of a series with this configured handling time, if there is one.
    pub fn new(series: &SeriesKey, own: &window::Backlog, configured: Option<f64>) -> Self {
        let learned = configured.map(|usual| own.handling.shrunk(usual, HANDLING_PRIOR));
        Self {
            key: Key::from(series),
            open: own.open,
            known: own.known,
            oldest: own.oldest.map(|at| at.to_string()),
            since: own.since.to_string(),
            anchored_at: own.anchored_at.map(|at| at.to_string()),
            first_response: own.first_response.into(),
            handling: HandlingTime {
                mean: own.handling.into(),
                configured_seconds: configured.map(tenths),
                learned_seconds: learned.map(tenths),
            },
        }
    }
}
