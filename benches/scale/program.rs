//! The real program on a store: time until it answers, and size of the answers.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use surgecast::domain::SeriesKey;

use super::common::{Killed, broker, cpu, port};
use super::memory;

struct Service {
    process: Killed,
    api: String,
    admin: String,
    http: reqwest::blocking::Client,
    began: Instant,
}

impl Service {
    /// Starts on the store in `folder`, with `more` appended to the configuration.
    fn start(folder: &Path, more: &str) -> Self {
        let [api, admin] = [port(), port()].map(|port| format!("127.0.0.1:{port}"));
        let config = format!(
            "[server]\nlisten = \"{api}\"\n[admin]\nlisten = \"{admin}\"\n[store]\npath = \"{}\"\n\
             [windows]\ntime_zone = \"Asia/Shanghai\"\n[limits]\nseries = 1000000\n[log]\nlevel = \"warn\"\n{more}",
            folder.display()
        );
        let path = folder.join("surgecast.toml");
        std::fs::write(&path, config).unwrap();
        let began = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_surgecast"));
        let child = command.args(["serve", "--config"]).arg(&path).stdout(Stdio::null()).spawn();
        let http = reqwest::blocking::Client::builder().timeout(Duration::from_secs(300));
        Self { process: Killed(child.unwrap()), api, admin, http: http.build().unwrap(), began }
    }

    fn get(&self, url: &str) -> Option<reqwest::blocking::Response> {
        self.http.get(url).send().ok().filter(|answer| answer.status().is_success())
    }

    /// Seconds until `/ready` succeeds.
    fn ready(&self) -> f64 {
        wait(self.began, || self.get(&format!("http://{}/ready", self.admin)).is_some())
    }

    /// Whether it answers with a forecast issued at `newest` or later.
    fn answers(&self, series: &SeriesKey, newest: &str) -> bool {
        let SeriesKey { region, service, channel } = series;
        let path = format!("forecasts?region={region}&service={service}&channel={channel}");
        let answer = self.get(&format!("http://{}/api/v1/{path}", self.api));
        let answer: Option<Value> = answer.and_then(|answer| answer.json().ok());
        answer.is_some_and(|answer| answer["issued_at"].as_str() >= Some(newest))
    }
}

/// Seconds from `began` until `done`.
fn wait(began: Instant, done: impl Fn() -> bool) -> f64 {
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(900), "the program does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    began.elapsed().as_secs_f64()
}

/// Seconds from killing the leader until the standby answers, each on a copy of the store. The standby reads the log all the
/// time, and leads once the consumer group assigns it the partition.
pub fn failover(folder: &Path, series: &SeriesKey, newest: &str) -> f64 {
    let (_broker, brokers) = broker(folder);
    let more = format!("[kafka]\nbrokers = [\"{brokers}\"]\n");
    let [first, second] = ["a", "b"].map(|name| {
        let copy = folder.join(name);
        std::fs::create_dir_all(&copy).unwrap();
        for file in ["state.db", "state.db-wal"] {
            // The log file may be missing; the database is then complete.
            let _ = std::fs::copy(folder.join(file), copy.join(file));
        }
        let service = Service::start(&copy, &more);
        service.ready();
        wait(service.began, || service.answers(series, newest));
        service
    });
    let began = Instant::now();
    drop(first.process);
    wait(began, || second.get(&format!("http://{}/api/v1/status", second.api)).is_none());
    wait(began, || second.answers(series, newest))
}

/// Seconds until `/ready` and until the newest forecast of a series; memory at that time; seconds and megabytes of lists.
pub fn restart(folder: &Path, series: &SeriesKey, newest: &str) -> Vec<(String, f64)> {
    let service = Service::start(folder, "");
    let ready = service.ready();
    let answered = wait(service.began, || service.answers(series, newest));
    let pid = service.process.0.id();
    let (peak, rss) = memory(pid);
    let mut values = vec![
        ("ready_s".to_owned(), ready),
        ("answer_s".to_owned(), answered),
        ("restart_peak_mb".to_owned(), peak),
        ("restart_rss_mb".to_owned(), rss),
        ("restart_cpu_s".to_owned(), cpu(pid)),
    ];
    for list in ["series", "overview", "outlook", "forecasts"] {
        let began = Instant::now();
        let answer = service.get(&format!("http://{}/api/v1/{list}", service.api));
        let body = answer.and_then(|answer| answer.bytes().ok());
        values.push((format!("list_{list}_s"), began.elapsed().as_secs_f64()));
        let megabytes = body.map_or(0.0, |body| body.len() as f64 / 1e6);
        values.push((format!("list_{list}_mb"), megabytes));
    }
    values.push(("listed_peak_mb".to_owned(), memory(pid).0));
    values
}
