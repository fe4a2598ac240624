//! What changed, as records for other programs: `<group>.outlook`, keyed by series, and `<group>.alerts`, keyed by id.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::follower::Sink;
use crate::api::dto;
use crate::domain::{SeriesKey, Timestamp};
use crate::kafka::{Outgoing, Producer, Settings};
use crate::sink::influx::Written;
use crate::store::{Change, Reader, StoreError};

/// The topics.
pub struct OutlookTopic {
    producer: Producer,
    outlook: String,
    alerts: String,
}

/// What the next six hours hold for a series, in the forms of the API.
#[derive(Serialize)]
struct Record {
    region: String,
    service: String,
    channel: String,
    issued_at: String,
    forecast: dto::Forecast,
    /// Null without a staffing profile, and for roll-ups.
    staffing: Option<dto::Staffing>,
    /// Of the window before.
    anomalies: Vec<dto::Anomaly>,
}

impl OutlookTopic {
    pub fn new(producer: Producer, settings: &Settings) -> Self {
        Self { producer, outlook: settings.outlook(), alerts: settings.alerts() }
    }

    /// Everything about the newest issue.
    fn issue<'t>(
        &'t self,
        reader: &Reader,
        issued_at: Timestamp,
        records: &mut Vec<Outgoing<'t>>,
    ) -> Result<(), StoreError> {
        let mut plans: BTreeMap<SeriesKey, _> = reader
            .plans()?
            .into_iter()
            .filter_map(|(plan, outlook)| Some((outlook.series, plan?)))
            .collect();
        let width = reader.width();
        let before = width.start(width.index(issued_at) - 1);
        let mut anomalies: BTreeMap<SeriesKey, Vec<dto::Anomaly>> = BTreeMap::new();
        for anomaly in reader.anomalies_at(before)? {
            anomalies.entry(anomaly.series.clone()).or_default().push((&anomaly).into());
        }
        for served in reader.served_at(issued_at)? {
            let series = served.vintage.series.clone();
            let record = Record {
                region: series.region.to_string(),
                service: series.service.to_string(),
                channel: series.channel.to_string(),
                issued_at: issued_at.to_string(),
                forecast: served.into(),
                staffing: plans.remove(&series).map(Into::into),
                anomalies: anomalies.remove(&series).unwrap_or_default(),
            };
            records.extend(outgoing(&self.outlook, series.to_string(), &record));
        }
        Ok(())
    }
}

/// A record, whose parts all serialise.
fn outgoing<'t>(topic: &'t str, key: String, what: &impl Serialize) -> Option<Outgoing<'t>> {
    let payload = serde_json::to_vec(what).ok()?;
    Some(Outgoing { topic, key, payload })
}

impl Sink for OutlookTopic {
    const NAME: &'static str = "kafka-outlook";

    fn write(
        &mut self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<(usize, Written), StoreError> {
        let mut records = Vec::new();
        let mut alerts = BTreeSet::new();
        let newest = reader.newest_issue()?;
        for change in changes {
            match change {
                // What is not the newest has been overtaken.
                Change::Issue(at) if newest == Some(*at) => {
                    self.issue(reader, *at, &mut records)?
                }
                Change::Alert(_, id) => _ = alerts.insert(id.as_str()),
                Change::Issue(_)
                | Change::Nowcast(_)
                | Change::Window(_)
                | Change::Anomalies(_)
                | Change::Accuracy(_) => {}
            }
        }
        for id in alerts {
            if let Some(alert) = reader.alert(id)? {
                let shown = dto::Alert::from(&alert);
                records.extend(outgoing(&self.alerts, id.to_owned(), &shown));
            }
        }
        let count = records.len();
        let written = match self.producer.write_keyed(&records) {
            Ok(()) => Written::Done { refused: Vec::new() },
            Err(problem) => Written::Later(problem.to_string()),
        };
        Ok((count, written))
    }
}
