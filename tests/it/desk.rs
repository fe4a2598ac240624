//! What planners read over a day, and tables as files.

use reqwest::Method;
use serde_json::{Value, json};

use crate::page;
use crate::program::{Program, answer};

const SERIES: &str = "region=north&service=broadband&channel=phone";

/// A demo whose clock has stopped an hour after it went live.
fn paused(folder: &std::path::Path) -> Program {
    let pause = ["--days", "15", "--speed", "900", "--pause-at", "2026-03-10T02:00:00Z"];
    let program = Program::demo(folder, &pause);
    program.wait_for("/api/v1/status", |status| {
        status["settled_upto"] == "2026-03-10T01:45:00Z" && status["catching_up"].is_null()
    });
    program.wait_for(&format!("/api/v1/staffing?{SERIES}"), |plan| {
        plan["issued_at"].as_str() >= Some("2026-03-10T01:45:00Z")
    });
    program
}

#[test]
fn a_planner_has_a_desk() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = paused(folder.path());
    lists_are_tables(&program);
    texts_are_no_formulas(&program);
    a_day_is_what_other_answers_say(&program);
    rows_of_gaps_are_sums(&program);
    later_windows_are_planned_for_the_usual(&program);
    reports_answer(&program);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(page::desk::check_desk(&program.url, "north/broadband/phone"));
    runtime.block_on(page::desk::check_access(&program.url, "north/broadband/phone"));
}

/// Reports on any span and on planned work, in both languages and formats.
fn reports_answer(program: &Program) {
    let path = |rest: &str| format!("/api/v1/reports/{rest}");
    let week = program.get(&path("weekly?week=2026-W10")).text;
    let full = program.get(&path("full?from=2026-03-02&to=2026-03-09")).text;
    let tickets = |text: &str| {
        let line = text.lines().find(|line| line.contains(" tickets. "));
        line.and_then(|line| line.split_once(" tickets. ")).map(|(n, _)| n.to_owned())
    };
    assert!(tickets(&week).is_some() && tickets(&week) == tickets(&full), "{week}\n{full}");
    // A call centre of the demo serves this series: it owns the recommendation.
    let north = program.get(&path("full?region=north&service=broadband&language=zh")).text;
    assert!(north.starts_with("# 完整报告：north/broadband\n"), "{north}");
    assert!(north.contains("所有时间均按 Asia/Shanghai 时区。"), "{north}");
    let html = accepting(program, &path("full"), "text/html");
    assert_eq!((html.status, &*html.kind), (200, "text/html; charset=utf-8"));
    assert!(html.text.contains("<svg viewBox"), "a plot");
    for wrong in ["full?from=soon", "full?from=2026-03-09&to=2026-03-02", "full?week=1"] {
        assert_eq!(program.get(&path(wrong)).status, 400, "{wrong}");
    }
    let work = json!({"id": "w/1 <b>", "starts_at": "2026-03-10T03:00:00Z", "ends_at": "2026-03-10T05:00:00Z",
        "region": "north", "service": "broadband", "impact": "short interruptions", "text": "replace an OLT"});
    let posted = answer(program.request(Method::POST, "/api/v1/maintenance").json(&work));
    assert_eq!(posted.status, 201, "{}", posted.text);
    let brief = path("brief?maintenance=w%2F1%20%3Cb%3E");
    program.wait_for("/api/v1/maintenance", |list| {
        list.as_array().is_some_and(|all| all.iter().any(|own| own["id"] == "w/1 <b>"))
    });
    let text = program.get(&brief).text;
    let said =
        "“We have planned work (north/broadband) from Tue 10 Mar 11:00 to Tue 10 Mar 13:00.”";
    assert!(text.contains(said) && text.contains("| Tue 10 Mar 11:00 |"), "{text}");
    let html = accepting(program, &brief, "text/html").text;
    assert!(html.contains("w/1 &#60;b&#62;") && !html.contains("<b>"), "{html}");
    assert_eq!(program.get(&path("brief?maintenance=none")).status, 404);
}

fn accepting(program: &Program, path: &str, accept: &str) -> crate::program::Answer {
    answer(program.request(Method::GET, path).header("accept", accept))
}

/// The header and the records of an answer in CSV.
fn table(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
    let header = cells(reader.headers().expect("a header"));
    (header, reader.records().map(|record| cells(&record.expect("a record"))).collect())
}

/// Each list of the API is a table with as many rows as its JSON has elements, or windows in them.
fn lists_are_tables(program: &Program) {
    let day = "from=2026-03-09T00:00:00Z&to=2026-03-09T03:00:00Z";
    let cases = [
        ("series?limit=5".to_owned(), "", "last_window"),
        (format!("windows?{SERIES}&{day}"), "", "alarms.critical"),
        (format!("windows?region=north&service=broadband&{day}"), "windows", "settled"),
        (format!("forecasts?{SERIES}"), "targets", "quantiles.0.5"),
        ("staffing?region=north".to_owned(), "targets", "service_level"),
        ("outlook?limit=2".to_owned(), "", "over_baseline"),
        ("overview?limit=3".to_owned(), "rows", "outlook.peak"),
        ("accuracy?limit=2".to_owned(), "leads", "wape_naive"),
        (format!("timeline?{SERIES}&{day}"), "windows", "forecast.quantiles.0.9"),
        ("staffing/windows?limit=2".to_owned(), "targets", "attained_missing"),
        (format!("topics?region=north&{day}"), "", "topics.outage"),
        ("roster?region=north".to_owned(), "", "agents"),
    ];
    for (path, inner, column) in cases {
        let path = format!("/api/v1/{path}");
        let json = program.get(&path);
        assert!(json.kind.starts_with("application/json"), "{path}: {}", json.kind);
        let found = accepting(program, &path, "text/csv");
        assert_eq!(found.status, 200, "{path}: {}", found.text);
        assert_eq!(found.kind, "text/csv; charset=utf-8; header=present");
        let (header, records) = table(&found.text);
        assert!(header.contains(&column.to_owned()), "{path}: {header:?}");
        let count = |value: &Value| match value.get(inner).and_then(Value::as_array) {
            Some(inner) => inner.len(),
            None => 1,
        };
        let json = json.json();
        let rows: usize =
            json.as_array().map_or_else(|| count(&json), |all| all.iter().map(count).sum());
        assert!(rows > 0 && records.len() == rows, "{path}: {} of {rows}", records.len());
    }
    let request =
        program.request(Method::GET, "/api/v1/series?limit=2").header("accept", "text/csv");
    let page = request.send().expect("an answer");
    let header = |name: &str| page.headers()[name].to_str().expect("text").to_owned();
    assert!(header("link").ends_with("; rel=\"next\""), "{:?}", page.headers());
    assert_eq!(header("content-disposition"), "attachment; filename=\"series.csv\"");
    let other = |path: &str, accept| accepting(program, path, accept);
    assert_eq!(other("/api/v1/status", "text/csv").status, 406);
    assert_eq!(other("/api/v1/reports/weekly", "text/csv").status, 406);
    assert!(other("/api/v1/status", "text/csv, */*;q=0.1").kind.starts_with("application/json"));
    let wrong = other("/api/v1/series?limit=0", "text/csv");
    assert_eq!((wrong.status, &*wrong.kind), (400, "application/problem+json"));
}

/// What a person enters is data in a spreadsheet. No tickets for whole services need a confirmation.
fn texts_are_no_formulas(program: &Program) {
    let label = "=HYPERLINK(\"http://x\")";
    let mut entry = json!({"id": "f", "label": label, "kind": "other", "region": "north", "factor": 0.0, "by": "+Li",
        "starts_at": "2026-03-01T01:00:00Z", "ends_at": "2026-03-01T02:00:00Z"});
    let post =
        |entry: &Value| answer(program.request(Method::POST, "/api/v1/adjustments").json(entry));
    let refused = post(&entry);
    assert_eq!(
        (refused.status, refused.json()["status"].as_u64()),
        (409, Some(409)),
        "{}",
        refused.text
    );
    entry["confirmed"] = json!(true);
    let entered = post(&entry);
    assert_eq!(
        (entered.status, &entered.json()["confirmed"]),
        (201, &Value::Null),
        "{}",
        entered.text
    );
    // It is over for more than a day.
    assert_eq!(program.get("/api/v1/adjustments").json(), json!([]));
    let path = "/api/v1/adjustments?from=2026-03-01T00:00:00Z";
    let (header, records) = table(&accepting(program, path, "text/csv").text);
    let cell = |column: &str| {
        let at = header.iter().position(|known| known == column).expect(column);
        records[0][at].clone()
    };
    assert_eq!(
        (cell("label"), cell("by"), cell("factor")),
        (format!("'{label}"), "'+Li".into(), "0.0".into())
    );
    assert_eq!(answer(program.request(Method::DELETE, "/api/v1/adjustments/f")).status, 204);
}

fn a_day_is_what_other_answers_say(program: &Program) {
    let span = "from=2026-03-09T16:00:00Z&to=2026-03-10T16:00:00Z";
    let issued = "2026-03-10T00:30:00Z";
    let day = program.get(&format!("/api/v1/timeline?{SERIES}&{span}")).json();
    let then = program.get(&format!("/api/v1/timeline?{SERIES}&{span}&issued={issued}")).json();
    let windows = day["windows"].as_array().expect("windows").clone();
    assert_eq!((windows.len(), &day["time_zone"]), (96, &json!("Asia/Shanghai")));
    let counted = program.get(&format!("/api/v1/windows?{SERIES}&{span}")).json();
    let week = "from=2026-03-02T16:00:00Z&to=2026-03-03T16:00:00Z";
    let week = program.get(&format!("/api/v1/windows?{SERIES}&{week}")).json();
    let forecast = program.get(&format!("/api/v1/forecasts?{SERIES}")).json();
    let old = program.get(&format!("/api/v1/forecasts?{SERIES}&issued_at={issued}")).json();
    let plan = program.get(&format!("/api/v1/staffing?{SERIES}")).json();
    let of = |list: &Value, start: &Value| {
        let mut all = list.as_array().expect("a list").iter();
        all.find(|one| one["start"] == *start).cloned().unwrap_or_default()
    };
    let before = |start: &Value| {
        let start = start.as_str().expect("a time").parse::<chrono::DateTime<chrono::Utc>>();
        let start = start.expect("a time") - chrono::TimeDelta::days(7);
        json!(start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
    };
    let (mut forecasts, mut settled, mut planned) = (0, 0, 0);
    for (n, window) in windows.iter().enumerate() {
        let start = &window["start"];
        let count = of(&counted, start);
        if count["settled"] == true {
            settled += 1;
            assert_eq!(
                (&window["tickets"], &window["alarms"]),
                (&count["tickets"], &count["alarms"])
            );
            // Plans begin shortly before the demo goes live.
            planned += u32::from(window["staffing"]["agents"].is_u64());
        }
        assert_eq!(window["week_before"], of(&week, &before(start))["tickets"], "{window}");
        let newest = of(&forecast["targets"], start);
        if newest["mean"].is_number() {
            forecasts += 1;
            let (found, planned) = (&window["forecast"], of(&plan["targets"], start));
            assert_eq!(
                (&found["quantiles"], &found["issued_at"]),
                (&newest["quantiles"], &forecast["issued_at"])
            );
            assert_eq!(window["staffing"]["agents"], planned["agents"], "{window}");
        }
        let known = &then["windows"][n]["forecast"];
        assert!(known["issued_at"].as_str() <= Some(issued), "{known}");
        let told = of(&old["targets"], start);
        if told["mean"].is_number() {
            assert_eq!(known["mean"], told["mean"], "{known}");
            // The first forecast is six hours old where it was issued after the start.
            let first = &window["first"]["issued_at"];
            assert!(first.as_str() <= Some(issued), "{window}");
        }
    }
    assert_eq!((forecasts, settled > 30, planned > 2), (24, true, true), "{settled} {planned}");
    for (query, detail) in [
        (
            "region=north&service=broadband&channel=phone&from=2026-01-01T00:00:00Z",
            "at most 1000 windows",
        ),
        ("region=north&service=broadband", "channel"),
        (
            "region=north&service=broadband&channel=phone&to=2020-01-01T00:00:00Z&from=2021-01-01T00:00:00Z",
            "before `to`",
        ),
    ] {
        let problem = program.get(&format!("/api/v1/timeline?{query}"));
        assert!(
            problem.status == 400 && problem.text.contains(detail),
            "{query}: {}",
            problem.text
        );
    }
    let unknown = program.get("/api/v1/timeline?region=atlantis&service=broadband&channel=phone");
    assert_eq!(unknown.status, 404, "{}", unknown.text);
}

/// Windows that no forecast reaches are planned for the median of past weeks: here the mean of two.
fn later_windows_are_planned_for_the_usual(program: &Program) {
    let place = "region=north&service=broadband";
    let span = "from=2026-03-10T02:00:00Z&to=2026-03-11T00:00:00Z";
    let of = |more: &str| {
        let rows = program.get(&format!("/api/v1/staffing/windows?{place}&{span}{more}")).json();
        rows[0]["targets"].as_array().expect("windows").clone()
    };
    let (plain, whole) = (of(""), of("&outline=true"));
    assert_eq!(
        (whole.len(), &whole[..plain.len()]),
        (88, &plain[..]),
        "forecasts stay as they are"
    );
    assert!(plain.len() < 30 && plain.iter().all(|own| own["outline"] == false));
    // By the time from the beginning of the span on, all channels together.
    let week = |days: i64| {
        let back = |text: &str| {
            let at = chrono::DateTime::parse_from_rfc3339(text).expect("a time");
            (at - chrono::TimeDelta::days(days)).to_utc()
        };
        let text = |text: &str| back(text).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let span =
            format!("from={}&to={}", text("2026-03-10T02:00:00Z"), text("2026-03-11T00:00:00Z"));
        let mut sums = vec![0.0; 88];
        for channel in ["phone", "chat", "email"] {
            let path = format!("/api/v1/windows?{place}&channel={channel}&{span}");
            for own in program.get(&path).json().as_array().expect("windows") {
                let start = own["start"].as_str().expect("a time").parse().expect("a time");
                let after: chrono::TimeDelta =
                    chrono::DateTime::<chrono::Utc>::signed_duration_since(
                        start,
                        back("2026-03-10T02:00:00Z"),
                    );
                sums[after.num_minutes() as usize / 15] +=
                    own["tickets"].as_f64().expect("a count");
            }
        }
        sums
    };
    let before = [week(7), week(14)];
    for (at, own) in whole.iter().enumerate().skip(plain.len()) {
        let usual = (before[0][at] + before[1][at]) / 2.0;
        let arrivals = own["arrivals"].as_f64().expect("a number");
        assert!((arrivals - usual).abs() < 0.01 && own["outline"] == true, "{own}: {usual}");
        assert!(own["agents"].as_u64() > Some(0) && own["gap"].is_i64(), "{own}");
    }
}

/// Without teams a row is a region and service: the sum of its channels.
fn rows_of_gaps_are_sums(program: &Program) {
    let rows = program.get("/api/v1/staffing/windows?region=north").json();
    let rows = rows.as_array().expect("rows");
    let worst: Vec<i64> = rows.iter().map(|row| row["gap_max"].as_i64().expect("a gap")).collect();
    assert!(worst.is_sorted_by(|a, b| a >= b) && rows.len() == 3, "{worst:?}");
    for row in rows {
        let service = row["service"].as_str().expect("a service");
        let plans = program.get(&format!("/api/v1/staffing?region=north&service={service}")).json();
        let plans = plans.as_array().expect("plans");
        let last = row["targets"].as_array().and_then(|all| all.last()).expect("windows");
        let targets = plans.iter().filter_map(|plan| plan["targets"].as_array()).flatten();
        let own: Vec<&Value> = targets.filter(|own| own["start"] == last["start"]).collect();
        let sum = |key: &str| own.iter().filter_map(|target| target[key].as_i64()).sum::<i64>();
        let short: i64 =
            own.iter().filter_map(|target| target["gap"].as_i64()).map(|gap| gap.max(0)).sum();
        let gap = if short > 0 { short } else { sum("gap") };
        assert!(
            !own.is_empty() && last["agents"].as_i64() == Some(sum("agents")),
            "{last} {own:?}"
        );
        assert_eq!(last["gap"].as_i64(), Some(gap), "{last} {own:?}");
        let first = row["targets"][0]["start"].as_str().expect("a start");
        assert!(first < "2026-03-10T01:00:00Z", "past windows too: {first}");
    }
    let link = program.all("/api/v1/staffing/windows?limit=5");
    assert_eq!(link.len(), 12);
}
