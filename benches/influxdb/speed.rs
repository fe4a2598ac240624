//! Points a second of the sink, beside a loop that posts the same bodies with the same settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use surgecast::clock::{ManualClock, WallClock};
use surgecast::cluster::Leadership;
use surgecast::config::Secret;
use surgecast::domain::{Clock as _, Timestamp};
use surgecast::engine::{Forecaster, Message};
use surgecast::output::influxdb::{self, InfluxContext, InfluxSettings, InfluxSink, Line};
use surgecast::output::{Pace, RefusedPoints, SinkWriter};
use surgecast::store::{Reader, Store};
use surgecast::telemetry::Metrics;
use surgecast::text::{Language, Texts};
use surgecast::window::AlarmRules;
use tokio::runtime::{Builder, Runtime};

use super::common::{cpu, setting};
use super::config::config;
use super::recorder::Recorder;
use super::servers::{Influx, ORG, TOKEN};
use super::site::{Site, WIDTH};

/// Limits of a body of the sink.
const LINES_MAX: usize = 5_000;
const BYTES_MAX: usize = 1 << 20;

/// A store with windows, forecasts and plans that wait to be written.
struct Source {
    folder: PathBuf,
    reader: Reader,
    now: Timestamp,
}

/// What a run took.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    /// CPU seconds of this process.
    cpu: f64,
}

impl Run {
    fn of(act: impl FnOnce()) -> Self {
        let pid = std::process::id();
        let (began, before) = (Instant::now(), cpu(pid));
        act();
        Self { seconds: began.elapsed().as_secs_f64(), cpu: cpu(pid) - before }
    }
}

impl Source {
    fn fill(folder: &Path, series: usize, windows: i64) -> Self {
        let first = WIDTH.index(WallClock.now()) - 1 - windows;
        let mut site = Site::new(series);
        let store = Store::open(folder, WIDTH).unwrap();
        let reader = store.reader().unwrap();
        let metrics = Arc::<Metrics>::default();
        let mut forecaster = Forecaster::open(config(WIDTH.start(first)), store, metrics).unwrap();
        forecaster.leads = true;
        let mut now = WIDTH.start(first);
        for n in 0..windows {
            let start = WIDTH.start(first + n);
            now = WIDTH.end(start) + Duration::from_secs(601);
            let [counted, closed] = site.reports(start, now);
            forecaster.apply(&[counted], None, WIDTH.end(start)).unwrap();
            forecaster.apply(&[closed], None, now).unwrap();
        }
        Self { folder: folder.to_owned(), reader, now }
    }

    /// The sink writes everything to a server.
    fn sink(&self, url: &str, bucket: &str) -> Run {
        let settings = InfluxSettings {
            url: url.into(),
            org: ORG.into(),
            bucket: bucket.into(),
            token: Secret::new(TOKEN),
            warm_start: None,
        };
        let clock = Arc::new(ManualClock::new(self.now));
        let context = InfluxContext {
            public_url: "http://surgecast.example".into(),
            texts: Texts::new(Language::En),
            alarms: AlarmRules::default(),
            width: WIDTH,
            staffing: Arc::default(),
            clock: clock.clone(),
            metrics: Arc::default(),
        };
        let (leader, inbox) = sync_channel(100);
        let stop = Arc::<AtomicBool>::default();
        let writer = SinkWriter {
            sink: InfluxSink::new(settings, context).unwrap(),
            refused: RefusedPoints::new("influxdb", &self.folder, clock, Arc::default()),
            reader: self.reader.clone(),
            leader,
            health: Arc::default(),
            metrics: Arc::default(),
            leadership: Arc::new(Leadership::alone()),
            stop: stop.clone(),
            pace: Pace::default(),
        };
        let last = self.reader.newest_change().unwrap();
        Run::of(|| {
            let thread = std::thread::spawn(move || writer.run());
            while !matches!(inbox.recv().unwrap(), Message::Cursor(_, at) if at >= last) {}
            stop.store(true, Ordering::Relaxed);
            thread.thread().unpark();
            thread.join().unwrap();
        })
    }

    /// Values of all windows and forecasts, as the store gives them, and the conversion of each part to lines.
    fn encoders(&self) -> Vec<Box<dyn Fn() -> Vec<Line>>> {
        let mut encoders: Vec<Box<dyn Fn() -> Vec<Line>>> = Vec::new();
        for (_, change) in self.reader.changes(0, usize::MAX >> 1).unwrap() {
            use surgecast::store::Change;
            match change {
                Change::Window(start) => {
                    let rows = self.reader.windows_at(&[start].into()).unwrap();
                    encoders.push(Box::new(move || influxdb::windows(&rows)));
                }
                Change::Issue(at) => {
                    let served = self.reader.served_at(at).unwrap();
                    let staffed = self.reader.staffed(at).unwrap();
                    encoders.push(Box::new(move || {
                        let mut lines = Vec::new();
                        for own in &served {
                            lines.extend(influxdb::forecast(
                                &own.vintage,
                                &own.vintage.targets[..1],
                            ));
                            lines.extend(influxdb::forecast_lead(&own.vintage, WIDTH));
                        }
                        let of =
                            staffed.iter().filter_map(|(key, own)| influxdb::staffing(key, own));
                        lines.extend(of);
                        lines
                    }));
                }
                _ => {}
            }
        }
        encoders
    }
}

/// Posts bodies like the sink: one after the other, on one connection, not compressed.
struct Loop {
    client: reqwest_influx::Client,
    runtime: Runtime,
    address: String,
}

impl Loop {
    fn new(influx: &Influx, bucket: &str) -> Self {
        let address =
            format!("{}/api/v2/write?org={ORG}&bucket={bucket}&precision=ns", influx.url());
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { client: reqwest_influx::Client::new(), runtime, address }
    }

    fn post(&self, body: Vec<u8>) {
        let request =
            self.client.post(&self.address).header("authorization", format!("Token {TOKEN}"));
        let answer = self.runtime.block_on(request.body(body).send()).unwrap();
        assert_eq!(answer.status().as_u16(), 204);
    }

    fn post_all(&self, bodies: Vec<Vec<u8>>) -> Run {
        Run::of(|| bodies.into_iter().for_each(|body| self.post(body)))
    }

    /// Converts values to lines and posts them. Returns the number of lines.
    fn encode_and_post(&self, encoders: &[Box<dyn Fn() -> Vec<Line>>]) -> (Run, usize) {
        let mut count = 0;
        let run = Run::of(|| {
            let (mut waiting, mut bytes) = (Vec::new(), 0);
            for line in encoders.iter().flat_map(|encode| encode()) {
                if waiting.len() == LINES_MAX || bytes + line.len() + 1 > BYTES_MAX {
                    self.post(waiting.join(&b'\n'));
                    (waiting, bytes) = (Vec::new(), 0);
                }
                count += 1;
                bytes += line.len() + 1;
                waiting.push(line);
            }
            self.post(waiting.join(&b'\n'));
        });
        (run, count)
    }
}

fn lines(body: &[u8]) -> usize {
    body.iter().filter(|byte| **byte == b'\n').count() + 1
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A new bucket for one run, and CPU seconds of InfluxDB in it.
fn in_bucket<T>(influx: &Influx, name: &str, act: impl FnOnce() -> T) -> (T, f64) {
    influx.create_bucket(name);
    let before = cpu(influx.pid());
    let result = act();
    let took = cpu(influx.pid()) - before;
    influx.delete_bucket(name);
    (result, took)
}

pub fn run() {
    let series = setting("INFLUX_SERIES", 1_000) as usize;
    let windows = setting("INFLUX_WINDOWS", 48).max(1) as i64;
    let pairs = setting("INFLUX_PAIRS", 5).max(1) as usize;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let source = Source::fill(&data, series, windows);
    let recorder = Recorder::start();
    source.sink(&recorder.url, "any");
    let bodies = recorder.take();
    let points: usize = bodies.iter().map(|body| lines(body)).sum();
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    println!(
        "{series} series, {windows} windows: {points} points in {} bodies, {:.0} MB",
        bodies.len(),
        bytes as f64 / 1e6
    );
    let per_second = |run: Run, points: usize| points as f64 / run.seconds / 1e3;
    let micros = |cpu: f64, points: usize| cpu / points as f64 * 1e6;
    let influx = Influx::start(folder.path());
    let encoders = source.encoders();
    let mut all = Vec::new();
    for pair in 0..pairs {
        let sink = || {
            let name = format!("sink{pair}");
            in_bucket(&influx, &name, || source.sink(&influx.url(), &name))
        };
        let bare = || {
            let name = format!("loop{pair}");
            in_bucket(&influx, &name, || Loop::new(&influx, &name).post_all(bodies.clone()))
        };
        // Each of them goes first in turn.
        let ((sink, server), (bare, bare_server)) = if pair % 2 == 0 {
            let first = sink();
            (first, bare())
        } else {
            let first = bare();
            (sink(), first)
        };
        let name = format!("encode{pair}");
        let ((encoded, count), _) =
            in_bucket(&influx, &name, || Loop::new(&influx, &name).encode_and_post(&encoders));
        let of_null = source.sink(&recorder.url, "any");
        recorder.take();
        println!(
            "pair {pair}: sink {:.0} k points/s, loop {:.0} k ({:.2}); loop with encoding {:.0} k ({count} points); sink into a server that \
             takes everything at once {:.0} k; CPU a point: sink {:.1} µs, loop {:.1} µs, InfluxDB {:.1} and {:.1} µs",
            per_second(sink, points),
            per_second(bare, points),
            bare.seconds / sink.seconds,
            per_second(encoded, count),
            per_second(of_null, points),
            micros(sink.cpu, points),
            micros(bare.cpu, points),
            micros(server, points),
            micros(bare_server, points),
        );
        let encoded = per_second(encoded, count);
        all.push((per_second(sink, points), per_second(bare, points), encoded, sink.cpu, of_null));
    }
    println!(
        "medians: sink {:.0} k points/s, loop {:.0} k, ratio {:.2}; beside the loop with encoding {:.2}; CPU of the sink {:.1} µs a point; without \
         InfluxDB {:.0} k points/s",
        median(all.iter().map(|own| own.0)),
        median(all.iter().map(|own| own.1)),
        median(all.iter().map(|own| own.0 / own.1)),
        median(all.iter().map(|own| own.0 / own.2)),
        micros(median(all.iter().map(|own| own.3)), points),
        median(all.iter().map(|own| per_second(own.4, points))),
    );
}
