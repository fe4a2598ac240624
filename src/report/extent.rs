//! The extent of a report: a span, and all regions and services or some of them; and the counts of that extent.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, NaiveTime};

use super::intervals::hour;
use super::week::{DAYS, Week};
use crate::alert::Alert;
use crate::domain::{DAY, MaintenanceEvent, Name, Scope, SeriesKey, Timestamp, Zone, read_instant};
use crate::store::{Filter, Reader, SeriesWindow, StoreError};
use crate::text::Texts;

/// Maximum span of a report, in days: windows and scores are kept that long.
const DAYS_MAX: u32 = 400;
/// The usual span of a report, in days.
pub const DAYS_USUAL: u32 = 28;
/// Maximum number of alerts that are read.
const ALERTS_MAX: usize = 10_000;

/// A span, and the regions and services of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Extent {
    pub zone: Zone,
    /// `None` means all.
    pub region: Option<Name>,
    pub service: Option<Name>,
    /// Start and end.
    pub span: (Timestamp, Timestamp),
    /// The UTC days with the same dates. The ledger sums scores by UTC day.
    pub days: (Timestamp, Timestamp),
    /// Days between a time and the time with which it is compared: whole weeks.
    pub back: u32,
}

impl Extent {
    /// A week of all regions and services.
    pub fn of_week(week: Week, zone: Zone) -> Self {
        let (span, days) = (week.span(zone), week.utc_days());
        Self { zone, region: None, service: None, span, days, back: DAYS }
    }

    /// A span of all regions and services.
    pub fn of_span((from, to): (Timestamp, Timestamp), zone: Zone) -> Self {
        let first = zone.local(from).date();
        let last = zone.local(to);
        let is_midnight = last.time() == NaiveTime::MIN;
        let end = last.date() + Days::new(u64::from(!is_midnight));
        let weeks = (end - first).num_days().div_euclid(i64::from(DAYS)).max(0)
            + i64::from((end - first).num_days() % i64::from(DAYS) != 0);
        let back = u32::try_from(weeks).unwrap_or(1).max(1) * DAYS;
        let utc = |day: NaiveDate| Zone::UTC.instant(day.and_time(NaiveTime::MIN));
        let days = (utc(first), utc(end));
        Self { zone, region: None, service: None, span: (from, to), days, back }
    }

    /// The same span of one region, one service, or both.
    #[must_use]
    pub fn of(self, region: Option<Name>, service: Option<Name>) -> Self {
        let given = |name: Option<Name>| name.filter(|name| !name.is_all());
        Self { region: given(region), service: given(service), ..self }
    }

    /// All series of the report together.
    pub fn total(&self) -> SeriesKey {
        let name = |name: &Option<Name>| name.clone().unwrap_or_else(Name::all);
        SeriesKey::new(name(&self.region), name(&self.service), Name::all())
    }

    /// Its regions and services, as a filter of the store.
    pub fn filter(&self) -> Filter {
        Filter { region: self.region.clone(), service: self.service.clone(), channel: None }
    }

    /// The filter of all channels together.
    pub fn places(&self) -> Filter {
        Filter { channel: Some(Name::all()), ..self.filter() }
    }

    /// Whether it reports on all regions and services.
    pub fn is_whole(&self) -> bool {
        self.region.is_none() && self.service.is_none()
    }

    /// Whether a series or roll-up belongs to its regions and services.
    pub fn admits(&self, series: &SeriesKey) -> bool {
        self.filter().admits_series(series)
    }

    /// Whether planned work touches its regions and services.
    pub fn touches(&self, work: &MaintenanceEvent) -> bool {
        self.meets(work.region.as_ref(), work.service.as_ref())
    }

    /// Whether it overlaps a region and service; `None` means all.
    pub fn meets(&self, region: Option<&Name>, service: Option<&Name>) -> bool {
        let same = |own: &Option<Name>, other: Option<&Name>| match (own, other) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        same(&self.region, region) && same(&self.service, service)
    }

    /// The same regions and services, in the previous span for comparison.
    pub fn before(&self) -> Self {
        let back = |at| self.zone.days_before(at, self.back);
        let utc = |at| Zone::UTC.days_before(at, self.back);
        let (from, to) = self.span;
        let span = (back(from), back(to));
        Self { span, days: (utc(self.days.0), utc(self.days.1)), ..self.clone() }
    }

    /// Its regions and services in words.
    pub fn words(&self, texts: &Texts) -> String {
        scope_words(texts, self.region.as_ref(), self.service.as_ref())
    }
}

/// Regions and services in words; `None` means all.
pub fn scope_words(texts: &Texts, region: Option<&Name>, service: Option<&Name>) -> String {
    let all = |id| texts.text(id, None);
    match (region, service) {
        (None, None) => all("report-full-everywhere"),
        (Some(region), Some(service)) => {
            Scope { region: region.clone(), service: service.clone() }.to_string()
        }
        (Some(region), None) => texts.parts([region.to_string(), all("name-all-services")]),
        (None, Some(service)) => texts.parts([service.to_string(), all("name-all-regions")]),
    }
}

/// The span of a full report. `from` and `to` are local days or times with their offset; `to` is not part of the span. Without
/// them: the 28 days up to the last local midnight before which all windows are finalized; `None` before the first finalized window.
///
/// # Errors [`StoreError`] if the store cannot be read; a text that says what to use instead of an invalid span.
pub fn span_of(
    reader: &Reader,
    (from, to): (Option<&str>, Option<&str>),
    zone: Zone,
) -> Result<Result<Option<(Timestamp, Timestamp)>, String>, StoreError> {
    let upto = reader.state::<i64>("next_window")?.map(Timestamp::from_millis);
    Ok(asked(from, to, upto, zone))
}

fn asked(
    from: Option<&str>,
    to: Option<&str>,
    upto: Option<Timestamp>,
    zone: Zone,
) -> Result<Option<(Timestamp, Timestamp)>, String> {
    let from = from.map(|text| instant("from", text, zone)).transpose()?;
    let to = to.map(|text| instant("to", text, zone)).transpose()?;
    let midnight = |at| zone.instant(zone.local(at).date().and_time(NaiveTime::MIN));
    let Some(to) = to.or(upto.map(midnight)) else { return Ok(None) };
    let from = from.unwrap_or_else(|| zone.days_before(to, DAYS_USUAL));
    if from >= to {
        return Err("from: use a time before `to`".into());
    }
    if to.since(from) > DAY * DAYS_MAX {
        return Err(format!("from: use at most {DAYS_MAX} days before `to`"));
    }
    Ok(Some((from, to)))
}

/// A local day or a time with its offset.
fn instant(key: &str, text: &str, zone: Zone) -> Result<Timestamp, String> {
    let wrong = || format!("{key}: {text}: use a day such as 2026-01-31, or a time in RFC 3339");
    // Years that timestamps and dates of weeks reach.
    let known = |day: &NaiveDate| (1991..2099).contains(&chrono::Datelike::year(day));
    match text.parse::<NaiveDate>() {
        Ok(day) if known(&day) => Ok(zone.instant(day.and_time(NaiveTime::MIN))),
        Ok(_) => Err(wrong()),
        Err(_) => read_instant(text).map_err(|_| wrong()),
    }
}

/// The windows of all series of a report together, and those of the span before.
pub struct Counted {
    pub extent: Extent,
    /// Start of the span, and the end of its last window with a count.
    pub span: (Timestamp, Timestamp),
    /// The same part of the previous span.
    pub span_before: (Timestamp, Timestamp),
    /// Whether windows of the span have no count yet.
    pub is_partial: bool,
    pub windows: Vec<SeriesWindow>,
    /// Empty unless the whole previous span was counted. A part of a span is not compared with a whole one.
    pub before: Vec<SeriesWindow>,
}

impl Counted {
    /// Reads the counts of a span.
    pub fn read(reader: &Reader, extent: Extent) -> Result<Self, StoreError> {
        let (from, to) = extent.span;
        let (width, total) = (reader.width(), extent.total());
        let windows = reader.series_windows(&total, from, to)?;
        let end = windows.last().map_or(from, |window| width.end(window.start)).min(to);
        let (earlier, upto) = extent.before().span;
        let before_end = extent.zone.days_before(end, extent.back).min(upto);
        let same_part = if end < to { before_end } else { upto };
        let mut before = reader.series_windows(&total, earlier, upto)?;
        let is_whole = before.len() as i64 >= width.index(upto) - width.index(earlier);
        before.retain(|window| is_whole && window.start < same_part);
        Ok(Self {
            span: (from, end),
            span_before: (earlier, same_part),
            is_partial: end < to,
            windows,
            before,
            extent,
        })
    }

    /// The zone of its days.
    pub fn zone(&self) -> Zone {
        self.extent.zone
    }

    /// Tickets by local hour.
    pub fn hours(&self) -> BTreeMap<Timestamp, f64> {
        let mut hours: BTreeMap<Timestamp, f64> = BTreeMap::new();
        for window in &self.windows {
            *hours.entry(hour(window.start, self.zone())).or_default() += f64::from(window.tickets);
        }
        hours
    }

    /// The hour with the most tickets.
    pub fn busiest(&self) -> Option<(Timestamp, f64)> {
        most(self.hours().into_iter())
    }

    /// Windows in which a source did not report.
    pub fn missing(&self) -> u32 {
        self.windows.iter().map(|window| u32::from(window.missing)).sum()
    }
}

/// All tickets of windows.
pub fn tickets(windows: &[SeriesWindow]) -> u64 {
    windows.iter().map(|window| u64::from(window.tickets)).sum()
}

/// The largest value, with its time; of equal values the first.
pub fn most(all: impl Iterator<Item = (Timestamp, f64)>) -> Option<(Timestamp, f64)> {
    all.filter(|(_, value)| *value > 0.0)
        .reduce(|best, own| if own.1 > best.1 { own } else { best })
}

/// Alerts of missing agents that began in a span, oldest first.
pub fn alerts(
    reader: &Reader,
    filter: &Filter,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Alert>, StoreError> {
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = reader.alerts(filter, false, 500, after.as_deref())?;
        let Some(last) = page.last() else { break };
        let done = last.since < from || found.len() >= ALERTS_MAX;
        after = Some(last.id.clone());
        let is_meant = |alert: &Alert| alert.finding.is_none() && (from..to).contains(&alert.since);
        found.extend(page.into_iter().filter(is_meant));
        if done {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn a_span_is_compared_with_the_same_weekdays_before() {
        let zone: Zone = "Asia/Shanghai".parse().expect("a zone");
        let cases = [
            ("2026-03-02", "2026-03-09", 7, "2026-02-23", "2026-03-02"),
            ("2026-03-02", "2026-03-05", 7, "2026-02-23", "2026-02-26"),
            ("2026-03-02", "2026-03-10", 14, "2026-02-16", "2026-02-24"),
            ("2026-03-02", "2026-03-30", 28, "2026-02-02", "2026-03-02"),
        ];
        for (from, to, back, earlier, upto) in cases {
            let day = |text| instant("from", text, zone).expect("a day");
            let extent = Extent::of_span((day(from), day(to)), zone);
            assert_eq!(extent.back, back, "{from} {to}");
            assert_eq!(extent.before().span, (day(earlier), day(upto)), "{from} {to}");
            let utc = |text: &str| at(&format!("{text}T00:00:00Z"));
            assert_eq!(extent.days, (utc(from), utc(to)));
            assert_eq!(extent.before().days, (utc(earlier), utc(upto)));
        }
        let part = Extent::of_span((at("2026-03-01T20:00:00Z"), at("2026-03-02T04:00:00Z")), zone);
        assert_eq!(part.days, (at("2026-03-02T00:00:00Z"), at("2026-03-03T00:00:00Z")));
        let week: Week = "2026-W10".parse().expect("a week");
        let weekly = Extent::of_week(week, zone);
        assert_eq!(Extent::of_span(weekly.span, zone), weekly);
    }

    #[test]
    fn spans_that_cannot_be_say_what_to_use() {
        let zone: Zone = "Asia/Shanghai".parse().expect("a zone");
        let upto = Some(at("2026-03-09T20:10:00Z"));
        let usual = asked(None, None, upto, zone).expect("a span");
        assert_eq!(usual, Some((at("2026-02-09T16:00:00Z"), at("2026-03-09T16:00:00Z"))));
        assert_eq!(asked(None, None, None, zone), Ok(None));
        let day = asked(Some("2026-03-02"), Some("2026-03-03T00:00:00Z"), None, zone);
        assert_eq!(day, Ok(Some((at("2026-03-01T16:00:00Z"), at("2026-03-03T00:00:00Z")))));
        for (from, to, why) in [
            ("2026-03-03", "2026-03-02", "from: use a time before `to`"),
            ("2024-03-03", "2026-03-02", "from: use at most 400 days before `to`"),
            ("9999-01-01", "2026-03-02", "from: 9999-01-01: use a day"),
            ("2026-03-02T10:00", "2026-03-02", "from: 2026-03-02T10:00: use a day"),
            ("2026-03-02", "soon", "to: soon: use a day"),
        ] {
            let found = asked(Some(from), Some(to), upto, zone).expect_err(from);
            assert!(found.starts_with(why), "{from}: {found}");
        }
    }
}
