//! The sink's points from a store, and the table of measurements in `grafana/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::feeds::Feeds;
use super::sink::Gatherer;
use super::{InfluxContext, Line, planned, points, teams};
use crate::alert::{Alert, AlertSeverity, AlertState, Paging, Silenced, Trend};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::clock::ManualClock;
use crate::domain::{
    AlarmAction, AlarmEvent, DeadLetter, LifeStep, MaintenanceAction, MaintenanceEvent, Position,
    Reason, Scope, Sentiment, SeriesKey, Severity, SourceId, TicketMessage, TicketNews, TicketStep,
    Timestamp, WindowWidth, Zone,
};
use crate::forecast::surge::{SurgeCount, Surges};
use crate::forecast::{
    Adjustment, AdjustmentAmount, AdjustmentKind, Cause, Figures, ForecastPoint, Score, Vintage,
};
use crate::staffing::{
    AdviceReason, Kind, Outcome, Outlook, Plan, PlanTarget, Profile, Recommendation,
    RecommendationState, Rules, Team,
};
use crate::store::{
    ByLead, Change, PartialRecord, SourceRecord, Store, StoreError, Tx, WindowRecord,
};
use crate::telemetry::Metrics;
use crate::text::{Language, Texts};
use crate::tickets::AssessmentChanges;
use crate::window::{
    AggregationKey, AlarmBook, AlarmRules, BacklogFlow, BacklogWindow, Counts, SeriesTerms,
    ServedBy, ServiceGoal, Terms, TicketBook, TicketChanges, Total,
};

const WIDTH: WindowWidth = WindowWidth::QUARTER;

/// Minutes after 2026-01-01T02:00:00Z.
fn at(minutes: i64) -> Timestamp {
    Timestamp::from_secs(1_767_232_800 + minutes * 60)
}

fn series(text: &str) -> SeriesKey {
    SeriesKey::parse(text).expect("a series")
}

fn scope() -> Scope {
    series("north/tv/phone").scope()
}

fn context() -> InfluxContext {
    InfluxContext {
        public_url: "https://surgecast.example".into(),
        texts: Texts::new(Language::En),
        alarms: AlarmRules { hold_clear: Duration::ZERO, ..AlarmRules::default() },
        width: WIDTH,
        staffing: Arc::default(),
        clock: Arc::new(ManualClock::new(at(0))),
        metrics: Arc::default(),
    }
}

/// A store, and the part of the sink that reads it.
struct Site {
    store: Store,
    gatherer: Gatherer,
    /// The book of alarms of the forecaster.
    book: AlarmBook,
    offset: i64,
    _dir: TempDir,
}

impl Site {
    fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        let store = Store::open(dir.path(), WIDTH).expect("a store");
        let book = AlarmBook::new(context().alarms);
        Self { store, gatherer: Gatherer::new(context()), book, offset: 0, _dir: dir }
    }

    fn put(&mut self, write: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError>) {
        let mut tx = self.store.begin().expect("begins");
        write(&mut tx).expect("writes");
        tx.commit().expect("commits");
    }

    fn position(&mut self) -> Position {
        self.offset += 1;
        Position { source: SourceId::new("network.alarms", 0), offset: self.offset }
    }

    /// A message of an alarm, and the partial that counts it.
    fn alarm(&mut self, id: &str, action: AlarmAction, minute: i64, counts: Counts) {
        let position = self.position();
        let event = AlarmEvent {
            event_id: format!("{id}-{minute}").into(),
            alarm_id: id.into(),
            action,
            ts: at(minute),
            severity: Severity::Major,
            scope: scope(),
            device: None,
            alarm_type: Some(id.split('-').next().unwrap_or_default().into()),
            text: None,
            aliases: Box::default(),
        };
        let partial = PartialRecord {
            window: WIDTH.floor(at(minute)),
            key: AggregationKey::Alarms(scope()),
            source: position.source.clone(),
            counts,
            upto: position.offset,
        };
        self.book.observe(&position, &event);
        self.put(|tx| {
            tx.put_alarm(&position, &event)?;
            tx.put_partials(&[partial])
        });
    }

    /// A partial with a ticket in the window that starts at a minute.
    fn ticket(&mut self, minute: i64) {
        let partial = PartialRecord {
            window: at(minute),
            key: AggregationKey::Tickets(series("north/tv/phone")),
            source: SourceId::new("support.tickets", 0),
            counts: Counts { tickets: 1, ..Counts::default() },
            upto: 7,
        };
        self.put(|tx| tx.put_partials(&[partial]));
    }

    /// Finalizes the window that starts at a minute, with `active` alarms in the scope at its end.
    fn finalize(&mut self, minute: i64, active: u32) {
        let source = SourceId::new("network.alarms", 0);
        let finalized = WindowRecord { settled: true, ..WindowRecord::default() };
        let alarms = AggregationKey::Alarms(scope());
        let mut rows =
            vec![(AggregationKey::Tickets(series("north/tv/phone")), at(minute), finalized)];
        if active > 0 {
            rows.push((alarms.clone(), at(minute), WindowRecord { active, ..finalized }));
        }
        let window = (at(minute), at(minute + 15));
        let types = self.book.advance_window(window, Scope::clone, |_| {});
        self.put(|tx| {
            tx.put_windows(&rows)?;
            tx.put_alarm_types(at(minute), &types)?;
            tx.delete_partials(&[(at(minute), alarms, source)])
        });
    }

    fn lines(&mut self, changes: &[Change]) -> Vec<String> {
        let reader = self.store.reader().expect("a reader");
        let lines = self.gatherer.gather(&reader, changes).expect("gathers");
        lines.into_iter().map(text).collect()
    }

    /// All changes since the last call.
    fn changed(&mut self, cursor: &mut i64) -> Vec<String> {
        let reader = self.store.reader().expect("a reader");
        let found = reader.changes(*cursor, 1000).expect("changes");
        *cursor = found.last().map_or(*cursor, |(seq, _)| *seq);
        let changes: Vec<Change> = found.into_iter().map(|(_, change)| change).collect();
        self.lines(&changes)
    }
}

fn text(line: Line) -> String {
    String::from_utf8(line).expect("UTF-8")
}

/// `active` of the scope north/tv by minute of the window, and of its roll-up over all.
fn active(lines: &[String]) -> Vec<(i64, String)> {
    let found = lines.iter().filter(|line| line.starts_with("alarms,region=north,service=tv "));
    let found = found.map(|line| {
        let nanos: i64 = line.rsplit(' ').next().and_then(|n| n.parse().ok()).expect("a time");
        let active = line.split("active=").nth(1).and_then(|rest| rest.split(['i', ' ']).next());
        ((nanos / 1_000_000_000 - at(0).secs()) / 60, active.expect("active").to_owned())
    });
    found.collect()
}

fn types(lines: &[String]) -> Vec<String> {
    let found = lines
        .iter()
        .filter_map(|line| line.strip_prefix("alarm_types,region=north,service=tv,type="));
    found.map(|line| line.rsplit_once(' ').expect("a time").0.to_owned()).collect()
}

#[test]
fn open_windows_show_the_alarms_that_are_active_now_and_ended_ones_their_0() {
    use AlarmAction::{Clear, Raise};
    let raised = |n| Counts { raised: [0, n, 0, 0, 0], ..Counts::default() };
    let cleared = |n| Counts { cleared: n, ..Counts::default() };
    let mut site = Site::new();
    let mut cursor = 0;
    site.finalize(-15, 0);
    assert_eq!(active(&site.changed(&mut cursor)), []);
    // An outage begins, and shows in its first window.
    site.alarm("LOS-1", Raise, 2, raised(1));
    let lines = site.changed(&mut cursor);
    assert_eq!(active(&lines), [(0, "1".into())]);
    assert!(
        lines.iter().any(|line| line.starts_with("alarms,region=_all,service=_all ")
            && line.contains("active=1i"))
    );
    assert_eq!(types(&lines), ["LOS raised=1i,standing=1i"]);
    site.alarm("LOS-2", Raise, 3, raised(2));
    site.alarm("power-3", Raise, 4, raised(3));
    let lines = site.changed(&mut cursor);
    assert_eq!(active(&lines), [(0, "3".into())]);
    assert_eq!(types(&lines), ["LOS raised=2i,standing=2i", "power raised=1i,standing=1i"]);
    site.finalize(0, 3);
    assert_eq!(active(&site.changed(&mut cursor)), [(0, "3".into())]);
    // In the next window only a ticket arrives: the alarms still stand.
    site.ticket(15);
    assert_eq!(active(&site.changed(&mut cursor)), [(15, "3".into())]);
    // They end, one after the other.
    site.alarm("LOS-1", Clear, 17, cleared(1));
    site.alarm("power-3", Clear, 17, cleared(2));
    let lines = site.changed(&mut cursor);
    assert_eq!(active(&lines), [(15, "1".into())]);
    assert_eq!(types(&lines), ["LOS raised=0i,standing=1i", "power raised=0i,standing=0i"]);
    site.alarm("LOS-2", Clear, 18, cleared(3));
    let lines = site.changed(&mut cursor);
    assert_eq!(active(&lines), [(15, "0".into())]);
    assert_eq!(types(&lines), ["LOS raised=0i,standing=0i", "power raised=0i,standing=0i"]);
    // The store has no row for a scope without alarms and messages; the 0 stays written.
    site.finalize(15, 0);
    assert_eq!(active(&site.changed(&mut cursor)), [(15, "0".into())]);
    site.finalize(30, 0);
    assert_eq!(active(&site.changed(&mut cursor)), []);
}

#[test]
fn types_are_written_while_another_source_is_days_ahead() {
    let mut site = Site::new();
    let mut cursor = 0;
    site.ticket(3 * 24 * 60);
    site.alarm("LOS-1", AlarmAction::Raise, 2, Counts::default());
    site.finalize(0, 1);
    let ahead = "LOS raised=0i,standing=1i";
    assert_eq!(types(&site.changed(&mut cursor)), ["LOS raised=1i,standing=1i", ahead]);
    site.alarm("LOS-2", AlarmAction::Raise, 16, Counts::default());
    site.ticket(3 * 24 * 60 + 15);
    assert_eq!(types(&site.changed(&mut cursor)).len(), 1 + 1);
    site.finalize(15, 2);
    assert_eq!(types(&site.changed(&mut cursor)), ["LOS raised=1i,standing=2i"]);
}

#[test]
fn a_window_that_changed_after_later_ones_has_its_types() {
    let mut site = Site::new();
    site.finalize(-15, 0);
    site.lines(&[Change::Window(at(-15))]);
    site.alarm("LOS-1", AlarmAction::Raise, 2, Counts::default());
    for minute in [0, 15, 30, 45] {
        site.finalize(minute, 1);
    }
    // A change of the window of minute 0 takes a number after those of the later windows, in another batch.
    let later = types(&site.lines(&[Change::Window(at(30)), Change::Window(at(45))]));
    assert_eq!(later, ["LOS raised=0i,standing=1i", "LOS raised=0i,standing=1i"]);
    let first = ["LOS raised=1i,standing=1i"];
    assert_eq!(types(&site.lines(&[Change::Window(at(0))])), first);
    // A sink that takes over begins with the later windows.
    site.gatherer = Gatherer::new(context());
    assert_eq!(types(&site.lines(&[Change::Window(at(30)), Change::Window(at(45))])), later);
    assert_eq!(types(&site.lines(&[Change::Window(at(0))])), first);
}

/// The types with a line of their own are the most frequent ones of the day before, also where that day was written long ago.
#[test]
fn a_late_window_has_the_types_of_its_own_day() {
    let in_turn = |is_late: bool| {
        let mut site = Site::new();
        for n in 0..25 {
            for time in 0..=n {
                let id = format!("type{n:02}-{time}");
                site.alarm(&id, AlarmAction::Raise, 1, Counts::default());
                site.alarm(&id, AlarmAction::Clear, 3, Counts::default());
            }
        }
        site.alarm("type01-z", AlarmAction::Raise, 23 * 60, Counts::default());
        let minutes: Vec<i64> = (0..46 * 4).map(|n| n * 15).collect();
        minutes.iter().for_each(|minute| site.finalize(*minute, 1));
        let late = 23 * 60 + 15;
        let others =
            minutes.iter().filter(|minute| !is_late || ![late, late + 15].contains(*minute));
        let mut lines = Vec::new();
        for minute in others {
            lines.extend(site.lines(&[Change::Window(at(*minute))]));
        }
        if is_late {
            lines.extend(site.lines(&[Change::Window(at(late))]));
        }
        let own = at(late).secs() * 1_000_000_000;
        lines.retain(|line| line.starts_with("alarm_types") && line.ends_with(&format!(" {own}")));
        lines.sort();
        lines
    };
    assert_eq!(in_turn(true), in_turn(false));
    assert!(in_turn(true).iter().any(|line| line.contains("type=other")), "{:?}", in_turn(true));
}

#[test]
fn messages_that_come_late_change_no_types_of_finalized_windows() {
    let mut site = Site::new();
    site.alarm("LOS-1", AlarmAction::Raise, 2, Counts::default());
    site.finalize(0, 1);
    // Its clear comes after the window was finalized, and before the sink looks.
    site.alarm("LOS-1", AlarmAction::Clear, 10, Counts::default());
    assert_eq!(types(&site.lines(&[Change::Window(at(0))])), ["LOS raised=1i,standing=1i"]);
    site.finalize(15, 0);
    assert_eq!(types(&site.lines(&[Change::Window(at(15))])), ["LOS raised=0i,standing=0i"]);
    site.gatherer = Gatherer::new(context());
    assert_eq!(types(&site.lines(&[Change::Window(at(0))])), ["LOS raised=1i,standing=1i"]);
}

#[test]
fn a_type_that_was_shown_in_an_open_window_and_is_not_final_gets_its_0() {
    let mut site = Site::new();
    site.finalize(-15, 0);
    site.alarm("LOS-1", AlarmAction::Raise, 2, Counts::default());
    assert_eq!(types(&site.lines(&[Change::Window(at(0))])), ["LOS raised=1i,standing=1i"]);
    // Another instance has led since, and its book has another message.
    site.book = AlarmBook::new(context().alarms);
    site.finalize(0, 0);
    for _ in 0..2 {
        assert_eq!(types(&site.lines(&[Change::Window(at(0))])), ["LOS raised=0i,standing=0i"]);
    }
}

#[test]
fn an_alarm_that_ends_without_a_message_gets_its_0() {
    let mut site = Site::new();
    let mut cursor = 0;
    site.finalize(0, 2);
    site.finalize(15, 0);
    let lines = site.changed(&mut cursor);
    assert_eq!(active(&lines), [(0, "2".into()), (15, "0".into())]);
    // Batches are written again after a failure, and after a restart by another sink.
    assert_eq!(site.lines(&[Change::Window(at(15))]).len(), 8 + 4);
    site.gatherer = Gatherer::new(context());
    assert_eq!(active(&site.lines(&[Change::Window(at(15))])), [(15, "0".into())]);
}

#[test]
fn a_scope_has_at_most_twenty_types_of_its_own() {
    let mut site = Site::new();
    let mut cursor = 0;
    for n in 0..30 {
        let counts = Counts { raised: [0, n + 1, 0, 0, 0], ..Counts::default() };
        site.alarm(&format!("type{n:02}-a"), AlarmAction::Raise, 1, counts);
    }
    site.alarm("type29-b", AlarmAction::Raise, 2, Counts::default());
    let lines = types(&site.changed(&mut cursor));
    assert_eq!(lines.len(), 21);
    assert_eq!(lines[0], "other raised=10i,standing=10i");
    assert_eq!(lines[20], "type29 raised=2i,standing=2i", "the most frequent type is among them");
}

fn work(id: &str, starts: i64, action: MaintenanceAction, ts: i64) -> MaintenanceEvent {
    MaintenanceEvent {
        event_id: id.into(),
        action,
        ts: at(ts),
        starts_at: at(starts),
        ends_at: at(starts + 60),
        region: Some(scope().region),
        service: None,
        impact: None,
        text: Some("Core \"router\"\nupgrade".into()),
    }
}

fn entry(id: &str, amount: AdjustmentAmount) -> Adjustment {
    Adjustment {
        id: id.into(),
        label: "billing run".into(),
        kind: AdjustmentKind::Billing,
        region: None,
        service: Some(scope().service),
        channel: None,
        starts_at: at(30),
        ends_at: at(90),
        amount,
        by: "Li".into(),
        note: None,
        entered_at: at(0),
    }
}

#[test]
fn what_is_planned_keeps_its_point_when_it_is_moved_or_goes() {
    let mut site = Site::new();
    let mut cursor = 0;
    let mut put = |site: &mut Site, event: MaintenanceEvent| {
        let position = site.position();
        site.put(|tx| tx.put_maintenance(&position, &event));
        let lines = site.changed(&mut cursor);
        // The fraction of the second depends on the id.
        lines.iter().map(|line| line[..line.len() - 9].to_owned()).collect::<Vec<_>>()
    };
    use MaintenanceAction::{Cancel, Plan};
    let first = put(&mut site, work("w", 0, Plan, -90));
    let moved = put(&mut site, work("w", 15, Plan, -80));
    let gone = put(&mut site, work("w", 15, Cancel, -70));
    insta::assert_snapshot!([first, moved, gone].concat().join("\n"), @r#"
    planned,region=north,service=_all,channel=_all kind="maintenance",text="Core \"router\"
    upgrade",until="2026-01-01T03:00:00Z",state="planned" 1767232800
    planned,region=north,service=_all,channel=_all state="cancelled" 1767232800
    planned,region=north,service=_all,channel=_all kind="maintenance",text="Core \"router\"
    upgrade",until="2026-01-01T03:15:00Z",state="planned" 1767233700
    planned,region=north,service=_all,channel=_all state="cancelled" 1767233700
    "#);
    site.put(|tx| tx.put_adjustment(&entry("a", AdjustmentAmount::Factor(1.5))));
    let entered = site.changed(&mut cursor);
    site.put(|tx| tx.delete_adjustment("a"));
    let deleted = site.changed(&mut cursor);
    let start = "planned,region=_all,service=tv,channel=_all ";
    assert!(
        entered[0].starts_with(&format!(
            "{start}kind=\"billing\",text=\"billing run\",factor=1.5,until="
        )),
        "{entered:?}"
    );
    assert!(deleted[0].starts_with(&format!("{start}state=\"cancelled\"")), "{deleted:?}");
    let time = |line: &str| line.rsplit(' ').next().map(str::to_owned);
    assert_eq!(time(&entered[0]), time(&deleted[0]), "the same point");
}

#[test]
fn a_source_says_once_a_minute_how_far_it_is() {
    let mut site = Site::new();
    let source = SourceId::new("support.tickets", 3);
    let record = |offset| SourceRecord {
        source: SourceId::new("support.tickets", 3),
        closed: at(-30),
        decided_upto: offset,
        resume_at: 0,
        beside: Default::default(),
        caught_up_at: None,
        reported_at: at(-1),
    };
    let letter = |nth, reason| DeadLetter {
        position: Position { source: source.clone(), offset: nth },
        nth: 0,
        received_at: at(-5),
        reason,
        detail: "x".into(),
        bytes: Box::default(),
    };
    site.put(|tx| {
        tx.put_source(&record(7))?;
        tx.put_dead_letter(&letter(1, Reason::Field), None)?;
        tx.put_dead_letter(&letter(2, Reason::Late), None)?;
        tx.put_dead_letter(&letter(3, Reason::Malformed), None)
    });
    let metrics = Metrics::default();
    metrics.partition(&source, Some(12), 1800.0, 1);
    let mut feeds = Feeds::default();
    let reader = site.store.reader().expect("a reader");
    let mut said = |minutes: i64| -> Vec<String> {
        let lines = feeds.lines(&reader, &metrics, at(minutes)).expect("lines");
        lines.into_iter().map(text).collect()
    };
    insta::assert_snapshot!(said(0).join("\n"), @"feed,source=support.tickets[3] lag=12i,frontier_age=1800i,silent_for=1800i,rejected=2i,malformed=1i,field=1i,future=0i,limit=0i,late=1i,heard=60i 1767232800000000000");
    assert_eq!(said(0), Vec::<String>::new(), "not again within the minute");
    site.put(|tx| tx.put_source(&record(8)));
    assert!(said(2)[0].contains("silent_for=0i"));
    assert!(said(5)[0].contains("silent_for=180i"));
}

fn vintage() -> Vintage {
    let target = |step: i64| ForecastPoint {
        start: at(15 * step),
        mean: 9.0,
        quantiles: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
        baseline: 8.0,
        level: 1.0,
        alarm_effect: 1.0,
    };
    Vintage {
        series: series("north/tv/_all"),
        issued_at: at(0),
        targets: (0..24).map(target).collect(),
        members: vec![],
        causes: vec![
            Cause { what: "LOS".into(), tickets: 12.0 },
            Cause { what: "adjustment: billing run".into(), tickets: 3.0 },
        ],
        surges: None,
        fallback: None,
    }
}

#[test]
fn tickets_because_of_alarms_are_beside_their_types() {
    let mut site = Site::new();
    let mut cursor = 0;
    let counts = Counts { raised: [0, 1, 0, 0, 0], ..Counts::default() };
    site.alarm("LOS-1", AlarmAction::Raise, -3, counts);
    site.finalize(-15, 1);
    site.put(|tx| tx.put_vintage(&vintage()));
    let lines = site.changed(&mut cursor);
    let found: Vec<&String> = lines.iter().filter(|line| line.contains("ticket_effect")).collect();
    assert_eq!(
        found,
        ["alarm_types,region=north,service=tv,type=LOS ticket_effect=12 1767231900000000000"]
    );
    let found: Vec<&String> = lines.iter().filter(|line| line.starts_with("planned,")).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(r#"planned,region=north,service=tv,channel=_all kind="cause",text="LOS",tickets=12,until="2026-01-01T08:00:00Z""#), "{found:?}");
}

#[test]
fn forecasts_without_a_fit_are_marked() {
    let outlook = |members: &[&str]| {
        let mut site = Site::new();
        let vintage = Vintage {
            members: members.iter().map(|name| (*name).to_owned()).collect(),
            causes: vec![],
            ..vintage()
        };
        let outlook = crate::staffing::outlook(&vintage, None);
        site.put(|tx| {
            tx.put_vintage(&vintage)?;
            tx.put_plan(None, &outlook)
        });
        let lines = site.changed(&mut 0);
        lines.into_iter().find(|line| line.starts_with("outlook,")).expect("an outlook")
    };
    assert!(outlook(&["profile"]).contains("fallback=\"no model is fitted yet"));
    assert!(outlook(&["profile", "level"]).contains("fallback=\"\""));
}

#[test]
fn accuracy_names_no_surges_before_a_forecast_could_warn() {
    let day = Timestamp::from_secs(1_767_225_600);
    let key = series("north/tv/phone");
    let figures = Figures { wape: Some(0.125), ..Figures::default() };
    let line = |counted: Option<&SurgeCount>| {
        text(points::accuracy(&key, day, 3, &figures, counted).expect("a line"))
    };
    assert!(line(None).contains(" wape=0.125 "));
    assert!(line(Some(&SurgeCount::default())).contains("surges=0i,surges_hit=0i,false_calls=0i"));
}

/// The fields of `accuracy` by series, lead and day, as InfluxDB has them after these lines: a field that is written again replaces
/// the earlier one, and others stay.
fn accuracy_fields(lines: &[String]) -> BTreeMap<(String, String), BTreeMap<String, String>> {
    let mut points: BTreeMap<(String, String), BTreeMap<String, String>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.starts_with("accuracy,")) {
        let parts: Vec<&str> = line.split(' ').collect();
        let [tags, fields, time] = parts[..] else { panic!("{line}") };
        let point = points.entry((tags.to_owned(), time.to_owned())).or_default();
        let fields = fields.split(',').map(|field| field.split_once('=').expect("a value"));
        point.extend(fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    points
}

/// Before the first fit, only forecasts with active alarms can warn of surges: here one of the first day.
#[test]
fn a_backlog_of_days_has_the_surges_that_were_written_hour_by_hour() {
    let mut site = Site::new();
    let (mut cursor, mut live) = (0, Vec::new());
    let day = |n: i64| at(-120 + n * 24 * 60);
    let score = Score { n: 4, actual: 8.0, absolute: 1.0, ..Score::default() };
    let by_lead: ByLead = [(180, score)].into();
    for hour in 1..=48 {
        let end = at(-120 + hour * 60);
        let fresh = Vintage {
            issued_at: end,
            targets: vec![],
            members: vec!["profile".into()],
            causes: vec![],
            surges: (hour == 10).then(Surges::default),
            ..vintage()
        };
        let today = day((hour - 1) / 24);
        site.put(|tx| {
            tx.put_vintage(&fresh)?;
            tx.put_scores(&fresh.series, today, &by_lead)?;
            tx.accuracy_changed(today);
            Ok(())
        });
        live.extend(site.changed(&mut cursor));
    }
    site.gatherer = Gatherer::new(context());
    let backlog = site.changed(&mut 0);
    let found = accuracy_fields(&backlog);
    assert_eq!(found, accuracy_fields(&live));
    let has_surges: Vec<bool> =
        found.values().map(|fields| fields.contains_key("false_calls")).collect();
    assert_eq!(has_surges, [true, false]);
}

#[test]
fn forecasts_that_retention_removed_are_counted() {
    let mut site = Site::new();
    let day = |days: i64| at(-days * 24 * 60);
    let kept = Vintage { issued_at: day(13), ..vintage() };
    site.put(|tx| tx.put_vintage(&kept));
    let reader = site.store.reader().expect("a reader");
    let removed = |changes: &[Change]| site.gatherer.removed(&reader, changes).expect("reads");
    let all = [day(20), day(15), day(13)].map(Change::Issue);
    let found = removed(&all).expect("two are gone");
    assert_eq!((found.lines, found.point), (2, None));
    assert!(found.why.contains(&format!("from {} to {} ", day(20), day(15))), "{}", found.why);
    assert_eq!(removed(&all[2..]), None);
    assert_eq!(removed(&[Change::Window(day(20))]), None);
}

fn plan_target() -> PlanTarget {
    PlanTarget {
        start: at(0),
        arrivals: 9.0,
        positions: 3,
        agents: 5,
        agents_low: 4,
        agents_high: 6,
        scheduled: Some(4),
        gap: 1,
        service_level: 0.75,
    }
}

/// A team for the phone of the north, and one for its chat.
fn two_teams() -> Rules {
    let team = |name: &str, channel: &str| Team {
        name: crate::domain::Name::new(name).expect("a name"),
        series: vec![series(&format!("north/_all/{channel}"))],
        skills: vec![],
        profile: Profile::default_of(channel).expect("a profile"),
        hours: None,
        zone: Zone::UTC,
        minimum: 0,
    };
    Rules::new(BTreeMap::new(), vec![team("calls", "phone"), team("chats", "chat")])
}

/// A plan of a series for the first windows.
fn plan_of(name: &str, targets: Vec<PlanTarget>) -> (Plan, Outlook) {
    let key = series(name);
    let basis = crate::text::Stored::Sentence("basis".into());
    let plan = Plan { series: key.clone(), issued_at: at(0), basis, targets };
    let vintage = Vintage { series: key, causes: vec![], ..vintage() };
    let outlook = crate::staffing::outlook(&vintage, Some(&plan));
    (plan, outlook)
}

#[test]
fn plans_of_a_team_are_added_up() {
    let mut site = Site::new();
    site.gatherer = Gatherer::new(InfluxContext { staffing: Arc::new(two_teams()), ..context() });
    let later = PlanTarget { start: at(15), gap: -2, scheduled: None, ..plan_target() };
    let all = [
        plan_of("north/tv/phone", vec![plan_target(), later.clone()]),
        plan_of("north/mobile/phone", vec![plan_target(), PlanTarget { gap: 7, ..later.clone() }]),
        // No plan of the other series reaches the second window.
        plan_of("north/tv/chat", vec![plan_target(), later]),
        plan_of("north/mobile/chat", vec![PlanTarget { service_level: 0.5, ..plan_target() }]),
        plan_of("south/tv/phone", vec![plan_target()]),
    ];
    site.put(|tx| {
        for (plan, outlook) in &all {
            tx.put_vintage(&Vintage { series: plan.series.clone(), causes: vec![], ..vintage() })?;
            tx.put_plan(Some(plan), outlook)?;
        }
        Ok(())
    });
    let lines = site.changed(&mut 0);
    let of_teams: BTreeSet<&str> = lines
        .iter()
        .map(String::as_str)
        .filter(|line| line.starts_with("team_staffing,"))
        .collect();
    assert_eq!(
        of_teams.into_iter().collect::<Vec<_>>(),
        [
            "team_staffing,team=calls positions=6i,agents=10i,gap=5i,service_level=0.75 1767233700000000000",
            "team_staffing,team=calls positions=6i,agents=10i,scheduled=8i,gap=2i,service_level=0.75 1767232800000000000",
            "team_staffing,team=chats positions=6i,agents=10i,scheduled=8i,gap=2i,service_level=0.5 1767232800000000000",
        ]
    );
    let rules = Rules::default();
    let targets = all.iter().map(|(plan, _)| (&plan.series, plan.targets.as_slice()));
    assert!(teams::staffing(&rules, targets).is_empty(), "without teams");
}

fn alert() -> Alert {
    Alert {
        id: "understaffed.north.tv 2.17".into(),
        rule: "understaffed".into(),
        severity: AlertSeverity::Warning,
        scope: scope(),
        state: AlertState::Firing,
        since: at(-30),
        updated_at: at(0),
        ended_at: None,
        from: at(0),
        to: at(60),
        agents_short: 4,
        shortfalls: vec![],
        because: vec![],
        zone: Zone::UTC,
        acknowledged_by: None,
        acknowledged_at: None,
        feedback: None,
        worst: None,
        streak: 2,
        notified_gap: 4,
        recommended: Vec::new(),
        finding: None,
        notes: Default::default(),
        notified_at: None,
        steps: Vec::new(),
        trend: Trend::default(),
        paging: Paging {
            silenced: Some(Silenced {
                id: "silence.1".into(),
                by: "Li".into(),
                until: at(60),
                comment: None,
            }),
            incident: Some("i1".into()),
            ..Paging::default()
        },
    }
}

#[test]
fn an_alert_says_since_when_and_links_to_itself() {
    let context = context();
    let line = points::alert(&alert(), &context.public_url, &context.texts).expect("a line");
    let line = text(line);
    assert!(
        line.contains(r#"service="tv",since="2026-01-01T01:30:00Z",agents_short=4i"#),
        "{line}"
    );
    assert!(
        line.contains(r#"url="https://surgecast.example/#/alerts/understaffed.north.tv%202.17""#),
        "{line}"
    );
}

/// Every measurement with every field.
fn every_line() -> Vec<Line> {
    let key = series("north/tv/phone");
    let (context, vintage) = (context(), vintage());
    let plan = Plan {
        series: key.clone(),
        issued_at: at(0),
        basis: crate::text::Stored::Sentence("basis".into()),
        targets: vec![plan_target()],
    };
    let outlook = Outlook {
        series: key.clone(),
        issued_at: at(0),
        peak: 9.0,
        peak_at: at(0),
        over_baseline: 1.5,
        gap_max: Some(1),
        gap_at: Some(at(0)),
        minutes_to_breach: Some(15),
    };
    let anomaly = Anomaly {
        series: key.clone(),
        window: at(0),
        kind: AnomalyKind::High,
        score: 4.0,
        actual: 9.0,
        expected: 4.0,
        detail: crate::text::Stored::Sentence("more".into()),
    };
    let some = Some(0.5);
    let figures = Figures {
        wape: some,
        wape_naive: some,
        wape_floor: some,
        mase: some,
        coverage80: some,
        bias: some,
        ..Figures::default()
    };
    let mut lines: Vec<Line> = points::forecast(&vintage, &vintage.targets).collect();
    lines.extend(points::forecast_lead(&vintage, WIDTH));
    lines.extend(planned::causes(&vintage, WIDTH, &context.texts));
    lines.extend(points::staffing(&key, &plan_target()));
    lines.extend(points::outlook(&outlook, Some(&plan), ""));
    lines.extend(teams::staffing(&two_teams(), [(&key, plan.targets.as_slice())]));
    lines.extend(points::anomaly(&anomaly, &context.texts));
    lines.extend(points::alert(&alert(), &context.public_url, &context.texts));
    lines.extend(points::accuracy(&key, at(0), 3, &figures, Some(&SurgeCount::default())));
    lines
}

/// Measurement → tags and fields with their types, as written.
type Schema = BTreeMap<String, (BTreeSet<String>, BTreeMap<String, &'static str>)>;

fn schema(lines: &[String]) -> Schema {
    let mut schema = Schema::new();
    for line in lines {
        // No name in these samples holds a space or a comma.
        let mut parts = line.splitn(2, ' ');
        let (head, rest) = (parts.next().expect("tags"), parts.next().expect("fields"));
        let mut head = head.split(',');
        let known = schema.entry(head.next().expect("a measurement").to_owned()).or_default();
        known.0.extend(head.map(|tag| tag.split('=').next().expect("a key").to_owned()));
        let mut rest = rest.rsplit_once(' ').expect("a time").0;
        while let Some((key, value)) = rest.split_once('=') {
            let is_text = value.starts_with('"');
            let ends = match is_text {
                true => {
                    2 + value[1..]
                        .match_indices('"')
                        .find(|(n, _)| !value.as_bytes()[1..=*n].ends_with(b"\\"))
                        .expect("an end")
                        .0
                }
                false => value.find(',').unwrap_or(value.len()),
            };
            let kind = if is_text {
                "text"
            } else if value[..ends].ends_with('i') {
                "integer"
            } else {
                "float"
            };
            known.1.insert(key.to_owned(), kind);
            rest = value[ends..].trim_start_matches(',');
        }
    }
    schema
}

/// A recommendation with every field.
fn advice() -> Recommendation {
    Recommendation {
        id: "announcement.calls.1".into(),
        kind: Kind::Announcement,
        state: RecommendationState::Done,
        team: "calls".into(),
        source: None,
        series: vec![series("north/tv/phone")],
        zone: Zone::UTC,
        from: at(15),
        to: at(75),
        agents: 0,
        confidence: 0.75,
        level_with: 0.5,
        level_without: 0.25,
        cost: 0.0,
        deflection: Some((0.1, 0.3)),
        arrivals: 120.0,
        why: AdviceReason::Outage { cause: "LOS".into(), agents: 4 },
        issued_at: at(0),
        updated_at: at(75),
        changed_at: at(0),
        changes: 0,
        grew: true,
        idle_since: None,
        differs_since: None,
        answered_by: Some("Li".into()),
        answered_at: Some(at(1)),
        in_roster: false,
        in_source_roster: false,
        outcome: Some(Outcome {
            arrivals: 90.0,
            expected_arrivals: 120.0,
            level_with: 0.5,
            level_without: 0.25,
            deflected: Some(0.25),
        }),
    }
}

#[test]
fn a_recommendation_is_a_point_of_its_first_second() {
    let mut site = Site::new();
    site.put(|tx| tx.put_recommendation(&advice()));
    let lines = site.changed(&mut 0);
    insta::assert_snapshot!(lines.join("\n"), @r#"recommendation,kind=announcement,team=calls id="announcement.calls.1",state="done",source="",from="2026-01-01T02:15:00Z",until="2026-01-01T03:15:00Z",agents=0i,confidence=0.75,service_level_with=0.5,service_level_without=0.25,cost=0,changes=0i,answered_by="Li",summary="Switch on the outage announcement for calls, 02:15–03:15 (UTC); 10 to 30 % of callers are then expected to hang up without waiting for an agent",deflection_low=0.1,deflection_high=0.3,arrivals=90,expected_arrivals=120,attained_with=0.5,attained_without=0.25,deflected=0.25 1767232800037043356"#);
}

/// Two e-mails arrived, one of them was answered and resolved, and eight more are open. Of two callers, one was answered.
fn tickets() -> TicketChanges {
    let phone = SeriesKey::parse("north/broadband/phone").expect("a series");
    let goal = ServiceGoal { by: ServedBy::Answer, within_seconds: 20 };
    let of = move |_: &SeriesKey| SeriesTerms { goal: Some(goal), zone: Zone::UTC };
    let mut book = TicketBook::default().judged_by(Terms::new(WindowWidth::QUARTER, of));
    for (id, step, seconds) in [
        ("a", LifeStep::Opened, 0),
        ("a", LifeStep::FirstResponse, 15),
        ("b", LifeStep::Opened, 30),
        ("b", LifeStep::Abandoned, 90),
    ] {
        let step =
            TicketStep { ticket_id: id.into(), step, opened_at: None, handled_seconds: None };
        let ts = at(-15) + Duration::from_secs(seconds);
        book.observe(&TicketMessage {
            ts,
            series: phone.clone(),
            news: TicketNews::Step(step),
            facts: None,
        });
    }
    let taken = book.advance(at(0), SeriesKey::clone);

    let time = |seconds| Total { count: 1, seconds };
    let (first_response, handled) = (time(60), time(300));
    let flow = BacklogFlow { opened: 2, resolved: 1, reopened: 0, first_response, handled };
    let series = SeriesKey::parse("north/broadband/email").expect("a series");
    let windows = vec![(series, BacklogWindow { flow, open: 9 })];
    TicketChanges {
        windows,
        series: taken.series,
        attained: taken.attained,
        ..TicketChanges::default()
    }
}

#[test]
fn open_tickets_are_written_where_something_happened() {
    let mut site = Site::new();
    site.put(|tx| tx.put_tickets(at(-15), &tickets()));
    let lines = site.changed(&mut 0);
    insta::assert_snapshot!(lines.join("\n"), @r"
    service,region=_all,service=_all,channel=_all offered=2i,answered=1i,abandoned=1i,targeted=2i,in_time=1i,service_level=0.5,abandonment=0.5,first_response_p50=15,first_response_p90=15 1767231900000000000
    service,region=_all,service=_all,channel=phone offered=2i,answered=1i,abandoned=1i,targeted=2i,in_time=1i,service_level=0.5,abandonment=0.5,first_response_p50=15,first_response_p90=15 1767231900000000000
    service,region=_all,service=broadband,channel=_all offered=2i,answered=1i,abandoned=1i,targeted=2i,in_time=1i,service_level=0.5,abandonment=0.5,first_response_p50=15,first_response_p90=15 1767231900000000000
    service,region=_all,service=broadband,channel=phone offered=2i,answered=1i,abandoned=1i,targeted=2i,in_time=1i,service_level=0.5,abandonment=0.5,first_response_p50=15,first_response_p90=15 1767231900000000000
    service,region=north,service=_all,channel=_all offered=2i,answered=1i,abandoned=1i,targeted=2i,in_time=1i,service_level=0.5,abandonment=0.5,first_response_p50=15,first_response_p90=15 1767231900000000000
    service,region=north,service=_all,channel=phone offered=2i,answered=1i,abandoned=1i,targeted=2i,in_time=1i,service_level=0.5,abandonment=0.5,first_response_p50=15,first_response_p90=15 1767231900000000000
    service,region=north,service=broadband,channel=_all offered=2i,answered=1i,abandoned=1i,targeted=2i,in_time=1i,service_level=0.5,abandonment=0.5,first_response_p50=15,first_response_p90=15 1767231900000000000
    service,region=north,service=broadband,channel=phone offered=2i,answered=1i,abandoned=1i,targeted=2i,in_time=1i,service_level=0.5,abandonment=0.5,first_response_p50=15,first_response_p90=15 1767231900000000000
    backlog,region=north,service=broadband,channel=email open=9i,opened=2i,resolved=1i,reopened=0i,first_responses=1i,first_response_seconds=60i,handled=1i,handled_seconds=300i 1767231900000000000
    ");
}

/// A ticket whose text is negative.
fn angry() -> AssessmentChanges {
    let phone = SeriesKey::parse("north/broadband/phone").expect("a series");
    let sentiments = vec![(phone, at(-10), Sentiment::Negative)];
    AssessmentChanges { sentiments, ..AssessmentChanges::default() }
}

#[test]
fn sentiments_are_fields_where_tickets_have_texts() {
    let mut site = Site::new();
    let mut cursor = 0;
    site.put(|tx| tx.put_tickets(at(-15), &tickets()));
    assert!(site.changed(&mut cursor).iter().all(|line| !line.contains("negative")));
    site.put(|tx| tx.put_assessments(&angry()));
    let lines = site.changed(&mut cursor);
    let counts = "in_time=1i,positive=0i,neutral=0i,negative=1i,service_level=0.5";
    assert_eq!(lines.len(), 8, "the series and its roll-ups: {lines:?}");
    assert!(lines.iter().all(|line| line.contains(counts)), "{lines:?}");
}

#[test]
fn the_readme_lists_every_measurement_tag_and_field() {
    let mut site = Site::new();
    let mut cursor = 0;
    let raised = Counts { raised: [0, 1, 0, 0, 0], ..Counts::default() };
    site.alarm("LOS-1", AlarmAction::Raise, -3, raised);
    site.finalize(-15, 1);
    let position = site.position();
    site.put(|tx| {
        tx.put_vintage(&vintage())?;
        tx.put_maintenance(&position, &work("w", 0, MaintenanceAction::Plan, 0))?;
        tx.put_adjustment(&entry("a", AdjustmentAmount::Factor(2.0)))?;
        tx.put_adjustment(&entry("b", AdjustmentAmount::TicketsPerWindow(2.0)))?;
        tx.put_recommendation(&advice())?;
        tx.put_tickets(at(-15), &tickets())?;
        tx.put_assessments(&angry())?;
        tx.put_source(&SourceRecord {
            source: position.source.clone(),
            closed: at(-15),
            decided_upto: 1,
            resume_at: 0,
            beside: Default::default(),
            caught_up_at: None,
            reported_at: at(0),
        })
    });
    let mut lines = site.changed(&mut cursor);
    lines.extend(every_line().into_iter().map(text));
    let metrics = Metrics::default();
    metrics.partition(&position.source, Some(1), 0.0, 1);
    let reader = site.store.reader().expect("a reader");
    let feeds = Feeds::default().lines(&reader, &metrics, at(0)).expect("lines");
    lines.extend(feeds.into_iter().map(text));
    let written = schema(&lines);

    let readme = include_str!("../../../grafana/README.md");
    let mut documented = Schema::new();
    let names = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    for row in readme.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        match cells[..] {
            // measurement, tags, timestamp
            [measurement, tags, _] if tags.starts_with('`') && !measurement.contains("_URL") => {
                let known = documented.entry(names(measurement)[0].clone()).or_default();
                known.0.extend(names(tags));
            }
            // measurement, fields, type, unit, meaning
            [measurement, fields, kind, unit, meaning] => {
                assert!(!unit.is_empty() && !meaning.is_empty(), "{row}");
                let kind = ["integer", "float", "text"].into_iter().find(|known| *known == kind);
                let known = documented.entry(names(measurement)[0].clone()).or_default();
                for field in names(fields) {
                    known.1.insert(field, kind.unwrap_or_else(|| panic!("{row}: an unknown type")));
                }
            }
            _ => {}
        }
    }
    for (measurement, columns) in &written {
        assert_eq!(
            documented.get(measurement),
            Some(columns),
            "{measurement} in grafana/README.md"
        );
    }
    assert_eq!(documented.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>());
}
