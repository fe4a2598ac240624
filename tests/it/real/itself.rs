//! The board *surgecast itself*, drawn from what a real Prometheus has read of a service with Kafka, InfluxDB and a receiver.
//!
//! `SURGECAST_ALL_PANELS=FOLDER` draws it in both languages, themes and widths, from more data, and saves pictures to that folder.
#![allow(clippy::disallowed_methods, reason = "the events lie before now")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use chrono::{TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::panels::{LOOKS, check, keep_until, list, text, tile, titled};
use super::prometheus::Prometheus;
use super::servers::{Influx, Kafka, until};
use super::whole::{Site, wait_until_written};
use crate::boards::{Board, Lang, Source, boards};
use crate::page::panels::{Filled, Look, draw};
use crate::program::{Program, surgecast};
use crate::receivers;

/// A receiver that refuses every second page.
fn receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("its address"));
    thread::spawn(move || {
        for (n, stream) in listener.incoming().flatten().enumerate() {
            receivers::answer(stream, if n % 2 == 0 { "503 Busy" } else { "200 OK" }, "");
        }
    });
    url
}

/// Writes `days` of a simulated operator to Kafka.
fn fill(site: &Site, folder: &Path, days: i64) {
    let now = Utc::now();
    let start = (now - TimeDelta::days(days)).format("%Y-%m-%d").to_string();
    let simulated = (days + 1).to_string();
    let args = ["simulate", "--like-demo", "--out", "sim", "--days", &simulated, "--start", &start];
    assert!(surgecast(&args).current_dir(folder).status().expect("it runs").success());
    let files = ["tickets", "alarms"].map(|name| folder.join(format!("sim/{name}.ndjson")));
    files.iter().for_each(|file| keep_until(file, now));
    let [tickets, alarms] = &files;
    let mut replay = site.replay(&[tickets, alarms]);
    let done = replay.args(["--speed", "max"]).output().expect("it runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A roster that is too short, so that there are pages. At any time it is day in one of the regions.
fn roster(program: &Program) {
    let hour =
        |hours| (Utc::now() + TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z").to_string();
    let shifts: Vec<Value> = ["north", "east", "west"]
        .iter()
        .map(|region| {
            json!({"region": region, "service": "broadband", "channel": "phone",
                "start": hour(-9), "end": hour(30), "agents": 1})
        })
        .collect();
    let put = program.request(reqwest::Method::PUT, "/api/v1/roster").json(&json!(shifts));
    let put = put.send().expect("an answer");
    assert!(put.status().is_success(), "{}", put.text().unwrap_or_default());
}

/// The board with the answers to its queries, over the last `minutes`.
fn answered(prometheus: &Prometheus, board: &Board, minutes: i64) -> Filled {
    let json: Value = serde_json::from_str(&board.json()).expect("JSON");
    let now_ms = Utc::now().timestamp_millis();
    let (from, to) = (now_ms / 1000 - minutes * 60, now_ms / 1000);
    let mut answers = Map::new();
    for panel in list(&json["panels"]) {
        let mut of_panel = Map::new();
        for target in list(&panel["targets"]) {
            let expression = text(&target["expr"]).replace("$__rate_interval", "1m");
            let range = (target["range"] == true).then_some((from, to, 1 + minutes / 4));
            let answer = prometheus.answer(&expression, range).expect("an answer");
            of_panel.insert(text(&target["refId"]).into(), answer.into());
        }
        answers.insert(panel["id"].to_string(), of_panel.into());
    }
    Filled {
        name: board.path().replace('/', "-").replace(".json", ""),
        board: json,
        answers: answers.into(),
        from_ms: from * 1000,
        to_ms: to * 1000,
        now_ms,
    }
}

fn legend<'s>(seen: &'s [Value], title: &str) -> Vec<&'s str> {
    list(&titled(seen, title)["legend"]).iter().map(|item| text(&item["text"])).collect()
}

/// The English board, against what Prometheus says.
fn check_english(seen: &[Value]) {
    assert_eq!(tile(titled(seen, "Records to read"), "Records to read").0, "0");
    let (age, _) = tile(titled(seen, "Age of the metrics"), "Age of the metrics");
    assert!(age.contains('s'), "{age}");
    for (title, names) in [
        ("Lag by partition", &["network.alarms[0]", "support.tickets[0]"][..]),
        ("Points written, by sink", &["influxdb"]),
        ("Deliveries of pages, by status", &["200", "503"]),
        ("Dead letters by reason", &["malformed"]),
        ("Events by outcome", &["counted"]),
    ] {
        let found = legend(seen, title);
        assert!(names.iter().all(|name| found.contains(name)), "{title}: {found:?}");
    }
}

#[test]
fn the_board_of_metrics_is_drawn_from_what_prometheus_has_read() {
    let pictures = std::env::var_os("SURGECAST_ALL_PANELS").map(PathBuf::from);
    let (days, minutes) = if pictures.is_some() { (14, 20) } else { (2, 4) };
    let folder = tempfile::tempdir().expect("a folder");
    let (kafka, influx) = (Kafka::start(folder.path()), Influx::start(folder.path()));
    let more = format!(
        "[[alerts.receivers]]\nname = \"lead\"\ntype = \"webhook\"\nurl = \"{}\"\n",
        receiver()
    );
    let site = Site::new(folder.path(), "itself", &kafka.brokers(), Some(&influx.url()), &more);
    let setup = surgecast(&["setup", "influxdb", "--config", site.config()]).status();
    assert!(setup.expect("it runs").success());
    // The roster comes first: plans use it from the first one on. Events are there before windows are finalized.
    let program = site.serve();
    until("a leader", || program.get("/api/v1/status").status == 200);
    roster(&program);
    let (status, said) = program.interrupt();
    assert!(status.success(), "{said}");
    fill(&site, folder.path(), days);
    let prometheus = Prometheus::reading(folder.path(), &site.admin);
    let program = site.serve();
    kafka.send("support.tickets", "not json");
    let upto = (Utc::now() - TimeDelta::hours(1)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    println!("the events are written");
    program.wait_for("/api/v1/status", |status| text(&status["settled_upto"]) > &*upto);
    println!("the windows are finalized");
    program.wait_for("/api/v1/pages?limit=100", |pages| {
        // A page that waits may be replaced by a later one of its alert: that one is done, too.
        let pages = list(pages);
        let delivered = pages.iter().any(|page| page["state"] == "delivered");
        delivered && pages.iter().all(|page| page["done_at"].is_string())
    });
    wait_until_written(&site.reader());
    // Something has to change while Prometheus looks: rates need two values.
    let reads = if pictures.is_some() { 120 } else { 10 };
    let counted =
        format!("count_over_time(surgecast_outbox_tries_total{{status=\"200\"}}[1h]) >= {reads}");
    until("Prometheus to have read what followed", || {
        assert_eq!(program.get("/api/v1/series").status, 200);
        prometheus.ask(&counted).is_some_and(|found| !found.is_empty())
    });
    let own = boards().into_iter().filter(|board| board.source == Source::PromQl);
    let own: Vec<Board> =
        own.filter(|board| pictures.is_some() || board.lang == Lang::En).collect();
    let looks =
        if pictures.is_some() { &LOOKS[..] } else { &[Look { theme: "dark", width: 1280 }] };
    let filled: Vec<Filled> =
        own.iter().map(|board| answered(&prometheus, board, minutes)).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let seen = runtime.block_on(draw(&filled, looks, pictures));
    assert_eq!(seen.len(), filled.len() * looks.len());
    for ((filled, board), seen) in filled.iter().zip(&own).zip(seen.chunks(looks.len())) {
        seen.iter().for_each(|seen| check(filled, seen));
        if board.lang == Lang::En {
            check_english(&seen[0]);
        }
    }
}
