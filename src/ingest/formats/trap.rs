//! SNMP traps as JSON: RFC 1215's generic traps, and other traps by their variable bindings. [`super::trap_forms`] brings
//! the forms of other programs into this one. The `community` is a secret, so that it is not decoded.

use std::borrow::Cow;

use serde::Deserialize;

use super::alarm_draft::Draft;
use super::trap_bindings::{Bindings, Host, value_of};
use crate::domain::{AlarmAction, Severity, Timestamp};
use crate::ingest::acts::{Act, words};
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::mapping::Attribute;
use crate::ingest::reject::{Reject, parse_part};
use crate::ingest::words::{Perceived, loose_time, perceived, plain_act, same, severity, word};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Trap<'a> {
    #[serde(borrow)]
    pub(super) agent_addr: Field<'a>,
    pub(super) host: Host<'a>,
    pub(super) generic_trap: Field<'a>,
    pub(super) specific_trap: Field<'a>,
    pub(super) enterprise: Field<'a>,
    pub(super) variable_bindings: Bindings<'a>,
    pub(super) timestamp: Field<'a>,
    #[serde(rename = "@timestamp")]
    pub(super) received: Field<'a>,
}

/// Generic traps: number (one less than the last part of the OID in SNMPv2), name, alarm, and severity. The two traps of
/// a link belong to one alarm.
const GENERIC: [(u64, &str, &str, Perceived); 6] = [
    (0, "coldStart", "coldStart", Perceived::Active(Severity::Warning)),
    (1, "warmStart", "warmStart", Perceived::Active(Severity::Warning)),
    (2, "linkDown", "linkDown", Perceived::Active(Severity::Major)),
    (3, "linkUp", "linkDown", Perceived::Cleared),
    (4, "authenticationFailure", "authenticationFailure", Perceived::Active(Severity::Warning)),
    (5, "egpNeighborLoss", "egpNeighborLoss", Perceived::Active(Severity::Warning)),
];

const GENERIC_OID: &str = "1.3.6.1.6.3.1.1.5.";
const GENERIC_ISO: &str = "iso.3.6.1.6.3.1.1.5.";
/// RFC 3877's `alarmClearState`.
const CLEAR_OID: &str = "1.3.6.1.2.1.118.0.3";

/// Names of variables. The key of a binding may be the last part of the name or the OID.
const TRAP_OID: [&str; 2] = ["snmpTrapOID", "1.3.6.1.6.3.1.1.4.1"];
const INTERFACE: [&str; 6] = [
    "ifIndex",
    "1.3.6.1.2.1.2.2.1.1",
    "ifName",
    "1.3.6.1.2.1.31.1.1.1.1",
    "ifDescr",
    "1.3.6.1.2.1.2.2.1.2",
];
/// The severity of RFC 3877, in numbers or words, and those of vendors, in words only.
const ITU_SEVERITY: [&str; 1] = ["ituAlarmPerceivedSeverity"];
const SEVERITY: [&str; 3] = ["perceivedSeverity", "alarmSeverity", "severity"];
/// Ends of vendors' names for the severity, such as `hwNmNorthboundSeverity`.
const SEVERITY_ENDS: [&str; 1] = ["severity"];
/// Ends of vendors' names for whether the alarm is over, such as `alarmStatus` and `hwNmNorthboundFaultFlag`.
const STATE_ENDS: [&str; 9] = [
    "alarmstatus",
    "alarmstate",
    "alarmflag",
    "faultstatus",
    "faultstate",
    "faultflag",
    "clearstatus",
    "clearstate",
    "clearflag",
];
/// Words that turn an alarm off, besides those that name an end.
const OFF: [&str; 2] = ["off", "returntonormal"];
/// Words in names of variables with a value of the past.
const PAST: [&str; 6] = ["prev", "previous", "old", "last", "former", "original"];
const ALARM_ID: [&str; 3] = ["alarmId", "alarmIndex", "alarmSerialNumber"];
const TEXT: [&str; 5] =
    ["alarmText", "alarmDescription", "alarmDescr", "additionalText", "alarmActiveDescription"];

/// Decodes one trap.
pub(in crate::ingest) fn decode(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    parse_part::<Trap<'_>>(text)?.decode(&frame)
}

impl Trap<'_> {
    pub(super) fn decode(&self, frame: &Frame<'_>) -> Result<Decoded, Reject> {
        let trap = self;
        let ts = trap.ts(frame)?;
        // An agent behind a relay may not know its address.
        let agent = word(&trap.agent_addr).filter(|agent| agent != "0.0.0.0");
        let device = agent.or_else(|| trap.host.name()).or_else(|| frame.device.map(Into::into));
        let variables = Variables::new(&trap.variable_bindings);
        let (problem, perceived) = trap.problem(&variables, frame)?;
        let attributes = frame.attributes(|known| {
            known.push(Attribute::Device, device.clone());
            known.push(Attribute::Category, Some(problem.clone()));
            known.push(Attribute::System, trap.host.name());
        });
        let draft = Draft {
            system: device.clone(),
            alarm_id: variables.word(&ALARM_ID),
            object: device,
            part: variables.word(&INTERFACE),
            category: None,
            cause: None,
            problem: Some(problem),
            action: match perceived {
                Some(Perceived::Cleared) => AlarmAction::Clear,
                _ => AlarmAction::Raise,
            },
            perceived,
            ts,
            aliases: Vec::new(),
            notification: Vec::new(),
            text: variables.word(&TEXT),
            attributes,
        };
        if draft.object.is_none() {
            return Err(Reject::field(
                "agent_addr",
                "is missing: it identifies the alarmed device",
            ));
        }
        draft.finish(frame).map(Decoded::One)
    }

    /// The time of reception. The `timestamp` of a trap is the agent's uptime in hundredths of a second, unless it is
    /// a text that is not a number, or larger than 32 bits.
    fn ts(&self, frame: &Frame<'_>) -> Result<Timestamp, Reject> {
        if let Some(ts) = loose_time(&self.received, "@timestamp", frame)? {
            return Ok(ts);
        }
        let is_uptime = match &self.timestamp {
            Field::Whole(number) => *number <= u64::from(u32::MAX),
            Field::Text(text) => text.bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        let own = if is_uptime { None } else { loose_time(&self.timestamp, "timestamp", frame)? };
        let missing = "is missing, and `timestamp` is an uptime: use RFC 3339";
        own.or(frame.ts).ok_or_else(|| Reject::field("@timestamp", missing))
    }

    /// The problem and its severity.
    fn problem<'t>(
        &'t self,
        variables: &Variables<'t>,
        frame: &Frame<'_>,
    ) -> Result<(Cow<'t, str>, Option<Perceived>), Reject> {
        let oid = variables.word(&TRAP_OID);
        if let Some((.., problem, perceived)) = self.generic(oid.as_deref())? {
            return Ok((Cow::Borrowed(problem), Some(perceived)));
        }
        let severity = variables.severity(frame);
        let Some(oid) = oid else {
            let Some(enterprise) = word(&self.enterprise) else {
                // Old versions of Logstash keep nothing of a trap but its variables.
                let first = self.variable_bindings.0.first().map(|(key, _)| Cow::Borrowed(&**key));
                let missing = "is missing, and so are `enterprise` and the OID of the trap";
                let first = first.ok_or_else(|| Reject::field("generic_trap", missing))?;
                return Ok((first, severity));
            };
            let specific = word(&self.specific_trap);
            let specific = specific.unwrap_or(Cow::Borrowed("0"));
            // RFC 3584: the OID of the same trap in SNMPv2.
            return Ok((Cow::Owned(format!("{enterprise}.0.{specific}")), severity));
        };
        let clear = oid.trim_start_matches('.') == CLEAR_OID || leaf(&oid) == "alarmClearState";
        Ok((oid, if clear { Some(Perceived::Cleared) } else { severity }))
    }

    fn generic(
        &self,
        oid: Option<&str>,
    ) -> Result<Option<(u64, &'static str, &'static str, Perceived)>, Reject> {
        let number = word(&self.generic_trap);
        let of_oid = |oid: &str| {
            let last = oid.trim_start_matches('.').strip_prefix(GENERIC_OID);
            let last = last.or_else(|| oid.strip_prefix(GENERIC_ISO))?;
            last.parse::<u64>().ok()?.checked_sub(1)
        };
        let code = match &number {
            Some(number) => number.parse().ok(),
            None => oid.and_then(of_oid),
        };
        let trap = number.as_deref().or(oid.map(leaf)).unwrap_or_default();
        let is = |(known, name, ..): &&(u64, &str, &str, Perceived)| {
            code == Some(*known) || same(name, trap)
        };
        let found = GENERIC.iter().find(is);
        Ok(found.copied())
    }
}

/// The variables of a trap. The forms of their names are found once, because many names are looked up.
struct Variables<'t>(Vec<Variable<'t>>);

struct Variable<'t> {
    /// The last part of its name.
    leaf: &'t str,
    /// Its OID, without the dot at its start.
    oid: &'t str,
    value: &'t Field<'t>,
}

impl<'t> Variables<'t> {
    fn new(bindings: &'t Bindings<'t>) -> Self {
        let variable = |(key, value): &'t (Cow<'t, str>, Field<'t>)| Variable {
            leaf: leaf(key),
            oid: key.trim_start_matches('.'),
            value,
        };
        Self(bindings.0.iter().map(variable).collect())
    }

    /// The first variable with one of `names`, which are in order of preference.
    fn field(&self, names: &[&str]) -> Option<&'t Field<'t>> {
        let first = |name: &&str| self.0.iter().find(|variable| variable.is(name));
        names.iter().find_map(first).map(|variable| variable.value)
    }

    /// The value of [`Self::field`].
    fn word(&self, names: &[&str]) -> Option<Cow<'t, str>> {
        let word = self.field(names).and_then(word)?;
        Some(match word {
            Cow::Borrowed(text) => Cow::Borrowed(value_of(text)),
            Cow::Owned(text) => Cow::Owned(value_of(&text).to_owned()),
        })
    }

    /// The variables whose names have one of these ends, without those that hold a value of the past.
    fn fields_ending(&self, ends: &[&str]) -> impl Iterator<Item = &'t Field<'t>> {
        let is_named = move |name: &str| {
            let lower = name.to_ascii_lowercase();
            ends.iter().any(|end| lower.ends_with(end))
                && !words(name).iter().any(|word| PAST.contains(&&**word))
        };
        self.0.iter().filter(move |variable| is_named(variable.leaf)).map(|variable| variable.value)
    }

    fn severity(&self, frame: &Frame<'_>) -> Option<Perceived> {
        let is_over = |field: &Field<'_>| {
            word(field).is_some_and(|state| {
                let state = plain_word(&state);
                plain_act(state) == Some(Act::End)
                    || severity(state) == Some(Perceived::Cleared) && !is_number(state)
                    || OFF.iter().any(|off| same(off, state))
            })
        };
        if self.fields_ending(&STATE_ENDS).any(is_over) {
            return Some(Perceived::Cleared);
        }
        let numbered = self.field(&ITU_SEVERITY);
        // The meaning of a vendor's severity number is unknown.
        let is_word =
            |field: &&Field<'_>| word(field).is_some_and(|word| !is_number(value_of(&word)));
        let field = numbered
            .or_else(|| self.field(&SEVERITY).filter(is_word))
            .or_else(|| self.fields_ending(&SEVERITY_ENDS).find(is_word))?;
        perceived(&Field::Text(value_of(&word(field)?).into()), frame)
    }
}

/// A value without the number that net-snmp writes behind the word: `cleared` for `INTEGER: cleared(2)`.
fn plain_word(text: &str) -> &str {
    let value = value_of(text);
    value.split_once('(').map_or(value, |(word, _)| word).trim()
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

impl Variable<'_> {
    /// Whether it is an instance of the variable `name`.
    fn is(&self, name: &str) -> bool {
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            // Without MIBs snmptrapd writes `iso` for the first part.
            let rest = match self.oid.strip_prefix("iso.") {
                Some(oid) => name.strip_prefix("1.").and_then(|name| oid.strip_prefix(name)),
                None => self.oid.strip_prefix(name),
            };
            return rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        }
        same(self.leaf, name)
    }
}

/// The last part of a name, without instance: `ifIndex` for `IF-MIB::ifIndex.3` and for `iso.org.dod.….ifEntry.ifIndex.3`.
fn leaf(key: &str) -> &str {
    let name = key.rsplit("::").next().unwrap_or(key).trim_start_matches('.');
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    match is_path(name) {
        true => name.rsplit('.').find(|part| !is_number(part)).unwrap_or(name),
        false => name.split('.').next().unwrap_or(name),
    }
}

/// Whether a name is the path of all names from the root of the tree of OIDs, as Logstash 8 writes it.
pub(super) fn is_path(name: &str) -> bool {
    name.trim_start_matches('.').starts_with("iso.org.dod.")
}
