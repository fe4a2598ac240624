//! The brief for the call team on planned work: what, when and where; what to say; expected and actual contacts.

use std::time::Duration;

use super::demand::raised;
use super::extent::{Counted, Extent, alerts, scope_words};
use super::text::{Part, Report};
use super::wording::signed;
use super::work_contacts::{Slot, WorkContacts};
use crate::domain::{DAY, MaintenanceAction, MaintenanceEvent, Name, Timestamp};
use crate::forecast::PlannedWork;
use crate::store::{Filter, Reader, StoreError};
use crate::text::{Texts, args};

/// How long after its planned end work still causes contacts.
const AFTER: Duration = Duration::from_secs(2 * 3600);
/// How far back earlier work is used, and the maximum number of earlier works.
const EARLIER_DAYS: u32 = 400;
const EARLIER_MAX: usize = 10;
/// Maximum number of active alarms that are examined.
const ALARMS_MAX: usize = 10_000;

/// The planned work with an id, or the one that is not over and begins first. `None` if there is none.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn work(reader: &Reader, id: Option<&str>) -> Result<Option<MaintenanceEvent>, StoreError> {
    match id {
        Some(id) => reader.work(id),
        None => Ok(reader.maintenance(counted_upto(reader)?, Timestamp::MAX)?.into_iter().next()),
    }
}

/// End of the last finalized window.
fn counted_upto(reader: &Reader) -> Result<Timestamp, StoreError> {
    let next = reader.state::<i64>("next_window")?;
    Ok(next.map_or(Timestamp::MIN, Timestamp::from_millis))
}

/// The progress of the work, as of the last finalized window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Cancelled,
    Ahead,
    Running,
    Over,
}

impl Phase {
    fn of(work: &MaintenanceEvent, now: Timestamp) -> Self {
        if work.action == MaintenanceAction::Cancel {
            return Self::Cancelled;
        }
        match now {
            now if now <= work.starts_at => Self::Ahead,
            now if now < work.ends_at => Self::Running,
            _ => Self::Over,
        }
    }

    /// The message that describes the phase.
    fn is_at(self) -> &'static str {
        match self {
            Self::Cancelled => "report-brief-phase-cancelled",
            Self::Ahead => "report-brief-phase-ahead",
            Self::Running => "report-brief-phase-running",
            Self::Over => "report-brief-phase-over",
        }
    }

    /// The message for customers.
    fn says(self) -> &'static str {
        match self {
            Self::Cancelled => "report-brief-say-cancelled",
            Self::Ahead => "report-brief-say-ahead",
            Self::Running => "report-brief-say-running",
            Self::Over => "report-brief-say-over",
        }
    }
}

/// Earlier work on the same regions and services: actual contacts and usual contacts.
struct Earlier {
    id: String,
    starts_at: Timestamp,
    actual: f64,
    usual: f64,
}

/// The brief on planned work, with times of the zone of the texts.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn brief(
    reader: &Reader,
    work: &MaintenanceEvent,
    texts: &Texts,
) -> Result<Report, StoreError> {
    let now = counted_upto(reader)?;
    let phase = Phase::of(work, now);
    let texts = texts.in_year_of(now);
    let title = texts.text("report-brief-title", args!["id" => &*work.event_id]);
    let mut report = Report::new(texts, title);
    let zone = texts.text("report-brief-zone", args!["zone" => texts.zone().to_string()]);
    report.sentences([texts.text(phase.is_at(), None), zone]);
    about(reader, work, &mut report)?;
    lines(reader, work, phase, now, &mut report)?;
    if phase == Phase::Cancelled {
        return Ok(report);
    }
    let width = reader.width();
    let end = work.ends_at + AFTER;
    let end = if width.floor(end) < end { width.end(end) } else { end };
    let span = (width.floor(work.starts_at), end);
    let extent = Extent::of_span(span, texts.zone()).of(work.region.clone(), work.service.clone());
    let earlier = earlier(reader, work, now)?;
    let contacts = WorkContacts::read(reader, &extent, work, now, share(&earlier))?;
    contacts.list(&mut report);
    list_earlier(&earlier, &mut report);
    if contacts.slots.values().any(|slot| slot.actual.is_some()) {
        after(reader, extent, &contacts, &mut report)?;
    }
    Ok(report)
}

/// Adds what is done, when and where, and which customers notice it.
fn about(reader: &Reader, work: &MaintenanceEvent, report: &mut Report) -> Result<(), StoreError> {
    let texts = report.texts;
    let mut items = Vec::new();
    let mut add = |id: &str, args| items.push(texts.text(id, args));
    if let Some(text) = &work.text {
        add("report-brief-what", args!["text" => &**text]);
    }
    let minutes = work.ends_at.since(work.starts_at).as_secs() / 60;
    let args = args![
        "from" => texts.year_time(work.starts_at),
        "to" => texts.year_time(work.ends_at),
        "hours" => minutes / 60,
        "minutes" => minutes % 60,
    ];
    add("report-brief-when", args);
    let (region, service) = (work.region.as_ref(), work.service.as_ref());
    add("report-brief-where", args!["scope" => scope_words(&texts, region, service)]);
    let channels = channels(reader, region, service)?;
    if !channels.is_empty() {
        let channels = texts.list(channels.iter().map(|own| texts.channel(own.as_str())));
        add("report-brief-channels", args!["channels" => channels]);
    }
    match &work.impact {
        Some(impact) => add("report-brief-impact", args!["impact" => &**impact]),
        None => add("report-brief-no-impact", None),
    }
    report.heading("report-brief-about");
    report.parts.push(Part::List(items));
    Ok(())
}

/// Channels in which customers of some regions and services have contacts.
fn channels(
    reader: &Reader,
    region: Option<&Name>,
    service: Option<&Name>,
) -> Result<Vec<Name>, StoreError> {
    let filter = Filter { region: region.cloned(), service: service.cloned(), channel: None };
    let known = reader.series_keys()?.into_iter();
    let known = known.filter(|series| !series.is_roll_up() && filter.admits_series(series));
    let mut channels: Vec<Name> = known.map(|series| series.channel).collect();
    channels.sort();
    channels.dedup();
    Ok(channels)
}

/// Adds what to say to customers.
fn lines(
    reader: &Reader,
    work: &MaintenanceEvent,
    phase: Phase,
    now: Timestamp,
    report: &mut Report,
) -> Result<(), StoreError> {
    let texts = report.texts;
    let overrun = overrun(reader, work, now)?;
    let args = || {
        args![
            "scope" => scope_words(&texts, work.region.as_ref(), work.service.as_ref()),
            "from" => texts.day_time(work.starts_at),
            "to" => texts.day_time(work.ends_at),
        ]
    };
    let mut items = Vec::new();
    if phase == Phase::Over && overrun > 0 {
        items.push(texts.text("report-brief-say-overrun", args()));
        items.push(texts.text("report-brief-say-overrun-alarms", args!["n" => overrun]));
    } else {
        items.push(texts.text(phase.says(), args()));
    }
    if let (Phase::Ahead | Phase::Running, Some(impact)) = (phase, &work.impact) {
        items.push(texts.text("report-brief-say-impact", args!["impact" => &**impact]));
    }
    if matches!(phase, Phase::Ahead | Phase::Running) {
        items.push(texts.text("report-brief-say-end", args!["to" => texts.day_time(work.ends_at)]));
    }
    items.push(texts.text("report-brief-say-other", None));
    report.heading("report-brief-say");
    report.parts.push(Part::List(items));
    Ok(())
}

/// Alarms raised during the work that are still active after its planned end.
fn overrun(reader: &Reader, work: &MaintenanceEvent, now: Timestamp) -> Result<usize, StoreError> {
    let planned = PlannedWork::from(work);
    if !planned.should_be_over(now) {
        return Ok(0);
    }
    let alarms = reader.active_alarms(&Filter::default(), now, ALARMS_MAX)?;
    let is_left = |alarm: &&crate::store::ActiveAlarm| {
        planned.overruns_with(&alarm.event.scope, alarm.severity(), alarm.raised_at, now)
    };
    Ok(alarms.iter().filter(is_left).count())
}

/// Earlier work on the same regions and services whose windows are all known, newest first.
fn earlier(
    reader: &Reader,
    work: &MaintenanceEvent,
    now: Timestamp,
) -> Result<Vec<Earlier>, StoreError> {
    let mut found = Vec::new();
    let past = reader.maintenance(work.starts_at - DAY * EARLIER_DAYS, work.starts_at)?;
    let is_same = |own: &&MaintenanceEvent| {
        own.event_id != work.event_id
            && (&own.region, &own.service) == (&work.region, &work.service)
            && own.ends_at + AFTER <= now.min(work.starts_at)
    };
    for own in past.iter().filter(is_same).rev().take(EARLIER_MAX) {
        let span = (reader.width().floor(own.starts_at), own.ends_at + AFTER);
        let extent = Extent::of_span(span, crate::domain::Zone::UTC);
        let extent = extent.of(own.region.clone(), own.service.clone());
        let contacts = WorkContacts::read(reader, &extent, own, now, None)?;
        let known = contacts.slots.values().filter(|slot| slot.is_forecast);
        let sums = known.filter_map(|slot| Some((slot.actual?, slot.usual)));
        let (actual, usual) = sums.fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
        if usual > 0.0 {
            let id = own.event_id.to_string();
            found.push(Earlier { id, starts_at: own.starts_at, actual, usual });
        }
    }
    Ok(found)
}

/// Extra contacts of earlier work, relative to the usual ones.
fn share(earlier: &[Earlier]) -> Option<f64> {
    let sum = |of: fn(&Earlier) -> f64| earlier.iter().map(of).sum::<f64>();
    let usual = sum(|own| own.usual);
    (usual > 0.0).then(|| (sum(|own| own.actual) / usual - 1.0).max(0.0))
}

fn list_earlier(earlier: &[Earlier], report: &mut Report) {
    let texts = report.texts;
    report.heading("report-brief-earlier");
    let rows = earlier.iter().map(|own| {
        vec![
            own.id.clone(),
            texts.day_time(own.starts_at),
            texts.number(own.usual, 0),
            texts.number(own.actual, 0),
            signed(&texts, Some(own.actual / own.usual - 1.0)),
        ]
    });
    let head = [
        "report-work",
        "report-from",
        "report-brief-contacts-usual",
        "report-hourly-actual",
        "report-apart-change",
    ];
    report.table(&head, rows.collect(), "report-brief-earlier-none");
}

/// Adds actual against expected contacts, up to the last final window.
fn after(
    reader: &Reader,
    extent: Extent,
    contacts: &WorkContacts,
    report: &mut Report,
) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-brief-after");
    let known = contacts.slots.iter().filter(|(_, slot)| slot.actual.is_some());
    let known: Vec<(Timestamp, Slot)> = known.map(|(at, slot)| (*at, *slot)).collect();
    let whole = known.iter().map(|(_, slot)| *slot).reduce(Slot::plus);
    let last = known.last().map(|(at, _)| reader.width().end(*at));
    let (Some(whole), Some(last)) = (whole, last) else { return Ok(()) };
    let actual = whole.actual.unwrap_or(0.0);
    let mut args = args![
        "to" => texts.day_time(last),
        "n" => texts.number(actual, 0),
        "more" => texts.number(actual - whole.usual, 0),
    ];
    let id = match (whole.expected(), &mut args) {
        (Some(expected), Some(args)) => {
            let change = (expected > 0.0).then(|| actual / expected - 1.0);
            args.set("expected", texts.number(expected, 0));
            args.set("change", signed(&texts, change));
            "report-brief-after-sum"
        }
        _ => "report-brief-after-unknown",
    };
    let sent = alerts(reader, &extent.filter(), extent.span)?;
    let sent = sent.iter().filter(|alert| alert.notified_at.is_some()).count();
    let counted = Counted::read(reader, extent)?;
    let alarms = raised(&counted).iter().sum::<u64>();
    report.sentences([
        texts.text(id, args),
        texts.text("report-volume-alarms", args!["n" => alarms]),
        texts.text("report-brief-after-alerts", args!["n" => sent]),
    ]);
    Ok(())
}
