//! The real forecaster on a store: time to open, to finalize a window, and to refit.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use surgecast::domain::{DAY, Timestamp};
use surgecast::engine::Forecaster;
use surgecast::store::Store;
use surgecast::telemetry::{Exposition, Metrics};

use super::common::{cpu, setting};
use super::config::config;
use super::memory;
use super::site::{Site, WIDTH};

/// Bytes of used pages.
fn used(folder: &Path) -> f64 {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(folder.join("state.db"), flags).unwrap();
    let pragma = |name: &str| -> f64 {
        conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
    };
    (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")
}

fn print(name: &str, value: f64) {
    println!("{name} {value}");
}

/// Finalizes `windows` windows from `next` on and prints the measurements.
pub fn run(folder: &Path, series: usize, next: Timestamp, windows: i64) {
    let mut site = Site::new(series);
    let pid = std::process::id();
    print("empty_mb", memory(pid).1);
    let metrics = Arc::new(Metrics::default());
    let began = Instant::now();
    let store = Store::open(folder, WIDTH).unwrap();
    let mut config = config(next);
    config.issue.anomalies.false_flags_a_day = setting("SCALE_FALSE_FLAGS", 5) as f64;
    if let Some(refit) = &mut config.refit {
        refit.patience = Duration::from_secs(setting("SCALE_PATIENCE_S", 600));
    }
    let mut leader = Forecaster::open(config, store, metrics.clone()).unwrap();
    print("open_s", began.elapsed().as_secs_f64());
    print("open_cpu_s", cpu(pid));
    print("open_rss_mb", memory(pid).1);
    let (mut closes, mut counts, mut cpus) = (Vec::new(), Vec::new(), Vec::new());
    let mut forecasts = Vec::new();
    let mut after_first = 0.0;
    for n in 0..windows {
        let window = WIDTH.start(WIDTH.index(next) + n);
        let end = WIDTH.end(window);
        let now = end + Duration::from_secs(601);
        let [counted, closed] = site.reports(window, now);
        let began = Instant::now();
        leader.apply(&[counted], None, end).unwrap();
        counts.push(began.elapsed().as_secs_f64());
        let made = metric(&metrics, FORECAST);
        let (began, before) = (Instant::now(), cpu(pid));
        leader.apply(&[closed], None, now).unwrap();
        let seconds = began.elapsed().as_secs_f64();
        eprintln!("window {n}: counts {:.2} s, finalize {seconds:.2} s", counts[counts.len() - 1]);
        if n == 0 {
            // The first window waits for a fit.
            print("first_close_s", seconds);
            print("first_cpu_s", cpu(pid) - before);
            print("first_peak_mb", memory(pid).0);
            after_first = used(folder);
        } else {
            closes.push(seconds);
            forecasts.push(metric(&metrics, FORECAST) - made);
            cpus.push(cpu(pid) - before);
        }
        assert_eq!(leader.finalized_upto(), Some(end));
    }
    let of = |name: &str| metric(&metrics, name);
    print("all_series", leader.series() as f64);
    let mean = |name: &str| of(&format!("{name}_sum")) / of(&format!("{name}_count"));
    print("refit_s", mean("surgecast_refit_duration_seconds"));
    let median = |mut of: Vec<f64>| {
        of.sort_by(f64::total_cmp);
        of[of.len() / 2]
    };
    let worst = closes.iter().copied().fold(0.0, f64::max);
    print("counts_s", median(counts));
    print("close_s", median(closes));
    print("forecast_s", median(forecasts));
    print("close_worst_s", worst);
    print("close_cpu_s", median(cpus));
    print("rss_mb", memory(pid).1);
    print("peak_mb", memory(pid).0);
    let growth = (used(folder) - after_first) / (windows - 1) as f64;
    print("window_bytes", growth);
    let flags = "SELECT count(*) FROM anomalies WHERE start >= ?1";
    let conn = Connection::open(folder.join("state.db")).unwrap();
    let flags: i64 = conn.query_row(flags, [next.millis()], |row| row.get(0)).unwrap();
    print("flags_a_day", flags as f64 / windows as f64 * WIDTH.per(DAY) as f64);
}

/// Measures the size of vintages before and after thinning (two weeks). The store cannot be used afterwards.
pub fn thin(folder: &Path, now: Timestamp, vintages: f64) {
    let mut store = Store::open(folder, WIDTH).unwrap();
    let count = |of: &str| -> f64 {
        let conn = Connection::open(folder.join("state.db")).unwrap();
        conn.query_row(
            &format!("SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name LIKE '%{of}%'"),
            [],
            |row| row.get(0),
        )
        .unwrap_or(0.0)
    };
    print("vintage_bytes", count("vintage_blocks") / vintages);
    let began = Instant::now();
    store.prune(now + Duration::from_secs(15 * 86_400)).unwrap();
    print("prune_s", began.elapsed().as_secs_f64());
    print("lead_bytes", count("lead_blocks") / vintages);
}

const FORECAST: &str = "surgecast_forecast_duration_seconds_sum";

/// A metric's value, or 0 without it.
fn metric(metrics: &Metrics, name: &str) -> f64 {
    let text = metrics.text(Exposition::OpenMetrics);
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0.0)
}
