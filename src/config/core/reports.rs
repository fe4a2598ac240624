//! `[reports]`: reports that are sent to receivers at a fixed local time, or by the times of planned work.

use std::time::Duration;

use chrono::{NaiveTime, Weekday};

use crate::alert::{ReportKind, ReportTiming, Schedule};
use crate::config::Reader;
use crate::domain::{DAY, Zone};
use crate::text::Language;

/// Kinds of receivers that accept alerts only.
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
/// A brief is sent this long before planned work begins, and this long after it ends.
const BEFORE: Duration = Duration::from_secs(12 * 3600);
const AFTER: Duration = Duration::from_secs(2 * 3600);
const BEFORE_MAX: Duration = DAY.saturating_mul(14);
const AFTER_MAX: Duration = DAY.saturating_mul(2);

/// Reads `[reports]`. `receivers` are the names and kinds of all receivers. `zone` and `language` are the defaults of entries.
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
    let timing = match report {
        ReportKind::Weekly | ReportKind::Full => weekly(&entry),
        ReportKind::Brief => work(&entry),
    };
    let receiver = entry.text("receiver", RECEIVER);
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
    let (timing, receiver) = (timing?, receiver?);
    let language = own.unwrap_or(language);
    Some(Schedule { report, timing, zone, receiver, language })
}

/// Reads the four keys that define when a report is due. An entry has two of them.
fn times(
    entry: &Reader<'_>,
) -> (Option<Weekday>, Option<NaiveTime>, Option<Duration>, Option<Duration>) {
    let time = entry
        .parse("time", TIME, |text| NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| TIME));
    (
        entry.word("weekday", &WEEKDAYS),
        time,
        entry.length("before", Duration::ZERO..=BEFORE_MAX),
        entry.length("after", Duration::ZERO..=AFTER_MAX),
    )
}

/// When a weekly report is due.
fn weekly(entry: &Reader<'_>) -> Option<ReportTiming> {
    let (weekday, time, before, after) = times(entry);
    let words = WEEKDAYS.map(|(word, _)| word).join(", ");
    entry.missing("weekday", &format!("use {words}"));
    entry.missing("time", TIME);
    for (key, is_there) in [("before", before.is_some()), ("after", after.is_some())] {
        if is_there {
            entry.problem(key, "only a brief has it: use weekday and time".to_owned());
        }
    }
    Some(ReportTiming::Weekly { weekday: weekday?, time: time? })
}

/// When the briefs on planned work are due.
fn work(entry: &Reader<'_>) -> Option<ReportTiming> {
    let (weekday, time, before, after) = times(entry);
    for (key, is_there) in [("weekday", weekday.is_some()), ("time", time.is_some())] {
        if is_there {
            let why = "a brief is due by the times of planned work: use before and after";
            entry.problem(key, why.to_owned());
        }
    }
    let (before, after) = (before.unwrap_or(BEFORE), after.unwrap_or(AFTER));
    Some(ReportTiming::Work { before, after })
}
