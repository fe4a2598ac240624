//! ONAP VES 7.2.1 (CommonEventFormat 30.2.1): faults, threshold crossings, and 28.532 notifications in `stndDefined`.

use std::borrow::Cow;

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::alarm_draft::Draft;
use super::fault_mns;
use crate::domain::{AlarmAction, Timestamp};
use crate::ingest::acts::{Act, act};
use crate::ingest::batch::{each, elements};
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::mapping::Attribute;
use crate::ingest::nested::Sub;
use crate::ingest::notes::Doubt;
use crate::ingest::read::{find, no_choice, shown, text_of};
use crate::ingest::reject::{Reject, object_text, parse_part};
use crate::ingest::words::{
    Perceived, letters, loose_time, no_time, perceived, same, word, word_of,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    event: Option<LazyValue<'a>>,
    event_list: Option<LazyValue<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VesEvent<'a> {
    #[serde(borrow)]
    common_event_header: Sub<Header<'a>>,
    fault_fields: Sub<Fault<'a>>,
    threshold_crossing_alert_fields: Sub<Crossing<'a>>,
    stnd_defined_fields: Sub<StndDefined<'a>>,
    /// Some senders put each event of a list into an object, as if it were the only one.
    event: Option<LazyValue<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Header<'a> {
    #[serde(borrow)]
    domain: Field<'a>,
    event_id: Field<'a>,
    event_name: Field<'a>,
    last_epoch_microsec: Field<'a>,
    start_epoch_microsec: Field<'a>,
    reporting_entity_name: Field<'a>,
    sequence: Field<'a>,
    source_name: Field<'a>,
    stnd_defined_namespace: Field<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Fault<'a> {
    #[serde(borrow)]
    alarm_condition: Field<'a>,
    alarm_interface_a: Field<'a>,
    event_category: Field<'a>,
    event_severity: Field<'a>,
    specific_problem: Field<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Crossing<'a> {
    #[serde(borrow)]
    alert_action: Field<'a>,
    alert_description: Field<'a>,
    alert_type: Field<'a>,
    event_severity: Field<'a>,
    interface_name: Field<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StndDefined<'a> {
    #[serde(borrow)]
    data: Option<LazyValue<'a>>,
}

/// Domains without alarms. A collector forwards all domains to one topic.
const OTHER_DOMAINS: [&str; 11] = [
    "heartbeat",
    "measurement",
    "mobileFlow",
    "notification",
    "other",
    "perf3gpp",
    "pnfRegistration",
    "sipSignaling",
    "stateChange",
    "syslog",
    "voiceQuality",
];
const ALERT_ACTIONS: [(&str, AlarmAction); 3] =
    [("SET", AlarmAction::Raise), ("CONT", AlarmAction::Change), ("CLEAR", AlarmAction::Clear)];

/// Decodes one event, or a batch with independent elements.
pub(in crate::ingest) fn decode(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let body: Body<'_> = parse_part(text)?;
    let list = body.event_list.as_ref();
    if list.is_some_and(|list| !list.as_raw_str().trim_ascii().starts_with('[')) {
        return Err(Reject::field("eventList", "is not an array"));
    }
    let mut all = Vec::new();
    for (key, value) in [("event", body.event.as_ref()), ("eventList", list)] {
        if let Some(value) = value {
            all.extend(elements(key, value.as_raw_str(), &frame)?);
        }
    }
    // The id of a wrapper is for one event: with the same id, the events of a batch would be duplicates.
    let id = if list.is_some() { None } else { frame.id };
    each(&all, &Frame { id, ..frame }, |text, _, frame| {
        parse_part::<VesEvent<'_>>(text)?.decode(frame)
    })
}

impl VesEvent<'_> {
    fn decode(&self, frame: &Frame<'_>) -> Result<Decoded, Reject> {
        let missing = |key: &str| Reject::field(key, "is missing or not an object");
        let header = self.common_event_header.0.as_ref();
        if let (None, Some(inner)) = (header, &self.event)
            && inner.as_raw_str().starts_with('{')
        {
            return parse_part::<VesEvent<'_>>(inner.as_raw_str())?.decode(&frame.within()?);
        }
        let header = header.ok_or_else(|| missing("commonEventHeader"))?;
        let domain = text_of(&header.domain, "domain")?.unwrap_or_default();
        let domain = domain.as_ref();
        if same(domain, "fault") {
            let fields = self.fault_fields.0.as_ref();
            header.fault(fields.ok_or_else(|| missing("faultFields"))?, frame)
        } else if same(domain, "thresholdCrossingAlert") {
            let fields = self.threshold_crossing_alert_fields.0.as_ref();
            header.crossing(fields.ok_or_else(|| missing("thresholdCrossingAlertFields"))?, frame)
        } else if same(domain, "stndDefined") {
            let data = self.stnd_defined_fields.0.as_ref().and_then(|fields| fields.data.as_ref());
            header.stnd_defined(data.ok_or_else(|| missing("stndDefinedFields.data"))?, frame)
        } else if OTHER_DOMAINS.iter().any(|other| same(other, domain)) {
            Ok(Decoded::Ignored { why: "not a VES domain of alarms" })
        } else if !domain.trim().is_empty() && !self.has_alarm() {
            // Other releases have other domains.
            frame.notes.add(Doubt::EventType, shown(domain), "no fault");
            Ok(Decoded::Ignored { why: "not a VES domain of alarms" })
        } else {
            let known = ["fault", "thresholdCrossingAlert", "stndDefined"].map(|word| (word, ()));
            Err(no_choice("domain", domain, &known))
        }
    }
}

impl VesEvent<'_> {
    /// Whether it has the fields of a domain of alarms, whatever its domain is called.
    fn has_alarm(&self) -> bool {
        self.fault_fields.0.is_some()
            || self.threshold_crossing_alert_fields.0.is_some()
            || self.stnd_defined_fields.0.is_some()
    }
}

impl Header<'_> {
    fn fault(&self, fields: &Fault<'_>, frame: &Frame<'_>) -> Result<Decoded, Reject> {
        let perceived = perceived(&fields.event_severity, frame);
        // VES has no change: a new severity is sent as a second fault with the same key.
        let action = match perceived {
            Some(Perceived::Cleared) => AlarmAction::Clear,
            _ => AlarmAction::Raise,
        };
        let fields = FaultFields {
            action,
            perceived,
            interface: word(&fields.alarm_interface_a),
            category: word(&fields.event_category),
            cause: word(&fields.alarm_condition),
            problem: word(&fields.specific_problem),
            text: None,
        };
        self.alarm(fields, frame)
    }

    fn crossing(&self, fields: &Crossing<'_>, frame: &Frame<'_>) -> Result<Decoded, Reject> {
        let perceived = perceived(&fields.event_severity, frame);
        let text = text_of(&fields.alert_action, "alertAction")?.unwrap_or_default();
        let action = alert_action(&text, frame)?;
        let fields = FaultFields {
            action: if perceived == Some(Perceived::Cleared) { AlarmAction::Clear } else { action },
            perceived,
            interface: word(&fields.interface_name),
            category: word(&fields.alert_type),
            cause: word(&self.event_name),
            problem: None,
            text: word(&fields.alert_description),
        };
        self.alarm(fields, frame)
    }

    /// The data is a 28.532 notification. The header gives defaults for its time and device.
    fn stnd_defined(&self, data: &LazyValue<'_>, frame: &Frame<'_>) -> Result<Decoded, Reject> {
        let text = object_text(data.as_raw_str().as_bytes(), frame.limits)?;
        let namespace = word(&self.stnd_defined_namespace).unwrap_or_default();
        let is_of_faults = letters(&namespace).collect::<String>().contains("fault");
        if !namespace.is_empty() && !is_of_faults && !fault_mns::is_notification(text) {
            return Ok(Decoded::Ignored { why: "not a namespace of alarms" });
        }
        let source = word(&self.source_name);
        let ts = self.ts(frame).ok();
        fault_mns::decode(text, Frame { ts, device: source.as_deref(), ..frame.within()? })
    }

    /// The last time of the event, in microseconds. The start time may be that of the fault.
    fn ts(&self, frame: &Frame<'_>) -> Result<Timestamp, Reject> {
        for (field, key) in [
            (&self.last_epoch_microsec, "lastEpochMicrosec"),
            (&self.start_epoch_microsec, "startEpochMicrosec"),
        ] {
            if let Some(ts) = loose_time(field, key, frame)? {
                return Ok(ts);
            }
        }
        frame.ts.ok_or_else(|| no_time("lastEpochMicrosec"))
    }

    fn alarm(&self, fields: FaultFields<'_>, frame: &Frame<'_>) -> Result<Decoded, Reject> {
        let source = word_of(&self.source_name, "sourceName")?;
        let missing =
            || Reject::field("sourceName", "is missing: it identifies the alarmed device");
        let source = source.ok_or_else(missing)?;
        let ts = self.ts(frame)?;
        // A fault may keep its event id until it is cleared.
        let notification = match word_of(&self.event_id, "eventId")? {
            Some(id) => vec![source.clone(), id, word(&self.sequence).unwrap_or_default()],
            None => Vec::new(),
        };
        let attributes = frame.attributes(|known| {
            known.push(Attribute::Device, Some(source.clone()));
            known.push(Attribute::Dn, source.contains('=').then(|| source.clone()));
            known.push(Attribute::System, word(&self.reporting_entity_name));
            known.push(Attribute::Category, fields.category.clone());
        });
        let draft = Draft {
            system: None,
            alarm_id: None,
            object: Some(source.clone()),
            part: fields.interface,
            category: fields.category,
            cause: fields.cause,
            problem: fields.problem,
            action: fields.action,
            perceived: fields.perceived,
            ts,
            aliases: Vec::new(),
            notification,
            text: fields.text,
            attributes,
        };
        draft.finish(frame).map(Decoded::One)
    }
}

/// The action of a threshold crossing. An unknown word that contains a known action is read as that action.
fn alert_action(text: &str, frame: &Frame<'_>) -> Result<AlarmAction, Reject> {
    if let Some(action) = find(text, &ALERT_ACTIONS) {
        return Ok(action);
    }
    let (action, read_as) = match act(text) {
        Some(Act::Begin | Act::Reopen) => (AlarmAction::Raise, "SET"),
        Some(Act::Change) => (AlarmAction::Change, "CONT"),
        Some(Act::End) => (AlarmAction::Clear, "CLEAR"),
        Some(Act::Nothing) | None => return Err(no_choice("alertAction", text, &ALERT_ACTIONS)),
    };
    frame.notes.add(Doubt::EventType, shown(text), read_as);
    Ok(action)
}

/// The common fields of faults and threshold crossings.
struct FaultFields<'a> {
    action: AlarmAction,
    perceived: Option<Perceived>,
    interface: Option<Cow<'a, str>>,
    category: Option<Cow<'a, str>>,
    cause: Option<Cow<'a, str>>,
    problem: Option<Cow<'a, str>>,
    text: Option<Cow<'a, str>>,
}
