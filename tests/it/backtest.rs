//! `surgecast backtest` on small files: measures, output files, texts, and errors of wrong files.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(folder: &Path, args: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surgecast"));
    let Output { status, stdout, stderr } =
        command.current_dir(folder).arg("backtest").args(args).output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let run = Run { code: status.code(), out: text(stdout), err: text(stderr) };
    assert!(!run.err.contains("panicked") && !run.err.contains("backtrace"), "{}", run.err);
    run
}

/// A folder with files in it.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

/// `days` of hourly counts from Monday 5 January 2026 that repeat weekly but for a small wobble.
fn hourly(days: u32) -> String {
    let mut text = String::from("ts,y\n");
    for hour in 0..days * 24 {
        let (day, clock) = (hour / 24, hour % 24);
        let date = chrono::NaiveDate::from_ymd_opt(2026, 1, 5).expect("a date")
            + chrono::TimeDelta::days(i64::from(day));
        let shape = if (8..20).contains(&clock) { 40 } else { 10 };
        let wobble = (hour * hour * 31 + hour * 17) % 13;
        text.push_str(&format!("{date} {clock:02}:00:00,{}\n", shape + wobble));
    }
    text
}

fn json(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{}", run.err);
    serde_json::from_str(&run.out).expect("JSON and nothing else")
}

#[test]
fn json_has_the_fields_that_scripts_rely_on() {
    let folder = folder(&[("calls.csv", &hourly(56))]);
    let args = ["--input", "calls.csv", "--interval", "1h", "--origins", "12", "--format", "json"];
    let run = run(folder.path(), &args);
    assert_eq!(run.err, "");
    let found = json(&run);
    let series = found["series"].as_array().expect("an array");
    assert_eq!((series.len(), &series[0]["series"]), (1, &Value::from("all")));
    let names =
        ["mase", "wape", "wql", "coverage80", "coverage95", "fit_seconds", "predict_seconds"];
    for entry in [&series[0], &found["overall"]] {
        assert_eq!(entry["origins"], 12);
        for name in names {
            assert!(entry[name].as_f64().is_some_and(|value| value >= 0.0), "{name}: {entry}");
        }
        assert_eq!(entry["windows"], 72);
        assert_eq!(entry["leads"].as_array().map(Vec::len), Some(3));
    }
    // The order that the contract has, and more behind it.
    let places = names.map(|name| run.out.find(&format!("\"{name}\"")).expect("a name"));
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{}", run.out);
    assert!(run.out.starts_with("{\"series\":[{\"series\":\"all\",\"origins\":12,\"mase\""));
}

#[test]
fn a_planner_reads_how_good_it_is() {
    let folder = folder(&[("calls.csv", &hourly(56))]);
    let args = ["--input", "calls.csv", "--origins", "12", "--tz", "Europe/London"];
    let models = ["--model", "seasonal-naive", "--model", "ets-daily"];
    let run = run(folder.path(), &[&args[..], &models].concat());
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    // Times differ from run to run.
    let (text, took) = run.out.split_once("Time for fitting and forecasting:\n").expect("times");
    assert_eq!(took.lines().count(), 2);
    insta::assert_snapshot!(text);
}

#[test]
fn the_forecasts_file_has_its_columns_and_every_target() {
    let mut csv = hourly(40);
    csv.push_str("2026-02-14 06:00:00,3\n");
    let origins =
        "# ends of known windows\n2026-02-13T00:00:00Z\n\n2026-02-13 12:00\n2026-02-14 07:00\n";
    let folder = folder(&[("calls.csv", &csv), ("at.txt", origins)]);
    let args = ["--input", "calls.csv", "--origins-at", "at.txt", "--forecasts", "out.csv"];
    let rest = ["--format", "json", "--model", "profile", "--horizon", "3h"];
    let found = json(&run(folder.path(), &[&args[..], &rest].concat()));
    // At the end of the file there is a forecast and no truth.
    assert_eq!(found["overall"]["origins"], 2);
    let text = fs::read_to_string(folder.path().join("out.csv")).expect("forecasts");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "series,origin,target,lead_minutes,actual,mean,q0.025,q0.1,q0.25,q0.5,q0.75,q0.9,q0.975"
    );
    assert_eq!(lines.len(), 1 + 3 * 3);
    assert!(
        lines[1].starts_with("all,2026-02-13T00:00:00Z,2026-02-13T00:00:00Z,0,"),
        "{}",
        lines[1]
    );
    assert!(lines[3].starts_with("all,2026-02-13T00:00:00Z,2026-02-13T02:00:00Z,120,"));
    assert!(lines[9].starts_with("all,2026-02-14T07:00:00Z,2026-02-14T09:00:00Z,120,,"));
    // Several models, several files.
    let several = [&args[..], &["--model", "all", "--format", "json"]].concat();
    let found = json(&run(folder.path(), &several));
    assert_eq!(
        (&found["model"], found["others"].as_array().map(Vec::len)),
        (&"surgecast".into(), Some(6))
    );
    assert!(folder.path().join("out.seasonal-naive.csv").exists());
}

#[test]
fn finer_rows_are_summed_and_half_a_window_is_no_window() {
    // Two weeks and a day of quarter hours of 1 to 4; one hour has lost a row, one is not there at all.
    let mut text = String::from("y,series,note,ts\n");
    for quarter in 0..15 * 96 {
        let (hour, minute) = (quarter / 4, quarter % 4 * 15);
        if (hour == 350 && minute == 30) || hour == 351 {
            continue;
        }
        let date = chrono::NaiveDate::from_ymd_opt(2026, 1, 5).expect("a date")
            + chrono::TimeDelta::days(hour / 24);
        text.push_str(&format!(
            "{},desk A,x,{date}T{:02}:{minute:02}+00:00\n",
            quarter % 4 + 1,
            hour % 24
        ));
    }
    let text =
        text.replace(":00+00:00\n", ":00:00+00:00\n").replace(":15+00:00\n", ":15:00+00:00\n");
    let text =
        text.replace(":30+00:00\n", ":30:00+00:00\n").replace(":45+00:00\n", ":45:00+00:00\n");
    // Hour 350 is the second day before the end, at 14 h.
    let folder = folder(&[("calls.csv", &text), ("at.txt", "2026-01-19T12:00:00Z\n")]);
    let args = ["--input", "calls.csv", "--interval", "1h", "--origins-at", "at.txt"];
    let out = ["--forecasts", "out.csv", "--model", "seasonal-naive"];
    let run_with = |more: &[&str]| {
        let done = run(folder.path(), &[&args[..], &out, more].concat());
        assert_eq!(done.code, Some(0), "{}", done.err);
        let text = fs::read_to_string(folder.path().join("out.csv")).expect("forecasts");
        let actual = |line: &str| line.split(',').nth(4).unwrap_or_default().to_owned();
        (done.err, text.lines().skip(1).map(actual).collect::<Vec<_>>())
    };
    let (notes, actual) = run_with(&[]);
    assert_eq!(actual, ["10", "10", "", "", "10", "10"]);
    assert!(notes.contains("note: calls.csv: columns not used: note"), "{notes}");
    assert!(notes.contains("note: 1 window lacks some of the 15m rows"), "{notes}");
    let (_, actual) = run_with(&["--missing", "zero"]);
    assert_eq!(actual, ["10", "10", "7", "0", "10", "10"]);
}

#[test]
fn both_clock_changes_are_read() {
    // London: 01:00 to 02:00 is not there on 29 March 2026 and is there twice on 25 October.
    let mut text = String::from("ts,y\n");
    let hours = |date: &str, hours: &[u32]| -> String {
        hours.iter().map(|hour| format!("{date} {hour:02}:00,{hour}\n")).collect()
    };
    let all: Vec<u32> = (0..24).collect();
    for day in 10..25 {
        text.push_str(&hours(&format!("2026-10-{day}"), &all));
    }
    text.push_str(&hours("2026-10-25", &[0, 1, 1, 2, 3, 4, 5, 6, 7]));
    let folder = folder(&[("calls.csv", &text), ("at.txt", "2026-10-25 00:00\n")]);
    let args = ["--input", "calls.csv", "--tz", "Europe/London", "--origins-at", "at.txt"];
    let rest = ["--forecasts", "out.csv", "--model", "seasonal-naive"];
    let done = run(folder.path(), &[&args[..], &rest].concat());
    assert_eq!(done.code, Some(0), "{}", done.err);
    let found = fs::read_to_string(folder.path().join("out.csv")).expect("forecasts");
    let cells: Vec<Vec<&str>> =
        found.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let actual: Vec<&str> = cells.iter().map(|cells| cells[4]).collect();
    assert_eq!(actual, ["0", "1", "1", "2", "3", "4"]);
    assert_eq!((cells[0][2], cells[2][2]), ("2026-10-24T23:00:00Z", "2026-10-25T01:00:00Z"));
    // A week before, at the same civil time: both hours at one have the one hour of then.
    let naive: Vec<&str> = cells.iter().map(|cells| cells[9]).collect();
    assert_eq!(naive, ["0", "1", "1", "2", "3", "4"]);
}

#[test]
fn what_is_known_beside_the_counts_is_read() {
    let counts =
        hourly(40).replace("ts,y", "series,ts,y").replace("\n2026", "\nnorth/tv/phone,2026");
    let files = [
        ("calls.csv", counts.as_str()),
        ("days.csv", "date,kind,detail\n2026-02-03,bank_holiday,x\n2026-02-03,match,y\n"),
        (
            "alarms.csv",
            "raised_at,cleared_at,region,service,severity,device,type\n\
             2026-02-10T08:00:00Z,,north,tv,critical,R1,linkDown\n\
             2026-02-09 08:00,2026-02-09 09:00,north,tv,Minor,,\n",
        ),
        (
            "work.csv",
            "announced_at,starts_at,ends_at,region,service\n2026-02-1x,2026-02-12 01:00,2026-02-12 03:00,north,\n",
        ),
    ];
    let folder = folder(&files);
    let args = ["--input", "calls.csv", "--calendar", "days.csv", "--alarms", "alarms.csv"];
    let wrong = run(folder.path(), &[&args[..], &["--maintenance", "work.csv"]].concat());
    assert_eq!(wrong.code, Some(64));
    assert!(wrong.err.starts_with("surgecast: work.csv:2: `2026-02-1x` "), "{}", wrong.err);
    let right = files[3].1.replace("\n2026-02-1x,", "\n2026-02-01,");
    fs::write(folder.path().join("work.csv"), right).expect("a file");
    let rest = ["--maintenance", "work.csv", "--format", "json", "--origins", "5"];
    let found = json(&run(folder.path(), &[&args[..], &rest].concat()));
    assert_eq!(found["series"][0]["series"], "north/tv/phone");
}

#[test]
fn a_short_history_is_that_of_a_new_installation() {
    let folder = folder(&[("calls.csv", &hourly(56))]);
    let args = ["--input", "calls.csv", "--origins", "6", "--history", "3d", "--format", "json"];
    let names = ["surgecast", "rule-of-thumb", "seasonal-naive"];
    let models = names.map(|name| ["--model", name]).concat();
    let found = json(&run(folder.path(), &[&args[..], &models].concat()));
    // Last week's count is not known after three days.
    let unanswered = [&found, &found["others"][0], &found["others"][1]].map(|m| &m["unanswered"]);
    assert_eq!(unanswered, [&Value::from(0), &Value::from(0), &Value::from(6)]);
    assert!(found["overall"]["wape"].as_f64().expect("a number") < 0.3, "{found}");
}

#[test]
fn files_without_information_about_the_counts_are_reported() {
    let counts = hourly(40);
    // An export that was appended twice.
    let twice = format!("{counts}{}", counts.strip_prefix("ts,y\n").expect("a header"));
    let files = [
        ("calls.csv", counts.as_str()),
        ("twice.csv", twice.as_str()),
        ("days.csv", "date,kind\n2019-12-25,bank_holiday\n"),
        (
            "alarms.csv",
            "raised_at,cleared_at,region,service,severity\n2026-02-10 08:00,,north,tv,critical\n",
        ),
    ];
    let folder = folder(&files);
    let rest = ["--origins", "3", "--format", "json", "--model", "profile"];
    let notes = |args: &[&str]| {
        let done = run(folder.path(), &[args, &rest[..]].concat());
        assert_eq!(done.code, Some(0), "{}", done.err);
        done.err
    };
    assert_eq!(notes(&["--input", "calls.csv"]), "");
    let of_both = ["--input", "calls.csv", "--alarms", "alarms.csv", "--calendar", "days.csv"];
    assert_eq!(
        notes(&of_both),
        "note: alarms.csv: 0 of 1 alarms apply to a series; name series region/service/channel so that alarms and work apply\n\
         note: days.csv: 0 of 1 days lie within the counts; is the calendar of another year?\n"
    );
    assert_eq!(
        notes(&["--input", "twice.csv"]),
        "note: 960 rows have the time of another row of the same series: summed. Is anything in the file twice?\n"
    );
}

#[test]
fn the_report_stands_alone_and_names_cannot_break_it() {
    let counts =
        hourly(40).replace("ts,y", "series,ts,y").replace("\n2026", "\n</script><b>x,2026");
    let folder = folder(&[("calls.csv", &counts)]);
    let args =
        ["--input", "calls.csv", "--origins", "6", "--report", "out.html", "--model", "profile"];
    let done = run(folder.path(), &args);
    assert_eq!(done.code, Some(0), "{}", done.err);
    let page = fs::read_to_string(folder.path().join("out.html")).expect("a report");
    assert!(page.starts_with("<!doctype html>") && page.contains("Plotly.newPlot"));
    assert!(!page.contains("</script><b>x"), "a name ends the script");
    // plotly.js itself names addresses that it does not load.
    let (_, own) = page.split_once("</script></head>").expect("a head");
    assert!(!own.contains("http") && !page.contains("<script src"), "something is loaded");
    assert_eq!(page.matches("Plotly.newPlot(\"plot").count(), 3 + 6);
}

#[test]
fn wrong_flags_and_files_say_what_would_work() {
    let good = hourly(40);
    // Five series, and one row of each in another century.
    let rows = (1..6).map(|s| format!("{s},1991-01-05 00:00,1\n{s},2099-01-05 00:00,1\n{s},2099-01-05 00:05,1\n{s},2099-01-05 00:10,1\n"));
    let century = format!("series,ts,y\n{}", rows.collect::<String>());
    let files = [
        ("good.csv", good.as_str()),
        ("empty.csv", ""),
        ("header.csv", "ts,y\n"),
        ("columns.csv", "time,calls\n2026-01-05 00:00,1\n"),
        ("semicolon.csv", "ts;y\n2026-01-05 00:00;1\n"),
        ("twice.csv", "ts,y,Y\n2026-01-05 00:00,1,2\n"),
        ("time.csv", "ts,y\n2026-01-05 00:00,1\n05/01/2026 01:00,2\n"),
        ("negative.csv", "ts,y\n2026-01-05 00:00,1\n2026-01-05 01:00,-2\n"),
        ("nan.csv", "ts,y\n2026-01-05 00:00,NaN\n"),
        ("fields.csv", "ts,y\n2026-01-05 00:00,1\n2026-01-05 01:00,2,3\n"),
        ("short.csv", "ts,y\n2026-01-05 00:00,1\n2026-01-05 01:00,2\n2026-01-05 02:00,2\n"),
        ("daily.csv", "ts,y\n2026-01-05 00:00,1\n2026-01-06 00:00,2\n2026-01-07 00:00,2\n"),
        ("century.csv", century.as_str()),
        ("at.txt", "2026-02-01T00:30:00Z\n"),
        ("late.txt", "\n2027-02-01T00:00:00Z\n"),
        ("none.txt", "# nothing\n"),
        ("days.csv", "date,kind\n2026-02-30,bank_holiday\n"),
        (
            "alarms.csv",
            "raised_at,cleared_at,region,service,severity\n2026-02-30 00:00,,north,tv,major\n",
        ),
        (
            "order.csv",
            "raised_at,cleared_at,region,service,severity\n2026-02-03 00:00,2026-02-02 00:00,north,tv,minor\n",
        ),
    ];
    let folder = folder(&files);
    fs::write(folder.path().join("binary.csv"), b"ts,y\n\xff\xfe,1\n").expect("a file");
    let input = |name| vec!["--input", name];
    let with = |more: &[&'static str]| [&["--input", "good.csv"][..], more].concat();
    let cases = [
        vec![],
        input("no-such.csv"),
        input("empty.csv"),
        input("header.csv"),
        input("columns.csv"),
        input("semicolon.csv"),
        input("twice.csv"),
        input("time.csv"),
        input("negative.csv"),
        input("nan.csv"),
        input("fields.csv"),
        input("binary.csv"),
        input("short.csv"),
        input("daily.csv"),
        vec!["--input", "century.csv", "--interval", "5m"],
        with(&["--interval", "7m"]),
        with(&["--interval", "30m"]),
        with(&["--horizon", "7h"]),
        with(&["--horizon", "90m"]),
        with(&["--tz", "Mars/Olympus"]),
        with(&["--model", "oracle"]),
        with(&["--refit", "0h"]),
        with(&["--origins", "0"]),
        with(&["--origins-at", "at.txt"]),
        with(&["--origins-at", "late.txt"]),
        with(&["--origins-at", "none.txt"]),
        with(&["--calendar", "days.csv"]),
        with(&["--alarms", "alarms.csv"]),
        with(&["--alarms", "order.csv"]),
        with(&["--forecasts", "good.csv"]),
        with(&["--report", "./good.csv"]),
        with(&["--calendar", "days.csv", "--forecasts", "days.csv"]),
        with(&["--forecasts", "new.csv", "--report", "new.csv"]),
        with(&["--report", "-"]),
        with(&["--format", "xml"]),
    ];
    let mut said = String::new();
    for args in &cases {
        let done = run(folder.path(), args);
        assert!(done.out.is_empty(), "{args:?}: {}", done.out);
        assert_eq!(done.code, Some(64), "{args:?}: {}", done.err);
        let first = done.err.lines().next().unwrap_or_default();
        said.push_str(&format!("{}\n  {first}\n", args.join(" ")));
    }
    assert_eq!(fs::read_to_string(folder.path().join("good.csv")).expect("the input"), good);
    insta::assert_snapshot!(said);
}
