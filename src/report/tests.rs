//! Reports of a small store, in both languages, as golden files. Their numbers are compared with those of the API.

mod brief;
mod shared;
mod whole;

use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::alert::{
    Alert, AlertSeverity, AlertState, BriefTime, BriefedWork, Cause, DueReport, Notification,
    NotificationKind, ReportKind, Shortfall, Trend,
};
use crate::domain::{
    AlarmAction, AlarmEvent, DAY, HOUR, Name, Position, Scope, SeriesKey, Severity, SourceId,
    Timestamp, WEEK, WindowWidth, Zone,
};
use crate::forecast::surge::{Surge, Warning};
use crate::forecast::{
    Adjustment, AdjustmentAmount, AdjustmentKind, ForecastPoint, Score, Vintage,
};
use crate::staffing::{Outlook, Plan, PlanTarget, Rules};
use crate::store::sums::surges;
use crate::store::{Filter, Reader, Store, StoreError, Tx, WindowRecord};
use crate::text::{Language, Stored, Texts};
use crate::views;
use crate::window::{AggregationKey, Counts};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

/// Monday of week 10.
fn monday() -> Timestamp {
    at("2026-03-02T00:00:00Z")
}

fn key(text: &str) -> SeriesKey {
    SeriesKey::parse(text).expect("a series")
}

fn scope() -> Scope {
    key("north/broadband/phone").scope()
}

fn store(folder: &TempDir, fill: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError>) -> Reader {
    let mut store = Store::open(folder.path(), WindowWidth::HOUR).expect("a store");
    let mut tx = store.begin().expect("begins");
    fill(&mut tx).expect("puts");
    tx.commit().expect("commits");
    store.reader().expect("a reader")
}

/// Tickets of the outage on Tuesday.
fn extra(start: Timestamp) -> u32 {
    match start.since(at("2026-03-03T05:00:00Z")).as_secs() / 3600 {
        1 if start >= monday() => 14,
        2 => 40,
        3 => 9,
        _ => 0,
    }
}

/// Finalized windows of two channels from `from` to `to`.
fn windows(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp) -> Result<(), StoreError> {
    let record = |counts| WindowRecord { counts, settled: true, ..WindowRecord::default() };
    let mut rows = Vec::new();
    let mut start = from;
    while start < to {
        let phone = 20 + u32::from(start >= monday()) * 2 + extra(start);
        for (series, tickets) in [("north/broadband/phone", phone), ("north/broadband/email", 1)] {
            let counts = Counts { tickets, ..Counts::default() };
            rows.push((AggregationKey::Tickets(key(series)), start, record(counts)));
        }
        start = start + HOUR;
    }
    tx.put_windows(&rows)?;
    tx.put_state("next_window", &to.millis())
}

fn alarms(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let raised = Counts { raised: [0, 2, 1, 0, 0], ..Counts::default() };
    let begun = at("2026-03-03T05:00:00Z");
    let record = WindowRecord { counts: raised, settled: true, ..WindowRecord::default() };
    tx.put_windows(&[(AggregationKey::Alarms(scope()), begun, record)])?;
    let kinds =
        [(Some("LOS"), Severity::Major), (Some("LOS"), Severity::Major), (None, Severity::Minor)];
    for (n, (kind, severity)) in (0u32..).zip(kinds) {
        let event = AlarmEvent {
            event_id: format!("e{n}").into(),
            alarm_id: format!("a{n}").into(),
            action: AlarmAction::Raise,
            ts: begun + Duration::from_secs(2400) + Duration::from_secs(60) * n,
            severity,
            scope: scope(),
            device: None,
            alarm_type: kind.map(Into::into),
            text: None,
            aliases: Box::default(),
        };
        let source = SourceId::new("network.alarms", 0);
        tx.put_alarm(&Position { source, offset: n.into() }, &event)?;
    }
    Ok(())
}

fn scores(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let score = |absolute, bias| Score {
        n: 100,
        actual: 2200.0,
        absolute,
        bias,
        naive_absolute: 400.0,
        naive_actual: 2200.0,
        inside80: 64,
        inside95: 90,
        floor: 120.0,
        ..Score::default()
    };
    for series in ["_all/_all/_all", "north/broadband/phone"] {
        let by_lead = [(60, score(180.0, 10.0)), (180, score(260.0, 150.0))].into();
        tx.put_scores(&key(series), monday(), &by_lead)?;
    }
    for (start, warned_minutes) in
        [("2026-03-03T06:00:00Z", Some(75)), ("2026-03-05T14:00:00Z", None)]
    {
        let surge = Surge {
            series: key("north/broadband/_all"),
            lead_hours: 1,
            start: at(start),
            upto: at(start) + HOUR,
            hit: warned_minutes.is_some(),
            alarmed: true,
            warned_minutes,
        };
        tx.put_surge(&surge)?;
    }
    let first = at("2026-03-06T09:00:00Z");
    let series = key("north/broadband/_all");
    tx.put_warning(&Warning { series, lead_hours: 3, first, upto: first, good: false })
}

fn plans(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let series = key("north/broadband/phone");
    for (hour, gap) in [(6, 4), (7, -1)] {
        let start = at("2026-03-03T00:00:00Z") + HOUR * hour;
        let target = PlanTarget {
            start,
            arrivals: 40.0,
            positions: 12,
            agents: 14,
            agents_low: 12,
            agents_high: 16,
            scheduled: Some(10),
            gap,
            service_level: 0.7,
        };
        let plan = Plan {
            series: series.clone(),
            issued_at: start,
            basis: Stored::Sentence("Erlang C".into()),
            targets: vec![target],
        };
        let outlook = Outlook {
            series: series.clone(),
            issued_at: start,
            peak: 40.0,
            peak_at: start,
            over_baseline: 1.8,
            gap_max: Some(gap),
            gap_at: Some(start),
            minutes_to_breach: Some(0),
        };
        tx.put_plan(Some(&plan), &outlook)?;
    }
    Ok(())
}

/// Forecasts for every hour of Tuesday. Those issued after 06:00 include the outage.
fn vintages(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let midnight = at("2026-03-03T00:00:00Z");
    for hour in 0..24 {
        let issued_at = midnight + HOUR * hour;
        let effect = if (6..8).contains(&hour) { 18.0 } else { 0.0 };
        let target = |n: u32| ForecastPoint {
            start: issued_at + HOUR * n,
            mean: 23.0 + effect,
            quantiles: [12.0, 16.0, 20.0, 23.0, 27.0, 31.0, 36.0].map(|q| q + effect),
            baseline: 23.0,
            level: 1.0,
            alarm_effect: effect,
        };
        for series in ["_all/_all/_all", "north/broadband/_all"] {
            tx.put_vintage(&Vintage {
                series: key(series),
                issued_at,
                targets: (0..6).map(target).collect(),
                members: vec!["profile".into()],
                causes: Vec::new(),
                surges: None,
                fallback: None,
            })?;
        }
    }
    Ok(())
}

/// A planner's adjustment for the outage.
fn entry(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.put_adjustment(&Adjustment {
        id: "e1".into(),
        label: "fibre cut | <b>".into(),
        kind: AdjustmentKind::Other,
        region: Some(scope().region),
        service: Some(scope().service),
        channel: None,
        starts_at: at("2026-03-03T07:00:00Z"),
        ends_at: at("2026-03-03T09:00:00Z"),
        amount: AdjustmentAmount::Factor(1.5),
        by: "Zhang San".into(),
        note: None,
        entered_at: at("2026-03-03T06:20:00Z"),
    })
}

/// An alert that was acknowledged and is over, and one that nobody acknowledged.
fn alerts(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let since = at("2026-03-03T06:00:00Z");
    let shortfall = Shortfall {
        series: key("north/broadband/phone"),
        at: since + HOUR,
        arrivals: 40.5,
        arrivals_low: 25.0,
        arrivals_high: 57.0,
        agents: 14,
        scheduled: 10,
        gap: 4,
        rostered: true,
    };
    let cause = Cause::Alarms {
        n: 2,
        severity: Severity::Major,
        alarm_type: Some("LOS".into()),
        since: at("2026-03-03T05:40:00Z"),
        device: None,
        flaps: 0,
        doubtful: 0,
    };
    let alert = Alert {
        id: "a1".into(),
        rule: "short-staffed".into(),
        severity: AlertSeverity::Warning,
        scope: scope(),
        state: AlertState::Acknowledged,
        since,
        updated_at: since,
        ended_at: Some(since + HOUR * 3),
        from: since + HOUR,
        to: since + HOUR * 2,
        agents_short: 4,
        shortfalls: vec![shortfall],
        because: vec![cause.into()],
        zone: "Asia/Shanghai".parse().expect("a zone"),
        acknowledged_by: Some("Li Wei".into()),
        acknowledged_at: Some(since + Duration::from_secs(240)),
        worst: None,
        feedback: Some("not useful: known before".into()),
        streak: 2,
        notified_gap: 4,
        recommended: Vec::new(),
        finding: None,
        notes: Default::default(),
        notified_at: Some(since),
        steps: Vec::new(),
        trend: Trend::default(),
        paging: Default::default(),
    };
    let later = Alert {
        id: "a2".into(),
        since: since + DAY,
        ended_at: None,
        acknowledged_by: None,
        acknowledged_at: None,
        feedback: None,
        notified_at: Some(since + DAY),
        because: vec![Cause::NoAlarm.into()],
        ..alert.clone()
    };
    let notice = Notification {
        id: "a1.firing".into(),
        kind: NotificationKind::Firing,
        alert: alert.clone(),
        report: None,
    };
    tx.put_notification(&notice, &["shift <lead>"], since)?;
    tx.put_alert(&alert)?;
    tx.put_alert(&later)
}

fn full(folder: &TempDir) -> Reader {
    store(folder, |tx| {
        windows(tx, monday() - WEEK, monday() + WEEK)?;
        alarms(tx)?;
        scores(tx)?;
        plans(tx)?;
        vintages(tx)?;
        entry(tx)?;
        alerts(tx)
    })
}

fn texts(language: Language, zone: &str) -> Texts {
    Texts::new(language).local(zone.parse().expect("a zone"))
}

fn week_of(reader: &Reader, week: Option<&str>, texts: &Texts) -> Report {
    let week = week.map(|week| week.parse().expect("a week"));
    weekly(reader, week, texts).expect("a report")
}

fn week_in(reader: &Reader, week: Option<&str>, language: Language) -> String {
    week_of(reader, week, &Texts::new(language)).write(Format::Markdown)
}

#[test]
fn a_week_is_reported_in_both_languages() {
    let folder = TempDir::new().expect("a folder");
    let reader = full(&folder);
    let english = week_in(&reader, None, Language::En);
    assert_eq!(english, week_in(&reader, Some("2026-W10"), Language::En));
    insta::assert_snapshot!("week_en", english);
    let shanghai = week_of(&reader, Some("2026-W10"), &texts(Language::Zh, "Asia/Shanghai"));
    insta::assert_snapshot!("week_zh_shanghai", shanghai.write(Format::Markdown));
    insta::assert_snapshot!("week_zh_shanghai_html", shanghai.write(Format::Html));
}

#[test]
fn an_incident_is_reported_in_both_languages() {
    let folder = TempDir::new().expect("a folder");
    let reader = full(&folder);
    let of = |id: &str, language| {
        let report = incident(&reader, id, &Texts::new(language)).expect("reads");
        report.expect("an alert")
    };
    insta::assert_snapshot!("incident_en", of("a1", Language::En).write(Format::Markdown));
    let chinese = of("a1", Language::Zh);
    insta::assert_snapshot!("incident_zh", chinese.write(Format::Markdown));
    insta::assert_snapshot!("incident_zh_html", chinese.write(Format::Html));
    let open = of("a2", Language::En).write(Format::Markdown);
    assert!(open.contains("still open."), "{open}");
    assert!(open.contains("Not acknowledged. Id: a2."), "{open}");
    let goes_on = "The incident goes on. Counts are those of final windows, up to ";
    assert!(open.contains(goes_on), "{open}");
    assert!(!of("a1", Language::En).write(Format::Markdown).contains("goes on"));
    let second = "- Send pages to a second receiver: nobody acknowledged this alert.";
    assert!(open.contains(second), "{open}");
}

/// A day of which no window has a count is not a day without tickets.
#[test]
fn a_day_without_counts_has_no_number() {
    let folder = TempDir::new().expect("a folder");
    let reader = store(&folder, |tx| {
        windows(tx, monday(), monday() + WEEK)?;
        let record = WindowRecord { settled: true, missing: true, ..WindowRecord::default() };
        for hour in 0..24 {
            let start = monday() + DAY + HOUR * hour;
            for series in ["north/broadband/phone", "north/broadband/email"] {
                tx.put_windows(&[(AggregationKey::Tickets(key(series)), start, record)])?;
            }
        }
        Ok(())
    });
    let week = week_in(&reader, Some("2026-W10"), Language::En);
    assert!(week.contains("| Monday | 552 |\n| Tuesday | – |\n| Wednesday | 552 |"), "{week}");
}

/// An incident at the turn of the year: the span has both years, and a date of the new year has its year.
#[test]
fn an_incident_at_the_turn_of_the_year_has_both_years() {
    let usual = TempDir::new().expect("a folder");
    let mut alert = store(&usual, alerts).alert("a1").expect("reads").expect("an alert");
    // 20:00 of Thursday 31 December in Shanghai.
    alert.since = at("2026-12-31T12:00:00Z");
    alert.acknowledged_at = Some(alert.since + HOUR * 5);
    alert.ended_at = Some(alert.since + HOUR * 6);
    let folder = TempDir::new().expect("a folder");
    let reader = store(&folder, |tx| tx.put_alert(&alert));
    for (language, span, acknowledged) in [
        (
            Language::En,
            "Thu 31 Dec 2026, 20:00 to Fri 1 Jan 2027, 02:00.",
            "- Fri 1 Jan 2027, 01:00: ",
        ),
        (
            Language::Zh,
            "2026年12月31日 周四 20:00 至 2027年1月1日 周五 02:00。",
            "- 2027年1月1日 周五 01:00：",
        ),
    ] {
        let report = incident(&reader, "a1", &Texts::new(language)).expect("reads");
        let text = report.expect("an alert").write(Format::Markdown);
        assert!(text.contains(span) && text.contains(acknowledged), "{text}");
    }
}

/// Every time of a report is in its zone, and the zone is named.
#[test]
fn reports_name_their_zone_and_use_no_other() {
    let folder = TempDir::new().expect("a folder");
    let reader = full(&folder);
    for zone in ["UTC", "Asia/Shanghai", "America/New_York"] {
        let week = week_of(&reader, Some("2026-W10"), &texts(Language::En, zone));
        let week = week.write(Format::Markdown);
        let named = format!(
            "Mon 2 Mar 2026, 00:00 to Mon 9 Mar 2026, 00:00. All times are in the zone {zone}."
        );
        assert!(week.contains(&named.replace('_', "\\_")), "{week}");
        // The alert began at 06:00 UTC.
        let began = Texts::new(Language::En).local(zone.parse().expect("a zone"));
        let began = began.day_time(at("2026-03-03T06:00:00Z"));
        assert!(week.contains(&format!("| {began} | north/broadband | 4 |")), "{zone}: {week}");
    }
    let alert = incident(&reader, "a1", &Texts::new(Language::En)).expect("reads");
    let alert = alert.expect("an alert").write(Format::Markdown);
    assert!(alert.contains("All times are in the zone Asia/Shanghai."), "{alert}");
    assert!(alert.contains("The surge began on Tue 3 Mar 14:00."), "{alert}");
}

/// The numbers of the report are those of the API for the same span.
#[test]
fn numbers_equal_those_of_the_api() {
    let folder = TempDir::new().expect("a folder");
    let reader = full(&folder);
    let text = week_in(&reader, Some("2026-W10"), Language::En);
    let english = Texts::new(Language::En);
    let span = (monday(), monday() + WEEK);
    let counts = surges(&reader, &Filter::default(), span).expect("reads");
    let of =
        |series: &str| views::accuracy(&reader, &key(series), span, &counts).expect("the accuracy");
    let overall = of("_all/_all/_all").overall;
    let share = |error: Option<f64>| english.percent(error.map(|error| 1.0 - error));
    let row = format!("| {} (best: {}) |", share(overall.wape), share(overall.wape_floor));
    assert!(text.contains(&format!("| Accuracy (best possible) {row}")), "{row}: {text}");
    let place = of("north/broadband/_all").surges.remove(0);
    let minutes = place.warning_minutes.expect("one was warned of").round();
    let row =
        format!("| Warning time | {minutes} min ({} of {} surges) |", place.warned, place.surges);
    assert!(text.contains(&row), "{row}: {text}");
    let timeline = |series: &str, span| {
        views::timeline(&reader, &key(series), span, Timestamp::MAX, Zone::UTC).expect("windows")
    };
    let windows = timeline("_all/_all/_all", span).windows;
    let tickets: u32 = windows.iter().filter_map(|window| window.tickets).sum();
    let tickets = english.number(f64::from(tickets), 0);
    assert!(text.contains(&format!("| Arrivals (tickets) | {tickets} |")), "{tickets}: {text}");
    let windows = timeline("north/broadband/phone", span).windows;
    let below = windows.iter().filter_map(|window| window.staffing.as_ref());
    let below = below.filter(|own| own.gap > 0).count() * 60;
    assert!(
        text.contains(&format!("| Minutes with too few agents | {below} |")),
        "{below}: {text}"
    );
    // The window of the peak, as its forecasts were issued.
    let alert = incident(&reader, "a1", &Texts::new(Language::En)).expect("reads");
    let alert = alert.expect("an alert").write(Format::Markdown);
    let peak = at("2026-03-03T07:00:00Z");
    for hours in 0..6 {
        let issued = peak - HOUR * hours;
        let known = views::timeline(
            &reader,
            &key("north/broadband/_all"),
            (peak, peak + HOUR),
            issued,
            Zone::UTC,
        );
        let known = known.expect("a window").windows.remove(0).forecast.expect("a forecast");
        let local = english.local("Asia/Shanghai".parse().expect("a zone")).day_time(issued);
        let row = format!("| {local} | forecast | {} |", english.number(known.mean, 1));
        assert!(alert.contains(&row), "{row}: {alert}");
    }
}

/// Names that look like markup are shown as text in both formats.
#[test]
fn hostile_names_stay_data() {
    let folder = TempDir::new().expect("a folder");
    let reader = store(&folder, |tx| {
        windows(tx, monday() - WEEK, monday() + WEEK)?;
        let mut record = WindowRecord { settled: true, ..WindowRecord::default() };
        record.counts.tickets = 40;
        let [region, service, channel] =
            ["<script>alert(1)|x", "[a](b)", "*c*"].map(|name| Name::new(name).expect("a name"));
        let series = SeriesKey::new(region, service, channel);
        tx.put_windows(&[(AggregationKey::Tickets(series.clone()), monday(), record)])?;
        plans(tx)?;
        vintages(tx)?;
        entry(tx)?;
        alerts(tx)?;
        let surge = Surge {
            series: SeriesKey { channel: Name::all(), ..series },
            lead_hours: 1,
            start: at("2026-03-03T06:00:00Z"),
            upto: at("2026-03-03T07:00:00Z"),
            hit: false,
            alarmed: true,
            warned_minutes: None,
        };
        tx.put_surge(&surge)
    });
    let plain = Texts::new(Language::En);
    let week = week_of(&reader, Some("2026-W10"), &plain);
    let alert = incident(&reader, "a1", &plain).expect("reads").expect("an alert");
    for report in [&week, &alert] {
        let html = report.write(Format::Html);
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(!html.contains("<lead>"), "{html}");
        let markdown = report.write(Format::Markdown);
        assert!(!markdown.contains("[a](b)") && !markdown.contains(" <b>"), "{markdown}");
    }
    let text = week.write(Format::Markdown);
    assert!(text.contains(r"\<script\>alert(1)\|x/\[a\](b)"), "{text}");
}

/// A receiver gets the same report as the API for the week before.
#[test]
fn a_scheduled_report_is_that_of_the_week_before() {
    let folder = TempDir::new().expect("a folder");
    let reader = full(&folder);
    let report = DueReport {
        report: ReportKind::Weekly,
        due: at("2026-03-09T00:30:00Z"),
        zone: "Asia/Shanghai".parse().expect("a zone"),
        language: Language::Zh,
        work: None,
    };
    let sent =
        scheduled(&reader, &report.page(), &Rules::default()).expect("reads").expect("a report");
    let whole = week_of(&reader, Some("2026-W10"), &texts(Language::Zh, "Asia/Shanghai"));
    assert_eq!(sent.title, "周报 2026-W10");
    assert_eq!(sent.html, whole.write(Format::Html));
    let markdown = whole.write(Format::Markdown);
    assert_eq!(format!("# {}\n\n{}\n", sent.title, sent.text), markdown);
    assert_eq!(sent.path, "/api/v1/reports/weekly?week=2026-W10&language=zh");
    let four = DueReport { report: ReportKind::Full, ..report };
    let sent = scheduled(&reader, &four.page(), &Rules::default()).expect("reads");
    let sent = sent.expect("a report");
    let days = ("2026-02-09", "2026-03-09");
    assert_eq!(
        sent.path,
        format!("/api/v1/reports/full?from={}&to={}&language=zh", days.0, days.1)
    );
    let chinese = texts(Language::Zh, "Asia/Shanghai");
    let span = span_of(&reader, (Some(days.0), Some(days.1)), chinese.zone()).expect("reads");
    let extent = span.expect("a span").map(|span| Extent::of_span(span, chinese.zone()));
    let whole =
        crate::report::full(&reader, extent, &Rules::default(), &chinese).expect("a report");
    assert_eq!((sent.title, sent.html), (whole.title.clone(), whole.write(Format::Html)));
    let page = reader.page("a1.firing").expect("reads").remove(0).notice;
    assert_eq!(
        scheduled(&reader, &page, &Rules::default()).expect("reads"),
        None,
        "a page is no report"
    );
}

#[test]
fn a_young_store_is_reported_from_its_first_week() {
    let empty = TempDir::new().expect("a folder");
    let reader = store(&empty, |_| Ok(()));
    let none = "# Weekly report\n\nNo window is complete yet.\n";
    assert_eq!(week_in(&reader, None, Language::En), none);
    let young = TempDir::new().expect("a folder");
    let wednesday = monday() + DAY * 2;
    let reader = store(&young, |tx| windows(tx, wednesday, wednesday + DAY));
    let week = week_in(&reader, None, Language::En);
    assert!(week.starts_with("# Week 2026-W10\n"), "{week}");
    assert!(week.contains("The week is not over. The figures go up to Thu 5 Mar 00:00."), "{week}");
    // Days without windows have no row.
    assert!(week.contains("\n| --- | --- |\n| Wednesday | 552 |\n\n"), "{week}");
    // One day has one busiest hour. A week without data has no figures.
    assert_eq!(week.matches("- Keep the roster full in").count(), 1, "{week}");
    let empty = week_in(&reader, Some("2026-W07"), Language::En);
    assert!(empty.ends_with("\n\nThere are no counts for this week.\n"), "{empty}");
    assert!(!empty.contains("##"), "{empty}");
}
