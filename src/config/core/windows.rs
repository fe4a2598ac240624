//! `[windows]` and `[regions.NAME]`: width and lateness, time zones and holidays.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Reader;
use crate::domain::{DAY, MINUTE, Name, WindowWidth, Zone, format_duration, parse_duration};
use crate::forecast::Calendar;

/// `[windows]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Width of all windows.
    pub width: WindowWidth,
    /// Time for which a window waits for late events.
    pub lateness: Duration,
    /// Largest difference by which an event time may be later than its arrival; at most `lateness`.
    pub max_future_skew: Duration,
    /// Time zone of regions without their own.
    pub time_zone: Zone,
    /// Time zone of event times without an offset.
    pub event_time_zone: Zone,
    /// Holidays of regions without their own.
    pub calendar: Arc<Calendar>,
}

impl Windows {
    /// Reads the section.
    pub fn read(section: Reader<'_>) -> Self {
        let allowed = "use 5m, 10m, 15m, 30m or 1h";
        let width = section.parse("width", allowed, |text| {
            let length = parse_duration(text).map_err(|e| e.to_string())?;
            WindowWidth::new(length).map_err(|_| allowed.to_owned())
        });
        let lateness = section.length("lateness", Duration::ZERO..=DAY).unwrap_or(10 * MINUTE);
        let skew = section.length("max_future_skew", Duration::ZERO..=DAY);
        if let Some(skew) = skew.filter(|skew| *skew > lateness) {
            let text = format!(
                "found `{}`, more than windows.lateness ({}): use at most windows.lateness",
                format_duration(skew),
                format_duration(lateness)
            );
            section.problem("max_future_skew", text);
        }
        let time_zone = zone(&section, "time_zone").unwrap_or(Zone::UTC);
        let windows = Self {
            width: width.unwrap_or(WindowWidth::QUARTER),
            lateness,
            max_future_skew: skew.unwrap_or((5 * MINUTE).min(lateness)),
            time_zone,
            event_time_zone: zone(&section, "event_time_zone").unwrap_or(time_zone),
            calendar: calendar(&section).unwrap_or_default(),
        };
        section.finish();
        windows
    }
}

/// `[regions.NAME]`: settings by region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    /// Time zones.
    pub zones: BTreeMap<Name, Zone>,
    /// Holidays.
    pub calendars: BTreeMap<Name, Arc<Calendar>>,
}

impl Regions {
    /// Reads the tables under `regions`.
    pub fn read(root: &Reader<'_>) -> Self {
        let mut regions = Self::default();
        for (name, section) in root.named("regions") {
            let (zone, calendar) = (zone(&section, "time_zone"), calendar(&section));
            // Read by `staffing`.
            section.has("staffing");
            if let Some(name) = name {
                regions.zones.extend(zone.map(|zone| (name.clone(), zone)));
                regions.calendars.extend(calendar.map(|calendar| (name, calendar)));
            }
            section.finish();
        }
        regions
    }
}

/// `holidays`: a built-in calendar or a file.
fn calendar(section: &Reader<'_>) -> Option<Arc<Calendar>> {
    let name = section.text("holidays", "use cn, gb or a file like models/holidays/gb.toml")?;
    if let Some(shipped) = Calendar::shipped(&name) {
        return Some(Arc::new(shipped));
    }
    let (path, text) = section.file("holidays")?;
    match Calendar::from_toml(&text) {
        Ok(calendar) => Some(Arc::new(calendar)),
        Err(error) => {
            section.problem("holidays", format!("{}: {error}", path.display()));
            None
        }
    }
}

/// A time zone.
pub(super) fn zone(section: &Reader<'_>, key: &'static str) -> Option<Zone> {
    section.parse(key, "use an IANA time zone such as Asia/Shanghai", str::parse)
}
