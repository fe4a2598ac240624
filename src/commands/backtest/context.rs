//! Context of the counts: special days, alarms, planned work.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;

use super::args::BacktestArgs;
use super::counts::Counts;
use super::moments;
use super::table::{Row, Table};
use crate::commands::usage::UsageError;
use crate::domain::{Name, Scope, SeriesKey, Severity, Timestamp, Zone};
use crate::forecast::{AlarmSpell, Calendar, DayKind, Past, Place, PlannedWork};
use crate::ingest::{Perceived, severity};

/// Maximum number of rows of a context file.
const ROWS_MAX: usize = 1_000_000;

/// The contents of `--calendar`, `--alarms` and `--maintenance`.
pub struct Context {
    place: Place,
    places: BTreeMap<Name, Place>,
    alarms: Vec<AlarmSpell>,
    work: Vec<PlannedWork>,
    /// Special days that the calendar names.
    dates: Vec<NaiveDate>,
}

impl Context {
    /// Reads the files that the arguments name. `shift` is added to all times, like to the times of the counts.
    ///
    /// # Errors
    /// [`UsageError`] with file and line.
    pub fn read(
        args: &BacktestArgs,
        zone: Zone,
        shift: Duration,
        notes: &mut Vec<String>,
    ) -> Result<Self, UsageError> {
        let (mut calendar, mut dates) = (Calendar::default(), Vec::new());
        if let Some(path) = &args.calendar {
            for (date, kind) in rows(path, &["date", "kind"], &["detail"], notes, special_day)? {
                calendar.add(date, kind);
                dates.push(date);
            }
        }
        let clock = Clock { zone, shift };
        let words = RefCell::new(BTreeSet::new());
        let mut alarms = match &args.alarms {
            Some(path) => {
                let required = ["raised_at", "cleared_at", "region", "service", "severity"];
                rows(path, &required, &["device", "type"], notes, |row| alarm(row, clock, &words))?
            }
            None => Vec::new(),
        };
        alarms.sort_by_key(|alarm| alarm.raised_at);
        if let (Some(path), words) = (&args.alarms, words.into_inner())
            && !words.is_empty()
        {
            let words: Vec<String> = words.into_iter().collect();
            let (file, words) = (path.display(), words.join(", "));
            notes.push(format!(
                "{file}: severities that are not known count as indeterminate: {words}"
            ));
        }
        let work = match &args.maintenance {
            Some(path) => {
                let required = ["announced_at", "starts_at", "ends_at", "region", "service"];
                rows(path, &required, &[], notes, |row| planned_work(row, clock))?
            }
            None => Vec::new(),
        };
        let place = Place { zone, calendar: Arc::new(calendar) };
        Ok(Self { place, places: BTreeMap::new(), alarms, work, dates })
    }

    /// Adds a note for each file that applies to these counts only in part or not at all. Otherwise nobody would notice that a
    /// file does not match.
    pub fn concerns(&self, args: &BacktestArgs, counts: &Counts, notes: &mut Vec<String>) {
        let names = "name series region/service/channel so that alarms and work apply";
        // Many alarms share few scopes, so compare each scope once.
        let mut alarms: BTreeMap<&Scope, usize> = BTreeMap::new();
        self.alarms.iter().for_each(|alarm| *alarms.entry(&alarm.scope).or_default() += 1);
        let touched = |scope: &Scope| counts.series.keys().any(|key| scope.touches(key));
        let applying = alarms.iter().filter(|(scope, _)| touched(scope)).map(|(_, n)| n).sum();
        let scopes: BTreeSet<Scope> = counts.series.keys().map(SeriesKey::scope).collect();
        let is_anywhere = |work: &&PlannedWork| scopes.iter().any(|scope| work.covers(scope));
        let planned = self.work.iter().filter(is_anywhere).count();
        let zone = self.place.zone;
        let ends = counts.series.values();
        let spans = ends.map(|h| (counts.start(h.first), counts.start(h.end())));
        let spans: Vec<_> =
            spans.map(|(a, b)| (zone.local(a).date(), zone.local(b).date())).collect();
        let within = |date: &&NaiveDate| spans.iter().any(|(a, b)| a <= *date && *date <= b);
        let days = self.dates.iter().filter(within).count();
        for (path, what, of, all, hint) in [
            (&args.alarms, "alarms apply to a series", applying, self.alarms.len(), names),
            (&args.maintenance, "rows of work apply to a series", planned, self.work.len(), names),
            (
                &args.calendar,
                "days lie within the counts",
                days,
                self.dates.len(),
                "is the calendar of another year?",
            ),
        ] {
            let Some(path) = path.as_ref().filter(|_| of == 0 || of < all) else { continue };
            let hint = if of == 0 && all > 0 { format!("; {hint}") } else { String::new() };
            notes.push(format!("{}: {of} of {all} {what}{hint}", path.display()));
        }
    }

    /// Everything that a model may read.
    pub fn past<'a>(&'a self, counts: &'a Counts) -> Past<'a> {
        Past {
            width: counts.width,
            series: &counts.series,
            alarms: &self.alarms,
            work: &self.work,
            places: &self.places,
            place: &self.place,
        }
    }
}

/// Reads a whole file, row by row.
fn rows<T>(
    path: &Path,
    required: &[&str],
    optional: &[&str],
    notes: &mut Vec<String>,
    read: impl Fn(&Row<'_>) -> Result<T, UsageError>,
) -> Result<Vec<T>, UsageError> {
    let mut table = Table::open(path, required, optional)?;
    if !table.ignored.is_empty() {
        notes.push(format!("{}: columns not used: {}", path.display(), table.ignored.join(", ")));
    }
    let mut found = Vec::new();
    while let Some(row) = table.next()? {
        if found.len() == ROWS_MAX {
            return Err(row.error(format!("more than {ROWS_MAX} rows")));
        }
        found.push(read(&row)?);
    }
    Ok(found)
}

fn special_day(row: &Row<'_>) -> Result<(NaiveDate, DayKind), UsageError> {
    let date = NaiveDate::parse_from_str(row.get(0), "%Y-%m-%d")
        .map_err(|_| row.error(format!("date `{}`: use one such as 2026-12-25", row.get(0))))?;
    let kind = match row.get(1) {
        "" => {
            return Err(
                row.error("kind is empty: use bank_holiday, school_holiday, working_day or event")
            );
        }
        "bank_holiday" | "public_holiday" | "holiday" => DayKind::Holiday,
        "school_holiday" => DayKind::SchoolHoliday,
        "working_day" => DayKind::WorkingDay,
        _ => DayKind::Event,
    };
    Ok((date, kind))
}

/// How the times of a file are read.
#[derive(Clone, Copy)]
struct Clock {
    zone: Zone,
    shift: Duration,
}

/// A time; `None` where the field is empty.
fn time(row: &Row<'_>, column: usize, clock: Clock) -> Result<Option<Timestamp>, UsageError> {
    let text = row.get(column);
    if text.is_empty() {
        return Ok(None);
    }
    let at = moments::parse(text, clock.zone).map_err(|text| row.error(text))?;
    Ok(Some(at + clock.shift))
}

fn needed(row: &Row<'_>, column: usize, name: &str, clock: Clock) -> Result<Timestamp, UsageError> {
    time(row, column, clock)?.ok_or_else(|| row.error(format!("{name} is empty: use a time")))
}

fn name(row: &Row<'_>, column: usize, what: &str) -> Result<Name, UsageError> {
    Name::new(row.get(column)).map_err(|e| row.error(format!("{what} `{}` {e}", row.get(column))))
}

/// Maximum number of unknown severities that a note names.
const WORDS_MAX: usize = 8;

fn alarm(
    row: &Row<'_>,
    clock: Clock,
    words: &RefCell<BTreeSet<String>>,
) -> Result<AlarmSpell, UsageError> {
    let severity = match severity(row.get(4)) {
        Some(Perceived::Active(severity)) => severity,
        Some(Perceived::Cleared) | None => {
            let mut words = words.borrow_mut();
            if words.len() < WORDS_MAX {
                words.insert(row.get(4).chars().take(40).collect());
            }
            Severity::Indeterminate
        }
    };
    let raised_at = needed(row, 0, "raised_at", clock)?;
    let cleared_at = time(row, 1, clock)?;
    if cleared_at.is_some_and(|cleared| cleared < raised_at) {
        return Err(row.error("cleared_at lies before raised_at"));
    }
    let optional = |column: usize| Some(row.get(column)).filter(|t| !t.is_empty()).map(Arc::from);
    Ok(AlarmSpell {
        scope: Scope { region: name(row, 2, "region")?, service: name(row, 3, "service")? },
        severity,
        device: optional(5),
        alarm_type: optional(6),
        raised_at,
        cleared_at,
    })
}

fn planned_work(row: &Row<'_>, clock: Clock) -> Result<PlannedWork, UsageError> {
    let starts_at = needed(row, 1, "starts_at", clock)?;
    let ends_at = needed(row, 2, "ends_at", clock)?;
    if ends_at <= starts_at {
        return Err(row.error("ends_at does not lie after starts_at"));
    }
    let scope = |column: usize, what: &str| match row.get(column) {
        "" => Ok(None),
        _ => name(row, column, what).map(Some),
    };
    Ok(PlannedWork {
        announced_at: needed(row, 0, "announced_at", clock)?,
        cancelled_at: None,
        starts_at,
        ends_at,
        region: scope(3, "region")?,
        service: scope(4, "service")?,
    })
}
