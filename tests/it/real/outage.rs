//! An outage of InfluxDB of 24 hours: afterwards it has what another InfluxDB has that was never down.
//!
//! The forecaster runs with an injected clock on simulated series: 200 of them, or as many as `SURGECAST_OUTAGE_SERIES` says
//! (`tests/soak/outage`).
//! Beside its sink, a second one with another name writes the same changes to the second server as they come. With the variable,
//! the memory of the backlog is limited too: set it to run this test alone.
#![allow(
    clippy::disallowed_methods,
    reason = "InfluxDB keeps real times; a setting may come from the environment"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use surgecast::clock::{ManualClock, SteadyClock, WallClock};
use surgecast::cluster::Leadership;
use surgecast::config::Secret;
use surgecast::config::core::staffing::default_profiles;
use surgecast::domain::{
    Clock as _, DAY, LifeStep, Name, SeriesKey, TicketBatch, TicketMessage, TicketNews, TicketStep,
    Timestamp, Zone,
};
use surgecast::engine::{Forecaster, Message, ReplicatedCommand};
use surgecast::output::influxdb::{InfluxClient, InfluxContext, InfluxSettings, InfluxSink};
use surgecast::output::{Pace, RefusedPoints, Sink, SinkError, SinkWriter, Written};
use surgecast::staffing::{Profile, Rules, Team, TeamShift};
use surgecast::store::{Change, Reader, Store, StoreError};
use surgecast::telemetry::{Health, Metrics};
use surgecast::text::{Language, Texts};
use surgecast::window::AlarmRules;

use super::servers::{Influx, ORG, TOKEN, until_no_progress};

#[path = "../../../benches/scale/config.rs"]
mod config;
#[path = "../../../benches/scale/site.rs"]
#[allow(dead_code, reason = "the benchmark also fills stores")]
mod site;

use config::config;
use site::{Site, WIDTH};

pub const BUCKET: &str = "outage";
/// Windows before the outage, and during it: 24 hours.
const BEFORE: i64 = 4;
const DURING: i64 = 96;
/// Measurements that show the present: states that came and went during the outage are not in them.
const OF_THE_PRESENT: [&str; 3] = ["outlook", "alert", "planned"];
/// Measurements that have to be among those that are compared.
const EXPECTED: [&str; 10] = [
    "tickets",
    "alarms",
    "forecast",
    "forecast_lead",
    "staffing",
    "team_staffing",
    "accuracy",
    "backlog",
    "service",
    "recommendation",
];
/// A field that follows the newest forecast: during the outage each one replaced the one before.
const OF_FORECASTS: [&str; 1] = ["ticket_effect"];
/// A team with so many people on the schedule that it is recommended to offer some of them leave. All its tickets have ids.
const TEAM: &str = "phones";
const TEAM_SERIES: &str = "region-000/_all/phone";
const TEAM_PEOPLE: u32 = 300;
/// Tickets of each of its series and each window.
const TEAM_TICKETS: u64 = 3;
/// Fields of `accuracy` that a backlog once lacked.
const OF_SURGES: [&str; 3] = ["surges", "surges_hit", "false_calls"];
/// Memory that the backlog may take beyond what the writes before the outage took.
const MEMORY_MAX_MB: f64 = 64.0;

/// The sink under another name: it has its own place in the journal.
pub struct Control(InfluxSink);

impl Control {
    pub fn new(sink: InfluxSink) -> Self {
        Self(sink)
    }
}

impl Sink for Control {
    const NAME: &'static str = "control";

    fn probe(&mut self) -> Result<(), SinkError> {
        self.0.probe()
    }

    fn write(
        &mut self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<(usize, Written), StoreError> {
        self.0.write(reader, changes)
    }
}

/// A forecaster and its store, without a real clock.
pub struct Operator {
    forecaster: Forecaster,
    inbox: Receiver<Message>,
    leader: SyncSender<Message>,
    reader: Reader,
    site: Site,
    /// The clock of the machine, which may be wrong.
    clock: Arc<ManualClock>,
    /// The time without jumps, from which the monotonic clock follows.
    true_clock: Arc<ManualClock>,
    /// The clock of the forecaster, as in the service.
    steady: SteadyClock,
    metrics: Arc<Metrics>,
    stop: Arc<AtomicBool>,
    next: i64,
    rules: Arc<Rules>,
    /// Steps of tickets after the newest window.
    later: Vec<TicketMessage>,
}

/// The default profiles, and the team.
fn rules() -> Rules {
    let of_channel = |channel| SeriesKey::new(Name::all(), Name::all(), channel);
    let profiles =
        default_profiles().into_iter().map(|(channel, own)| (of_channel(channel), own)).collect();
    let team = Team {
        name: Name::new(TEAM).expect("a name"),
        series: vec![SeriesKey::parse(TEAM_SERIES).expect("series")],
        skills: Vec::new(),
        profile: Profile::default_of("phone").expect("a profile"),
        hours: None,
        zone: Zone::UTC,
        minimum: 0,
    };
    Rules::new(profiles, vec![team])
}

/// The steps of a ticket: created, answered, resolved. The last ticket of a window is resolved in the next one.
fn life(series: &SeriesKey, start: Timestamp, nth: u64) -> [TicketMessage; 3] {
    let ticket_id: Box<str> = format!("{series}-{}-{nth}", start.secs()).into();
    let opened = 60 + nth * 400;
    let steps = [
        (LifeStep::Opened, opened, None),
        // The second one is not answered in time.
        (LifeStep::FirstResponse, opened + if nth == 1 { 60 } else { 10 }, None),
        (LifeStep::Resolved, opened + 300, Some(240)),
    ];
    steps.map(|(step, seconds, handled_seconds)| TicketMessage {
        ts: start + Duration::from_secs(seconds),
        series: series.clone(),
        news: TicketNews::Step(TicketStep {
            ticket_id: ticket_id.clone(),
            step,
            opened_at: None,
            handled_seconds,
        }),
        facts: None,
    })
}

impl Operator {
    pub fn new(folder: &Path, series: usize, first: i64) -> Self {
        let from = WIDTH.start(first);
        let metrics = Arc::<Metrics>::default();
        let store = Store::open(folder, WIDTH).expect("a store");
        let reader = store.reader().expect("a reader");
        let rules = Arc::new(rules());
        let mut config = config(from);
        config.issue.staffing = rules.clone();
        let mut forecaster = Forecaster::open(config, store, metrics.clone()).expect("it opens");
        let shift = TeamShift {
            team: Name::new(TEAM).expect("a name"),
            start: from - DAY,
            end: from + DAY * 7,
            agents: TEAM_PEOPLE,
            absent: None,
        };
        let roster = ReplicatedCommand::Roster { shifts: Vec::new(), team_shifts: vec![shift] };
        forecaster.carry_out(&roster, None).expect("stored");
        let (leader, inbox) = sync_channel(100);
        let [clock, true_clock] = [(); 2].map(|()| Arc::new(ManualClock::new(from)));
        let (wall, monotonic) = (clock.clone(), true_clock.clone());
        let steady = SteadyClock::new(Box::new(move || (wall.now(), monotonic.now().since(from))));
        Self {
            forecaster,
            inbox,
            leader,
            reader,
            site: Site::new(series),
            clock,
            true_clock,
            steady,
            metrics,
            stop: Arc::default(),
            next: first,
            rules,
            later: Vec::new(),
        }
    }

    /// Starts a sink that writes to a server, at another address if there is one.
    pub fn write<S: Sink + 'static>(
        &self,
        folder: &Path,
        (influx, address): (&Influx, Option<&str>),
        make: impl FnOnce(InfluxSink) -> S,
    ) -> thread::JoinHandle<()> {
        let settings = InfluxSettings {
            url: address.map_or_else(|| influx.url(), str::to_owned),
            org: ORG.into(),
            bucket: BUCKET.into(),
            token: Secret::new(TOKEN),
            warm_start: None,
        };
        let direct = InfluxSettings { url: influx.url(), ..settings.clone() };
        InfluxClient::new(direct).expect("a client").set_up().expect("the bucket");
        let context = InfluxContext {
            public_url: "http://surgecast.example".into(),
            texts: Texts::new(Language::En),
            alarms: AlarmRules::default(),
            width: WIDTH,
            staffing: self.rules.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
        };
        let health = Arc::<Health>::default();
        let writer = SinkWriter {
            sink: make(InfluxSink::new(settings, context).expect("a sink")),
            refused: RefusedPoints::new(S::NAME, folder, self.clock.clone(), health.clone()),
            reader: self.reader.clone(),
            leader: self.leader.clone(),
            health,
            metrics: self.metrics.clone(),
            leadership: Arc::new(Leadership::alone()),
            stop: self.stop.clone(),
            pace: Pace {
                look_every: Duration::from_millis(20),
                probe_every: Duration::from_secs(60),
            },
        };
        thread::spawn(move || writer.run())
    }

    /// Counts and finalizes the next window.
    pub fn window(&mut self) {
        self.window_with_clock_off_by(0);
    }

    /// Counts and finalizes the next window. When its source closes it, the machine's clock is off by `off_ms`, until the next window.
    pub fn window_with_clock_off_by(&mut self, off_ms: i64) {
        let start = WIDTH.start(self.next);
        let end = WIDTH.end(start);
        let now = end + Duration::from_secs(601);
        self.next += 1;
        let [mut counted, closed] = self.site.reports(start, now);
        counted.tickets = vec![self.tickets(start)];
        self.forecaster.leads = true;
        for (reports, at, off_ms) in [(counted, end, 0), (closed, now, off_ms)] {
            self.true_clock.set(at);
            self.clock.set(Timestamp::from_millis(at.millis() + off_ms));
            let now = self.steady.now();
            assert_eq!(now, at, "a short jump is not followed");
            self.forecaster.apply(&[reports], None, now).expect("stored");
        }
        assert_eq!(self.forecaster.finalized_upto(), Some(end));
        self.take();
    }

    /// The steps in a window of the tickets that have ids.
    fn tickets(&mut self, start: Timestamp) -> TicketBatch {
        let end = WIDTH.end(start);
        let mut steps = std::mem::take(&mut self.later);
        let of_team = |series: &&SeriesKey| self.rules.team_of(series).is_some();
        for series in self.site.leaves.iter().filter(of_team) {
            steps.extend((0..TEAM_TICKETS).flat_map(|nth| life(series, start, nth)));
        }
        let (now, later): (Vec<_>, Vec<_>) = steps.into_iter().partition(|own| own.ts < end);
        self.later = later;
        now.iter().collect()
    }

    /// Stores how far the sinks have come.
    fn take(&mut self) {
        while let Ok(message) = self.inbox.try_recv() {
            if let Message::Cursor(sink, at) = message {
                self.forecaster.put_cursor(sink, at).expect("stored");
            }
        }
    }

    /// Waits as long as the sink goes on.
    pub fn wait_until_written(&mut self, sink: &str) {
        let written = until_no_progress(|| {
            self.take();
            let cursor = self.reader.cursor(sink).expect("the cursor");
            let is_done = self.reader.changes(cursor, 1).expect("changes").is_empty();
            if is_done { Ok(()) } else { Err(format!("{sink} stays at change {cursor}")) }
        });
        written.expect("everything is written");
    }

    /// Ends the sinks.
    pub fn end(self, writers: impl IntoIterator<Item = thread::JoinHandle<()>>) {
        self.stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.thread().unpark();
            writer.join().expect("it ends");
        }
    }
}

/// Starts a new measurement of the peak of memory, and returns the present memory of this process, megabytes.
fn begin() -> f64 {
    // Without the right to do so, the peak is that of the whole run.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    memory("VmRSS:")
}

/// `VmHWM:` is the peak since [`begin`].
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the status");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the line");
    let kib = line.split_whitespace().next().expect("a number");
    kib.parse::<f64>().expect("a number") / 1024.0
}

/// Numbers and sums of all fields of a measurement by window, as InfluxQL returns them.
fn content(
    influx: &Influx,
    measurement: &str,
    range: &str,
) -> (u64, Vec<BTreeMap<String, String>>) {
    let select = |what: &str| {
        let query = format!(
            "SELECT {what}(*) FROM \"{measurement}\" WHERE {range} GROUP BY time(15m) fill(none)"
        );
        influx.influxql(BUCKET, &query)
    };
    let mut counts = select("count");
    let number = |row: &BTreeMap<String, String>| -> u64 {
        let values = row.iter().filter(|(name, _)| name.starts_with("count_"));
        values.filter_map(|(_, value)| value.parse::<u64>().ok()).sum()
    };
    without_forecasts(&mut counts, "count_");
    let values = counts.iter().map(number).sum();
    let mut all = counts;
    let mut sums = select("sum");
    without_forecasts(&mut sums, "sum_");
    for mut row in sums {
        // The servers may add in another order.
        for (_, value) in row.iter_mut().filter(|(name, _)| name.starts_with("sum_")) {
            if let Ok(number) = value.parse::<f64>() {
                *value = format!("{number:.6e}");
            }
        }
        all.push(row);
    }
    (values, all)
}

/// Removes fields that follow the newest forecasts, and rows that have no others.
fn without_forecasts(rows: &mut Vec<BTreeMap<String, String>>, prefix: &str) {
    for row in rows.iter_mut() {
        row.retain(|name, _| {
            !OF_FORECASTS.iter().any(|field| name.strip_prefix(prefix) == Some(field))
        });
    }
    rows.retain(|row| row.iter().any(|(name, value)| name != "time" && !value.is_empty()));
}

/// The days from that of the first window on, in InfluxQL: the accuracy of a day is at its midnight.
pub fn range(first: i64) -> String {
    let from = WIDTH.start(first).utc_midnight().millis();
    let to = WIDTH.start(first + 300).millis();
    format!("time >= {from}ms AND time < {to}ms")
}

/// Compares all measurements of two servers. Returns the number of values and of measurements.
pub fn compare(influx: &Influx, control: &Influx, range: &str) -> (u64, usize) {
    let names = control.influxql(BUCKET, "SHOW MEASUREMENTS");
    let (mut values, mut differing) = (0, Vec::new());
    let mut compared = Vec::new();
    // The state of sources is written by the clock, not from the journal.
    let is_compared = |name: &&str| *name != "feed" && !OF_THE_PRESENT.contains(name);
    for name in names.iter().map(|row| row["name"].as_str()).filter(is_compared) {
        let (expected, found) = (content(control, name, range), content(influx, name, range));
        assert!(expected.0 > 0, "{name} is empty");
        if expected != found {
            let rows = expected.1.iter().zip(&found.1).find(|(expected, found)| expected != found);
            differing.push(format!("{name}: {} of {} values; {rows:?}", found.0, expected.0));
        }
        values += found.0;
        compared.push(name);
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    for name in EXPECTED {
        assert!(compared.contains(&name), "{name} is not among {compared:?}");
    }
    (values, compared.len())
}

/// Compares the newest points of the measurements that show the present. Returns those that have any.
pub fn compare_newest(influx: &Influx, control: &Influx, range: &str) -> Vec<&'static str> {
    let with_points = OF_THE_PRESENT.into_iter().filter(|name| {
        let query = format!("SELECT last(*) FROM \"{name}\" WHERE {range} GROUP BY *");
        let expected = control.influxql(BUCKET, &query);
        assert_eq!(influx.influxql(BUCKET, &query), expected, "{name}");
        !expected.is_empty()
    });
    with_points.collect()
}

#[test]
fn influxdb_has_everything_after_an_outage_of_a_day() {
    let asked = std::env::var("SURGECAST_OUTAGE_SERIES").ok().and_then(|text| text.parse().ok());
    let series = asked.unwrap_or(200);
    let folder = tempfile::tempdir().expect("a folder");
    let [data, one, two] = ["data", "one", "two"].map(|name| folder.path().join(name));
    std::fs::create_dir_all(&data).expect("a folder");
    let (mut influx, control) = (Influx::start(&one), Influx::start(&two));
    // It ends at a full hour, because the accuracy of a day is written every hour.
    let now = WIDTH.index(WallClock.now()) - 1;
    let first = now - now % 4 - BEFORE - DURING;
    let mut operator = Operator::new(&data, series, first);
    let writers = [
        operator.write(&data, (&influx, None), |sink| sink),
        operator.write(&data, (&control, None), Control::new),
    ];
    for n in 0..BEFORE {
        if n == BEFORE - 1 {
            begin();
        }
        operator.window();
        operator.wait_until_written("influxdb");
        operator.wait_until_written("control");
    }
    let steady = memory("VmHWM:");
    influx.kill();
    for _ in 0..DURING {
        operator.window();
        operator.wait_until_written("control");
    }
    let cursor = operator.reader.cursor("influxdb").expect("the cursor");
    let waiting = operator.reader.changes(cursor, 10_000).expect("changes").len();
    assert!(waiting as i64 > 2 * DURING, "only {waiting} changes wait");
    let before = begin();
    influx.restart();
    operator.wait_until_written("influxdb");
    let peak = memory("VmHWM:");

    let range = range(first);
    let (values, measurements) = compare(&influx, &control, &range);
    let named =
        format!("SELECT count({}) FROM accuracy WHERE {range}", OF_SURGES.join("), count("));
    let counts = influx.influxql(BUCKET, &named);
    assert!(!counts.is_empty(), "accuracy has no surges");
    println!(
        "{series} series: {waiting} changes waited, {values} values of {} measurements are those of a server without an outage; memory: \
         {steady:.0} MB peak of a write before, {before:.0} MB at the end of the outage, {peak:.0} MB peak of the backlog",
        measurements
    );
    if asked.is_some() {
        assert!(peak <= steady.max(before) + MEMORY_MAX_MB, "{peak:.0} MB");
    }
    operator.end(writers);
}
