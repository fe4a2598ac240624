//! Tests from records to the store's content, across restarts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::{Forecaster, ForecasterConfig, IssueConfig, ReplicatedCommand, Report};
use crate::alert::{
    Alert, Escalation, Held, HoldReason, NotificationKind, Paging, ReportKind, ReportTiming, Route,
    Schedule, Silence, test_page,
};
use crate::domain::{
    DAY, MaintenanceAction, MaintenanceEvent, Name, Position, Reason, Scope, SeriesKey, SourceId,
    Timestamp, WEEK, WindowWidth, Zone,
};
use crate::forecast::Calendar;
use crate::ingest::{Decoder, Headers};
use crate::input::{Decoders, RecordRef, SourceProcessor};
use crate::staffing::{Shift, TeamShift};
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::text::Language;
use crate::window::{AggregationKey, AggregatorConfig, AlarmRules, CommitPoint, TicketRules};

mod nowcasts;
mod pages;
mod restored;
mod reviews;
mod tickets;

pub(super) const WIDTH: WindowWidth = WindowWidth::QUARTER;
const LATENESS: Duration = Duration::from_secs(600);
/// Start of a window.
const START_S: i64 = 1_767_232_800;

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(START_S + seconds)
}

fn processor() -> SourceProcessor {
    processor_from(None)
}

/// A processor that resumes at `from`.
fn processor_from(from: Option<CommitPoint>) -> SourceProcessor {
    let skew = Some(Duration::from_secs(300));
    let config = AggregatorConfig {
        width: WIDTH,
        lateness: LATENESS,
        max_future_skew: skew,
        names_max: AggregatorConfig::NAMES,
    };
    let decoders = Arc::new(Decoders::new(Decoder::default()));
    SourceProcessor::new(SourceId::new("network.alarms", 0), from, config, decoders, Arc::default())
}

fn take(processor: &mut SourceProcessor, offset: i64, seconds: i64, text: &str) {
    let (headers, bytes) = (Headers::default(), text.as_bytes());
    processor.take(&RecordRef { offset, appended_at: at(seconds), hint: None, headers, bytes });
}

/// A TS 28.532 notification about an alarm of EMS1.
fn notice(kind: &str, alarm: &str, seconds: i64) -> String {
    format!(
        r#"{{"notificationType":"{kind}","eventTime":"{}","systemDN":"EMS1","alarmId":"{alarm}",
        "objectInstance":"ManagedElement=1","notificationId":"{kind}{alarm}{seconds}","perceivedSeverity":"MAJOR"}}"#,
        at(seconds)
    )
}

pub(super) fn config() -> ForecasterConfig {
    let never = Timestamp::MAX;
    let issue = IssueConfig {
        zone: Zone::UTC,
        zones: Default::default(),
        calendars: Default::default(),
        calendar: Arc::new(Calendar::default()),
        staffing: Default::default(),
        anomalies: Default::default(),
        advice: Default::default(),
        tables_patience: Some(Duration::ZERO),
        vintages_from: never,
        plans_from: never,
        alerts_from: never,
        notify_from: never,
        quiet_hours: None,
        alert_rules: Default::default(),
        roster: None,
    };
    ForecasterConfig {
        width: WIDTH,
        lateness: LATENESS,
        source_timeout: Duration::from_secs(3600),
        series_max: 10,
        alarms: AlarmRules::default(),
        tickets: TicketRules::default(),
        policy: Default::default(),
        customer_key: None,
        issue,
        refit: None,
        nowcasts: false,
        receivers: Vec::new(),
        escalation: Escalation::default(),
        reports: Vec::new(),
    }
}

pub(super) fn forecaster(dir: &TempDir) -> Forecaster {
    limited(dir, 10)
}

/// A forecaster that counts at most `series_max` series under their own names.
fn limited(dir: &TempDir, series_max: usize) -> Forecaster {
    let store = Store::open(dir.path(), WIDTH).expect("a store");
    let config = ForecasterConfig { series_max, ..config() };
    Forecaster::open(config, store, Arc::new(Metrics::default())).expect("a forecaster")
}

fn apply(forecaster: &mut Forecaster, report: Report, seconds: i64) {
    forecaster.apply(&[report], None, at(seconds)).expect("stored");
}

/// Active alarms at the end of each final window.
fn active(forecaster: &Forecaster) -> Vec<u32> {
    let scope = Scope { region: Name::unknown(), service: Name::unknown() };
    let rows = forecaster
        .reader()
        .windows(&AggregationKey::Alarms(scope), at(0), at(86_400))
        .expect("reads");
    rows.into_iter().filter(|(_, row)| row.settled).map(|(_, row)| row.active).collect()
}

#[test]
fn a_restart_does_not_change_active_alarms() {
    let steps = [
        (notice("notifyNewAlarm", "a", 60), 60),
        (notice("notifyNewAlarm", "b", 61), 61),
        (notice("notifyNewAlarm", "c", 62), 62),
        // The clear is held over the window's end, then taken back.
        (notice("notifyClearedAlarm", "a", 890), 890),
        (notice("notifyNewAlarm", "a", 905), 905),
        // The list is rebuilt. It contains a and b. It lacks c, which ends fifteen minutes later.
        (notice("notifyAlarmListRebuilt", "", 1000), 1000),
        (notice("notifyNewAlarm", "a", 1010), 1010),
        (notice("notifyNewAlarm", "b", 1700), 1700),
        (notice("notifyNewAlarm", "d", 2800), 2800),
        (notice("notifyClearedAlarm", "d", 2900), 2900),
    ];
    for restart_after in 0..=steps.len() {
        let dir = TempDir::new().expect("directory");
        let (mut processor, mut led) = (processor(), forecaster(&dir));
        for (n, (text, seconds)) in steps.iter().enumerate() {
            take(&mut processor, n as i64, *seconds, text);
            apply(&mut led, processor.report(Some(at(*seconds))), *seconds);
            if n + 1 == restart_after {
                drop(led);
                led = forecaster(&dir);
            }
        }
        apply(&mut led, processor.report(Some(at(4500))), 4500);
        assert_eq!(active(&led), [3, 3, 2, 2], "restarted after {restart_after}");
    }
}

#[test]
fn a_late_alarm_revises_a_window_but_not_its_active_alarms() {
    let dir = TempDir::new().expect("directory");
    let (mut processor, mut led) = (processor(), forecaster(&dir));
    take(&mut processor, 0, 60, &notice("notifyNewAlarm", "a", 60));
    // The source has caught up: the window is final, although the source has not closed it.
    apply(&mut led, processor.report(Some(at(1600))), 1600);
    assert_eq!(active(&led), [1]);
    take(&mut processor, 1, 1700, &notice("notifyNewAlarm", "b", 70));
    apply(&mut led, processor.report(Some(at(1700))), 1700);
    let scope = Scope { region: Name::unknown(), service: Name::unknown() };
    let rows = led.reader().windows(&AggregationKey::Alarms(scope), at(0), at(900)).expect("reads");
    let row = rows[0].1;
    assert_eq!((row.revised, row.active, row.counts.raised.iter().sum()), (true, 1, 2));
}

#[test]
fn every_bad_event_of_a_batch_has_a_dead_letter() {
    let mut processor = processor();
    let batch = r#"{"eventList":[{"commonEventHeader":{"domain":"fault"}},
        {"commonEventHeader":{"domain":"heartbeat"}},{"commonEventHeader":{"domain":"fault"}}]}"#;
    take(&mut processor, 7, 0, batch);
    take(&mut processor, 8, 0, &notice("notifyAlarmListRebuilt", "", 301));
    let report = processor.report(None);
    let letters: Vec<_> = report
        .dead
        .iter()
        .map(|(letter, _)| {
            let start: String = letter.detail.chars().take(14).collect();
            (letter.position.offset, letter.nth, letter.reason, start, letter.bytes.len())
        })
        .collect();
    let detail = |text: &str| text.to_owned();
    let future = notice("notifyAlarmListRebuilt", "", 301).len();
    assert_eq!(
        letters,
        [
            (7, 0, Reason::Field, detail("event 1 of 3: "), batch.len()),
            (7, 2, Reason::Field, detail("event 3 of 3: "), 0),
            (8, 0, Reason::Future, detail("its time 2026-"), future),
        ]
    );
    assert!(report.rebuilt.is_empty());
}

/// A ticket of a region of its own.
fn ticket(n: i64, region: &str, seconds: i64) -> String {
    format!(
        r#"{{"kind":"ticket","event_id":"t{n}","ts":"{}","region":"{region}","service":"tv","channel":"phone"}}"#,
        at(seconds)
    )
}

/// Tickets of each leaf in the stored windows of `from..to`.
fn tickets(forecaster: &Forecaster, from: i64, to: i64) -> BTreeMap<String, u32> {
    let reader = forecaster.reader();
    let mut sums = BTreeMap::new();
    for series in reader.series_keys().expect("reads") {
        if !series.is_roll_up() {
            let windows = reader.series_windows(&series, at(from), at(to)).expect("reads");
            let n = windows.iter().map(|window| window.tickets).sum();
            sums.insert(series.region.to_string(), n);
        }
    }
    sums
}

#[test]
fn names_beyond_the_limit_are_counted_under_other_through_restarts() {
    for restarts in [false, true] {
        let dir = TempDir::new().expect("directory");
        let (mut processor, mut led) = (processor(), limited(&dir, 20));
        let mut offset = 0;
        let mut send = |led: &mut Forecaster, regions: std::ops::Range<i64>, seconds: i64| {
            for n in regions {
                take(
                    &mut processor,
                    offset,
                    seconds,
                    &ticket(offset, &format!("r{n:02}"), seconds),
                );
                offset += 1;
            }
            apply(led, processor.report(Some(at(seconds))), seconds);
        };
        let restart = |led: Forecaster| {
            if !restarts {
                return led;
            }
            drop(led);
            limited(&dir, 20)
        };
        send(&mut led, 0..30, 60);
        let open = tickets(&led, 0, 900);
        assert_eq!((open.len(), open["_other"]), (21, 10), "while the window is open");
        led = restart(led);
        send(&mut led, 0..50, 120);
        let open = tickets(&led, 0, 900);
        assert_eq!((open.len(), open["_other"], open["r00"]), (21, 40, 2));
        assert!(led.beyond_limit(at(120)).is_some_and(|text| text.contains("limits.series (20)")));
        // The window is final, then revised.
        send(&mut led, 0..0, 1600);
        led = restart(led);
        let known = led.series();
        send(&mut led, 40..60, 850);
        let revised = tickets(&led, 0, 900);
        assert_eq!((revised.len(), revised["_other"]), (21, 60));
        assert_eq!(led.series(), known);
        send(&mut led, 0..50, 1700);
        send(&mut led, 0..0, 4500);
        led = restart(led);
        let later = tickets(&led, 900, 1800);
        assert_eq!((later.len(), later["_other"], later["r19"]), (21, 30, 1));
        let all = SeriesKey::parse("_all/_all/_all").expect("series");
        let counts = &led.state.observed.histories.by_series()[&all].counts;
        assert_eq!(counts[..2], [100.0, 50.0], "nothing is lost");
        assert!(led.beyond_limit(at(1700 + 3600)).is_none());
    }
}

#[test]
fn a_store_with_too_many_names_can_be_opened() {
    let dir = TempDir::new().expect("directory");
    let (mut processor, mut led) = (processor(), limited(&dir, 1_000));
    let mut offset = 0;
    let mut send = |led: &mut Forecaster, regions: i64, seconds: i64| {
        for n in 0..regions {
            // Two regions have many tickets.
            for _ in 0..if n == 7 || n == 93 { 3 } else { 1 } {
                take(
                    &mut processor,
                    offset,
                    seconds,
                    &ticket(offset, &format!("r{n:03}"), seconds),
                );
                offset += 1;
            }
        }
        apply(led, processor.report(Some(at(seconds))), seconds);
    };
    send(&mut led, 100, 60);
    send(&mut led, 0, 1600);
    send(&mut led, 100, 1700);
    assert_eq!(tickets(&led, 0, 1800).len(), 100);
    drop(led);
    for open in 0..2 {
        let mut led = limited(&dir, 5);
        assert_eq!(led.state.leaves.len(), 5 + 1);
        // Leaves, and roll-ups of six regions: three of each, and four over all regions.
        assert_eq!(led.series(), 6 * 4 + 4);
        let has = |led: &Forecaster, region: &str| {
            let series = SeriesKey::parse(&format!("{region}/tv/phone")).expect("series");
            led.state.observed.histories.by_series().contains_key(&series)
        };
        assert!(has(&led, "r007") && has(&led, "r093") && has(&led, "_other"));
        let all = SeriesKey::parse("_all/_all/_all").expect("series");
        let all = led.state.observed.histories.by_series()[&all].counts.clone();
        assert_eq!(all[0], 104.0, "no ticket is lost");
        if open == 0 {
            // Also the open window keeps within the limit.
            apply(&mut led, Report::new(SourceId::new("network.alarms", 0)), 1710);
            let counted: Vec<_> = led.reader().partials().expect("reads");
            assert_eq!(counted.len(), 6);
            let sum: u32 = counted.iter().map(|partial| partial.counts.tickets).sum();
            assert_eq!(sum, 104);
        }
    }
}

#[test]
fn alarms_of_too_many_scopes_are_counted_under_other() {
    let dir = TempDir::new().expect("directory");
    let (mut processor, mut led) = (processor(), limited(&dir, 2));
    for n in 0..6 {
        let text = format!(
            r#"{{"kind":"alarm","event_id":"a{n}","alarm_id":"a{n}","ts":"{}","severity":"major",
            "region":"r{n}","service":"tv"}}"#,
            at(60)
        );
        take(&mut processor, n, 60, &text);
    }
    apply(&mut led, processor.report(Some(at(60))), 60);
    apply(&mut led, processor.report(Some(at(1600))), 1600);
    let active = |led: &Forecaster, region: &str| {
        let name = |text| Name::new(text).expect("a name");
        let key = AggregationKey::Alarms(Scope { region: name(region), service: name("tv") });
        let rows = led.reader().windows(&key, at(0), at(900)).expect("reads");
        rows.first().map(|(_, row)| (row.active, row.counts.raised.iter().sum::<u32>()))
    };
    assert_eq!(active(&led, "r1"), Some((1, 1)));
    assert_eq!(active(&led, "r2"), None);
    assert_eq!(active(&led, "_other"), Some((4, 4)));
}

#[test]
fn a_roster_that_was_stored_before_any_count_is_used_after_a_restart() {
    let dir = TempDir::new().expect("a directory");
    let series = SeriesKey::parse("north/broadband/phone").expect("series");
    let start = at(0);
    let shift = Shift { series: series.clone(), start, end: at(7200), agents: 7 };
    let team = TeamShift {
        team: Name::new("calls").expect("a name"),
        start,
        end: at(7200),
        agents: 9,
        absent: Some(1),
    };
    let roster =
        ReplicatedCommand::Roster { shifts: vec![shift.clone()], team_shifts: vec![team.clone()] };
    forecaster(&dir).carry_out(&roster, None).expect("stored");
    let again = forecaster(&dir);
    assert_eq!(again.state.issuer.shifts_of(&series), [shift]);
    assert_eq!(again.reader().team_shifts(start, at(7200)).expect("reads"), [team]);
}

#[test]
fn an_alert_that_nobody_acknowledges_is_sent_to_the_next_and_repeated() {
    let dir = TempDir::new().expect("directory");
    let mut store = Store::open(dir.path(), WIDTH).expect("opens");
    let name = |name| Name::new(name).expect("a name");
    let scope = Scope { region: name("north"), service: name("tv") };
    let page = test_page(&scope, NotificationKind::Firing, at(0));
    let id = page.alert.id.clone();
    let mut tx = store.begin().expect("begins");
    tx.put_alert(&page.alert).expect("stored");
    tx.put_notification(&page, &["lead"], at(0)).expect("stored");
    tx.commit().expect("committed");
    let all = ["lead", "boss"].map(|name| (name.to_owned(), Route::default()));
    let escalation = Escalation {
        order: vec!["lead".into(), "boss".into()],
        after: Duration::from_secs(300),
        remind_after: Some(Duration::from_secs(600)),
    };
    let config = ForecasterConfig { receivers: all.into(), escalation, ..config() };
    let mut forecaster = Forecaster::open(config, store, Arc::default()).expect("opens");
    let mut look = |seconds| {
        let due = forecaster.overdue_pages(at(seconds)).expect("reads");
        for command in &due {
            // A command that arrives twice counts once.
            forecaster.carry_out(command, None).expect("carried out");
            forecaster.carry_out(command, None).expect("carried out");
        }
        let rows = forecaster.reader().pages_of(&id).expect("reads").into_iter();
        rows.map(|row| (row.receiver, row.notice.kind)).collect::<Vec<_>>()
    };
    let told = |name: &str, kind| (name.to_owned(), kind);
    let first = told("lead", NotificationKind::Firing);
    assert_eq!(look(299), std::slice::from_ref(&first));
    let both = [first, told("boss", NotificationKind::Firing)];
    assert_eq!(look(300), both);
    assert_eq!(look(899), both);
    let reminders = ["boss", "lead"].map(|name| told(name, NotificationKind::Reminder));
    let whole = [both, reminders].concat();
    assert_eq!(look(900), whole);
    let at_last = ReplicatedCommand::Acknowledged { id: id.clone(), by: "Li".into(), at: at(901) };
    forecaster.carry_out(&at_last, None).expect("carried out");
    assert!(forecaster.overdue_pages(at(1700)).expect("reads").is_empty());
}

/// A standby repeats the commands, and a kill is anywhere between them: the page has the same id and is stored once.
#[test]
fn a_silence_survives_a_restart_and_its_end_pages_once() {
    let dir = TempDir::new().expect("directory");
    let mut store = Store::open(dir.path(), WIDTH).expect("opens");
    let name = |name| Name::new(name).expect("a name");
    let scope = Scope { region: name("north"), service: name("tv") };
    let held = Held {
        reason: HoldReason::Silence,
        until: Some(at(600)),
        kind: NotificationKind::Firing,
        pages: 1,
        since: at(60),
        last: at(60),
        total: 4,
    };
    let paging = Paging { held: Some(held), ..Paging::default() };
    let page = test_page(&scope, NotificationKind::Firing, at(0));
    let alert = Alert { paging, agents_short: 4, ..page.alert };
    let mut tx = store.begin().expect("begins");
    tx.put_alert(&alert).expect("stored");
    tx.commit().expect("committed");
    drop(store);
    let open = || {
        let store = Store::open(dir.path(), WIDTH).expect("a store");
        let lead = ("lead".to_owned(), Route::default());
        let config = ForecasterConfig { receivers: vec![lead], ..config() };
        Forecaster::open(config, store, Arc::default()).expect("opens")
    };
    let silence = Silence {
        id: "silence.1".into(),
        rule: None,
        region: Some(name("north")),
        service: None,
        starts_at: at(0),
        ends_at: at(600),
        critical: false,
        comment: None,
        by: "Li".into(),
        entered_at: at(0),
        ended_by: None,
    };
    let entered = ReplicatedCommand::Silenced { silence: Box::new(silence) };
    open().carry_out(&entered, None).expect("carried out");
    let mut forecaster = open();
    let silenced = forecaster.reader().alert(&alert.id).expect("reads").expect("there");
    assert_eq!(silenced.paging.silenced.map(|own| own.by).as_deref(), Some("Li"));
    assert!(forecaster.overdue_pages(at(599)).expect("reads").is_empty());
    let due = forecaster.overdue_pages(at(600)).expect("reads");
    let released = ReplicatedCommand::Released { alert: alert.id.clone(), at: at(600) };
    assert_eq!(due, std::slice::from_ref(&released));
    for _ in 0..2 {
        forecaster.carry_out(&released, None).expect("carried out");
        drop(forecaster);
        forecaster = open();
    }
    let rows = forecaster.reader().pages_of(&alert.id).expect("reads").into_iter();
    let ids: Vec<String> = rows.map(|row| row.notice.id).collect();
    assert_eq!(ids, [format!("{}.firing.{}", alert.id, at(60).secs())]);
    assert!(forecaster.overdue_pages(at(601)).expect("reads").is_empty());
}

#[test]
fn a_receiver_that_comes_on_duty_is_notified_of_an_alert_that_still_fires() {
    let dir = TempDir::new().expect("directory");
    let mut store = Store::open(dir.path(), WIDTH).expect("opens");
    let name = |name| Name::new(name).expect("a name");
    let scope = Scope { region: name("north"), service: name("tv") };
    let page = test_page(&scope, NotificationKind::Firing, at(0));
    let mut tx = store.begin().expect("begins");
    tx.put_alert(&page.alert).expect("stored");
    tx.put_notification(&page, &["night"], at(0)).expect("stored");
    tx.commit().expect("committed");
    // It fires at two o’clock and its span ends half an hour later.
    let duty = Some("02:10-08:00".parse().expect("hours"));
    let day = ("day".to_owned(), Route { duty, ..Route::default() });
    let receivers = vec![("night".to_owned(), Route::default()), day];
    let config = ForecasterConfig { receivers, ..config() };
    let mut forecaster = Forecaster::open(config, store, Arc::default()).expect("opens");
    assert!(forecaster.overdue_pages(at(599)).expect("reads").is_empty());
    let due = forecaster.overdue_pages(at(600)).expect("reads");
    let paged = ReplicatedCommand::Paged {
        alert: page.alert.id,
        kind: NotificationKind::Firing,
        receivers: vec!["day".into()],
        at: at(600),
    };
    assert_eq!(due, std::slice::from_ref(&paged));
    forecaster.carry_out(&paged, None).expect("carried out");
    assert!(forecaster.overdue_pages(at(601)).expect("reads").is_empty());
}

/// A report is in the outbox once: however often it is looked for, on a standby that repeats the command, and after a kill.
#[test]
fn a_report_is_sent_once_after_its_week_is_finalized() {
    let dir = TempDir::new().expect("directory");
    let time = |text| Timestamp::parse(text).expect("a time");
    let monday = time("2026-11-08T16:00:00Z");
    let schedule = |receiver: &str| Schedule {
        report: ReportKind::Weekly,
        timing: ReportTiming::Weekly {
            weekday: chrono::Weekday::Mon,
            time: chrono::NaiveTime::from_hms_opt(7, 30, 0).expect("a time"),
        },
        zone: "Asia/Shanghai".parse().expect("a zone"),
        receiver: receiver.into(),
        language: Language::Zh,
    };
    let reports = vec![schedule("planner"), schedule("boss")];
    let config = ForecasterConfig { reports, ..config() };
    let open = || {
        let store = Store::open(dir.path(), WIDTH).expect("opens");
        Forecaster::open(config.clone(), store, Arc::default()).expect("opens")
    };
    let finalize = |upto: Timestamp| {
        let mut store = Store::open(dir.path(), WIDTH).expect("opens");
        let mut tx = store.begin().expect("begins");
        tx.put_state("next_window", &upto.millis()).expect("stored");
        tx.commit().expect("committed");
    };
    let now = time("2026-11-09T00:00:00Z");
    let due = |forecaster: &Forecaster, now| forecaster.due_reports(now).expect("reads");
    assert_eq!(due(&open(), now), [], "nothing is finalized");
    finalize(monday - DAY);
    assert_eq!(due(&open(), now), [], "its week is not finalized");
    finalize(monday);
    let mut forecaster = open();
    let commands = due(&forecaster, now);
    assert_eq!(commands.len(), 2);
    // The process is killed after the first; a standby would carry out a command twice.
    forecaster.carry_out(&commands[0], None).expect("carried out");
    forecaster.carry_out(&commands[0], None).expect("carried out");
    drop(forecaster);
    let mut forecaster = open();
    assert_eq!(due(&forecaster, now), commands[1..]);
    forecaster.carry_out(&commands[1], None).expect("carried out");
    assert_eq!(due(&forecaster, now + DAY), []);
    let rows = forecaster.reader().outbox(None, None, 10, None).expect("reads");
    let sent: Vec<_> = rows.iter().map(|(_, row)| (&*row.receiver, &*row.notice.id)).collect();
    let id = "report.weekly.1794180600.zh.due";
    assert_eq!(sent, [("boss", id), ("planner", id)]);
    assert!(rows.iter().all(|(_, row)| row.notice.kind == NotificationKind::Report));
    // A week later the next one is due, once its week is finalized.
    assert_eq!(due(&forecaster, now + WEEK), []);
    drop(forecaster);
    finalize(monday + WEEK);
    assert_eq!(due(&open(), now + WEEK).len(), 2);
}

/// Planned work has one brief before it and one after it, also over a restart; cancelled work has no further one.
#[test]
fn a_brief_is_sent_once_before_and_once_after_the_work() {
    let dir = TempDir::new().expect("directory");
    let time = |text: &str| Timestamp::parse(text).expect("a time");
    let hours = |n: u64| std::time::Duration::from_secs(n * 3600);
    let schedule = Schedule {
        report: ReportKind::Brief,
        timing: ReportTiming::Work { before: hours(12), after: hours(2) },
        zone: Zone::UTC,
        receiver: "calls".into(),
        language: Language::En,
    };
    let config = ForecasterConfig { reports: vec![schedule], ..config() };
    let open = || {
        let store = Store::open(dir.path(), WIDTH).expect("opens");
        Forecaster::open(config.clone(), store, Arc::default()).expect("opens")
    };
    let own = |id: &str, action| MaintenanceEvent {
        event_id: id.into(),
        action,
        ts: time(if action == MaintenanceAction::Plan {
            "2026-03-01T00:00:00Z"
        } else {
            "2026-03-10T12:00:00Z"
        }),
        starts_at: time("2026-03-10T22:00:00Z"),
        ends_at: time("2026-03-11T02:00:00Z"),
        region: None,
        service: None,
        impact: None,
        text: None,
    };
    let put = |all: &[MaintenanceEvent], finalized: &str| {
        let mut store = Store::open(dir.path(), WIDTH).expect("opens");
        let mut tx = store.begin().expect("begins");
        for (offset, work) in all.iter().enumerate() {
            let source = SourceId::new("network.maintenance", 0);
            let position = Position { source, offset: offset as i64 };
            tx.put_maintenance(&position, work).expect("stored");
        }
        tx.put_state("next_window", &time(finalized).millis()).expect("stored");
        tx.commit().expect("committed");
    };
    put(
        &[own("w1", MaintenanceAction::Plan), own("w2", MaintenanceAction::Plan)],
        "2026-03-10T09:00:00Z",
    );
    let due = |now: &str| open().due_reports(time(now)).expect("reads");
    assert_eq!(due("2026-03-10T09:59:00Z"), []);
    let first = due("2026-03-10T10:00:30Z");
    assert_eq!(first.len(), 2, "{first:?}");
    for command in &first {
        let mut forecaster = open();
        forecaster.carry_out(command, None).expect("carried out");
        // A standby would carry it out twice.
        forecaster.carry_out(command, None).expect("carried out");
    }
    assert_eq!(due("2026-03-10T10:00:31Z"), []);
    assert_eq!(due("2026-03-10T21:00:00Z"), []);
    put(&[own("w2", MaintenanceAction::Cancel)], "2026-03-11T03:45:00Z");
    assert_eq!(due("2026-03-11T04:00:00Z"), [], "what it says is not finalized");
    put(&[], "2026-03-11T04:00:00Z");
    let second = due("2026-03-11T04:20:00Z");
    assert_eq!(second.len(), 1, "{second:?}");
    open().carry_out(&second[0], None).expect("carried out");
    assert_eq!(due("2026-03-11T04:21:00Z"), []);
    let rows = open().reader().outbox(None, None, 10, None).expect("reads");
    let mut sent: Vec<_> = rows.iter().map(|(_, row)| row.notice.id.clone()).collect();
    sent.sort();
    let id = |due: &str, rest: &str| {
        let due = Timestamp::parse(due).expect("a time").secs();
        format!("report.brief.{due}.en.{rest}.due")
    };
    let expected = [
        id("2026-03-10T10:00:00Z", "before.w1"),
        id("2026-03-10T10:00:00Z", "before.w2"),
        id("2026-03-11T04:00:00Z", "after.w1"),
    ];
    assert_eq!(sent, expected);
}
