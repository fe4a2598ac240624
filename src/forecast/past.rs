//! Input of a model: counts, alarms, planned work, calendars.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{History, Vintage};
use crate::domain::{Name, Scope, SeriesKey, Severity, Timestamp, WindowWidth, Zone};

/// An alarm from its raise to its clear.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmSpell {
    pub scope: Scope,
    pub severity: Severity,
    /// The type, such as `linkDown`.
    pub alarm_type: Option<Arc<str>>,
    pub device: Option<Arc<str>>,
    pub raised_at: Timestamp,
    /// The time of the clear. If it is after the origin, it is not known yet: the alarm is active.
    pub cleared_at: Option<Timestamp>,
}

impl AlarmSpell {
    /// Whether the alarm is active at `now`.
    pub fn is_active_at(&self, now: Timestamp) -> bool {
        self.raised_at <= now && self.cleared_at.is_none_or(|cleared| cleared > now)
    }
}

/// Planned work; `None` as region or service means all.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedWork {
    /// When the work becomes known.
    pub announced_at: Timestamp,
    /// When its cancellation becomes known.
    pub cancelled_at: Option<Timestamp>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub region: Option<Name>,
    pub service: Option<Name>,
}

/// Kind of a special day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// A public holiday.
    Holiday,
    /// A weekend day on which people work to make up for a holiday.
    WorkingDay,
    SchoolHoliday,
    /// Any other event, such as a match or a sale.
    Event,
}

/// The format of a calendar file.
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

/// Special days known in advance. A date may have several kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    days: BTreeMap<NaiveDate, Vec<DayKind>>,
}

impl Calendar {
    /// Adds a kind to a date; repeating it has no effect.
    pub fn add(&mut self, date: NaiveDate, kind: DayKind) {
        let kinds = self.days.entry(date).or_default();
        if let Err(at) = kinds.binary_search(&kind) {
            kinds.insert(at, kind);
        }
    }

    /// Reads a file such as those in `models/holidays/`: `days` and optional `working_days`, `school_holidays` and `events`,
    /// each a list of dates such as `2026-01-31`.
    ///
    /// # Errors
    /// A text that names the wrong key or date.
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
                let wrong = |_| format!("`{date}` is not a date such as 2026-01-31");
                calendar.add(read.map_err(wrong)?, kind);
            }
        }
        Ok(calendar)
    }

    /// A calendar included in the program: `cn` or `gb`.
    pub fn shipped(name: &str) -> Option<Self> {
        let text = match name {
            "cn" => include_str!("../../models/holidays/cn.toml"),
            "gb" => include_str!("../../models/holidays/gb.toml"),
            _ => return None,
        };
        // A test parses both.
        Self::from_toml(text).ok()
    }

    /// Whether a date has a kind.
    pub fn is(&self, date: NaiveDate, kind: DayKind) -> bool {
        self.days.get(&date).is_some_and(|kinds| kinds.contains(&kind))
    }

    /// Whether the calendar has no special days.
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

/// Everything a model may read. It may contain values after an origin, because a backtest loads the whole file once. A model
/// must not read these values; `backtest::shift` checks this.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    pub width: WindowWidth,
    pub series: &'a BTreeMap<SeriesKey, History>,
    /// Spells in order of `raised_at`.
    pub alarms: &'a [AlarmSpell],
    pub work: &'a [PlannedWork],
    /// Places by region; all other regions have `place`.
    pub places: &'a BTreeMap<Name, Place>,
    pub place: &'a Place,
}

impl Past<'_> {
    /// Zone and calendar of a series.
    pub fn place_of(&self, series: &SeriesKey) -> &Place {
        self.places.get(&series.region).unwrap_or(self.place)
    }
}

/// A forecasting model: the product's own, its parts, and peers for comparison.
pub trait Model: Send {
    /// Name for `--model`, such as `seasonal-naive`.
    fn name(&self) -> &'static str;

    /// Learns from windows before `origin`. The fit depends only on these windows and not on earlier fits, so that a restart
    /// learns the same.
    fn fit(&mut self, past: &Past<'_>, origin: i64);

    /// One vintage per series with forecast points over [`super::HORIZON`] from window `origin` on, from windows before `origin`
    /// and the last fit. Series that cannot be forecast are left out.
    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn included_calendars_can_be_read() {
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
