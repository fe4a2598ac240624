//! Tests from records to the store's content, across restarts.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::{Forecaster, ForecasterConfig, IssueConfig, Report};
use crate::domain::{Name, Reason, Scope, SourceId, Timestamp, WindowWidth, Zone};
use crate::forecast::Calendar;
use crate::ingest::{Decoder, Headers};
use crate::input::{Decoders, RecordRef, SourceProcessor};
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::window::{AggregationKey, AggregatorConfig, AlarmRules};

pub(super) const WIDTH: WindowWidth = WindowWidth::QUARTER;
const LATENESS: Duration = Duration::from_secs(600);
/// Start of a window.
const START_S: i64 = 1_767_232_800;

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(START_S + seconds)
}

fn processor() -> SourceProcessor {
    let skew = Some(Duration::from_secs(300));
    let config = AggregatorConfig { width: WIDTH, lateness: LATENESS, max_future_skew: skew };
    let decoders = Arc::new(Decoders::new(Decoder::default()));
    SourceProcessor::new(SourceId::new("network.alarms", 0), None, config, decoders, Arc::default())
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
        profiles: Default::default(),
        vintages_from: never,
        alerts_from: never,
        notify_from: never,
        roster: None,
    };
    ForecasterConfig {
        width: WIDTH,
        lateness: LATENESS,
        source_timeout: Duration::from_secs(3600),
        series_max: 10,
        alarms: AlarmRules::default(),
        issue,
        refit: None,
        nowcasts: false,
        receivers: Vec::new(),
    }
}

pub(super) fn forecaster(dir: &TempDir) -> Forecaster {
    let store = Store::open(dir.path(), WIDTH).expect("a store");
    Forecaster::open(config(), store, Arc::new(Metrics::default())).expect("a forecaster")
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
        {"commonEventHeader":{"domain":"heartbeat"}},{"commonEventHeader":{"domain":"magic"}}]}"#;
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
