//! Runs all queries of the board *surgecast itself* in a real Prometheus that reads the program's metrics.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::servers::{free_port, until};
use crate::boards::{Source, boards, queries};
use crate::deploy::alert_rules;
use crate::metrics::{is_registered, metric_names};
use crate::program::Program;

/// Metrics of other exporters.
const FOREIGN: [&str; 2] = ["container_memory_working_set_bytes", "process_resident_memory_bytes"];

/// A server, killed when dropped.
pub struct Prometheus {
    child: Child,
    url: String,
    http: reqwest::blocking::Client,
}

impl Prometheus {
    /// Starts it and waits until it has read the metrics.
    fn start(folder: &Path, scraped: &str) -> Self {
        let server = Self::reading(folder, scraped);
        until("Prometheus to have read the metrics twice", || {
            let found = server.ask("count_over_time(up{job=\"surgecast\"}[1m]) >= 2");
            found.is_some_and(|found| !found.is_empty())
        });
        server
    }

    /// Starts it, to read these metrics every second.
    pub fn reading(folder: &Path, scraped: &str) -> Self {
        let config = folder.join("prometheus.yml");
        let text = format!(
            "global: {{ scrape_interval: 1s }}\nscrape_configs:\n  - job_name: surgecast\n    static_configs:\n      \
             - targets: [\"{scraped}\"]\n"
        );
        std::fs::write(&config, text).expect("the config");
        let config = format!("--config.file={}", config.display());
        let data = format!("--storage.tsdb.path={}", folder.join("tsdb").display());
        Self::run(&[config, data])
    }

    /// Runs it with these arguments, on a free port.
    pub fn run(args: &[String]) -> Self {
        let port = free_port();
        let child = Command::new("prometheus")
            .args(args)
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus starts: tests/run fetches Debian's package");
        let http = reqwest::blocking::Client::new();
        Self { child, url: format!("http://127.0.0.1:{port}"), http }
    }

    /// The series of an expression; `None` if the server does not answer yet.
    pub fn ask(&self, expression: &str) -> Option<Vec<Value>> {
        let answer: Value = serde_json::from_str(&self.answer(expression, None)?).ok()?;
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        answer["data"]["result"].as_array().cloned()
    }

    /// The answer as text: of now, or of a range (from, to and step in seconds). `None` if the server does not answer yet.
    pub fn answer(&self, expression: &str, range: Option<(i64, i64, i64)>) -> Option<String> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = match range {
            None => format!("query?query={encoded}"),
            Some((from, to, step)) => {
                format!("query_range?query={encoded}&start={from}&end={to}&step={step}")
            }
        };
        self.http.get(format!("{}/api/v1/{path}", self.url)).send().ok()?.text().ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_query_of_the_board_runs_in_prometheus() {
    let folder = tempfile::tempdir().expect("a folder");
    let admin = format!("127.0.0.1:{}", free_port());
    let config = folder.path().join("surgecast.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"{admin}\"\n[store]\npath = \"data\"\n"
    );
    std::fs::write(&config, text).expect("the config");
    let program = Program::start(&["serve", "--config", config.to_str().expect("UTF-8")]);
    let ticket = |id: &str, ts: &str| json!({"kind": "ticket", "event_id": id, "ts": ts, "region": "north", "service": "tv", "channel": "phone"});
    let body = json!([ticket("a", "2026-03-28T10:00:00Z"), ticket("b", "2026-03-28T12:00:00Z"), {"kind": "ticket"}]);
    assert_eq!(program.post("/api/v1/events", body.to_string()).status, 202);
    program.wait_for("/api/v1/status", |status| status["settled_upto"].is_string());
    let prometheus = Prometheus::start(folder.path(), &admin);
    let mut with_data = 0;
    for board in boards().iter().filter(|board| board.source == Source::PromQl) {
        for query in queries(board) {
            let expression = query.text.replace("$__rate_interval", "1m");
            let found = prometheus.ask(&expression).expect("an answer");
            with_data += usize::from(!found.is_empty());
            let names = metric_names(&expression);
            let has_foreign = FOREIGN.iter().any(|name| expression.contains(name));
            assert!(!names.is_empty() || has_foreign, "{expression}");
            for name in names {
                assert!(is_registered(name), "{expression}: no metric {name}");
            }
        }
    }
    // Partitions and sinks have no metrics here: this program reads no Kafka and writes nothing.
    assert!(with_data >= 20, "only {with_data} queries have data");
    // The events are months old. The clock finalizes windows up to a quarter of an hour before now, then their age is low;
    // it is 0 before it is measured.
    until("the age of the windows to be read", || {
        let age = "surgecast_frontier_age_seconds > 60 < 3600";
        prometheus.ask(age).is_some_and(|rows| !rows.is_empty())
    });
    // Of the alert rules, only those fire that this program gives a reason for.
    let firing: Vec<String> = alert_rules()
        .into_iter()
        .filter(|(_, expression, _)| {
            !prometheus.ask(expression).unwrap_or_else(|| panic!("{expression}")).is_empty()
        })
        .map(|(name, _, _)| name)
        .collect();
    // One event lacks its fields.
    assert_eq!(firing, ["SurgecastDeadLetters"]);
}
