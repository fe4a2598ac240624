//! The sink between a store and a stand-in of Grafana.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::episodes::{EpisodePart, html, runs, span};
use super::stand_in::{ScriptedAnswer, StandIn, TOKEN};
use super::*;
use crate::alert::{Alert, AlertSeverity, AlertState, Trend};
use crate::anomaly::{Anomaly, AnomalyKind, Detail};
use crate::clock::ManualClock;
use crate::config::Secret;
use crate::domain::{
    AlarmAction, AlarmEvent, HOUR, MaintenanceAction, MaintenanceEvent, Position, SeriesKey,
    Severity, SourceId, Timestamp, WindowWidth, Zone,
};
use crate::engine::Message;
use crate::forecast::surge::Surge;
use crate::output::sink::{Sink as _, SinkError, Written};
use crate::store::{AnnotationKind, Change, Store, StoreError, Tx};
use crate::text::{Language, Stored, Texts};
use crate::window::AlarmRules;

/// Minutes after 2026-01-01T02:00:00Z.
fn at(minutes: i64) -> Timestamp {
    Timestamp::from_secs(1_767_232_800 + minutes * 60)
}

fn series(text: &str) -> SeriesKey {
    SeriesKey::parse(text).expect("a series")
}

/// A store with a forecaster that only stores annotations, and Grafana.
struct Site {
    store: Arc<Mutex<Store>>,
    clock: Arc<ManualClock>,
    grafana: StandIn,
    /// Whether the forecaster stores annotations.
    stores: Arc<Mutex<bool>>,
    sink: GrafanaSink,
    cursor: i64,
    offset: i64,
    _dir: TempDir,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn forecaster(inbox: Receiver<Message>, store: Arc<Mutex<Store>>, stores: Arc<Mutex<bool>>) {
    for message in inbox {
        let Message::Annotations(rows, stored) = message else { continue };
        if !*lock(&stores) {
            continue;
        }
        let mut store = lock(&store);
        let mut tx = store.begin().expect("begins");
        rows.iter().for_each(|row| tx.put_annotation(row).expect("stores"));
        tx.commit().expect("commits");
        stored.send(()).expect("the sink waits");
    }
}

fn sink(
    grafana: &StandIn,
    clock: &Arc<ManualClock>,
    store: &Arc<Mutex<Store>>,
    stores: &Arc<Mutex<bool>>,
    tags: &[&str],
) -> GrafanaSink {
    let settings = GrafanaSettings {
        url: format!("{}/", grafana.url),
        token: Secret::new(TOKEN),
        kinds: AnnotationKind::EVERY.into(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        per_hour: 3,
    };
    let (leader, inbox) = sync_channel(1);
    let (to, answers) = (store.clone(), stores.clone());
    std::thread::spawn(move || forecaster(inbox, to, answers));
    let context = GrafanaContext {
        public_url: "https://surgecast.example".into(),
        texts: Texts::new(Language::En),
        alarms: AlarmRules::default(),
        clock: clock.clone(),
        leader,
    };
    GrafanaSink::with_timeout(settings, context, Duration::from_secs(3)).expect("a sink")
}

impl Site {
    fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        let store = Store::open(dir.path(), WindowWidth::QUARTER).expect("a store");
        let (store, clock) = (Arc::new(Mutex::new(store)), Arc::new(ManualClock::new(at(60))));
        let (grafana, stores) = (StandIn::start(), Arc::new(Mutex::new(true)));
        let sink = sink(&grafana, &clock, &store, &stores, &[]);
        Self { store, clock, grafana, stores, sink, cursor: 0, offset: 0, _dir: dir }
    }

    /// Starts the service again.
    fn restart(&mut self) {
        self.sink = sink(&self.grafana, &self.clock, &self.store, &self.stores, &[]);
    }

    fn put(&self, write: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError>) {
        let mut store = lock(&self.store);
        let mut tx = store.begin().expect("begins");
        write(&mut tx).expect("writes");
        tx.commit().expect("commits");
    }

    fn position(&mut self) -> Position {
        self.offset += 1;
        Position { source: SourceId::new("network.alarms", 0), offset: self.offset }
    }

    /// Writes the changes since the last success.
    fn written(&mut self) -> (usize, Written) {
        let reader = lock(&self.store).reader().expect("a reader");
        let found = reader.changes(self.cursor, 1000).expect("changes");
        let last = found.last().map_or(self.cursor, |(seq, _)| *seq);
        let changes: Vec<Change> = found.into_iter().map(|(_, change)| change).collect();
        let done = self.sink.write(&reader, &changes).expect("reads");
        if done.1.is_ok() {
            self.cursor = last;
        }
        done
    }

    /// Writes the changes, and checks that this succeeds.
    fn write(&mut self) {
        assert_eq!(self.written().1, Ok(Vec::new()));
    }

    /// Examines the alarms.
    fn pulse(&mut self, minute: i64) -> (usize, Written) {
        self.clock.set(at(minute));
        let reader = lock(&self.store).reader().expect("a reader");
        self.sink.pulse(&reader).expect("reads")
    }

    fn anomaly(&self, key: &str, minute: i64, score: f64) {
        let anomaly = Anomaly {
            series: series(key),
            window: at(minute),
            kind: AnomalyKind::High,
            score,
            actual: score * 10.0,
            expected: 4.0,
            detail: Stored::Value(Detail::Outside { low: 2.0, high: 7.0 }),
        };
        self.put(|tx| tx.put_anomaly(&anomaly));
    }

    fn alarm(&mut self, id: &str, severity: Severity, action: AlarmAction, minute: i64) {
        let position = self.position();
        let event = AlarmEvent {
            event_id: format!("{id}-{minute}").into(),
            alarm_id: id.into(),
            action,
            ts: at(minute),
            severity,
            scope: series("north/tv/phone").scope(),
            device: Some("OLT-17".into()),
            alarm_type: Some("linkDown".into()),
            text: None,
            aliases: Box::default(),
        };
        self.put(|tx| tx.put_alarm(&position, &event));
    }

    fn work(&mut self, action: MaintenanceAction, starts: i64, said: i64) {
        let position = self.position();
        let event = MaintenanceEvent {
            event_id: "CHG-1".into(),
            action,
            ts: at(said),
            starts_at: at(starts),
            ends_at: at(starts + 60),
            region: Some(series("north/tv/phone").region),
            service: None,
            impact: None,
            text: Some("Upgrade of <b>OLT-17</b>".into()),
        };
        self.put(|tx| tx.put_maintenance(&position, &event));
    }

    /// Start, end and text of each annotation, in minutes.
    fn shown(&self) -> Vec<(i64, i64, String)> {
        let minute = |value: &Value| (value.as_i64().expect("a time") - at(0).millis()) / 60_000;
        let shown = |one: &Value| {
            let text = one["text"].as_str().expect("a text").to_owned();
            (minute(&one["time"]), minute(&one["timeEnd"]), text)
        };
        self.grafana.annotations().iter().map(shown).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.grafana.breaches(), [] as [String; 0]);
        }
    }
}

#[test]
fn anomalies_that_lie_close_together_are_one_annotation() {
    let mut site = Site::new();
    site.anomaly("north/tv/phone", 0, 3.0);
    // Roll-ups of the same trouble are not shown on their own.
    site.anomaly("_all/tv/phone", 0, 3.0);
    site.anomaly("_all/_all/_all", 0, 3.0);
    assert_eq!(site.written(), (1, Ok(Vec::new())));
    let first = "north/tv (phone): one unusual window. The most unusual one: 30 tickets; the forecast was 4 (95 % \
                 band: 2 to 7)";
    assert_eq!(site.shown(), [(0, 15, first.to_owned())]);
    let tags = &site.grafana.annotations()[0]["tags"];
    assert_eq!(tags[0], "surgecast");
    assert!(tags.to_string().contains(r#""surgecast-anomaly","surgecast-key:anomaly-"#), "{tags}");
    assert!(tags.to_string().contains(r#""region:north","service:tv""#), "{tags}");
    site.anomaly("north/tv/chat", 15, 5.0);
    site.anomaly("north/tv/phone", 60, 1.0);
    assert_eq!(site.written(), (1, Ok(Vec::new())), "both windows, one change");
    let longer = "north/tv (chat, phone): 3 unusual windows. The most unusual one: 50 tickets; the forecast was 4 (95 % \
                  band: 2 to 7)";
    assert_eq!(site.shown(), [(0, 75, longer.to_owned())]);
    site.anomaly("north/tv/phone", 300, 2.0);
    site.anomaly("_all/tv/phone", 600, 2.0);
    assert_eq!(site.written().0, 2);
    let spans: Vec<(i64, i64)> = site.shown().iter().map(|one| (one.0, one.1)).collect();
    assert_eq!(spans, [(0, 75), (300, 315), (600, 615)]);
    assert!(site.shown()[2].2.starts_with("all regions/tv (phone)"), "{:?}", site.shown());
    // The whole journal again, as after a restored store: nothing changes, and Grafana is not asked.
    site.grafana.requests();
    (site.cursor, _) = (0, site.restart());
    assert_eq!(site.written(), (0, Ok(Vec::new())));
    assert_eq!(site.grafana.requests(), [] as [String; 0]);
    // What is long over is not written any more.
    site.clock.set(at(60 * 24 * 30));
    site.anomaly("south/tv/phone", 0, 3.0);
    assert_eq!(site.written(), (0, Ok(Vec::new())));
}

#[test]
fn surges_of_all_leads_and_channels_are_one_annotation() {
    let mut site = Site::new();
    let surge = |key: &str, lead_hours, start, upto, warned_minutes| Surge {
        series: series(key),
        lead_hours,
        start: at(start),
        upto: at(upto),
        hit: true,
        alarmed: true,
        warned_minutes,
    };
    site.put(|tx| {
        tx.put_surge(&surge("north/tv/phone", 1, 0, 15, Some(40)))?;
        tx.put_surge(&surge("north/tv/phone", 3, 0, 30, Some(95)))?;
        tx.put_surge(&surge("north/tv/chat", 1, 45, 45, None))?;
        tx.put_surge(&surge("_all/tv/phone", 1, 0, 15, Some(40)))?;
        tx.put_surge(&surge("south/tv/phone", 1, 0, 0, None))
    });
    assert_eq!(site.written(), (2, Ok(Vec::new())));
    let north = "north/tv (chat, phone): surge of tickets; first warning 95 min before";
    let south = "south/tv (phone): surge of tickets; no forecast warned of it";
    assert_eq!(site.shown(), [(0, 75, north.to_owned()), (0, 30, south.to_owned())]);
}

#[test]
fn an_outage_lasts_until_its_critical_alarms_have_ended() {
    use AlarmAction::{Clear, Raise};
    let mut site = Site::new();
    site.alarm("a", Severity::Minor, Raise, 0);
    assert_eq!(site.pulse(1), (0, Ok(Vec::new())), "a minor alarm is no outage");
    site.alarm("b", Severity::Critical, Raise, 2);
    site.alarm("c", Severity::Critical, Raise, 3);
    assert_eq!(site.pulse(4), (1, Ok(Vec::new())));
    let active = "north/tv: critical alarms are active; first linkDown OLT-17";
    assert_eq!(site.shown(), [(2, 2, active.to_owned())]);
    site.alarm("b", Severity::Critical, Clear, 20);
    assert_eq!(site.pulse(30), (0, Ok(Vec::new())), "one still lasts");
    site.alarm("c", Severity::Critical, Clear, 40);
    assert_eq!(site.pulse(50), (1, Ok(Vec::new())));
    let over = "north/tv: 2 critical alarms; first linkDown OLT-17";
    assert_eq!(site.shown(), [(2, 40, over.to_owned())]);
    // Soon after, it goes on: it is the same outage.
    site.alarm("d", Severity::Critical, Raise, 50);
    assert_eq!(site.pulse(51).1, Ok(Vec::new()));
    site.alarm("d", Severity::Critical, Clear, 60);
    assert_eq!(site.pulse(70).1, Ok(Vec::new()));
    let over = "north/tv: 3 critical alarms; first linkDown OLT-17";
    assert_eq!(site.shown(), [(2, 60, over.to_owned())]);
}

#[test]
fn an_outage_that_nothing_is_known_of_any_more_is_ended() {
    let mut site = Site::new();
    site.alarm("a", Severity::Critical, AlarmAction::Raise, 0);
    assert_eq!(site.pulse(1).1, Ok(Vec::new()));
    // The book drops an alarm that was not heard of for a week.
    site.restart();
    assert_eq!(site.pulse(60 * 24 * 8).1, Ok(Vec::new()));
    let shown = site.shown();
    assert!(shown.len() == 1 && shown[0].1 > 60 * 24 * 6, "{shown:?}");
    assert_eq!(site.pulse(60 * 24 * 8 + 1).0, 0);
}

#[test]
fn planned_work_is_moved_and_cancelled() {
    use MaintenanceAction::{Cancel, Plan};
    let mut site = Site::new();
    site.work(Plan, 120, 0);
    site.write();
    let text = "north/all services: planned work “Upgrade of &lt;b&gt;OLT-17&lt;/b&gt;”";
    assert_eq!(site.shown(), [(120, 180, text.to_owned())]);
    site.grafana.requests();
    site.work(Plan, 240, 1);
    assert_eq!(site.written(), (1, Ok(Vec::new())));
    assert_eq!(site.shown(), [(240, 300, text.to_owned())]);
    assert_eq!(site.grafana.requests(), ["PATCH /api/annotations/1"]);
    site.work(Cancel, 240, 2);
    assert_eq!(site.written(), (1, Ok(Vec::new())));
    assert_eq!(site.shown(), []);
    site.work(Plan, 360, 3);
    assert_eq!(site.written(), (1, Ok(Vec::new())));
    assert_eq!(site.shown(), [(360, 420, text.to_owned())], "planned again");
}

#[test]
fn what_a_person_deleted_in_grafana_stays_deleted() {
    let mut site = Site::new();
    site.anomaly("north/tv/phone", 0, 3.0);
    site.write();
    site.grafana.delete(1);
    site.anomaly("north/tv/phone", 15, 3.0);
    assert_eq!(site.written(), (0, Ok(Vec::new())));
    site.anomaly("north/tv/phone", 30, 3.0);
    assert_eq!(site.written(), (0, Ok(Vec::new())));
    assert_eq!(site.shown(), []);
}

#[test]
fn a_page_is_shown_from_its_beginning_to_its_end() {
    let mut site = Site::new();
    let mut alert = Alert {
        id: "understaffed.north.tv 2.17".into(),
        rule: "understaffed".into(),
        severity: AlertSeverity::Warning,
        scope: series("north/tv/phone").scope(),
        state: AlertState::Firing,
        since: at(0),
        updated_at: at(0),
        ended_at: None,
        from: at(30),
        to: at(90),
        agents_short: 4,
        shortfalls: vec![],
        because: vec![],
        zone: Zone::UTC,
        acknowledged_by: None,
        acknowledged_at: None,
        feedback: None,
        worst: None,
        streak: 2,
        notified_gap: 0,
        notified_at: None,
        steps: vec![],
        trend: Trend::default(),
        paging: Default::default(),
        recommended: vec![],
        finding: None,
        notes: Default::default(),
    };
    site.put(|tx| tx.put_alert(&alert));
    assert_eq!(site.written(), (0, Ok(Vec::new())), "nobody was told");
    alert.notified_at = Some(at(0));
    site.put(|tx| tx.put_alert(&alert));
    site.write();
    let text = "Page: north/tv lacks agents: 4 from 02:30 until 03:30 <a \
                href=\"https://surgecast.example/#/alerts/understaffed.north.tv%202.17\">open the alert</a>";
    assert_eq!(site.shown(), [(0, 0, text.to_owned())]);
    alert.worst = Some(alert.at_worst());
    (alert.state, alert.ended_at, alert.agents_short) = (AlertState::Resolved, Some(at(75)), 0);
    site.put(|tx| tx.put_alert(&alert));
    site.write();
    assert_eq!(site.shown(), [(0, 75, text.to_owned())]);
}

#[test]
fn one_hour_has_so_many_annotations_of_a_kind_and_no_more() {
    let mut site = Site::new();
    for n in 0..5 {
        site.anomaly(&format!("r{n}/tv/phone"), 0, 3.0);
    }
    // Another hour, and another kind.
    site.anomaly("r9/tv/phone", 180, 3.0);
    site.work(MaintenanceAction::Plan, 0, 0);
    let (count, written) = site.written();
    let refused = written.expect("written");
    assert_eq!((count, refused.len(), refused[0].lines), (5, 1, 2));
    assert!(refused[0].why.contains("annotations_per_hour"), "{refused:?}");
    // They go on, and are not counted as left out again.
    for n in 0..5 {
        site.anomaly(&format!("r{n}/tv/phone"), 15, 3.0);
    }
    site.restart();
    assert_eq!(site.written(), (3, Ok(Vec::new())));
    assert_eq!(site.shown().len(), 5);
}

#[test]
fn an_answer_says_whether_to_try_again() {
    let temporary = ["500", "503", "429", "no answer from Grafana"];
    let cases = [
        (ScriptedAnswer::Status(500), temporary[0]),
        (ScriptedAnswer::Status(503), temporary[1]),
        (ScriptedAnswer::Status(429), temporary[2]),
        (ScriptedAnswer::Hang, temporary[3]),
        (ScriptedAnswer::Status(401), "grafana.token_file"),
        (ScriptedAnswer::Status(403), "annotations:read"),
        (ScriptedAnswer::Status(404), "grafana.url"),
        (ScriptedAnswer::Status(302), "redirects"),
        (ScriptedAnswer::OtherPage, "grafana.url"),
    ];
    let mut site = Site::new();
    site.anomaly("north/tv/phone", 0, 3.0);
    for (scripted, part) in cases {
        for method in ["GET", "POST"] {
            site.grafana.next(method, scripted);
            let (_, written) = site.written();
            let why = match (&written, temporary.contains(&part)) {
                (Err(SinkError::Temporary(why)), true) => why,
                (Err(SinkError::Misconfigured(why)), false) => why,
                _ => panic!("{method} {scripted:?}: {written:?}"),
            };
            assert!(why.contains(part), "{method} {scripted:?}: {why}");
        }
        site.grafana.next("GET", scripted);
        assert!(site.sink.probe().is_err(), "{scripted:?}");
    }
    assert_eq!(site.sink.probe(), Ok(()));
    assert_eq!(site.shown(), []);
    assert_eq!(site.written(), (1, Ok(Vec::new())));
    // What Grafana calls bad is counted and not sent again.
    site.anomaly("south/tv/phone", 0, 3.0);
    site.grafana.next("POST", ScriptedAnswer::Status(400));
    let (count, written) = site.written();
    assert_eq!((count, written.expect("written").len()), (0, 1));
    site.anomaly("south/tv/phone", 15, 3.0);
    assert_eq!(site.written(), (0, Ok(Vec::new())));
    assert_eq!(site.shown().len(), 1);
}

#[test]
fn an_annotation_whose_id_was_lost_is_found_again() {
    let mut site = Site::new();
    // Grafana has done it, and the answer does not come.
    site.anomaly("north/tv/phone", 0, 3.0);
    site.grafana.next("POST", ScriptedAnswer::DoneThenHang);
    assert!(site.written().1.is_err());
    assert_eq!(site.written().1, Ok(Vec::new()));
    assert_eq!(site.shown().len(), 1);
    // The answer comes, and the service ends before the id is stored.
    site.anomaly("south/tv/phone", 0, 3.0);
    *lock(&site.stores) = false;
    assert!(site.written().1.is_err());
    assert_eq!(site.shown().len(), 2);
    *lock(&site.stores) = true;
    site.restart();
    site.anomaly("south/tv/phone", 15, 3.0);
    assert_eq!(site.written(), (1, Ok(Vec::new())));
    let spans: Vec<(i64, i64)> = site.shown().iter().map(|one| (one.0, one.1)).collect();
    assert_eq!(spans, [(0, 15), (0, 30)]);
}

#[test]
fn tags_stay_within_grafanas_limit() {
    let mut site = Site::new();
    let long = "区".repeat(64);
    let own = ["x".repeat(40), "y".repeat(40), "z".repeat(40), "v".repeat(40), "w".repeat(40)];
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    site.sink = sink(&site.grafana, &site.clock, &site.store, &site.stores, &own);
    site.anomaly(&format!("{long}/{long}/phone"), 0, 3.0);
    assert_eq!(site.written(), (1, Ok(Vec::new())));
    let tags = site.grafana.annotations()[0]["tags"].to_string();
    assert!(tags.contains(own[4]) && !tags.contains("service:"), "{tags}");
    assert!(tags.len() <= 500, "{tags}");
}

#[test]
fn parts_no_further_apart_than_the_gap_are_one_run() {
    let part = |from, to| EpisodePart { from: at(from), to: at(to), of: () };
    let parts = vec![part(100, 115), part(0, 50), part(10, 20), part(110, 125), part(186, 200)];
    let runs = runs(parts, HOUR);
    let spans: Vec<(Timestamp, Timestamp)> = runs.iter().map(|run| span(run)).collect();
    assert_eq!(spans, [(at(0), at(125)), (at(186), at(200))]);
    assert_eq!(html("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
}
