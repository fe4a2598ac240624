//! The table of the formats: the signatures and the decoder of each.

use std::sync::LazyLock;

use super::signature::{KeySet, Signatures};
use crate::domain::Reason;
use crate::ingest::decoded::Decoded;
use crate::ingest::formats::{
    alertmanager, cloudevents, connect, fault_mns, logstash, native, o2, tmf_events, tmf621,
    tmf642, trap, trap_forms, ves,
};
use crate::ingest::frame::{Detect, Frame};
use crate::ingest::reject::Reject;

/// A format of events.
pub(super) struct Format {
    /// Name for rejects. Formats of one standard share a name.
    name: &'static str,
    /// Sets of keys. An object with all keys of one set, with values other than null, has this format. `a.b` is the key
    /// `b` of its object `a`. `a?` may be null.
    signatures: &'static [&'static [&'static str]],
    pub(super) read: Read,
}

/// The decoder of a format.
pub(super) enum Read {
    /// Decodes the text of an object.
    Text(fn(&str, Frame<'_>) -> Result<Decoded, Reject>),
    /// Like [`Self::Text`], unless it is a native event that also has fields of the format.
    Record(fn(&str, Frame<'_>) -> Result<Decoded, Reject>),
    /// Decodes the text of one event or of several, each within the limit of the size.
    Batch(fn(&str, Frame<'_>) -> Result<Decoded, Reject>),
    /// Decodes the text of a wrapper, and detects the format of its content.
    Wrapper(fn(&str, Frame<'_>, Detect) -> Result<Decoded, Reject>),
    /// Decodes the fields of a native event, which were read together with the signature keys.
    Fields(fn(&native::Fields<'_>, Frame<'_>) -> Result<Decoded, Reject>),
}

use Read::{Batch, Fields, Record, Text, Wrapper};

/// All formats in the order in which they are tried. The first format with a matching signature decodes the object.
#[rustfmt::skip]
static FORMATS: [Format; 23] = [
    row("a CloudEvent",   &[&["specversion"]],                              Wrapper(cloudevents::structured)),
    row("Kafka Connect",  &[&["schema?", "payload?"]],                      Wrapper(connect::decode)),
    row("ONAP VES",       &[&["event.commonEventHeader"], &["eventList"]],  Batch(ves::decode)),
    row("TMF642",         &[&["event.alarm"]],                              Batch(tmf642::envelope)),
    row("TMF621",         &[&["event.troubleTicket"]],                      Batch(tmf621::envelope)),
    row("3GPP 28.532",    &[&["notificationType", "eventTime"]],            Text(fault_mns::decode)),
    row("an SNMP trap",   &[&["variable_bindings"]],                        Text(trap::decode)),
    row("an SNMP trap",   &[&["tags.oid"]],                                 Text(trap_forms::telegraf)),
    row("an SNMP trap",   &[&["snmp_version", "values"]],                   Text(trap_forms::trap2json)),
    row("an SNMP trap",   &[&["PDUInfo", "VarBinds"]],                      Text(trap_forms::perl)),
    row("O-RAN O2",       &[&["alarmEventRecordId"]],                       Text(o2::decode)),
    row("TMF642",         &[&["alarmedObject", "perceivedSeverity"]],       Text(tmf642::bare)),
    row("TMF621",         &[&["ticketType", "description"]],                Text(tmf621::bare)),
    row("3GPP 28.532",    &[&["objectInstance", "perceivedSeverity"]],      Record(fault_mns::record)),
    row("X.733",          &[&["managedObjectInstance", "perceivedSeverity"]], Record(fault_mns::record)),
    row("TMF642",         &[&["eventType", "eventTime"], &["eventType", "eventId"]], Batch(tmf_events::decode)),
    row("Alertmanager",   &[&["alerts"]],                                   Batch(alertmanager::webhook)),
    row("Alertmanager",   &[&["labels", "startsAt"]],                       Text(alertmanager::alert)),
    row("a native event", &[&["kind"], &["event_id"], &["ts"]],             Fields(native::decode)),
    row("a Logstash event", &[&["@timestamp", "message"]],                  Wrapper(logstash::decode)),
    row("Debezium",       &[&["after?", "op"]],                             Wrapper(connect::change)),
    row("a Telegraf batch", &[&["metrics"]],                                Wrapper(trap_forms::metrics)),
    row("a shipper's event", &[&["timestamp", "message"], &["date", "log"], &["@timestamp", "log"]], Wrapper(logstash::decode)),
];

const fn row(
    name: &'static str,
    signatures: &'static [&'static [&'static str]],
    read: Read,
) -> Format {
    Format { name, signatures, read }
}

/// The table in a form for look-ups.
struct Index {
    signatures: Signatures,
    /// The signatures in the order in which they are tried.
    sets: Vec<(KeySet, &'static Format)>,
    /// The text of the reject for an unknown format.
    unknown: String,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let all = || FORMATS.iter().flat_map(|f| f.signatures.iter().map(move |keys| (*keys, f)));
    let (signatures, sets) = Signatures::new(all().map(|(keys, _)| keys));
    let sets = sets.into_iter().zip(all().map(|(_, format)| format)).collect();
    Index { signatures, sets, unknown: unknown_text() }
});

/// All signature keys.
pub(super) fn signatures() -> &'static Signatures {
    &INDEX.signatures
}

/// The format of an object with these signature keys.
pub(super) fn format(found: KeySet) -> Option<&'static Format> {
    INDEX.sets.iter().find(|(set, _)| found & set == *set).map(|(_, format)| *format)
}

/// The reject for an object without a signature.
pub(super) fn unknown() -> Reject {
    Reject { reason: Reason::Field, detail: INDEX.unknown.clone() }
}

/// The text of that reject: all formats with their signatures.
fn unknown_text() -> String {
    let mut names: Vec<&str> = Vec::new();
    for format in &FORMATS {
        if !names.contains(&format.name) {
            names.push(format.name);
        }
    }
    let quoted = |set: &&[&str]| {
        set.iter().map(|key| format!("`{}`", key.trim_end_matches('?'))).collect::<Vec<_>>()
    };
    let sets = |format: &Format| {
        let sets = format.signatures.iter().map(|set| quoted(set).join(" and "));
        sets.collect::<Vec<_>>().join(", or ")
    };
    let known: Vec<String> = names
        .iter()
        .map(|name| {
            let all = FORMATS.iter().filter(|format| format.name == *name).map(sets);
            format!("{name} ({})", all.collect::<Vec<_>>().join(", or "))
        })
        .collect();
    let (last, others) = known.split_last().map_or(("", &[][..]), |(last, rest)| (last, rest));
    format!("unknown format: send {} or {last}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signature_key_is_a_key_or_an_object_with_keys() {
        let all = || FORMATS.iter().flat_map(|format| format.signatures).copied().flatten();
        for path in all() {
            let inner = format!("{path}.");
            assert!(!all().any(|other| other.starts_with(&inner)), "{path} is both");
            assert!(path.matches('.').count() <= 1, "{path} is nested too deeply");
            let parent = path.split('.').next().filter(|parent| parent != path);
            assert_eq!(parent.and_then(native::Key::of).map(native::Key::name), None, "{path}");
        }
    }

    #[test]
    fn the_reject_of_an_unknown_format_names_all_formats() {
        let want = "unknown format: send a CloudEvent (`specversion`), Kafka Connect (`schema` and `payload`), \
            ONAP VES (`event.commonEventHeader`, or `eventList`), TMF642 (`event.alarm`, or `alarmedObject` and \
            `perceivedSeverity`, or `eventType` and `eventTime`, or `eventType` and `eventId`), TMF621 \
            (`event.troubleTicket`, or `ticketType` and `description`), 3GPP 28.532 (`notificationType` and \
            `eventTime`, or `objectInstance` and `perceivedSeverity`), an SNMP trap (`variable_bindings`, or `tags.oid`, or `snmp_version` and `values`, or \
            `PDUInfo` and `VarBinds`), O-RAN O2 (`alarmEventRecordId`), X.733 (`managedObjectInstance` and `perceivedSeverity`), Alertmanager (`alerts`, or `labels` and \
            `startsAt`), a native event (`kind`, or `event_id`, or `ts`), a Logstash event (`@timestamp` and `message`), \
            Debezium (`after` and `op`), a Telegraf batch (`metrics`) or a shipper's event (`timestamp` and `message`, \
            or `date` and `log`, or `@timestamp` and `log`)";
        assert_eq!(unknown().detail, want);
    }
}
