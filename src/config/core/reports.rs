//! `[reports]`: reports that are sent to receivers at a fixed local time.

use chrono::{NaiveTime, Weekday};

use crate::alert::{ReportKind, Schedule};
use crate::config::Reader;
use crate::domain::Zone;
use crate::text::Language;

/// Kinds of receivers that take alerts only.
const ALERTS_ONLY: [&str; 2] = ["alertmanager", "pagerduty"];
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];
const TIME: &str = "use a time of the day such as 07:30";
const RECEIVER: &str = "use the name of a receiver";

/// Reads `[reports]`. `receivers` are the names and kinds of all receivers. Times are of `zone`, and texts in `language` where an
/// entry names none.
pub fn read(
    section: Reader<'_>,
    receivers: &[(String, &'static str)],
    zone: Zone,
    language: Language,
) -> Vec<Schedule> {
    let entries = section.array("schedule").into_iter();
    let all = entries.filter_map(|entry| schedule(entry, receivers, zone, language)).collect();
    section.finish();
    all
}

fn schedule(
    entry: Reader<'_>,
    receivers: &[(String, &'static str)],
    zone: Zone,
    language: Language,
) -> Option<Schedule> {
    let report = entry.word("report", &ReportKind::WORDS).unwrap_or(ReportKind::Weekly);
    let weekday = entry.word("weekday", &WEEKDAYS);
    let time = entry
        .parse("time", TIME, |text| NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| TIME));
    let receiver = entry.text("receiver", RECEIVER);
    let words = WEEKDAYS.map(|(word, _)| word).join(", ");
    entry.missing("weekday", &format!("use {words}"));
    entry.missing("time", TIME);
    entry.missing("receiver", RECEIVER);
    let own = entry.parse("language", "use \"en\" or \"zh\"", str::parse::<Language>);
    let known = receiver.as_ref().map(|name| receivers.iter().find(|(known, _)| known == name));
    if let (Some(name), Some(found)) = (&receiver, known) {
        match found {
            None => {
                entry.problem("receiver", format!("found `{name}`: no receiver has this name"));
            }
            Some((_, kind)) if ALERTS_ONLY.contains(kind) => {
                let why = format!("found `{name}`: a receiver of type `{kind}` takes alerts only");
                entry.problem("receiver", why);
            }
            Some(_) => {}
        }
    }
    entry.finish();
    let (weekday, time, receiver) = (weekday?, time?, receiver?);
    let language = own.unwrap_or(language);
    Some(Schedule { report, weekday, time, zone, receiver, language })
}
