//! Kafka and InfluxDB for one test, on free ports. They are killed when dropped.
#![allow(clippy::disallowed_methods, reason = "a test waits in real time, up to a limit")]

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};

/// Time limit of all waits. Java starts slowly on a busy machine.
const PATIENCE: Duration = Duration::from_secs(480);
pub const ORG: &str = "noc";
/// Without spaces: InfluxQL refuses others.
pub const TOKEN: &str = "a-token-of-the-tests";

/// Waits until `holds` returns true; panics with `what` after the time limit.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "timed out waiting for {what}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// Waits until `check` succeeds. The time limit starts again whenever its error changes. Returns the last error after it.
pub fn until_no_progress(mut check: impl FnMut() -> Result<(), String>) -> Result<(), String> {
    let mut before = String::new();
    let mut deadline = Instant::now() + PATIENCE;
    while let Err(error) = check() {
        if error != before {
            before = error;
            deadline = Instant::now() + PATIENCE;
        }
        if Instant::now() >= deadline {
            return Err(before);
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    Ok(())
}

/// A free port that no other server of these tests got, below the ports that systems give to clients and for port 0. The
/// system would offer one of those again as soon as it is released.
pub fn free_port() -> u16 {
    const FIRST: u32 = 15_000;
    const COUNT: u32 = 16_000;
    static TRIED: AtomicU32 = AtomicU32::new(0);
    loop {
        // Another run of the tests at the same time begins elsewhere.
        let at =
            std::process::id().wrapping_mul(64).wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + at % COUNT).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn script(name: &str, args: &[&str]) -> Child {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(name);
    let child = Command::new(script).args(args).stdin(Stdio::null()).spawn();
    child.expect("the server's script runs")
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// One Kafka node.
pub struct Kafka {
    folder: PathBuf,
    port: u16,
    controller: u16,
    sasl: u16,
    child: Option<Child>,
}

impl Kafka {
    /// Starts a broker.
    pub fn start(folder: &Path) -> Self {
        let mut kafka = Self::absent(folder);
        kafka.restart();
        kafka
    }

    /// A broker that is not started yet.
    pub fn absent(folder: &Path) -> Self {
        let (controller, sasl) = (free_port(), free_port());
        Self { folder: folder.join("kafka"), port: free_port(), controller, sasl, child: None }
    }

    /// The listener with TLS and sign-in: user `surgecast`, password `right`.
    pub fn sasl_brokers(&self) -> String {
        format!("127.0.0.1:{}", self.sasl)
    }

    /// The CA certificate of the broker.
    pub fn ca(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Writes a record, whatever it is.
    pub fn send(&self, topic: &str, payload: &str) {
        let mut config = ClientConfig::new();
        let producer: BaseProducer =
            config.set("bootstrap.servers", self.brokers()).create().expect("a producer");
        let record = BaseRecord::to(topic).key("k").payload(payload);
        producer.send(record).expect("queued");
        producer.flush(PATIENCE).expect("written");
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("the broker can be killed");
            child.wait().expect("the broker is gone");
        }
    }

    /// Starts it with the same ports and data.
    pub fn restart(&mut self) {
        let folder = self.folder.display().to_string();
        let [port, controller, sasl] =
            [self.port, self.controller, self.sasl].map(|port| port.to_string());
        let mut child = script("kafka.sh", &["run", &folder, &port, &controller, &sasl]);
        let before = self.started();
        until("the Kafka broker to start", || {
            let ended = child.try_wait().expect("its status");
            assert!(ended.is_none(), "the broker ended: {}", self.log());
            self.started() > before && listens(self.port)
        });
        self.child = Some(child);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("broker.log")).unwrap_or_default()
    }

    fn started(&self) -> usize {
        self.log().matches("Kafka Server started").count()
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One InfluxDB.
pub struct Influx {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
    http: reqwest::blocking::Client,
}

/// A row of a result, by column.
pub type Row = BTreeMap<String, String>;

impl Influx {
    /// Starts a server with an organisation, a token and an unused bucket.
    pub fn start(folder: &Path) -> Self {
        let mut influx = Self::absent(folder);
        influx.restart();
        influx.set_up();
        influx
    }

    /// A server that is not started and not set up yet.
    pub fn absent(folder: &Path) -> Self {
        let http = reqwest::blocking::Client::builder().timeout(PATIENCE).build().expect("client");
        Self { folder: folder.join("influxdb"), port: free_port(), child: None, http }
    }

    /// Creates the first user.
    pub fn set_up(&self) {
        let first = json!({
            "username": "tests", "password": "only-for-tests", "org": ORG, "bucket": "first",
            "token": TOKEN, "retentionPeriodSeconds": 0,
        });
        let answer = self.http.post(format!("{}/api/v2/setup", self.url()));
        let answer = answer.body(first.to_string()).send().expect("setup answers");
        assert_eq!(answer.status().as_u16(), 201, "{}", answer.text().unwrap_or_default());
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("InfluxDB can be killed");
            child.wait().expect("InfluxDB is gone");
        }
    }

    pub fn restart(&mut self) {
        let (folder, port) = (self.folder.display().to_string(), self.port.to_string());
        let mut child = script("influxd.sh", &["run", &folder, &port]);
        until("InfluxDB to start", || {
            let ended = child.try_wait().expect("its status");
            assert!(ended.is_none(), "InfluxDB ended: see {folder}/influxd.log");
            let health = self.http.get(format!("{}/health", self.url())).send();
            health.is_ok_and(|answer| answer.status().is_success())
        });
        self.child = Some(child);
    }

    /// Its process.
    #[allow(dead_code, reason = "a benchmark measures its CPU time")]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    fn api(&self, method: reqwest::Method, path: &str) -> reqwest::blocking::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url()));
        request.header("authorization", format!("Token {TOKEN}"))
    }

    /// Runs Flux and returns all rows of all tables.
    pub fn query(&self, flux: &str) -> Vec<Row> {
        let request = self.api(reqwest::Method::POST, &format!("/api/v2/query?org={ORG}"));
        let request = request.header("accept", "application/csv");
        let answer = request.header("content-type", "application/vnd.flux").body(flux.to_owned());
        let answer = answer.send().expect("InfluxDB answers");
        let status = answer.status();
        let text = answer.text().expect("text");
        assert!(status.is_success(), "{text}\n{flux}");
        rows(&text)
    }

    /// Runs Flux like Grafana's data source, and returns the answer with the types of its columns.
    pub fn annotated(&self, flux: &str) -> String {
        let request = self.api(reqwest::Method::POST, &format!("/api/v2/query?org={ORG}"));
        let dialect = json!({ "annotations": ["datatype", "group", "default"] });
        let request = request.header("content-type", "application/json");
        let answer = request.body(json!({ "query": flux, "dialect": dialect }).to_string()).send();
        let answer = answer.expect("InfluxDB answers");
        let status = answer.status();
        let text = answer.text().expect("text");
        assert!(status.is_success(), "{text}\n{flux}");
        text
    }

    /// Runs InfluxQL like Grafana's data source, and returns the answer.
    pub fn influxql_text(&self, database: &str, query: &str) -> String {
        let encoded = |parameters: &[(&str, &str)]| {
            let address = reqwest::Url::parse_with_params("http://in.a.form/", parameters);
            address.expect("an address").query().expect("parameters").to_owned()
        };
        let path = format!("/query?{}", encoded(&[("db", database), ("epoch", "ms")]));
        let request = self.api(reqwest::Method::POST, &path);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(encoded(&[("q", query)])).send();
        answer.expect("InfluxDB answers").text().expect("text")
    }

    /// Runs InfluxQL, and returns all rows of all series. Tags are columns too; a value that is not there is an empty text.
    pub fn influxql(&self, database: &str, query: &str) -> Vec<Row> {
        let text = self.influxql_text(database, query);
        let answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}\n{query}"));
        let mut rows = Vec::new();
        for result in answer["results"].as_array().unwrap_or_else(|| panic!("{text}\n{query}")) {
            assert!(result["error"].is_null(), "{result}\n{query}");
            for series in result["series"].as_array().into_iter().flatten() {
                rows.extend(rows_of(series));
            }
        }
        rows
    }

    /// Writes lines with nanoseconds.
    pub fn write(&self, bucket: &str, lines: &str) {
        let path = format!("/api/v2/write?org={ORG}&bucket={bucket}&precision=ns");
        let answer = self.api(reqwest::Method::POST, &path).body(lines.to_owned()).send();
        let answer = answer.expect("InfluxDB answers");
        assert_eq!(answer.status().as_u16(), 204, "{}", answer.text().unwrap_or_default());
    }

    /// Ids of buckets by name.
    pub fn buckets(&self) -> BTreeMap<String, String> {
        let answer = self.api(reqwest::Method::GET, "/api/v2/buckets?limit=100").send();
        let found: Value = answer.expect("an answer").json().expect("JSON");
        let buckets = found["buckets"].as_array().expect("buckets");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        buckets.iter().map(|bucket| (text(&bucket["name"]), text(&bucket["id"]))).collect()
    }

    /// Creates a bucket with unlimited retention.
    pub fn create_bucket(&self, name: &str) {
        let orgs = self.api(reqwest::Method::GET, &format!("/api/v2/orgs?org={ORG}")).send();
        let orgs: Value = orgs.expect("an answer").json().expect("JSON");
        let body = json!({"orgID": orgs["orgs"][0]["id"], "name": name, "retentionRules": []});
        let made = self.api(reqwest::Method::POST, "/api/v2/buckets").body(body.to_string()).send();
        assert_eq!(made.expect("an answer").status().as_u16(), 201);
    }

    pub fn delete_bucket(&self, name: &str) {
        let id = &self.buckets()[name];
        let gone = self.api(reqwest::Method::DELETE, &format!("/api/v2/buckets/{id}")).send();
        assert!(gone.expect("an answer").status().is_success());
    }
}

impl Drop for Influx {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The rows of a series of InfluxQL.
fn rows_of(series: &Value) -> Vec<Row> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let tags: Row = series["tags"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), text(v)))
        .collect();
    let columns: Vec<String> =
        series["columns"].as_array().expect("columns").iter().map(text).collect();
    let values = series["values"].as_array().expect("values").iter();
    let row = |values: &Value| {
        let values = values.as_array().expect("a row").iter().map(text);
        columns.iter().cloned().zip(values).chain(tags.clone()).collect()
    };
    values.map(row).collect()
}

/// The rows of all tables of a result. Tables are separated by empty lines, and each has its own header, perhaps after
/// annotations.
pub fn rows(text: &str) -> Vec<Row> {
    let mut all = Vec::new();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for table in lines.join("\n").split("\n\n").filter(|table| !table.trim().is_empty()) {
        let mut reader = csv::Reader::from_reader(table.trim_start().as_bytes());
        for row in reader.deserialize() {
            let row: Row = row.expect("a row");
            assert!(!row.contains_key("error"), "{row:?}");
            all.push(row);
        }
    }
    all
}
