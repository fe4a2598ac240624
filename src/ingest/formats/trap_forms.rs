//! SNMP traps as other programs write them: Telegraf, trap2json, snmptrapd (its JSON and its text).

use std::borrow::Cow;

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::trap::Trap;
use super::trap_bindings::{Bindings, Host, value_of};
use crate::domain::Moment;
use crate::ingest::batch::{each, elements};
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::{Detect, Frame};
use crate::ingest::nested::Sub;
use crate::ingest::reject::{Reject, parse};
use crate::ingest::words::word;

/// The name of the variable with the OID of the trap.
const TRAP_OID: &str = "snmpTrapOID";
/// Its names and numbers in the log of snmptrapd.
const TRAP_OIDS: [&str; 3] = [TRAP_OID, "1.3.6.1.6.3.1.1.4.1.0", "iso.3.6.1.6.3.1.1.4.1.0"];

/// A metric of Telegraf's `snmp_trap` in JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Telegraf<'a> {
    #[serde(borrow)]
    fields: Bindings<'a>,
    tags: Sub<Tags<'a>>,
    timestamp: Field<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tags<'a> {
    #[serde(borrow)]
    oid: Field<'a>,
    name: Field<'a>,
    agent_address: Field<'a>,
    source: Field<'a>,
    host: Field<'a>,
}

/// Decodes a trap of Telegraf.
pub(in crate::ingest) fn telegraf(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let Telegraf { fields, tags, timestamp } = parse(text)?;
    let tags = tags.0.unwrap_or_default();
    let mut bindings = fields;
    bindings.0.insert(0, (TRAP_OID.into(), tags.oid));
    let host = [&tags.source, &tags.host].into_iter().find_map(word).map(Cow::into_owned);
    let trap = Trap {
        agent_addr: tags.agent_address,
        host: Host::new(host.map(Cow::Owned)),
        generic_trap: generic(&tags.name),
        variable_bindings: bindings,
        received: timestamp,
        ..Trap::default()
    };
    trap.decode(&frame)
}

/// A batch of Telegraf.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metrics<'a> {
    #[serde(borrow)]
    metrics: Option<LazyValue<'a>>,
}

/// Decodes a batch of Telegraf. Each metric is decoded by itself, so that a metric that is not a trap is one reject.
pub(in crate::ingest) fn metrics(
    text: &str,
    frame: Frame<'_>,
    detect: Detect,
) -> Result<Decoded, Reject> {
    let batch: Metrics<'_> = parse(text)?;
    let metrics = batch.metrics.as_ref().map_or("[]", |metrics| metrics.as_raw_str());
    let frame = frame.within()?;
    each(&elements("metrics", metrics, &frame)?, &frame, |text, _, frame| {
        detect(text.as_bytes(), *frame)
    })
}

/// A message of trap2json.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Trap2Json<'a> {
    #[serde(borrow)]
    time: Field<'a>,
    src_address: Field<'a>,
    /// The name of earlier releases.
    source_address: Field<'a>,
    agent_address: Field<'a>,
    enterprise_oid: Field<'a>,
    enterprise_mib_name: Field<'a>,
    trap_type: Field<'a>,
    trap_sub_type: Field<'a>,
    snmp_version: Field<'a>,
    values: Bindings<'a>,
}

/// Decodes a trap of trap2json.
pub(in crate::ingest) fn trap2json(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let trap: Trap2Json<'_> = parse(text)?;
    let host = [&trap.src_address, &trap.source_address].into_iter().find_map(word);
    let host = Host::new(host.map(|host| host.into_owned().into()));
    // In SNMPv1 the enterprise and two numbers identify the trap, later its OID. The numbers are 0 then.
    let is_v1 = word(&trap.snmp_version).is_some_and(|version| version.ends_with('1'));
    let enterprise = match trap.enterprise_oid {
        Field::Absent => trap.enterprise_mib_name,
        oid => oid,
    };
    let (generic_trap, specific_trap) = match is_v1 {
        true => (generic(&trap.trap_type), trap.trap_sub_type),
        false => (Field::Absent, Field::Absent),
    };
    let trap = Trap {
        agent_addr: trap.agent_address,
        host,
        generic_trap,
        specific_trap: without_dot(specific_trap),
        enterprise,
        variable_bindings: trap.values,
        received: trap.time,
        ..Trap::default()
    };
    trap.decode(&frame)
}

/// The number or the name of a generic trap; absent for 6, which means a trap of the enterprise.
fn generic<'a>(field: &Field<'a>) -> Field<'a> {
    if word(field).is_some_and(|word| word == "6") { Field::Absent } else { field.clone() }
}

fn without_dot(field: Field<'_>) -> Field<'_> {
    match field {
        Field::Text(text) => Field::Text(text.trim_start_matches('.').to_owned().into()),
        other => other,
    }
}

/// A trap of snmptrapd's embedded Perl as JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Perl<'a> {
    #[serde(borrow, rename = "PDUInfo")]
    info: Sub<Info<'a>>,
    #[serde(rename = "VarBinds")]
    bindings: Bindings<'a>,
    timestamp: Field<'a>,
    time: Field<'a>,
    #[serde(rename = "@timestamp")]
    received: Field<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info<'a> {
    #[serde(borrow)]
    receivedfrom: Field<'a>,
}

/// Decodes a trap of snmptrapd's embedded Perl.
pub(in crate::ingest) fn perl(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let trap: Perl<'_> = parse(text)?;
    let from = trap.info.0.as_ref().and_then(|info| word(&info.receivedfrom));
    let host = from.as_deref().and_then(sender).map(|host| host.to_owned().into());
    let times = [trap.received, trap.timestamp, trap.time];
    let received = times.into_iter().find(|field| *field != Field::Absent).unwrap_or_default();
    let trap = Trap {
        host: Host::new(host),
        variable_bindings: trap.bindings,
        received,
        ..Trap::default()
    };
    trap.decode(&frame)
}

/// The address in `UDP: [10.0.0.7]:161->[10.0.0.1]:162`.
fn sender(from: &str) -> Option<&str> {
    let (before, _) = from.split_once(']')?;
    before.rsplit_once('[').map(|(_, address)| address)
}

/// Whether a text is a trap as snmptrapd logs it.
pub(in crate::ingest) fn is_snmptrapd(text: &str) -> bool {
    let is_v2 = text.contains(" = ") && TRAP_OIDS.iter().any(|name| text.contains(name));
    is_v2 || (text.contains("TRAP, SNMP v1") && text.contains(" Trap ("))
}

/// Whether a part of snmptrapd's text holds the OID of a trap, or the number of one of SNMPv1.
fn is_trap(part: &str) -> bool {
    part.split_once(" = ").map_or(part.contains(" Trap ("), |(name, _)| {
        let name = name.rsplit(' ').next().unwrap_or(name);
        TRAP_OIDS.iter().any(|oid| name.contains(oid))
    })
}

/// Whether a part begins a trap: the line with its sender.
fn is_head(part: &str) -> bool {
    let before = part.split_once(" = ").map_or(part, |(before, _)| before);
    before.contains("TRAP, SNMP v1") || (before.contains("->[") && before.contains(": ["))
}

/// Cuts a text into traps. A trap begins with the line of its sender, or without one with its uptime.
fn traps(text: &str) -> Vec<Vec<&str>> {
    let mut traps: Vec<Vec<&str>> = Vec::new();
    let (mut has_trap, mut by_uptime) = (true, false);
    for part in text.split(['\n', '\t']).map(str::trim).filter(|part| !part.is_empty()) {
        let is_uptime = part.split_once(" = ").is_some_and(|(name, _)| {
            ["sysUpTime", ".3.6.1.2.1.1.3.0"].iter().any(|uptime| name.contains(uptime))
        });
        if has_trap && (traps.is_empty() || is_head(part) || is_uptime) {
            traps.push(Vec::new());
            (has_trap, by_uptime) = (false, is_uptime && !is_head(part));
        }
        has_trap |= is_trap(part);
        if let Some(trap) = traps.last_mut() {
            trap.push(part);
        }
    }
    // An uptime without a trap is a variable of the trap before it.
    if !has_trap
        && by_uptime
        && let Some(rest) = traps.pop()
    {
        match traps.last_mut() {
            Some(trap) => trap.extend(rest),
            None => traps.push(rest),
        }
    }
    traps
}

/// Decodes traps as snmptrapd logs them, each by itself. Their lines are separated by line breaks or tabs, or by syslog's
/// `#012` and `#011`.
pub(in crate::ingest) fn snmptrapd(text: &str, frame: &Frame<'_>) -> Result<Decoded, Reject> {
    let text = text.replace("#012", "\n").replace("#011", "\t");
    match &traps(&text)[..] {
        [one] => logged(one, frame),
        all => {
            // The id of a wrapper is for one event.
            let frame = Frame { id: None, ..*frame };
            Ok(Decoded::many(all.iter().map(|one| logged(one, &frame))))
        }
    }
}

/// Decodes one trap of the log of snmptrapd.
fn logged(parts: &[&str], frame: &Frame<'_>) -> Result<Decoded, Reject> {
    let mut bindings = Bindings::default();
    let (mut generic_trap, mut specific_trap) = (Field::Absent, Field::Absent);
    let mut enterprise = Field::Absent;
    for part in parts {
        if let Some((name, value)) = part.split_once(" = ") {
            // The first variable may follow the head in one line.
            let name = name.rsplit(' ').next().unwrap_or(name);
            let value = value_of(value);
            bindings.0.push((name.into(), Field::Text(value.into())));
        } else if let Some((head, rest)) = part.split_once(" Trap (") {
            let (name, kind) = head.split_once(' ').unwrap_or(("", head));
            match kind.eq_ignore_ascii_case("Enterprise Specific") {
                true => {
                    let number = rest.split(')').next().unwrap_or_default();
                    specific_trap = Field::Text(number.into());
                }
                false => generic_trap = Field::Text(kind.into()),
            }
            enterprise = Field::Text(name.into());
        }
    }
    let head = parts.first().copied().unwrap_or_default();
    // Without a time in the text, its wrapper has one.
    let received = time(head).map_or(Field::Absent, |time| Field::Text(time.into()));
    let trap = Trap {
        host: Host::new(address(head).map(Into::into)),
        generic_trap,
        specific_trap,
        enterprise,
        variable_bindings: bindings,
        received: if frame.ts.is_some() { Field::Absent } else { received },
        ..Trap::default()
    };
    trap.decode(frame)
}

/// The time at which the text begins, or that follows the head of syslog.
fn time(text: &str) -> Option<&str> {
    let line = text.lines().next()?;
    let starts = std::iter::once(0).chain(line.match_indices(": ").map(|(at, _)| at + 2));
    starts.filter_map(|at| line.get(at..at + 19)).find(|part| Moment::read(part).is_ok())
}

/// The address of the agent in the first line, before that of the relay: `10.0.0.7(via UDP: [10.0.0.7]:5…`.
fn address(head: &str) -> Option<&str> {
    let via = head.find("(via ").unwrap_or(head.len());
    let before = head.get(..via)?.trim_end();
    let own = match before.strip_suffix(']') {
        Some(before) => before.rsplit('[').next(),
        None => before.rsplit(' ').next(),
    };
    let is_address = |own: &&str| own.contains(['.', ':']) && *own != "0.0.0.0" && via < head.len();
    own.filter(is_address).or_else(|| sender(head.get(via..)?)).or_else(|| sender(head))
}
