//! Events of Logstash and of shippers with its fields: `@timestamp`, `host`, and the original text as `message`.

use std::borrow::Cow;

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::trap::{Trap, is_path};
use super::trap_bindings::{Bindings, Host};
use super::trap_forms;
use crate::ingest::batch::elements;
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::{Detect, Frame};
use crate::ingest::nested::Pairs;
use crate::ingest::read::{shown, text_of};
use crate::ingest::reject::{Reject, parse, too_large};
use crate::ingest::words::{loose_time, word};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Logstash<'a> {
    #[serde(borrow)]
    message: Option<LazyValue<'a>>,
    host: Host<'a>,
    #[serde(rename = "@timestamp")]
    received: Field<'a>,
    /// Fluent Bit's message and time.
    log: Option<LazyValue<'a>>,
    date: Field<'a>,
    /// Vector's time.
    timestamp: Field<'a>,
}

/// Decodes the message: JSON of any format, a trap of Logstash 7 (which describes the object of the trap), or a text of
/// snmptrapd. Time and host of the event are defaults.
pub(in crate::ingest) fn decode(
    text: &str,
    frame: Frame<'_>,
    detect: Detect,
) -> Result<Decoded, Reject> {
    let event: Logstash<'_> = parse(text)?;
    let host = event.host.name();
    let mut received = frame.ts;
    let times =
        [(&event.date, "date"), (&event.timestamp, "timestamp"), (&event.received, "@timestamp")];
    for (field, key) in times {
        received = loose_time(field, key, &frame)?.or(received);
    }
    let inner = Frame { ts: received, device: host.as_deref().or(frame.device), ..frame.within()? };
    let raw = event.message.as_ref().or(event.log.as_ref()).map_or("null", LazyValue::as_raw_str);
    let read = |raw: &str, frame: Frame<'_>| {
        let field: Field<'_> = parse(raw)?;
        let message = text_of(&field, "message")?.unwrap_or_default();
        one(text, &message, &event, frame, detect)
    };
    // An event may have several messages, each with an event of its own.
    match &elements("message", raw, &inner)?[..] {
        [one] => read(utf8(one), inner),
        all => {
            let inner = Frame { id: None, ..inner };
            Ok(Decoded::many(all.iter().map(|one| read(utf8(one), inner))))
        }
    }
}

/// A part of a text, which is UTF-8.
fn utf8(part: &[u8]) -> &str {
    std::str::from_utf8(part).unwrap_or_default()
}

/// Decodes one message.
fn one(
    text: &str,
    message: &str,
    event: &Logstash<'_>,
    frame: Frame<'_>,
    detect: Detect,
) -> Result<Decoded, Reject> {
    let message = message.trim_start_matches('\u{feff}');
    let start = message.trim_start();
    let is_array = start
        .strip_prefix('[')
        .is_some_and(|rest| rest.trim_start().starts_with(['{', '[', '"', ']']));
    if start.starts_with('{') || is_array {
        return detect(message.as_bytes(), frame);
    }
    if message.len() > frame.limits.event_bytes {
        return Err(too_large(message.as_bytes(), frame.limits));
    }
    if message.starts_with("#<SNMP::") {
        return described(text, message, event, &frame);
    }
    if trap_forms::is_snmptrapd(message) {
        return trap_forms::snmptrapd(message, &frame);
    }
    let rest = format!("is `{}`: it must be JSON or an SNMP trap", shown(message));
    Err(Reject::field("message", rest))
}

/// A trap of Logstash 7. Its variables are fields of the event, and its numbers only in the description.
fn described(
    text: &str,
    message: &str,
    event: &Logstash<'_>,
    frame: &Frame<'_>,
) -> Result<Decoded, Reject> {
    let fields: Pairs<Cow<'_, str>, Field<'_>> = parse(text)?;
    let is_variable = |key: &str| {
        key.contains("::")
            || is_path(key)
            || (key.contains('.') && key.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
    };
    let bindings = fields.0.into_iter().filter(|(key, _)| is_variable(key)).collect();
    let part = |name: &str| {
        let (_, rest) = message.split_once(name)?;
        let value = rest.trim_start_matches(['=', '[', '"', ' ']);
        value.split([',', ']', '"', '>', ' ']).next().filter(|value| !value.is_empty())
    };
    let field = |name: &str| part(name).map_or(Field::Absent, |value| Field::Text(value.into()));
    let generic_trap = match part("@generic_trap") {
        Some("6" | ":enterpriseSpecific") => Field::Absent,
        Some(value) => Field::Text(value.trim_start_matches(':').into()),
        None => Field::Absent,
    };
    let host = event.host.name().or_else(|| part("@source_ip").map(Cow::Borrowed));
    let trap = Trap {
        host: Host::new(
            host.or_else(|| word(&field("@source_ip")).map(|ip| ip.into_owned().into())),
        ),
        generic_trap,
        specific_trap: field("@specific_trap"),
        enterprise: field("@enterprise"),
        variable_bindings: Bindings(bindings),
        ..Trap::default()
    };
    trap.decode(frame)
}
