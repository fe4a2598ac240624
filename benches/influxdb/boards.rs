//! Time of every query of every board, in both query languages.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::common::setting;
use super::fill::fill;
use super::servers::Influx;

const BUCKET: &str = "boards";
const DAY_S: i64 = 86_400;
const AHEAD_S: i64 = 6 * 3600;
/// Ranges of the time picker beside the one that the board opens with.
const RANGES: [(&str, i64); 2] = [("7 days", 7 * DAY_S), ("8 weeks", 56 * DAY_S)];
/// Each query runs as often. The slowest run is not counted: nobody has read the data before.
const RUNS: usize = 3;
/// Longer queries run once.
const LONG_S: f64 = 5.0;
const SHOWN: usize = 12;

/// A query of a board, for one range.
struct Asked {
    /// Board, panel, and number of the query.
    name: String,
    is_flux: bool,
    text: String,
    /// The range with which its board opens, in seconds from now.
    range: (i64, i64),
}

/// Names of the pickers, as Grafana inserts them.
#[derive(Clone, Copy)]
enum Choice {
    All,
    One,
}

fn seconds(time: &str) -> i64 {
    let offset = time.strip_prefix("now").unwrap();
    let Some(unit) = offset.chars().last() else { return 0 };
    let number: i64 = offset[..offset.len() - 1].parse().unwrap();
    number * if unit == 'd' { DAY_S } else { 3600 }
}

fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// All queries of the English boards in a folder.
fn asked(folder: &str, is_flux: bool) -> Vec<Asked> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana").join(folder);
    let mut found = Vec::new();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        if file.extension().is_none_or(|ext| ext != "json") || name == "surgecast-itself" {
            continue;
        }
        let board: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let time = |key: &str| seconds(board["time"][key].as_str().unwrap());
        let range = (time("from"), time("to"));
        let mut ask = |what: &Value, text: &Value| {
            let Some(text) = text.as_str() else { return };
            let what = what.as_str().unwrap_or_default();
            let name = format!("{name}: {what}");
            found.push(Asked { name, is_flux, text: text.to_owned(), range });
        };
        for panel in board["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                ask(&panel["title"], &target["query"]);
            }
        }
        for variable in board["templating"]["list"].as_array().unwrap() {
            ask(&variable["label"], &variable["query"]["query"]);
        }
        for annotation in board["annotations"]["list"].as_array().unwrap() {
            ask(&annotation["name"], &annotation["target"]["query"]);
        }
    }
    found
}

/// The query with its variables filled in.
fn filled(asked: &Asked, (from, to): (i64, i64), choice: Choice) -> String {
    let mut text = asked.text.clone();
    for (name, one) in [("region", "region-000"), ("service", "service-00"), ("channel", "phone")] {
        let inserted = match choice {
            Choice::All if asked.is_flux => "_all",
            Choice::All => "_all|",
            Choice::One => one,
        };
        text = text.replace(&format!("${{{name}:regex}}"), inserted);
    }
    if !asked.is_flux {
        let now = now_s();
        let range = format!("time >= {}000ms and time <= {}000ms", now + from, now + to);
        return text.replace("$timeFilter", &range);
    }
    let (imports, rest): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("import "));
    let options = format!(
        "option v = {{timeRangeStart: {from}s, timeRangeStop: {to}s, windowPeriod: 1m, defaultBucket: \"{BUCKET}\"}}"
    );
    let mut imports = imports;
    if !imports.contains(&"import \"experimental\"") {
        imports.push("import \"experimental\"");
    }
    format!("{}\n{options}\n{}", imports.join("\n"), rest.join("\n"))
}

/// Seconds of a query: the median of several runs, without the slowest.
fn time(influx: &Influx, asked: &Asked, range: (i64, i64), choice: Choice) -> f64 {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let text = filled(asked, range, choice);
        let began = Instant::now();
        let answer = if asked.is_flux {
            influx.annotated(&text)
        } else {
            influx.influxql_text(BUCKET, &text)
        };
        runs.push(began.elapsed().as_secs_f64());
        assert!(asked.is_flux || !answer.contains("\"error\""), "{answer}\n{text}");
        if runs[runs.len() - 1] > LONG_S {
            break;
        }
    }
    runs.sort_by(f64::total_cmp);
    runs[(runs.len() - 1) / 2]
}

/// A server with a filled bucket.
fn server(folder: &Path) -> Influx {
    let is_filled = folder.join("filled");
    if is_filled.exists() {
        let mut influx = Influx::absent(folder);
        influx.restart();
        return influx;
    }
    let influx = Influx::start(folder);
    influx.create_bucket(BUCKET);
    let (series, weeks) = (setting("INFLUX_SERIES", 1_000) as usize, setting("INFLUX_WEEKS", 8));
    let began = Instant::now();
    let points = fill(&influx, BUCKET, series, weeks as i64, now_s());
    println!(
        "{series} series, {weeks} weeks: {points} points written in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    std::fs::write(is_filled, "").unwrap();
    influx
}

pub fn run() {
    let temporary = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("INFLUX_FOLDER").map(PathBuf::from);
    let folder = kept.as_deref().unwrap_or(temporary.path());
    let influx = server(folder);
    let only = std::env::var("INFLUX_ONLY").unwrap_or_default();
    let mut all = asked("dashboards", true);
    all.extend(asked("dashboards-influxql", false));
    all.retain(|asked| asked.name.contains(&only));
    assert!(!all.is_empty(), "no query of {only}");
    for (choice, chosen) in [(Choice::All, "all"), (Choice::One, "one series")] {
        let own = all.iter().map(|asked| (asked, asked.range)).collect();
        slowest(&influx, "the range of the board", (choice, chosen), own);
        for (name, seconds) in RANGES {
            let own = all.iter().map(|asked| (asked, (-seconds, asked.range.1.clamp(0, AHEAD_S))));
            slowest(&influx, name, (choice, chosen), own.collect());
        }
    }
}

fn slowest(
    influx: &Influx,
    range: &str,
    (choice, chosen): (Choice, &str),
    queries: Vec<(&Asked, (i64, i64))>,
) {
    let mut times: Vec<(f64, &Asked)> = queries
        .into_iter()
        .map(|(asked, range)| (time(influx, asked, range, choice), asked))
        .collect();
    times.sort_by(|a, b| b.0.total_cmp(&a.0));
    let slow = times.iter().filter(|(seconds, _)| *seconds > 1.0).count();
    println!("\n{range}, {chosen}: {} queries, {slow} take more than a second", times.len());
    for (seconds, asked) in times.iter().take(SHOWN) {
        let language = if asked.is_flux { "Flux" } else { "InfluxQL" };
        println!("  {seconds:.2} s  {language}, {}", asked.name);
    }
}
