//! The table of the formats: what marks an event of each, and what reads it.

use std::sync::LazyLock;

use super::marks::{Found, Marks};
use crate::domain::Reason;
use crate::ingest::decoded::Decoded;
use crate::ingest::formats::{cloudevents, fault_mns, native, tmf621, tmf642, trap, ves};
use crate::ingest::frame::{Detect, Frame};
use crate::ingest::reject::Reject;

/// A format of events.
pub(super) struct Format {
    /// As a reject names it. Formats of one standard share a name.
    name: &'static str,
    /// Sets of keys. An object that has all keys of one of them, with values other than null, is of this format.
    /// `a.b` is the key `b` of the object `a` within it.
    marks: &'static [&'static [&'static str]],
    pub(super) read: Read,
}

/// What reads a format.
pub(super) enum Read {
    /// The text of the object.
    Text(fn(&str, Frame<'_>) -> Result<Decoded, Reject>),
    /// The same of a wrapper: formats of what is within are told apart anew.
    Wrapper(fn(&str, Frame<'_>, Detect) -> Result<Decoded, Reject>),
    /// The fields of native events, which are read together with the marks.
    Fields(fn(&native::Fields<'_>, Frame<'_>) -> Result<Decoded, Reject>),
}

use Read::{Fields, Text, Wrapper};

/// All formats, in the order in which they are tried: the first whose marks an object has reads it.
#[rustfmt::skip]
static FORMATS: [Format; 9] = [
    row("a CloudEvent",   &[&["specversion"]],                              Wrapper(cloudevents::structured)),
    row("ONAP VES",       &[&["event.commonEventHeader"], &["eventList"]],  Text(ves::decode)),
    row("TMF642",         &[&["event.alarm"]],                              Text(tmf642::envelope)),
    row("TMF621",         &[&["event.troubleTicket"]],                      Text(tmf621::envelope)),
    row("3GPP 28.532",    &[&["notificationType", "eventTime"]],            Text(fault_mns::decode)),
    row("an SNMP trap",   &[&["variable_bindings"]],                        Text(trap::decode)),
    row("TMF642",         &[&["alarmedObject", "perceivedSeverity"]],       Text(tmf642::bare)),
    row("TMF621",         &[&["ticketType", "description"]],                Text(tmf621::bare)),
    row("a native event", &[&["kind"], &["event_id"], &["ts"]],             Fields(native::decode)),
];

const fn row(name: &'static str, marks: &'static [&'static [&'static str]], read: Read) -> Format {
    Format { name, marks, read }
}

/// The table, made ready to be looked up.
struct Ready {
    marks: Marks,
    /// The sets of marks, in the order in which they are tried.
    sets: Vec<(Found, &'static Format)>,
    /// What a reject says where no set is found.
    unknown: String,
}

static READY: LazyLock<Ready> = LazyLock::new(|| {
    let mut marks = Marks::default();
    let sets = FORMATS.iter().flat_map(|format| format.marks.iter().map(move |set| (set, format)));
    let sets = sets.map(|(set, format)| (marks.add_all(set), format)).collect();
    Ready { marks, sets, unknown: unknown_text() }
});

/// All keys that mark a format.
pub(super) fn marks() -> &'static Marks {
    &READY.marks
}

/// The format of an object with these marks.
pub(super) fn format(found: Found) -> Option<&'static Format> {
    READY.sets.iter().find(|(set, _)| found & set == *set).map(|(_, format)| *format)
}

/// The reject of an object that has the marks of no format.
pub(super) fn unknown() -> Reject {
    Reject { reason: Reason::Field, detail: READY.unknown.clone() }
}

/// What would have been read: each format with its marks.
fn unknown_text() -> String {
    let mut names: Vec<&str> = Vec::new();
    for format in &FORMATS {
        if !names.contains(&format.name) {
            names.push(format.name);
        }
    }
    let quoted = |set: &&[&str]| set.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>();
    let sets = |format: &Format| {
        let sets = format.marks.iter().map(|set| quoted(set).join(" and "));
        sets.collect::<Vec<_>>().join(", ")
    };
    let known: Vec<String> = names
        .iter()
        .map(|name| {
            let all = FORMATS.iter().filter(|format| format.name == *name).map(sets);
            format!("{name} ({})", all.collect::<Vec<_>>().join(", or "))
        })
        .collect();
    let (last, others) = known.split_last().map_or(("", &[][..]), |(last, rest)| (last, rest));
    format!("no known shape: send {} or {last}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_a_key_or_an_object_with_keys() {
        let all = || FORMATS.iter().flat_map(|format| format.marks).copied().flatten();
        for path in all() {
            let inner = format!("{path}.");
            assert!(!all().any(|other| other.starts_with(&inner)), "{path} is both");
            assert!(path.matches('.').count() <= 1, "{path} lies too deep");
            let parent = path.split('.').next().filter(|parent| parent != path);
            assert_eq!(parent.and_then(native::Key::of).map(native::Key::name), None, "{path}");
        }
    }

    #[test]
    fn what_is_unknown_is_told_what_is_known() {
        let want = "no known shape: send a CloudEvent (`specversion`), ONAP VES \
            (`event.commonEventHeader`, `eventList`), TMF642 (`event.alarm`, or `alarmedObject` and \
            `perceivedSeverity`), TMF621 (`event.troubleTicket`, or `ticketType` and `description`), \
            3GPP 28.532 (`notificationType` and `eventTime`), an SNMP trap (`variable_bindings`) or \
            a native event (`kind`, `event_id`, `ts`)";
        assert_eq!(unknown().detail, want);
    }
}
