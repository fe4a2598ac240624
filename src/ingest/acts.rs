//! Acts that the name of an event type contains, for types that are not in any list: `AlarmRaisedV2Event`, `notifyNewSecAlarm`.

use super::words::letters;

/// What a type of event does to its alarm or ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Nothing,
    Reopen,
    End,
    Change,
    Begin,
}

/// Acts with their words, in the order in which they are tried: `AckStateChange` is an acknowledgement. A word with a
/// `*` is the beginning of a word.
const ACTS: [(Act, &[&str]); 5] = [
    (
        Act::Nothing,
        &[
            "ack",
            "acked",
            "acknowledg*",
            "unack*",
            "comment*",
            "note",
            "notes",
            "group*",
            "ungroup*",
            "correlat*",
            "heartbeat*",
        ],
    ),
    (Act::Reopen, &["reopen*"]),
    (
        Act::End,
        &[
            "clear*",
            "clr",
            "end",
            "ended",
            "ceas*",
            "delet*",
            "remov*",
            "resolv*",
            "clos*",
            "cancel*",
            "terminat*",
            "recover*",
            "restor*",
            "abat*",
            "inactive",
            "deactivat*",
        ],
    ),
    (Act::Change, &["chang*", "updat*", "modif*", "patch*", "edit", "edited", "escalat*", "cont"]),
    (
        Act::Begin,
        &[
            "creat*", "rais*", "new", "open", "opened", "add", "added", "set", "start*", "fire",
            "fired", "firing", "trigger*", "insert*", "active", "activat*", "assert*", "submit*",
        ],
    ),
];

/// The act that a text names; `None` if it names none.
pub(super) fn act(text: &str) -> Option<Act> {
    let all: String = letters(text).collect();
    // `re-opened` is not `opened`.
    if all.contains("reopen") {
        return Some(Act::Reopen);
    }
    let words = words(text);
    let is = |word: &str, pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => word.starts_with(start),
        None => word == pattern,
    };
    let found = ACTS.iter().find(|(_, patterns)| {
        words.iter().any(|word| patterns.iter().any(|pattern| is(word, pattern)))
    });
    if let Some((act, _)) = found {
        return Some(*act);
    }
    // A text without separators and capitals: long beginnings are found within it.
    let long = |patterns: &[&str]| {
        let starts = patterns.iter().filter_map(|pattern| pattern.strip_suffix('*'));
        starts.filter(|start| start.len() > 4).any(|start| all.contains(start))
    };
    ACTS.iter().find(|(_, patterns)| long(patterns)).map(|(act, _)| *act)
}

/// The words of a text in camel case or with separators, in lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut was_lower = false;
    for c in text.chars().take(200) {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase() || c.is_numeric();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_found_by_their_words() {
        for (text, want) in [
            ("AlarmRaisedV2Event", Some(Act::Begin)),
            ("alarm.created", Some(Act::Begin)),
            ("notifyNewSecAlarm", Some(Act::Begin)),
            ("ALARM_NEW", Some(Act::Begin)),
            ("troubleticketcreated", Some(Act::Begin)),
            ("NewAlarm", Some(Act::Begin)),
            ("TicketOpened", Some(Act::Begin)),
            ("AlarmUpdatedNotification", Some(Act::Change)),
            ("alarm-severity-changed", Some(Act::Change)),
            ("AlarmAckStateChangedEvent", Some(Act::Nothing)),
            ("UnacknowledgedAlarm", Some(Act::Nothing)),
            ("AlarmCommentAddedEvent", Some(Act::Nothing)),
            ("alarmCeased", Some(Act::End)),
            ("AlarmAbatement", Some(Act::End)),
            ("ticket closed", Some(Act::End)),
            ("org.example.alarm.Cleared", Some(Act::End)),
            ("alarmcleared", Some(Act::End)),
            ("TicketReopenedEvent", Some(Act::Reopen)),
            ("AlarmSnoozeEvent", None),
            ("notifyOfLove", None),
            ("TroubleTicketLostEvent", None),
            ("Address", None),
            ("", None),
        ] {
            assert_eq!(act(text), want, "{text}");
        }
    }
}
