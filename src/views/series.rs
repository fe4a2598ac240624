//! Series and their windows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{DAY, HOUR, SeriesKey, Timestamp, Zone};
use crate::store;

/// The three names of a series.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Key {
    pub region: String,
    pub service: String,
    pub channel: String,
}

impl From<&SeriesKey> for Key {
    fn from(series: &SeriesKey) -> Self {
        Self {
            region: series.region.to_string(),
            service: series.service.to_string(),
            channel: series.channel.to_string(),
        }
    }
}

impl Key {
    /// The series with these names; `_all` is allowed.
    pub fn series(&self) -> Result<SeriesKey, String> {
        SeriesKey::parse(&format!("{}/{}/{}", self.region, self.service, self.channel))
    }
}

/// A known series.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeriesInfo {
    #[serde(flatten)]
    pub key: Key,
    pub roll_up: bool,
    /// Start of the first and the last finalized window.
    pub first_window: String,
    pub last_window: String,
    /// `ok`; `new` with less than two weeks of history; `silent` if its last window is an hour behind.
    pub health: &'static str,
    pub time_zone: String,
}

/// Alarm messages of a window by severity.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AlarmCounts {
    pub critical: u32,
    pub major: u32,
    pub minor: u32,
    pub warning: u32,
    pub indeterminate: u32,
    pub cleared: u32,
    /// Active alarms at the end of the window.
    pub active: u32,
}

/// The counts of one window.
#[derive(Debug, Serialize, ToSchema)]
pub struct Window {
    pub start: String,
    pub tickets: u32,
    pub alarms: AlarmCounts,
    pub late: u32,
    pub settled: bool,
    pub revised: bool,
    pub missing: bool,
}

impl From<&store::SeriesWindow> for Window {
    fn from(w: &store::SeriesWindow) -> Self {
        let [critical, major, minor, warning, indeterminate] = w.raised;
        Self {
            start: w.start.to_string(),
            tickets: w.tickets,
            alarms: AlarmCounts {
                critical,
                major,
                minor,
                warning,
                indeterminate,
                cleared: w.cleared,
                active: w.active,
            },
            late: w.late,
            settled: w.settled,
            revised: w.revised,
            missing: w.missing,
        }
    }
}

/// Windows of one series.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeriesWindows {
    #[serde(flatten)]
    pub key: Key,
    pub windows: Vec<Window>,
}

/// A series as it is listed, where the newest window of all series starts at `newest`.
pub fn series_info(info: &store::SeriesInfo, newest: Timestamp, zone: Zone) -> SeriesInfo {
    let health = if info.last + HOUR < newest {
        "silent"
    } else if info.last.since(info.first) < DAY * 14 {
        "new"
    } else {
        "ok"
    };
    SeriesInfo {
        key: Key::from(&info.series),
        roll_up: info.series.is_roll_up(),
        first_window: info.first.to_string(),
        last_window: info.last.to_string(),
        health,
        time_zone: zone.to_string(),
    }
}
