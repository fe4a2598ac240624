//! Scaling with the number of series: memory, disk, restart and finalizing a window.
//!
//! `cargo bench --bench scale -- 100,1000,10000`. For each size:
//!
//! 1. Write a store with eight weeks of 15-minute windows (half a minute of CPU and 180 MB for 10,000 series).
//! 2. Finalize `SCALE_WINDOWS` (26) windows with the real forecaster, in its own process.
//! 3. Start the real program on that store.
//!    Its counts are by chance alone, so every anomaly is a false flag (`SCALE_FALSE_FLAGS`: `false_flags_a_day`, 5).
//! 4. With `SCALE_FAILOVER`, run a leader and a standby on a Kafka of the tests, and kill the leader.
//!
//! `SCALE_FOLDER` keeps the stores. CPU seconds are for machines with other load.
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use surgecast::domain::Timestamp;

#[path = "../common/mod.rs"]
mod common;
mod config;
mod engine;
mod program;
mod site;

use common::setting;
use site::{DAYS, Site, WIDTH};

/// Peak and current resident memory of a process, megabytes.
fn memory(pid: u32) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or(0.0) / 1024.0
    };
    (of("VmHWM:"), of("VmRSS:"))
}

type Measurements = BTreeMap<String, f64>;

/// Runs a part of this benchmark in its own process.
fn child(values: &mut Measurements, args: &[&str]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(args)
        .stderr(std::process::Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}");
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (name, value) = line.split_once(' ').unwrap();
        values.insert(name.to_owned(), value.parse().unwrap());
    }
}

fn now() -> Timestamp {
    Timestamp::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64)
}

fn measure(series: usize, windows: i64, folder: &Path) -> Measurements {
    let mut values = Measurements::new();
    // The windows to finalize end now.
    let next = WIDTH.start(WIDTH.index(now()) - windows);
    let mut site = Site::new(series);
    let began = Instant::now();
    site.fill(folder, next);
    eprintln!("{series} series: store written in {:.0} s", began.elapsed().as_secs_f64());
    let file = folder.join("state.db");
    values.insert("counts_mb".into(), std::fs::metadata(&file).unwrap().len() as f64 / 1e6);
    let began = Instant::now();
    let read = std::fs::read(&file).unwrap().len();
    values.insert("read_s".into(), began.elapsed().as_secs_f64());
    assert!(read > 0);
    let (size, at) = (series.to_string(), next.millis().to_string());
    let path = folder.to_str().unwrap();
    child(&mut values, &["engine", path, &size, &at, &windows.to_string()]);
    let newest = WIDTH.start(WIDTH.index(next) + windows).to_string();
    values.extend(program::restart(folder, &site.leaves[series / 2], &newest));
    if std::env::var_os("SCALE_FAILOVER").is_some() {
        let seconds = program::failover(folder, &site.leaves[series / 2], &newest);
        values.insert("failover_s".into(), seconds);
    }
    let vintages = (values["all_series"] * windows as f64).to_string();
    child(&mut values, &["thin", path, &now().millis().to_string(), &vintages]);
    let per_series = values["all_series"] / series as f64;
    let a_day = 96.0 * per_series * series as f64;
    let ledger = a_day * (14.0 * values["vintage_bytes"] + 386.0 * values["lead_bytes"]);
    values.insert("ledger_gb".into(), ledger / 1e9);
    values.insert("raw_mb".into(), (series as i64 * DAYS * 96) as f64 / 1e6);
    values
}

/// Names and descriptions.
const ROWS: [(&str, &str); 42] = [
    ("all_series", "series with roll-ups"),
    ("raw_mb", "lower bound: a byte a count, MB"),
    ("counts_mb", "state.db with eight weeks of counts, MB"),
    ("vintage_bytes", "a vintage with all leads on disk, bytes"),
    ("lead_bytes", "a vintage after two weeks, bytes"),
    ("flags_a_day", "anomalies a day; nothing is abnormal"),
    ("window_bytes", "growth of state.db a window, bytes"),
    ("ledger_gb", "ledger of 400 days, GB"),
    ("prune_s", "retention of all vintages, s"),
    ("read_s", "lower bound: reading state.db, s"),
    ("open_s", "forecaster opens, s"),
    ("open_cpu_s", "its CPU, s"),
    ("ready_s", "program until /ready, s"),
    ("answer_s", "program until the newest forecast, s"),
    ("restart_cpu_s", "CPU until then, s"),
    ("failover_s", "leader killed until the standby answers, s"),
    ("counts_s", "a window's counts stored, s"),
    ("first_close_s", "first window finalized, with a fit, s"),
    ("refit_s", "refit of all series, s (mean)"),
    ("first_cpu_s", "CPU of both, s"),
    ("close_s", "window finalized and stored, s (median)"),
    ("close_worst_s", "the slowest: waits for a fit, s"),
    ("forecast_s", "of which all forecasts, stored, s (median)"),
    ("close_cpu_s", "its CPU, s"),
    ("empty_mb", "process at start, MB"),
    ("open_rss_mb", "memory when open, MB"),
    ("first_peak_mb", "peak with a refit, MB"),
    ("rss_mb", "memory after the windows, MB"),
    ("peak_mb", "peak memory, MB"),
    ("restart_rss_mb", "program's memory after a restart, MB"),
    ("restart_peak_mb", "its peak, MB"),
    ("list_series_s", "GET /series, s"),
    ("list_series_mb", "its body, MB"),
    ("list_overview_s", "GET /overview, s"),
    ("list_overview_mb", "its body, MB"),
    ("list_outlook_s", "GET /outlook, s"),
    ("list_outlook_mb", "its body, MB"),
    ("list_forecasts_s", "GET /forecasts, s"),
    ("list_forecasts_mb", "its body, MB"),
    ("listed_peak_mb", "peak after the lists, MB"),
    ("rss_per", "memory a series (with roll-ups), KB"),
    ("close_per", "finalize a series, µs"),
];

fn print(sizes: &[usize], all: &[Measurements]) {
    print!("\n{:<42}", "leaf series");
    sizes.iter().for_each(|size| print!("{size:>12}"));
    println!();
    for (name, what) in ROWS {
        print!("{what:<42}");
        for values in all {
            match values.get(name) {
                Some(value) if *value >= 1000.0 => print!("{value:>12.0}"),
                Some(value) => print!("{value:>12.2}"),
                None => print!("{:>12}", "–"),
            }
        }
        println!();
    }
}

fn main() {
    let Some(args) = common::arguments() else { return };
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<i64>().expect("a number");
    match args[..] {
        ["engine", folder, series, next, windows] => {
            let next = Timestamp::from_millis(number(next));
            engine::run(Path::new(folder), number(series) as usize, next, number(windows));
        }
        ["thin", folder, now, vintages] => {
            let now = Timestamp::from_millis(number(now));
            engine::thin(Path::new(folder), now, vintages.parse().unwrap());
        }
        [] | [_] => {
            let sizes = args.first().copied().unwrap_or("100,1000,10000");
            let sizes: Vec<usize> = sizes.split(',').map(|size| number(size) as usize).collect();
            let windows = setting("SCALE_WINDOWS", 26).max(2) as i64;
            let mut all = Vec::new();
            for size in &sizes {
                let temporary = tempfile::tempdir().unwrap();
                let kept =
                    std::env::var_os("SCALE_FOLDER").map(|f| Path::new(&f).join(size.to_string()));
                let folder = kept.unwrap_or_else(|| temporary.path().to_owned());
                let mut values = measure(*size, windows, &folder);
                let per = |name: &str, scale: f64| values[name] / values["all_series"] * scale;
                let per = [("rss_per", per("rss_mb", 1024.0)), ("close_per", per("close_s", 1e6))];
                values.extend(per.map(|(name, value)| (name.to_owned(), value)));
                all.push(values);
            }
            print(&sizes, &all);
        }
        _ => panic!("arguments: sizes such as 100,1000,10000"),
    }
}
