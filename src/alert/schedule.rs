//! Reports that are sent at a fixed local time. Each is a notification of its own kind, so that the outbox, retries and resending
//! are those of pages.

use chrono::{Datelike as _, Days, NaiveTime, Weekday};
use serde::{Deserialize, Serialize};

use super::book::report_alert;
use super::{Notification, NotificationKind};
use crate::domain::{DAY, Timestamp, Zone};
use crate::text::Language;

/// Days between two reports.
const WEEK_DAYS: u64 = 7;
/// After this a report is not sent any more.
const USEFUL_DAYS: u32 = 21;

/// A report that can be scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// The report of the week before.
    Weekly,
    /// The full report of the four weeks before.
    Full,
}

/// One entry of `[[reports.schedule]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub report: ReportKind,
    pub weekday: Weekday,
    pub time: NaiveTime,
    pub zone: Zone,
    pub receiver: String,
    pub language: Language,
}

/// A report that was due at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DueReport {
    pub report: ReportKind,
    pub due: Timestamp,
    pub zone: Zone,
    pub language: Language,
}

/// A report as receivers get it. It is written when it is sent.
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
    /// Every report, by its word in configs.
    pub const WORDS: [(&'static str, Self); 2] = [("weekly", Self::Weekly), ("full", Self::Full)];

    fn word(self) -> &'static str {
        match self {
            Self::Weekly => "weekly",
            Self::Full => "full",
        }
    }
}

impl Schedule {
    /// The report that was due last at `now`.
    pub fn last_due(&self, now: Timestamp) -> DueReport {
        let today = self.zone.local(now).date();
        let days = |day: Weekday| u64::from(day.num_days_from_monday());
        let back = (WEEK_DAYS + days(today.weekday()) - days(self.weekday)) % WEEK_DAYS;
        let on = |back: u64| {
            let day = today.checked_sub_days(Days::new(back)).unwrap_or(today);
            self.zone.instant(day.and_time(self.time))
        };
        let due = if on(back) <= now { on(back) } else { on(back + WEEK_DAYS) };
        let Self { report, zone, language, .. } = *self;
        DueReport { report, due, zone, language }
    }
}

impl DueReport {
    /// End of the weeks that it reports on: the local midnight before the Monday of its week.
    pub fn covers_upto(&self) -> Timestamp {
        let day = self.zone.local(self.due).date();
        let back = Days::new(u64::from(day.weekday().num_days_from_monday()));
        let monday = day.checked_sub_days(back).unwrap_or(day);
        self.zone.instant(monday.and_time(NaiveTime::MIN))
    }

    /// Its notification. The same report has the same id.
    pub fn page(&self) -> Notification {
        let id = format!("report.{}.{}.{}", self.report.word(), self.due.secs(), self.language);
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
        let is_report = page.kind == NotificationKind::Report && first == "report";
        let (due, zone) = (page.alert.since, page.alert.zone);
        is_report.then_some(Self { report, due, zone, language })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_due_once_a_week_at_its_local_time() {
        let schedule = |zone: &str| Schedule {
            report: ReportKind::Weekly,
            weekday: Weekday::Mon,
            time: NaiveTime::from_hms_opt(7, 30, 0).expect("a time"),
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
            let report = schedule(zone).last_due(at(now));
            assert_eq!(report.due, at(due), "{zone} {now}");
            assert_eq!(DueReport::of(&report.page()), Some(report));
            assert!(report.covers_upto() <= report.due);
        }
        let report = schedule("Asia/Shanghai").last_due(at("2026-11-09T00:00:00Z"));
        assert_eq!(report.covers_upto(), at("2026-11-08T16:00:00Z"));
        assert_eq!(report.page().id, "report.weekly.1794180600.zh.due");
        let full = DueReport { report: ReportKind::Full, ..report };
        assert_eq!(full.page().id, "report.full.1794180600.zh.due");
        assert_eq!(DueReport::of(&full.page()), Some(full));
    }
}
