//! Reports that are sent at a fixed local time, or by the times of planned work. Each is a notification of its own kind, so that
//! the outbox, retries and resending are those of pages.

use std::time::Duration;

use chrono::{Datelike as _, Days, NaiveTime, Weekday};
use serde::{Deserialize, Serialize};

use super::book::report_alert;
use super::{Notification, NotificationKind};
use crate::domain::{DAY, MaintenanceAction, MaintenanceEvent, Timestamp, Zone};
use crate::text::Language;

/// Days between two reports.
const WEEK_DAYS: u64 = 7;
/// A report is not sent any more after this many days.
const USEFUL_DAYS: u32 = 21;
/// Added to the end of a span, so that work that begins exactly at the end is included.
const ONE_SECOND: Duration = Duration::from_secs(1);

/// A report that can be scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// The report of the week before.
    Weekly,
    /// The full report of the four weeks before.
    Full,
    /// The brief for the call team on planned work.
    Brief,
}

/// When a report is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReportTiming {
    /// Every week.
    Weekly { weekday: Weekday, time: NaiveTime },
    /// This long before planned work begins, and this long after it ends.
    Work { before: Duration, after: Duration },
}

/// Which of the two briefs on planned work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BriefTime {
    Before,
    After,
}

/// The planned work of a brief.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BriefedWork {
    /// Its `event_id`.
    pub id: Box<str>,
    pub time: BriefTime,
}

/// One entry of `[[reports.schedule]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub report: ReportKind,
    pub timing: ReportTiming,
    /// The zone of weekdays and times of day.
    pub zone: Zone,
    pub receiver: String,
    pub language: Language,
}

/// A report that was due at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DueReport {
    pub report: ReportKind,
    pub due: Timestamp,
    pub zone: Zone,
    pub language: Language,
    /// The work of a brief.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<BriefedWork>,
}

/// A report as receivers get it. Its text is written when it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportText {
    pub title: String,
    /// Markdown, without the title.
    pub text: String,
    pub html: String,
    /// Its address in the API, below the public URL.
    pub path: String,
}

impl ReportKind {
    /// All kinds of reports, by their names in the configuration.
    pub const WORDS: [(&'static str, Self); 3] =
        [("weekly", Self::Weekly), ("full", Self::Full), ("brief", Self::Brief)];

    fn word(self) -> &'static str {
        match self {
            Self::Weekly => "weekly",
            Self::Full => "full",
            Self::Brief => "brief",
        }
    }
}

impl BriefTime {
    fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

impl Schedule {
    /// The newest report that was due at or before `now`; `None` for a report that is due by the times of planned work.
    pub fn last_due(&self, now: Timestamp) -> Option<DueReport> {
        let ReportTiming::Weekly { weekday, time } = self.timing else { return None };
        let today = self.zone.local(now).date();
        let days = |day: Weekday| u64::from(day.num_days_from_monday());
        let back = (WEEK_DAYS + days(today.weekday()) - days(weekday)) % WEEK_DAYS;
        let on = |back: u64| {
            let day = today.checked_sub_days(Days::new(back)).unwrap_or(today);
            self.zone.instant(day.and_time(time))
        };
        let due = if on(back) <= now { on(back) } else { on(back + WEEK_DAYS) };
        let Self { report, zone, language, .. } = *self;
        Some(DueReport { report, due, zone, language, work: None })
    }

    /// The briefs on planned work that are due at `now`, with times in `zone`. The brief before the work is due until the work
    /// begins, the brief after the work for a day. If the work is moved, there are new briefs.
    pub fn briefs(&self, work: &MaintenanceEvent, zone: Zone, now: Timestamp) -> Vec<DueReport> {
        let ReportTiming::Work { before, after } = self.timing else { return Vec::new() };
        if work.action == MaintenanceAction::Cancel {
            return Vec::new();
        }
        let times = [
            (BriefTime::Before, work.starts_at - before, work.starts_at),
            (BriefTime::After, work.ends_at + after, work.ends_at + after + DAY),
        ];
        let due = times.into_iter().filter(|(_, due, until)| *due <= now && now < *until);
        let report = |(time, due, _)| DueReport {
            report: self.report,
            due,
            zone,
            language: self.language,
            work: Some(BriefedWork { id: work.event_id.clone(), time }),
        };
        due.map(report).collect()
    }

    /// The span in which planned work may have a brief that is due at `now`.
    pub fn work_span(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        match self.timing {
            ReportTiming::Weekly { .. } => None,
            ReportTiming::Work { before, after } => {
                Some((now - after - DAY, now + before + ONE_SECOND))
            }
        }
    }
}

impl DueReport {
    /// Windows that end up to this time have to be finalized first. For weekly and full reports, it is the local midnight at the start
    /// of the Monday of its week. For a brief after the work, it is the time at which it is due; a brief before the work waits for none.
    pub fn covers_upto(&self) -> Timestamp {
        match &self.work {
            Some(BriefedWork { time: BriefTime::Before, .. }) => return Timestamp::MIN,
            Some(BriefedWork { time: BriefTime::After, .. }) => return self.due,
            None => {}
        }
        let day = self.zone.local(self.due).date();
        let back = Days::new(u64::from(day.weekday().num_days_from_monday()));
        let monday = day.checked_sub_days(back).unwrap_or(day);
        self.zone.instant(monday.and_time(NaiveTime::MIN))
    }

    /// The notification of the report. The same report always gets the same id.
    pub fn page(&self) -> Notification {
        let mut id = format!("report.{}.{}.{}", self.report.word(), self.due.secs(), self.language);
        if let Some(BriefedWork { id: work, time }) = &self.work {
            id += &format!(".{}.{}", time.word(), escaped(work));
        }
        let alert = report_alert(id, self.zone, self.due, self.due + DAY * USEFUL_DAYS);
        let id = format!("{}.due", alert.id);
        Notification { id, kind: NotificationKind::Report, alert, report: None }
    }

    /// The report of a notification; `None` if it is a page.
    pub fn of(page: &Notification) -> Option<Self> {
        let mut parts = page.id.split('.');
        let (first, word) = (parts.next()?, parts.next()?);
        let (_, report) = ReportKind::WORDS.into_iter().find(|(known, _)| *known == word)?;
        let language = parts.nth(1)?.parse().ok()?;
        let work = match report {
            ReportKind::Brief => {
                let word = parts.next()?;
                let times = [BriefTime::Before, BriefTime::After];
                let time = times.into_iter().find(|time| time.word() == word)?;
                Some(BriefedWork { id: unescaped(parts.next()?)?.into(), time })
            }
            ReportKind::Weekly | ReportKind::Full => None,
        };
        let is_report = page.kind == NotificationKind::Report && first == "report";
        let (due, zone) = (page.alert.since, page.alert.zone);
        is_report.then_some(Self { report, due, zone, language, work })
    }
}

/// A text as part of an id: letters, digits and `-` of ASCII; other bytes as `_` and two hexadecimal digits.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' => char::from(byte).to_string(),
        other => format!("_{other:02x}"),
    };
    text.bytes().map(byte).collect()
}

/// The inverse of [`escaped`].
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'_' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_due_once_a_week_at_its_local_time() {
        let schedule = |zone: &str| Schedule {
            report: ReportKind::Weekly,
            timing: ReportTiming::Weekly {
                weekday: Weekday::Mon,
                time: NaiveTime::from_hms_opt(7, 30, 0).expect("a time"),
            },
            zone: zone.parse().expect("a zone"),
            receiver: "planner".into(),
            language: Language::Zh,
        };
        let cases = [
            ("Asia/Shanghai", "2026-11-08T23:29:59Z", "2026-11-01T23:30:00Z"),
            ("Asia/Shanghai", "2026-11-08T23:30:00Z", "2026-11-08T23:30:00Z"),
            ("Asia/Shanghai", "2026-11-15T23:29:00Z", "2026-11-08T23:30:00Z"),
            // Clocks go forward on 29 March.
            ("Europe/London", "2026-03-29T12:00:00Z", "2026-03-23T07:30:00Z"),
            ("Europe/London", "2026-03-30T06:30:00Z", "2026-03-30T06:30:00Z"),
        ];
        let at = |text| Timestamp::parse(text).expect("a time");
        for (zone, now, due) in cases {
            let report = schedule(zone).last_due(at(now)).expect("a report");
            assert_eq!(report.due, at(due), "{zone} {now}");
            assert_eq!(DueReport::of(&report.page()), Some(report.clone()));
            assert!(report.covers_upto() <= report.due);
        }
        let report = schedule("Asia/Shanghai").last_due(at("2026-11-09T00:00:00Z"));
        let report = report.expect("a report");
        assert_eq!(report.covers_upto(), at("2026-11-08T16:00:00Z"));
        assert_eq!(report.page().id, "report.weekly.1794180600.zh.due");
        let full = DueReport { report: ReportKind::Full, ..report };
        assert_eq!(full.page().id, "report.full.1794180600.zh.due");
        assert_eq!(DueReport::of(&full.page()), Some(full));
    }

    fn work(id: &str) -> MaintenanceEvent {
        let at = |text| Timestamp::parse(text).expect("a time");
        MaintenanceEvent {
            event_id: id.into(),
            action: MaintenanceAction::Plan,
            ts: at("2026-03-01T00:00:00Z"),
            starts_at: at("2026-03-10T22:00:00Z"),
            ends_at: at("2026-03-11T02:00:00Z"),
            region: None,
            service: None,
            impact: None,
            text: None,
        }
    }

    #[test]
    fn a_brief_is_due_before_and_after_the_work() {
        let schedule = Schedule {
            report: ReportKind::Brief,
            timing: ReportTiming::Work {
                before: Duration::from_secs(12 * 3600),
                after: Duration::from_secs(2 * 3600),
            },
            zone: Zone::UTC,
            receiver: "calls".into(),
            language: Language::En,
        };
        let at = |text| Timestamp::parse(text).expect("a time");
        let cases: [(&str, Option<BriefTime>); 8] = [
            ("2026-03-10T09:59:59Z", None),
            ("2026-03-10T10:00:00Z", Some(BriefTime::Before)),
            ("2026-03-10T21:59:59Z", Some(BriefTime::Before)),
            ("2026-03-10T22:00:00Z", None),
            ("2026-03-11T03:59:59Z", None),
            ("2026-03-11T04:00:00Z", Some(BriefTime::After)),
            ("2026-03-12T03:59:59Z", Some(BriefTime::After)),
            ("2026-03-12T04:00:00Z", None),
        ];
        let zone = "Asia/Shanghai".parse().expect("a zone");
        for (now, expected) in cases {
            for id in ["CHG-1", "w/1 <b>.x_y", "割接一号"] {
                let (work, now) = (work(id), at(now));
                let found = schedule.briefs(&work, zone, now);
                let times: Vec<BriefTime> = found
                    .iter()
                    .filter_map(|report| report.work.as_ref().map(|work| work.time))
                    .collect();
                assert_eq!(times, expected.into_iter().collect::<Vec<_>>(), "{now}");
                let (from, to) = schedule.work_span(now).expect("a span");
                assert!(found.is_empty() || work.ends_at > from && work.starts_at < to);
                for report in found {
                    let page = report.page();
                    assert_eq!(DueReport::of(&page), Some(report.clone()), "{}", page.id);
                    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
                    assert!(page.id.chars().all(is_plain), "{}", page.id);
                }
            }
            let cancelled = MaintenanceEvent { action: MaintenanceAction::Cancel, ..work("CHG-1") };
            assert!(schedule.briefs(&cancelled, zone, at(now)).is_empty());
        }
        let first = schedule.briefs(&work("CHG-1"), zone, at("2026-03-10T10:00:00Z")).remove(0);
        assert_eq!(first.page().id, "report.brief.1773136800.en.before.CHG-1.due");
        let moved = MaintenanceEvent { starts_at: at("2026-03-10T23:00:00Z"), ..work("CHG-1") };
        let second = schedule.briefs(&moved, zone, at("2026-03-10T11:00:00Z")).remove(0);
        assert_ne!(first.page().id, second.page().id, "work that was moved has a new brief");
    }

    #[test]
    fn no_id_of_a_brief_stands_for_two() {
        for text in ["", "_5f", "a_", "ü", "_", "é\u{301}"] {
            assert_eq!(unescaped(&escaped(text)).as_deref(), Some(text));
        }
        for wrong in ["_", "_4", "_zz", "_ff", "_+1"] {
            assert_eq!(unescaped(wrong), None, "{wrong}");
        }
    }
}
