//! The priorities of the next week, derived from the figures of a week by a rule that the report states.

use std::collections::BTreeMap;

use chrono::Datelike;

use super::extent::{Counted, most};
use super::figures::{Figures, places, shortest};
use super::intervals::hour;
use super::text::{Part, Report};
use super::wording::{accuracy, named};
use crate::domain::{HOUR, SeriesKey, Timestamp, Zone};
use crate::forecast;
use crate::store::{Reader, StoreError};
use crate::text::{Texts, args};

/// Maximum and minimum number of priorities.
const MOST: usize = 3;
const FEWEST: usize = 2;
/// Minimum number of agent hours short for a priority.
pub const SHORT_LEAST: f64 = 1.0;

/// Names of the days of a week.
pub const DAYS: [&str; 7] = [
    "report-monday",
    "report-tuesday",
    "report-wednesday",
    "report-thursday",
    "report-friday",
    "report-saturday",
    "report-sunday",
];

/// Adds two or three priorities. `missed` is the series with the most tickets among those that could reach the target and do
/// not.
pub fn list(
    reader: &Reader,
    counted: &Counted,
    figures: &Figures,
    missed: Option<&(SeriesKey, forecast::Figures)>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let texts = report.texts;
    let mut found = Vec::new();
    if figures.missing > 0 {
        found.push(texts.text("report-next-missing", args!["n" => figures.missing]));
    }
    let (unanswered, sent) = (figures.pages.unanswered(), figures.pages.sent);
    if unanswered > 0 {
        found.push(texts.text("report-next-pages", args!["n" => unanswered, "sent" => sent]));
    }
    found.extend(short(reader, counted, figures, &texts)?);
    let unwarned = figures.warned.missed();
    if !unwarned.is_empty() {
        let scopes = texts.list(places(&unwarned).into_iter().take(MOST));
        found.push(texts.text("report-next-surges", args!["scopes" => scopes]));
    }
    if let Some((series, own)) = missed {
        let args = args![
            "series" => named(&texts, series),
            "value" => accuracy(&texts, own.wape),
            "floor" => accuracy(&texts, own.wape_floor),
        ];
        found.push(texts.text("report-next-accuracy", args));
    }
    for id in ["report-next-busiest", "report-next-second"].into_iter().take(FEWEST) {
        if found.len() < FEWEST
            && let Some(text) = busiest(counted, id, &texts)
        {
            found.push(text);
        }
    }
    found.truncate(MOST);
    report.heading("report-next");
    report.parts.push(Part::List(found));
    report.say("report-next-rule", None);
    Ok(())
}

/// The weekday and hour in words.
fn slot(texts: &Texts, at: Timestamp) -> String {
    let day = texts.zone().local(at).weekday().num_days_from_monday() as usize;
    let args = args!["day" => texts.text(DAYS[day], None), "time" => texts.time(at)];
    texts.text("report-next-slot", args)
}

/// The series with the most agent hours short, and its worst hour.
fn short(
    reader: &Reader,
    counted: &Counted,
    figures: &Figures,
    texts: &Texts,
) -> Result<Option<String>, StoreError> {
    let worst = figures.staffed.as_ref().and_then(|own| shortest(own).into_iter().next());
    let Some((series, short)) = worst.filter(|(_, short)| *short >= SHORT_LEAST) else {
        return Ok(None);
    };
    let hours = f64::from(reader.width().secs()) / HOUR.as_secs_f64();
    let mut by_hour: BTreeMap<Timestamp, f64> = BTreeMap::new();
    for (_, target) in reader.staffed_between(Some(series), counted.span.0, counted.span.1)? {
        let own = by_hour.entry(hour(target.start, counted.zone())).or_default();
        *own += f64::from(target.gap.max(0)) * hours;
    }
    let at = most(by_hour.iter().map(|(at, short)| (*at, *short)));
    Ok(at.map(|(at, at_worst)| {
        let args = args![
            "series" => named(texts, series),
            "slot" => slot(texts, at),
            "worst" => texts.number(at_worst, 1),
            "n" => texts.number(short, 0),
        ];
        texts.text("report-next-short", args)
    }))
}

/// The busiest hour of the week, or of all days except its day.
fn busiest(counted: &Counted, id: &str, texts: &Texts) -> Option<String> {
    let mut hours = counted.hours();
    let mut found = counted.busiest()?;
    if id == "report-next-second" {
        let day = day(found.0, counted.zone());
        hours.retain(|at, _| self::day(*at, counted.zone()) != day);
        found = most(hours.into_iter())?;
    }
    let args = args!["slot" => slot(texts, found.0), "n" => found.1];
    Some(texts.text(id, args))
}

fn day(at: Timestamp, zone: Zone) -> u32 {
    zone.local(at).ordinal()
}
