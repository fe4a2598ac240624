//! Prometheus Alertmanager: the body of its webhook (version 4, also as Grafana sends it), and single alerts.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::alarm_draft::Draft;
use crate::domain::{AlarmAction, Event, MINUTE, Name, Timestamp};
use crate::ingest::acts::Act;
use crate::ingest::batch::{each, elements};
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::mapping::Attribute;
use crate::ingest::nested::Pairs;
use crate::ingest::reject::{Reject, parse};
use crate::ingest::words::{
    Perceived, has_time, hashed, joined, loose_time, no_time, perceived, plain_act, same, word,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Webhook<'a> {
    #[serde(borrow)]
    alerts: Option<LazyValue<'a>>,
    #[serde(rename = "externalURL")]
    external_url: Field<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Alert<'a> {
    #[serde(borrow)]
    status: Field<'a>,
    labels: Pairs<Cow<'a, str>, Field<'a>>,
    annotations: Pairs<Cow<'a, str>, Field<'a>>,
    starts_at: Field<'a>,
    ends_at: Field<'a>,
    fingerprint: Field<'a>,
}

/// The clocks of Prometheus and of the log may differ by this. An alert that fires ends at least three minutes later.
const CLOCKS_AGREE: Duration = MINUTE;
/// Labels that name the alarmed device, in order of preference.
const DEVICES: [&str; 8] =
    ["device", "node", "instance", "host", "hostname", "nodename", "pod", "exported_instance"];
/// Labels and annotations with a text for people, in order of preference.
const TEXTS: [&str; 4] = ["summary", "description", "message", "title"];

/// Decodes the body of the webhook: one event for each alert.
pub(in crate::ingest) fn webhook(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let webhook: Webhook<'_> = parse(text)?;
    let system = word(&webhook.external_url);
    let alerts = webhook.alerts.as_ref().map_or("[]", |alerts| alerts.as_raw_str());
    each(&elements("alerts", alerts, &frame)?, &Frame { id: None, ..frame }, |text, _, frame| {
        parse::<Alert<'_>>(text)?.decode(system.as_deref(), frame)
    })
}

/// Decodes one alert without the envelope, as Prometheus sends it to Alertmanager.
pub(in crate::ingest) fn alert(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    parse::<Alert<'_>>(text)?.decode(None, &frame)
}

impl Alert<'_> {
    fn label(&self, name: &str) -> Option<Cow<'_, str>> {
        self.labels.0.iter().find(|(key, _)| same(key, name)).and_then(|(_, value)| word(value))
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        let annotation = |name: &&str| self.annotations.0.iter().find(|(key, _)| same(key, name));
        TEXTS.iter().find_map(annotation).and_then(|(_, value)| word(value))
    }

    /// Whether its status says that it is over. Prometheus sends no status: it moves the end of an alert that fires some minutes
    /// ahead, and sets it to the present when the alert is over.
    fn is_resolved(&self, frame: &Frame<'_>) -> Result<bool, Reject> {
        if let Some(status) = word(&self.status) {
            return Ok(same(&status, "resolved") || plain_act(&status) == Some(Act::End));
        }
        let (Some(appended_at), true) = (frame.appended_at, has_time(&self.ends_at, frame)) else {
            return Ok(false);
        };
        let end = loose_time(&self.ends_at, "endsAt", frame)?;
        Ok(end.is_some_and(|end| end <= appended_at + CLOCKS_AGREE))
    }

    /// The time at which the alert began or ended. The end of an alert that fires is only the time at which it may end, so it
    /// is not used.
    fn ts(&self, action: AlarmAction, frame: &Frame<'_>) -> Result<Timestamp, Reject> {
        let (field, key) = match action {
            AlarmAction::Clear if has_time(&self.ends_at, frame) => (&self.ends_at, "endsAt"),
            _ => (&self.starts_at, "startsAt"),
        };
        let ts = loose_time(field, key, frame)?.or(frame.ts);
        ts.ok_or_else(|| no_time(key))
    }

    /// Alertmanager's fingerprint of the labels, or ours.
    fn id(&self) -> Cow<'_, str> {
        word(&self.fingerprint).unwrap_or_else(|| {
            let mut labels: Vec<String> = self
                .labels
                .0
                .iter()
                .map(|(key, value)| format!("{key}={}", word(value).unwrap_or_default()))
                .collect();
            labels.sort();
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            Cow::Owned(hashed(&labels).into())
        })
    }

    fn decode(&self, system: Option<&str>, frame: &Frame<'_>) -> Result<Decoded, Reject> {
        let severity = ["severity", "priority", "level"].into_iter().find_map(|name| {
            self.labels.0.iter().find(|(key, _)| same(key, name)).map(|(_, value)| value)
        });
        let perceived = severity.and_then(|field| perceived(field, frame));
        let is_clear = self.is_resolved(frame)? || perceived == Some(Perceived::Cleared);
        let action = if is_clear { AlarmAction::Clear } else { AlarmAction::Raise };
        let ts = self.ts(action, frame)?;
        let device = DEVICES.iter().find_map(|name| self.label(name));
        let attributes = frame.attributes(|known| {
            known.push(Attribute::Device, device.clone());
            known.push(Attribute::Category, self.label("alertname"));
            known.push(Attribute::Service, self.label("service"));
            known.push(Attribute::Service, self.label("job"));
            for place in ["region", "site", "cluster", "datacenter", "location"] {
                known.push(Attribute::Place, self.label(place));
            }
            known.push(Attribute::System, system.map(Cow::Borrowed));
        });
        let draft = Draft {
            // The fingerprint of a set of labels is the same in all Alertmanagers of a cluster.
            system: None,
            alarm_id: Some(joined(&[&self.id()]).into_string().into()),
            object: device,
            part: None,
            category: None,
            cause: None,
            problem: self.label("alertname"),
            action,
            perceived,
            ts,
            aliases: Vec::new(),
            notification: Vec::new(),
            text: self.text(),
            attributes,
        };
        let mut event = draft.finish(frame)?;
        if let Event::Alarm(alarm) = &mut event {
            // Labels fill in what no look-up table knows.
            let name = |label: &str| self.label(label).and_then(|text| Name::new(text.trim()).ok());
            for (place, label) in
                [(&mut alarm.scope.region, "region"), (&mut alarm.scope.service, "service")]
            {
                if *place == Name::unknown()
                    && let Some(name) = name(label)
                {
                    *place = name;
                }
            }
        }
        Ok(Decoded::One(event))
    }
}
