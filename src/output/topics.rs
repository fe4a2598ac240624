//! Changes as records for other programs: `<group>.outlook`, keyed by series, and `<group>.alerts`, keyed by id.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::{SeriesKey, Timestamp};
use crate::kafka::{Outgoing, Producer, Settings};
use crate::output::sink::{Sink, SinkError, Written};
use crate::store::{Change, Reader, Served, StoreError};
use crate::text::{Language, Texts};
use crate::views;

/// The topics.
pub struct OutlookTopic {
    producer: Producer,
    outlook: String,
    alerts: String,
    texts: Texts,
}

/// Forecast, plan and outlook of a series, in the form of the API.
#[derive(Serialize)]
struct Record {
    region: String,
    service: String,
    channel: String,
    issued_at: String,
    forecast: views::Forecast,
    /// Null without a staffing profile, and for roll-ups.
    staffing: Option<views::Staffing>,
    /// Anomalies of the window before `issued_at`.
    anomalies: Vec<views::Anomaly>,
    /// Open recommendations of its team.
    recommendations: Vec<views::Recommendation>,
}

impl OutlookTopic {
    /// Writes to the topics that the settings name, with texts in a language.
    pub fn new(producer: Producer, settings: &Settings, language: Language) -> Self {
        let texts = Texts::new(language);
        Self { producer, outlook: settings.outlook(), alerts: settings.alerts(), texts }
    }

    /// Records with the served forecasts, plans and outlooks, and with the anomalies of the window before `issued_at`.
    fn issue<'t>(
        &'t self,
        reader: &Reader,
        issued_at: Timestamp,
        served: impl Iterator<Item = Served>,
        records: &mut Vec<Outgoing<'t>>,
    ) -> Result<(), StoreError> {
        let mut plans: BTreeMap<SeriesKey, _> = reader
            .plans()?
            .into_iter()
            .filter_map(|(plan, outlook)| Some((outlook.series, plan?)))
            .collect();
        let width = reader.width();
        let before = width.start(width.index(issued_at) - 1);
        let mut anomalies: BTreeMap<SeriesKey, Vec<views::Anomaly>> = BTreeMap::new();
        let found = reader.anomalies_at(before)?;
        let shown = views::Anomaly::all(reader, &found, &self.texts)?;
        for (anomaly, shown) in found.into_iter().zip(shown) {
            anomalies.entry(anomaly.series).or_default().push(shown);
        }
        let open = views::OpenRecommendations::read(reader)?;
        for served in served {
            let series = served.vintage.series.clone();
            let record = Record {
                region: series.region.to_string(),
                service: series.service.to_string(),
                channel: series.channel.to_string(),
                issued_at: served.vintage.issued_at.to_string(),
                forecast: views::Forecast::new(served, &self.texts),
                staffing: plans
                    .remove(&series)
                    .map(|plan| views::Staffing::new(&plan, &self.texts, &[])),
                anomalies: anomalies.remove(&series).unwrap_or_default(),
                recommendations: open.of(&series, &self.texts),
            };
            records.extend(outgoing(&self.outlook, series.to_string(), &record));
        }
        Ok(())
    }
}

/// Makes a record. All its parts can be serialised.
fn outgoing<'t>(topic: &'t str, key: String, what: &impl Serialize) -> Option<Outgoing<'t>> {
    let payload = serde_json::to_vec(what).ok()?;
    Some(Outgoing { topic, key, payload })
}

impl Sink for OutlookTopic {
    const NAME: &'static str = "kafka-outlook";

    fn probe(&mut self) -> Result<(), SinkError> {
        [&self.outlook, &self.alerts].into_iter().try_for_each(|topic| {
            self.producer.probe(topic).map_err(|problem| SinkError::Temporary(problem.to_string()))
        })
    }

    fn write(
        &mut self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<(usize, Written), StoreError> {
        let mut records = Vec::new();
        let mut alerts = BTreeSet::new();
        let mut nowcasts = BTreeSet::new();
        let newest = reader.newest_issue()?;
        for change in changes {
            match change {
                // Only the newest issue is written: the others are outdated.
                Change::Issue(at) if newest == Some(*at) => {
                    let mut live = reader.live_nowcasts()?;
                    let served = reader.served_at(*at)?.into_iter();
                    let served = served.map(|s| live.remove(&s.vintage.series).unwrap_or(s));
                    self.issue(reader, *at, served, &mut records)?;
                }
                Change::Nowcast(at) => _ = nowcasts.insert(*at),
                Change::Alert(_, id) => _ = alerts.insert(id.as_str()),
                Change::Issue(_)
                | Change::Window(_)
                | Change::Anomalies(_)
                | Change::Accuracy(_)
                | Change::Planned(..)
                | Change::Recommendation(..)
                | Change::Service(_) => {}
            }
        }
        if let (Some(newest), false) = (newest, nowcasts.is_empty()) {
            let mut live: Vec<Served> = reader.live_nowcasts()?.into_values().collect();
            live.retain(|served| nowcasts.contains(&served.vintage.issued_at));
            self.issue(reader, newest, live.into_iter(), &mut records)?;
        }
        for id in alerts {
            if let Some(mut alert) = reader.alert(id)? {
                views::OpenRecommendations::read(reader)?.add_to(&mut alert);
                let shown = views::Alert::new(&alert, &self.texts);
                records.extend(outgoing(&self.alerts, id.to_owned(), &shown));
            }
        }
        let count = records.len();
        let written = self.producer.write_keyed(&records).map(|()| Vec::new());
        Ok((count, written.map_err(|problem| SinkError::Temporary(problem.to_string()))))
    }
}
