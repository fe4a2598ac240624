//! The service itself, and events that were not counted.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain;

/// The status of the service.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    pub version: &'static str,
    /// The service's clock.
    pub now: String,
    pub mode: &'static str,
    pub speed: f64,
    /// When the clock of a demo with `--pause-at` stops; null otherwise.
    pub stops_at: Option<String>,
    pub width_minutes: u32,
    pub settled_upto: Option<String>,
    /// Share of the catch-up that is done; null when there is none.
    pub catching_up: Option<f64>,
    /// Time zones by region.
    pub regions: BTreeMap<String, String>,
    pub time_zone: String,
    /// Events not counted, by reason.
    pub dead_letters: BTreeMap<String, u64>,
    /// Events of the past 24 hours that were accepted and then not counted, because they were late or in the future: by
    /// source, then by reason.
    pub late_or_future: BTreeMap<String, BTreeMap<String, u64>>,
    /// Events of the past 24 hours counted under `unknown`, by what was missing: region, service, channel.
    pub unmapped: BTreeMap<String, u64>,
    pub horizon_minutes: u64,
}

/// An event that was not counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetter {
    /// Use it as `after` to continue the list.
    pub id: i64,
    pub received_at: String,
    pub reason: &'static str,
    pub detail: String,
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// The first 2000 characters of the event.
    pub text: String,
}

impl From<(i64, domain::DeadLetter)> for DeadLetter {
    fn from((id, letter): (i64, domain::DeadLetter)) -> Self {
        let source = &letter.position.source;
        Self {
            id,
            received_at: letter.received_at.to_string(),
            reason: letter.reason.as_str(),
            detail: letter.detail.clone(),
            topic: source.topic_name().to_owned(),
            partition: source.partition,
            offset: letter.position.offset,
            text: String::from_utf8_lossy(&letter.bytes).chars().take(2000).collect(),
        }
    }
}
