//! The full report: golden files, hostile names, and a comparison of its numbers with the API.

use std::collections::BTreeMap;

use super::*;
use crate::domain::{DeadLetter, LifeStep, MaintenanceAction, MaintenanceEvent, Reason};
use crate::domain::{TicketMessage, TicketNews, TicketStep};
use crate::report::full as report_on;
use crate::staffing::{Profile, Rules, Team};
use crate::views::ServiceReader;
use crate::window::{SeriesTerms, ServedBy, ServiceGoal, Terms, TicketBook, TicketChanges};

pub fn work(id: &str, starts_at: Timestamp, action: MaintenanceAction) -> MaintenanceEvent {
    MaintenanceEvent {
        event_id: id.into(),
        action,
        ts: starts_at - DAY,
        starts_at,
        ends_at: starts_at + HOUR * 3,
        region: Some(scope().region),
        service: Some(scope().service),
        impact: Some("no dial tone".into()),
        text: Some("replace the OLT".into()),
    }
}

pub fn put_work(tx: &mut Tx<'_>, own: &MaintenanceEvent) -> Result<(), StoreError> {
    let position = Position { source: SourceId::new("network.maintenance", 0), offset: 0 };
    tx.put_maintenance(&position, own)
}

/// Four callers of Tuesday 07:00: three were answered, two of them in time.
fn callers(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let opened = at("2026-03-03T07:00:00Z");
    let goal = ServiceGoal { by: ServedBy::Answer, within_seconds: 20 };
    let terms = move |_: &SeriesKey| SeriesTerms { goal: Some(goal), zone: Zone::UTC };
    let mut book = TicketBook::default().judged_by(Terms::new(WindowWidth::HOUR, terms));
    let ends = [(LifeStep::FirstResponse, 10), (LifeStep::FirstResponse, 20)];
    let ends = ends.into_iter().chain([(LifeStep::FirstResponse, 75), (LifeStep::Abandoned, 60)]);
    for (n, (end, seconds)) in ends.enumerate() {
        for (step, after) in [(LifeStep::Opened, 0), (end, seconds)] {
            let ticket_id = format!("t{n}").as_str().into();
            let step = TicketStep { ticket_id, step, opened_at: None, handled_seconds: None };
            let message = TicketMessage {
                ts: opened + Duration::from_secs(after),
                series: key("north/broadband/phone"),
                news: TicketNews::Step(step),
                facts: None,
            };
            book.observe(&message);
        }
    }
    let taken = book.advance(opened + HOUR, SeriesKey::clone);
    let changes = TicketChanges {
        series: taken.series,
        attained: taken.attained,
        ..TicketChanges::default()
    };
    tx.put_tickets(opened, &changes)
}

/// Three dead letters of the week, and one of a time after it.
fn letters(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let all = [
        ("2026-03-02T00:00:00Z", Reason::Field),
        ("2026-03-03T05:00:00Z", Reason::Late),
        ("2026-03-08T23:59:59Z", Reason::Late),
        ("2026-03-09T00:00:00Z", Reason::Late),
    ];
    for (offset, (received_at, reason)) in (0..).zip(all) {
        let letter = DeadLetter {
            position: Position { source: SourceId::new("tickets", 0), offset },
            nth: 0,
            received_at: at(received_at),
            reason,
            detail: "x".into(),
            bytes: b"{}".as_slice().into(),
        };
        let counted_in = AggregationKey::Tickets(key("north/broadband/phone"));
        tx.put_dead_letter(&letter, Some((&counted_in, at("2026-03-03T04:00:00Z"))))?;
    }
    Ok(())
}

/// A series that did not report on Wednesday from 03:00 to 05:00.
fn silent(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for hour in 3..5 {
        let record = WindowRecord { settled: true, missing: true, ..WindowRecord::default() };
        let series = AggregationKey::Tickets(key("north/tv/chat"));
        rows.push((series, at("2026-03-04T00:00:00Z") + HOUR * hour, record));
    }
    tx.put_windows(&rows)
}

/// A store with data for all parts of a full report.
pub fn rich(folder: &TempDir) -> Reader {
    store(folder, |tx| {
        windows(tx, monday() - WEEK, monday() + WEEK)?;
        silent(tx)?;
        alarms(tx)?;
        scores(tx)?;
        plans(tx)?;
        vintages(tx)?;
        entry(tx)?;
        alerts(tx)?;
        callers(tx)?;
        letters(tx)?;
        let plan = MaintenanceAction::Plan;
        put_work(tx, &work("w-past", at("2026-03-06T01:00:00Z"), plan))?;
        put_work(tx, &work("w-next", at("2026-03-10T01:00:00Z"), plan))
    })
}

/// A team that serves the phones of the north.
fn rules() -> Rules {
    let team = Team {
        name: Name::new("Team <North>").expect("a name"),
        series: vec![key("north/_all/phone")],
        skills: Vec::new(),
        profile: Profile::default_of("phone").expect("a profile"),
        hours: None,
        zone: Zone::UTC,
        minimum: 0,
    };
    Rules::new(BTreeMap::new(), vec![team])
}

fn of_days(reader: &Reader, from: &str, to: &str, texts: &Texts) -> Report {
    of_scope(reader, (from, to), (None, None), texts)
}

fn of_scope(
    reader: &Reader,
    (from, to): (&str, &str),
    (region, service): (Option<&str>, Option<&str>),
    texts: &Texts,
) -> Report {
    let span = span_of(reader, (Some(from), Some(to)), texts.zone()).expect("reads");
    let span = span.expect("a span").expect("finalized windows");
    let name = |text: Option<&str>| text.map(|text| Name::new(text).expect("a name"));
    let extent = Extent::of_span(span, texts.zone()).of(name(region), name(service));
    report_on(reader, Some(extent), &rules(), texts).expect("a report")
}

fn english() -> Texts {
    Texts::new(Language::En)
}

#[test]
fn a_span_is_reported_in_both_languages() {
    let folder = TempDir::new().expect("a folder");
    let reader = rich(&folder);
    let week = of_days(&reader, "2026-03-02", "2026-03-09", &english());
    insta::assert_snapshot!("full_en", week.write(Format::Markdown));
    let chinese = texts(Language::Zh, "Asia/Shanghai");
    let span = ("2026-02-23", "2026-03-10");
    let part = of_scope(&reader, span, (Some("north"), Some("broadband")), &chinese);
    insta::assert_snapshot!("full_zh_shanghai", part.write(Format::Markdown));
    insta::assert_snapshot!("full_zh_shanghai_html", part.write(Format::Html));
}

/// The part of a report below a heading.
fn part<'r>(report: &'r str, heading: &str) -> &'r str {
    let (_, rest) = report.split_once(&format!("\n## {heading}\n")).expect(heading);
    rest.split_once("\n## ").map_or(rest, |(part, _)| part)
}

#[track_caller]
fn has(report: &str, heading: &str, text: &str) {
    let part = part(report, heading);
    assert!(part.contains(text), "{heading} lacks: {text}\n{part}");
}

/// The numbers of the report are those of the API for the same span.
#[test]
fn numbers_are_those_of_the_api() {
    let folder = TempDir::new().expect("a folder");
    let reader = rich(&folder);
    let words = english();
    let report = of_days(&reader, "2026-03-02", "2026-03-09", &words).write(Format::Markdown);
    let span = (monday(), monday() + WEEK);
    let whole = key("_all/_all/_all");
    let timeline = |series: &SeriesKey, span| {
        let known = views::timeline(&reader, series, span, Timestamp::MAX, Zone::UTC);
        known.expect("windows").windows
    };
    let counted = reader.series_windows(&whole, span.0, span.1).expect("reads");
    let counted: Vec<_> = counted.iter().map(views::Window::from).collect();
    demand(&reader, &report, &counted);
    let below: usize = reader
        .series_keys()
        .expect("reads")
        .iter()
        .filter(|series| !series.is_roll_up())
        .flat_map(|series| timeline(series, span))
        .filter(|own| own.staffing.as_ref().is_some_and(|own| own.gap > 0))
        .count();
    let text = format!("Series had too few agents for {} min in all", below * 60);
    has(&report, "Summary", &text);
    has(&report, "Staffing", &text);

    let counts = surges(&reader, &Filter::default(), span).expect("reads");
    let accuracy = views::accuracy(&reader, &whole, span, &counts).expect("the accuracy");
    let share = |error: Option<f64>| words.percent(error.map(|error| 1.0 - error));
    let figures = &accuracy.overall;
    let best = share(figures.wape_floor);
    let (value, naive) = (share(figures.wape), share(figures.wape_naive));
    let text = format!(
        "The accuracy of the forecasts was {value}. The best that is possible at this volume is {best}; repeating last week would have reached {naive}."
    );
    has(&report, "Summary", &text);
    for lead in &accuracy.leads {
        let figures = &lead.figures;
        let row = format!("| {} h | {} |", lead.lead_minutes / 60, share(figures.wape));
        has(&report, "Forecast accuracy", &row);
    }
    let place = views::accuracy(&reader, &key("north/broadband/_all"), span, &counts);
    let place = place.expect("the accuracy").surges.remove(0);
    let minutes = place.warning_minutes.expect("one was warned of").round();
    let text = format!(
        "{} of {} surges had a warning at their start or earlier",
        place.warned, place.surges
    );
    has(&report, "Summary", &format!("{text}, on average {minutes} min before."));
    service(&reader, &report, span);
    quality(&reader, &report, &whole, span);
}

fn demand(reader: &Reader, report: &str, windows: &[views::Window]) {
    let words = english();
    let tickets: u32 = windows.iter().map(|own| own.tickets).sum();
    let tickets = words.number(f64::from(tickets), 0);
    has(report, "Summary", &format!("{tickets} tickets."));
    has(report, "Demand", &format!("{tickets} tickets."));
    let busiest = windows.iter().max_by_key(|own| own.tickets).expect("windows");
    let hour = words.day_time(at(&busiest.start));
    let text = format!("The busiest hour was {hour}, with {} tickets.", busiest.tickets);
    has(report, "Demand", &text);
    for day in 0..7 {
        let day = monday() + DAY * day;
        let own = windows.iter().filter(|own| (day..day + DAY).contains(&at(&own.start)));
        let sum: u32 = own.map(|own| own.tickets).sum();
        has(report, "Demand", &format!("| {} | {sum} |", words.day(day)));
    }
    let raised: u32 = windows.iter().map(|own| own.alarms.major).sum();
    has(report, "Alarms", &format!("| major | {raised} |"));
    for own in reader.maintenance(monday(), monday() + WEEK).expect("reads") {
        let from = words.day_time(own.starts_at);
        has(report, "Alarms", &format!("| {} | north/broadband | {from} |", own.event_id));
    }
}

fn service(reader: &Reader, report: &str, span: (Timestamp, Timestamp)) {
    let words = english();
    let service = ServiceReader::new(reader).expect("reads");
    let phone = key("north/broadband/phone");
    let sums = service.sums(&rules(), span, |_| true).expect("reads");
    let of = |series: &str| sums.iter().find(|(own, _)| *own == key(series)).expect(series);
    let total = &of("_all/_all/_all").1.total;
    let (share, gone) = (words.percent(total.service_level), words.percent(total.abandonment));
    let text = format!(
        "Of {} contacts whose target time has passed, {share} were served in time. {gone} of all contacts were abandoned.",
        total.judged
    );
    has(report, "Summary", &text);
    has(report, "Attained service", &text);
    let row = views::ServiceRow::Series(&phone, None);
    let own = service.together(std::slice::from_ref(&phone), span, &row).expect("reads").total;
    let p90 = own.first_response_p90_seconds.expect("answers");
    let text = format!(
        "| 80/20 | {} | {} | {} | {} | {p90} s |",
        own.offered,
        words.percent(own.service_level),
        words.percent(own.expected_service_level),
        words.percent(own.abandonment),
    );
    assert!(own.expected_service_level.is_some(), "the plan of 07:00 expected one");
    has(report, "Attained service", &text);
}

fn quality(reader: &Reader, report: &str, whole: &SeriesKey, span: (Timestamp, Timestamp)) {
    let windows = reader.series_windows(whole, span.0, span.1).expect("reads");
    let windows: Vec<views::Window> = windows.iter().map(views::Window::from).collect();
    let missing = windows.iter().filter(|own| own.missing).count();
    let late: u32 = windows.iter().map(|own| own.late).sum();
    assert_eq!((missing, late), (2, 3), "late letters of the window count, whenever they came");
    let text = format!("{missing} of {} windows lack counts", windows.len());
    has(report, "Data quality", &text);
    has(report, "Data quality", &format!("{late} events came too late to be counted."));
    let letters = reader.dead_letters(None, 1000, None).expect("reads");
    let received = |reason| {
        let of_week = letters.iter().map(|(_, letter)| letter);
        let of_week = of_week.filter(|own| (span.0..span.1).contains(&own.received_at));
        of_week.filter(|own| own.reason == reason).count()
    };
    assert_eq!((received(Reason::Late), received(Reason::Field)), (2, 1));
    has(report, "Data quality", "| too late | 2 |\n| field missing or wrong | 1 |");
}

/// Each recommendation has an effect, a time and an owner; a report on nothing has none.
#[test]
fn recommendations_follow_from_the_figures() {
    let folder = TempDir::new().expect("a folder");
    let reader = rich(&folder);
    let report = of_days(&reader, "2026-03-02", "2026-03-09", &english()).write(Format::Markdown);
    for row in [
        "| Find out why a source did not report: 2 windows have no count. | 2 more windows have a count. | a day | data integration |",
        "| Make sure that pages reach someone: nobody acknowledged 1 of 2 alerts. | Someone acts on 1 more alert. | some hours | shift leads |",
        r"| Schedule up to 4 more agents for north/broadband/phone each day from 06:00 to 07:00. | 4 of 4 missing agent hours are covered. | a week | Team \<North\> |",
        "| 1 of 2 surges get a warning. | a week | network operations |",
        "| Ask the senders of 3 events that were not counted to correct them. Most frequent reason: too late. | 3 more events are counted. | a day | data integration |",
    ] {
        has(&report, "Recommendations", row);
    }
    has(&report, "Summary", "First step: Find out why a source did not report");
    has(&report, "Risks", "| Planned work begins once in the 14 days after this period. |");
    has(&report, "Risks", "| 64.0 % of the actual counts lie inside them. |");
    let quiet = of_days(&reader, "2026-02-24", "2026-02-26", &english()).write(Format::Markdown);
    has(&quiet, "Recommendations", "No recommendation follows from these figures.");
    let none = [
        ("Staffing", "There are no plans for this time."),
        ("Attained service", "There are no ticket events with ids for this time"),
        ("Alarms", "No alarm was raised."),
        ("Alarms", "There was no planned work."),
        ("Surges", "No surge was counted."),
        ("Alerts", "No alert about missing agents began in this time and sent pages."),
        ("Forecast accuracy", "No forecast was scored."),
        ("Hours beyond ±10 % of the forecast", "There are no forecasts for this time."),
        ("Data quality", "No dead letter of this time is stored."),
    ];
    for (heading, text) in none {
        has(&quiet, heading, text);
    }
    let empty = of_days(&reader, "2026-01-01", "2026-01-02", &english()).write(Format::Markdown);
    assert!(empty.ends_with("\n\nThere are no counts for this time.\n"), "{empty}");
    let folder = TempDir::new().expect("a folder");
    let young = store(&folder, |_| Ok(()));
    assert_eq!(span_of(&young, (None, None), Zone::UTC).expect("reads"), Ok(None));
    let young = report_on(&young, None, &rules(), &english()).expect("a report");
    assert_eq!(young.write(Format::Markdown), "# Full report\n\nNo window is complete yet.\n");
}

/// A report on one region includes nothing of other regions.
#[test]
fn a_scope_leaves_out_other_regions_and_services() {
    let folder = TempDir::new().expect("a folder");
    let reader = rich(&folder);
    let days = ("2026-03-02", "2026-03-09");
    let of = |region, service| {
        of_scope(&reader, days, (region, service), &english()).write(Format::Markdown)
    };
    let tv = of(Some("north"), Some("tv"));
    has(&tv, "Summary", "0 tickets.");
    for text in ["4 agent hours", "Li Wei", "north/broadband", "w-past"] {
        assert!(!tv.contains(text), "{text}: {tv}");
    }
    has(&tv, "Data quality", "2 of 2 windows lack counts");
    has(&tv, "Data quality", "Dead letters have no region or service.");
    let own = of(None, Some("broadband"));
    assert!(own.contains("to Mon 9 Mar 2026, 00:00: broadband, all regions."), "{own}");
    has(&own, "Data quality", "All 168 windows have the counts of all series.");
    has(&own, "Summary", "3,927 tickets.");
}

/// Longer spans are shown by week, and their plot by day.
#[test]
fn a_long_span_is_shown_by_week() {
    let folder = TempDir::new().expect("a folder");
    let reader = store(&folder, |tx| {
        windows(tx, monday() - WEEK * 3, monday() + WEEK)?;
        let mut issued_at = monday() - WEEK * 3;
        while issued_at < monday() + WEEK {
            let point = |n: u32| ForecastPoint {
                start: issued_at + HOUR * n,
                mean: 23.0,
                quantiles: [12.0, 16.0, 20.0, 23.0, 27.0, 31.0, 36.0],
                baseline: 23.0,
                level: 1.0,
                alarm_effect: 0.0,
            };
            tx.put_vintage(&Vintage {
                series: key("_all/_all/_all"),
                issued_at,
                targets: (0..6).map(point).collect(),
                members: Vec::new(),
                causes: Vec::new(),
                surges: None,
                fallback: None,
            })?;
            issued_at = issued_at + HOUR;
        }
        Ok(())
    });
    let long = of_days(&reader, "2026-02-09", "2026-03-09", &english());
    let text = long.write(Format::Markdown);
    has(&text, "Demand", "| Week that begins on (only days of this period) | Tickets |");
    has(&text, "Demand", "| Mon 9 Feb | 3,528 |");
    has(&text, "Demand", "| Mon 2 Mar | 3,927 |");
    let plots = long.parts.iter().filter_map(|part| match part {
        crate::report::text::Part::Plot(plot) => Some(plot),
        _ => None,
    });
    let plots: Vec<_> = plots.collect();
    assert_eq!(plots.len(), 1);
    assert_eq!(plots[0].title, "Tickets by day");
    assert_eq!(plots[0].actual.matches('L').count(), 27, "28 days: {}", plots[0].actual);
}

/// Names that look like markup, or like separate lines, are shown as text in both formats.
#[test]
fn hostile_names_are_data() {
    let folder = TempDir::new().expect("a folder");
    let reader = store(&folder, |tx| {
        windows(tx, monday() - WEEK, monday() + WEEK)?;
        let mut record = WindowRecord { settled: true, ..WindowRecord::default() };
        record.counts.tickets = 40;
        let [region, service, channel] =
            ["<script>alert(1)|x", "[a](b)", "*c*"].map(|name| Name::new(name).expect("a name"));
        let series = SeriesKey::new(region, service, channel);
        tx.put_windows(&[(AggregationKey::Tickets(series), monday(), record)])?;
        plans(tx)?;
        alerts(tx)?;
        let plan = MaintenanceAction::Plan;
        put_work(tx, &work("<b>w</b>\n## Forged\n|x|", at("2026-03-06T01:00:00Z"), plan))
    });
    let report = of_days(&reader, "2026-03-02", "2026-03-09", &english());
    let html = report.write(Format::Html);
    assert!(!html.contains("<script") && !html.contains("<b>") && !html.contains("<North>"));
    let markdown = report.write(Format::Markdown);
    assert!(!markdown.contains("[a](b)") && !markdown.contains("\n## Forged"), "{markdown}");
    assert!(!markdown.contains(" <b>"), "{markdown}");
    has(&markdown, "Demand", r"\<script\>alert(1)\|x/\[a\](b)");
    has(&markdown, "Alarms", r"\<b\>w\</b\> \#\# Forged \|x\|");
}
