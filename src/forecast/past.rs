//! What a model may know at an origin: counts, alarms, planned work, calendars.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{History, Vintage};
use crate::domain::{Name, Scope, SeriesKey, Severity, Timestamp, WindowWidth, Zone};

/// A raised alarm and, once that is known, its end.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmSpell {
    pub scope: Scope,
    pub severity: Severity,
    /// Such as `linkDown`.
    pub alarm_type: Option<Arc<str>>,
    pub device: Option<Arc<str>>,
    pub raised_at: Timestamp,
    /// Where it lies after the origin, it is not known yet: the alarm stands.
    pub cleared_at: Option<Timestamp>,
}

impl AlarmSpell {
    /// Whether the alarm is known at `now` to have been raised and not to have been cleared.
    pub fn stands_at(&self, now: Timestamp) -> bool {
        self.raised_at <= now && self.cleared_at.is_none_or(|cleared| cleared > now)
    }
}

/// Planned work; `None` in region or service means every one.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedWork {
    /// Not known before.
    pub announced_at: Timestamp,
    /// From here on it is known not to take place.
    pub cancelled_at: Option<Timestamp>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub region: Option<Name>,
    pub service: Option<Name>,
}

/// What kind of day a date is, where it is not an ordinary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// A public holiday.
    Holiday,
    /// A weekend day that is worked to make up for a holiday.
    WorkingDay,
    SchoolHoliday,
    /// Anything else that makes a day special, such as a match or a sale.
    Event,
}

/// A calendar's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    days: Vec<String>,
    #[serde(default)]
    working_days: Vec<String>,
    #[serde(default)]
    school_holidays: Vec<String>,
    #[serde(default)]
    events: Vec<String>,
}

/// Days known in advance. One date may be of several kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    days: BTreeMap<NaiveDate, Vec<DayKind>>,
}

impl Calendar {
    /// Says what a date is; once is enough.
    pub fn add(&mut self, date: NaiveDate, kind: DayKind) {
        let kinds = self.days.entry(date).or_default();
        if let Err(at) = kinds.binary_search(&kind) {
            kinds.insert(at, kind);
        }
    }

    /// Reads a list as in `models/holidays/`: `days`, and where there are any `working_days`, `school_holidays`
    /// and `events`, each of dates such as `2026-01-31`.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let lists: Lists = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let mut calendar = Self::default();
        for (kind, dates) in [
            (DayKind::Holiday, lists.days),
            (DayKind::WorkingDay, lists.working_days),
            (DayKind::SchoolHoliday, lists.school_holidays),
            (DayKind::Event, lists.events),
        ] {
            for date in dates {
                let read = NaiveDate::parse_from_str(&date, "%Y-%m-%d");
                let wrong = |_| format!("`{date}` is no date such as 2026-01-31");
                calendar.add(read.map_err(wrong)?, kind);
            }
        }
        Ok(calendar)
    }

    /// A calendar that comes with the program: `cn` or `gb`.
    pub fn shipped(name: &str) -> Option<Self> {
        let text = match name {
            "cn" => include_str!("../../models/holidays/cn.toml"),
            "gb" => include_str!("../../models/holidays/gb.toml"),
            _ => return None,
        };
        // A test reads them.
        Self::from_toml(text).ok()
    }

    /// Whether a date is of a kind.
    pub fn is(&self, date: NaiveDate, kind: DayKind) -> bool {
        self.days.get(&date).is_some_and(|kinds| kinds.contains(&kind))
    }

    /// Whether no date is special.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }
}

/// Zone and calendar of a region.
#[derive(Clone, Debug)]
pub struct Place {
    pub zone: Zone,
    pub calendar: Arc<Calendar>,
}

/// Everything a model may look at. Values after an origin may be in here (a backtest lays out the whole
/// file once); a model that reads them is wrong, and a test shifts them to find out.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    pub width: WindowWidth,
    pub series: &'a BTreeMap<SeriesKey, History>,
    /// By `raised_at`.
    pub alarms: &'a [AlarmSpell],
    pub work: &'a [PlannedWork],
    /// By region; one that is not here has `place`.
    pub places: &'a BTreeMap<Name, Place>,
    pub place: &'a Place,
}

impl Past<'_> {
    /// Zone and calendar of a series.
    pub fn place_of(&self, series: &SeriesKey) -> &Place {
        self.places.get(&series.region).unwrap_or(self.place)
    }
}

/// A way to forecast: the product's own, its members, and the peers it is measured beside.
pub trait Model: Send {
    /// As in `--model`, such as `seasonal-naive`.
    fn name(&self) -> &'static str;

    /// Learns from windows before `origin`. What is learned depends on these alone: not on earlier fits,
    /// so that a restart learns the same.
    fn fit(&mut self, past: &Past<'_>, origin: i64);

    /// One vintage a series with [`super::HORIZON`] of targets from window `origin` on, from windows before
    /// it and the last fit. Series of which nothing can be said are left out.
    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendars_that_are_shipped_can_be_read() {
        let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let cn = Calendar::shipped("cn").expect("cn");
        assert!(cn.is(date("2026-10-01"), DayKind::Holiday));
        assert!(cn.is(date("2026-10-10"), DayKind::WorkingDay));
        let gb = Calendar::shipped("gb").expect("gb");
        assert!(
            gb.is(date("2026-12-25"), DayKind::Holiday)
                && !gb.is(date("2026-12-24"), DayKind::Holiday)
        );
        assert!(Calendar::shipped("atlantis").is_none());
        assert!(Calendar::from_toml("days = [\"2026-02-30\"]").is_err());
        assert!(Calendar::from_toml("holidays = []").is_err());
    }
}
