//! Draws panels of the boards from real query results, with Grafana's own libraries in the browser: a simulated operator, the
//! service, InfluxDB, the queries of the boards, and the page of `tests/panels`. No Grafana server runs.
//!
//! `itself.rs` draws the board of metrics. CI draws one board twice. `SURGECAST_ALL_PANELS=FOLDER` draws all of them in both languages,
//! themes and widths, and saves pictures to that folder. `SURGECAST_BOARD=staffing-outlook` chooses one board, with a week of data.
#![allow(clippy::disallowed_methods, reason = "the events lie before now")]

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use surgecast::store::Reader;

use super::grafana::{Choice, filled_for, filled_influxql_for};
use super::servers::{Influx, ORG, TOKEN, rows, until};
use super::whole::wait_until_written;
use crate::boards::{Board, Lang, Source, boards};
use crate::page::panels::{Filled, Look, draw};
use crate::program::{Program, surgecast};

const BUCKET: &str = "panels";
const ALL: [Choice<'static>; 3] = [Choice::All, Choice::All, Choice::All];

/// The looks of which pictures are saved.
pub const LOOKS: [Look; 4] = [
    Look { theme: "dark", width: 1600 },
    Look { theme: "dark", width: 1280 },
    Look { theme: "light", width: 1600 },
    Look { theme: "light", width: 1280 },
];

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[store]
path = "data"
[forecast]
backfill = "36h"
[teams.north-phone]
series = ["north/broadband/phone", "north/mobile/phone"]
[staffing.chat]
model = "chat"
aht = "600s"
"#;

/// A running service and its database, which has `days` of a simulated operator.
struct Operator {
    _program: Program,
    influx: Influx,
    _folder: tempfile::TempDir,
}

impl Operator {
    fn start(days: i64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let influx = Influx::start(path);
        let sink = format!(
            "[influxdb]\nurl = \"{}\"\norg = \"{ORG}\"\nbucket = \"{BUCKET}\"\ntoken_file = \"influx.token\"\n",
            influx.url()
        );
        std::fs::write(path.join("influx.token"), TOKEN).expect("token");
        std::fs::write(path.join("surgecast.toml"), format!("{CONFIG}{sink}")).expect("config");
        let made = run(path, &["setup", "influxdb", "--config", "surgecast.toml"]);
        assert!(made, "the bucket is created");

        let now = Utc::now();
        let start = (now - TimeDelta::days(days)).format("%Y-%m-%d").to_string();
        let simulated = (days + 1).to_string();
        let args = ["simulate", "--out", "sim", "--days", &simulated, "--start", &start];
        assert!(run(path, &args), "the operator is simulated");
        std::fs::write(path.join("sim/open.ndjson"), with_ids(now)).expect("tickets");
        let inputs = ["tickets.ndjson", "alarms.ndjson", "maintenance.ndjson", "open.ndjson"];
        inputs.iter().for_each(|name| keep_until(&path.join("sim").join(name), now));

        // The roster comes first: plans use it from the first one on.
        let program = serve(path, &[]);
        let [from, to] = [-30, 9]
            .map(|hours| (now + TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z").to_string());
        let roster = format!("team,start,end,agents,absent\nnorth-phone,{from},{to},14,1\n");
        let put = program.request(reqwest::Method::PUT, "/api/v1/roster");
        let put = put.header("content-type", "text/csv").body(roster).send().expect("an answer");
        assert!(put.status().is_success(), "{}", put.text().unwrap_or_default());
        let (status, said) = program.interrupt();
        assert!(status.success(), "{said}");

        let program = serve(path, &inputs);
        let recent = now - TimeDelta::minutes(60);
        program.wait_for("/api/v1/status", |status| {
            let upto = status["settled_upto"].as_str().unwrap_or_default();
            DateTime::parse_from_rfc3339(upto).is_ok_and(|upto| upto > recent)
        });
        wait_until_written(&Reader::open(&path.join("data")).expect("the store"));
        // The state of the sources is written once a minute, apart from the windows.
        until("InfluxDB to have the state of the sources", || {
            let rows = influx.query(&format!(
                "from(bucket: \"{BUCKET}\") |> range(start: -1d)
                 |> filter(fn: (r) => r._measurement == \"feed\" and r._field == \"silent_for\") |> limit(n: 1)"
            ));
            !rows.is_empty()
        });
        Self { _program: program, influx, _folder: folder }
    }
}

/// E-mails with ids, two an hour: every third is still open. The simulated tickets have no ids.
fn with_ids(now: DateTime<Utc>) -> String {
    let mut events = Vec::new();
    for n in 0..60 {
        let opened = now - TimeDelta::minutes(1800 - 30 * n);
        let mut event = |at: DateTime<Utc>, action: &str| {
            let event = json!({"kind": "ticket", "event_id": format!("{action}-{n}"), "ticket_id": format!("T-{n}"), "action": action,
                "ts": at.format("%Y-%m-%dT%H:%M:%SZ").to_string(), "region": "north", "service": "broadband", "channel": "email"});
            events.push((at, event.to_string()));
        };
        event(opened, "create");
        if n % 3 != 0 {
            event(opened + TimeDelta::minutes(50), "resolve");
        }
    }
    events.sort();
    events.into_iter().flat_map(|(_, event)| [event, "\n".to_owned()]).collect()
}

fn run(folder: &Path, args: &[&str]) -> bool {
    surgecast(args).current_dir(folder).status().expect("it runs").success()
}

fn serve(folder: &Path, inputs: &[&str]) -> Program {
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    for input in inputs {
        command.args(["--input", &format!("sim/{input}")]);
    }
    command.current_dir(folder);
    Program::start_command(command)
}

/// Removes the events that have not happened yet. Planned work is announced before it begins.
pub fn keep_until(file: &Path, now: DateTime<Utc>) {
    let text = std::fs::read_to_string(file).expect("events");
    let now = now.format("%Y-%m-%dT%H:%M:%S").to_string();
    let happened = |line: &&str| {
        let event: Value = serde_json::from_str(line).expect("JSON");
        event["ts"].as_str().is_none_or(|ts| *ts < *now)
    };
    let kept: String = text.lines().filter(happened).flat_map(|line| [line, "\n"]).collect();
    std::fs::write(file, kept).expect("events");
}

/// A time of a board, such as `now-24h`, in seconds from now.
fn seconds(time: &str) -> i64 {
    let offset = time.strip_prefix("now").expect("a time relative to now");
    let Some(unit) = offset.chars().last() else { return 0 };
    let number: i64 = offset[..offset.len() - 1].parse().expect("a number");
    number * if unit == 'd' { 86_400 } else { 3_600 }
}

/// A board with the answers to its queries.
fn answered(influx: &Influx, board: &Board) -> Filled {
    let json: Value = serde_json::from_str(&board.json()).expect("JSON");
    let range = (seconds(board.time.0), seconds(board.time.1));
    let now_ms = Utc::now().timestamp_millis();
    let mut answers = Map::new();
    for panel in json["panels"].as_array().expect("panels") {
        let mut of_panel = Map::new();
        for target in panel["targets"].as_array().expect("targets") {
            let query = target["query"].as_str().expect("a query");
            let answer = if board.source == Source::InfluxQl {
                influx.influxql_text(BUCKET, &filled_influxql_for(query, &ALL, range))
            } else {
                influx.annotated(&filled_for(query, BUCKET, &ALL, range))
            };
            of_panel.insert(target["refId"].as_str().expect("an id").into(), answer.into());
        }
        answers.insert(panel["id"].to_string(), of_panel.into());
    }
    Filled {
        name: board.path().replace('/', "-").replace(".json", ""),
        board: json,
        answers: answers.into(),
        from_ms: now_ms + range.0 * 1_000,
        to_ms: now_ms + range.1 * 1_000,
        now_ms,
    }
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Names of fields, which no reader should see.
fn is_raw(name: &str) -> bool {
    name.contains('_') || name.is_empty()
}

/// Whether an answer of Flux or PromQL has rows.
fn has_rows(answer: &str) -> bool {
    match serde_json::from_str::<Value>(answer) {
        Ok(answer) => !list(&answer["data"]["result"]).is_empty(),
        Err(_) => !answer.trim().is_empty(),
    }
}

/// What holds for every panel, whatever its data are.
pub fn check(filled: &Filled, seen: &[Value]) {
    let panels = list(&filled.board["panels"]);
    assert_eq!(panels.len(), seen.len(), "{}", filled.name);
    for (panel, seen) in panels.iter().zip(seen) {
        let place = format!("{}, {}", filled.name, text(&panel["title"]));
        assert_eq!(seen["title"], panel["title"], "{place}: the title");
        let defaults = &panel["fieldConfig"]["defaults"];
        let answers = filled.answers[&panel["id"].to_string()].as_object().expect("answers");
        let is_flux = panel["targets"][0]["rawQuery"].is_null();
        if is_flux && panel["type"] != "stat" {
            let has_rows = answers.values().any(|answer| has_rows(text(answer)));
            assert_eq!(seen["empty"].is_null(), has_rows, "{place}: {}", seen["empty"]);
        }
        if !seen["empty"].is_null() {
            assert_eq!(seen["empty"], defaults["noValue"], "{place}");
            continue;
        }
        match text(&panel["type"]) {
            "timeseries" => check_chart(&place, defaults, seen),
            "stat" => check_stat(&place, seen),
            "table" => {
                check_table(&place, text(&defaults["noValue"]), seen);
                check_links(&place, panel, seen);
            }
            other => panic!("{place} is a {other}, which is not drawn"),
        }
    }
}

fn check_chart(place: &str, defaults: &Value, seen: &Value) {
    let series = list(&seen["chart"]["series"]);
    let shown = series.iter().filter(|one| one["custom"]["hideFrom"]["legend"] != true);
    let mut names: Vec<&str> = shown.map(|one| text(&one["name"])).collect();
    let mut legend: Vec<&str> =
        list(&seen["legend"]).iter().map(|item| text(&item["text"])).collect();
    names.sort_unstable();
    legend.sort_unstable();
    assert_eq!(names, legend, "{place}: the legend");
    assert!(!names.iter().any(|name| is_raw(name)), "{place}: {names:?}");
    for axis in list(&seen["chart"]["axes"]) {
        let values = list(&axis["values"]);
        assert!(values.len() >= 3, "{place}: an axis has only {values:?}");
        let is_share = text(&axis["scale"]).starts_with("percentunit");
        assert!(!is_share || values.iter().all(|v| text(v).ends_with('%')), "{place}: {values:?}");
    }
    let label = text(&defaults["custom"]["axisLabel"]);
    let has_label = list(&seen["chart"]["axes"]).iter().any(|axis| axis["label"] == label);
    assert!(has_label, "{place}: no axis `{label}`");
    for one in series.iter().filter(|one| one["custom"]["fillBelowTo"].is_string()) {
        let is_own = |band: &&Value| {
            band["top"] == one["name"] && band["bottom"] == one["custom"]["fillBelowTo"]
        };
        let band = list(&seen["chart"]["bands"]).iter().find(is_own);
        let band = band.unwrap_or_else(|| panic!("{place}: no band of {}", one["name"]));
        let [painted, places] =
            ["painted", "places"].map(|part| band[part].as_u64().expect("a number"));
        // Where a curve is steep, the middle of a band may lie beside a pixel of it.
        assert!(painted * 10 >= places * 9, "{place}: {band}");
    }
}

fn check_stat(place: &str, seen: &Value) {
    let tiles = list(&seen["tiles"]);
    assert!(!tiles.is_empty(), "{place} has no tile");
    for tile in tiles {
        let parts = list(&tile["parts"]);
        assert!(parts.iter().all(|part| part["cut"] == false), "{place}: cut: {tile}");
        assert!(!is_raw(text(&parts[0]["text"])), "{place}: {tile}");
    }
}

fn check_table(place: &str, empty: &str, seen: &Value) {
    let columns = list(&seen["table"]["columns"]);
    assert!(!columns.is_empty(), "{place} has no column");
    for column in columns {
        let name = text(&column["text"]);
        assert!(!is_raw(name), "{place}: a column is called `{name}`");
        assert_eq!(column["cut"], false, "{place}: the name `{name}` is cut");
    }
    for cell in list(&seen["table"]["rows"]).iter().flat_map(list) {
        assert_ne!(text(&cell["text"]), empty, "{place}: a cell says that there is no data");
        assert_ne!(text(&cell["text"]), "_all", "{place}: a cell names the roll-up");
    }
}

/// Each cell of a column with links has one.
fn check_links(place: &str, panel: &Value, seen: &Value) {
    for rule in list(&panel["fieldConfig"]["overrides"]) {
        let of = |id: &str| list(&rule["properties"]).iter().find(|property| property["id"] == id);
        let (Some(_), Some(name)) = (of("links"), of("displayName")) else { continue };
        let columns = list(&seen["table"]["columns"]);
        let at = columns.iter().position(|column| column["text"] == name["value"]);
        let at = at.unwrap_or_else(|| panic!("{place}: no column {}", name["value"]));
        for row in list(&seen["table"]["rows"]) {
            assert!(text(&row[at]["link"]).starts_with("http"), "{place}: no link in {row}");
        }
    }
}

/// The panel with this title.
pub fn titled<'s>(seen: &'s [Value], title: &str) -> &'s Value {
    let found = seen.iter().find(|panel| panel["title"] == title);
    found.unwrap_or_else(|| panic!("no panel {title}"))
}

/// The texts of a tile after its name, as one, and the colour of the first.
pub fn tile<'s>(panel: &'s Value, name: &str) -> (String, &'s str) {
    let of_name = |tile: &&Value| tile["parts"][0]["text"] == name;
    let tile = list(&panel["tiles"]).iter().find(of_name);
    let parts = &list(&tile.unwrap_or_else(|| panic!("no tile {name}: {panel}"))["parts"])[1..];
    (parts.iter().map(|part| text(&part["text"])).collect(), text(&parts[0]["color"]))
}

const GREEN: &str = "rgb(115, 191, 105)";
const ORANGE: &str = "rgb(255, 152, 48)";
const RED: &str = "rgb(242, 73, 92)";
const CLEAR: &str = "rgba(0, 0, 0, 0)";

/// The English *Staffing outlook* in the dark theme, against what its queries returned.
fn check_outlook(filled: &Filled, seen: &[Value]) {
    let hour = titled(seen, "Tickets, last finalized hour");
    let first = &filled.board["panels"][0];
    let query = text(&first["targets"][0]["refId"]);
    let answer = text(&filled.answers[&first["id"].to_string()][query]);
    let counted = rows(answer)[0]["tickets"].clone();
    assert_eq!(tile(hour, "tickets").0, counted);
    let (age, color) = tile(hour, "data age");
    assert!(age.ends_with(" mins") || age.ends_with(" hours"), "{age}");
    assert!([GREEN, ORANGE, RED].contains(&color), "{color}");
    assert_eq!(text(&list(&hour["tiles"])[0]["parts"][0]["text"]), "tickets", "the age is last");
    let reach = tile(titled(seen, "Tickets expected"), "reaches").0;
    assert!(reach.ends_with(" hour"), "{reach}");

    let arrivals = titled(seen, "Arrivals: counted and forecast");
    let legend = list(&arrivals["legend"]);
    for name in ["80 % high", "95 % high", "expected", "tickets", "usual"] {
        assert!(legend.iter().any(|item| item["text"] == name), "no {name} in {legend:?}");
    }
    assert!(!legend.iter().any(|item| text(&item["text"]).contains("low")), "{legend:?}");
    let bands = list(&arrivals["chart"]["bands"]);
    assert_eq!(bands.len(), 2);
    for band in bands {
        assert!(band["places"].as_u64() > Some(20), "{band}");
        let [red, _, blue] = [0, 1, 2].map(|part| band["color"][part].as_u64().unwrap_or_default());
        assert!(blue > red, "the band is not blue: {band}");
    }
    let expected = list(&arrivals["chart"]["series"]).iter().find(|one| one["name"] == "expected");
    assert_eq!(expected.expect("expected")["dash"], json!([8, 6]));

    let level = titled(seen, "Service level expected and attained, and positions");
    let axes: Vec<&str> =
        list(&level["chart"]["axes"]).iter().map(|axis| text(&axis["label"])).collect();
    assert!(axes.contains(&"positions"), "{axes:?}");
    let (cells, short) = check_heat_map(titled(seen, "Gap by series and half hour"));
    assert!(cells > 200 && short > 0, "{short} of {cells} cells are coloured");
    let of_teams = titled(seen, "Gap by team and half hour");
    let (cells, _) = check_heat_map(of_teams);
    let rows = list(&of_teams["table"]["rows"]);
    assert!(rows.len() == 1 && cells >= 11, "{cells} cells in {rows:?}");
    assert_eq!(rows[0][0]["text"], "north-phone");
    let open = titled(seen, "Open tickets");
    assert_eq!(list(&open["legend"])[0]["text"], "open", "{}", open["legend"]);

    let risks = &titled(seen, "Top risks of the next 6 hours")["table"];
    let columns: Vec<&str> = list(&risks["columns"]).iter().map(|c| text(&c["text"])).collect();
    assert_eq!(columns[..5], ["forecast of", "region", "service", "channel", "peak"]);
    let first = &risks["rows"][0];
    let link = text(&first[1]["link"]);
    assert!(link.contains(&format!("/#/series/{}/", text(&first[1]["text"]))), "{link}");
}

/// Each number of the heat map has the colour of its threshold. Returns how many there are, and how many are above 0.
fn check_heat_map(panel: &Value) -> (usize, usize) {
    let (mut short, mut cells) = (0, 0);
    for row in list(&panel["table"]["rows"]) {
        // The last half hour may have begun for some series only.
        for cell in list(row)[1..].iter().filter(|cell| !text(&cell["text"]).is_empty()) {
            let gap: f64 = text(&cell["text"]).parse().expect("a number");
            let color = match gap {
                _ if gap >= 5.0 => RED,
                _ if gap >= 1.0 => ORANGE,
                _ if gap >= 0.0 => CLEAR,
                _ => GREEN,
            };
            assert_eq!(text(&cell["background"]), color, "{cell}");
            cells += 1;
            short += usize::from(gap >= 1.0);
        }
    }
    let columns = list(&panel["table"]["columns"]);
    assert!(columns.iter().any(|column| column["text"] == "+1:30"), "{columns:?}");
    (cells, short)
}

#[test]
fn panels_are_drawn_from_real_results_with_the_libraries_of_grafana() {
    let pictures = std::env::var_os("SURGECAST_ALL_PANELS").map(PathBuf::from);
    let only = std::env::var("SURGECAST_BOARD").ok();
    let operator = Operator::start(if pictures.is_some() && only.is_none() { 28 } else { 8 });
    let of_influxdb = boards().into_iter().filter(|board| board.source != Source::PromQl);
    let all: Vec<Board> = of_influxdb.collect();
    let is_first = |board: &&Board| {
        board.file == "staffing-outlook"
            && (board.lang == Lang::En) == (board.source == Source::Flux)
    };
    let chosen: Vec<&Board> = match pictures {
        Some(_) => {
            let is_chosen = |board: &&Board| only.as_ref().is_none_or(|name| board.file == name);
            all.iter().filter(is_chosen).collect()
        }
        None => all.iter().filter(is_first).collect(),
    };
    let looks: &[Look] = match pictures {
        Some(_) => &LOOKS,
        None => &[Look { theme: "dark", width: 1280 }],
    };
    let filled: Vec<Filled> =
        chosen.iter().map(|board| answered(&operator.influx, board)).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let seen = runtime.block_on(draw(&filled, looks, pictures));
    assert_eq!(seen.len(), filled.len() * looks.len());
    for ((filled, board), seen) in filled.iter().zip(&chosen).zip(seen.chunks(looks.len())) {
        seen.iter().for_each(|seen| check(filled, seen));
        let is_outlook = board.file == "staffing-outlook" && board.source == Source::Flux;
        if is_outlook && board.lang == Lang::En {
            check_outlook(filled, &seen[0]);
        }
    }
    println!("{} boards drawn in {} looks", filled.len(), looks.len());
}
