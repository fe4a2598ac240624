//! The demo: forecasts without configuration, the page in a real browser, and the same results after kills.

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use surgecast::domain::{DAY, SeriesKey, Timestamp};
use surgecast::simulate::{Operator, OperatorConfig, QUARTER};
use surgecast::store::{AlertFilter, Filter, Reader};

use crate::page;
use crate::program::{Program, answer};

#[test]
fn the_page_works_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::demo(folder.path(), &["--days", "15", "--speed", "120"]);
    program.wait_for("/api/v1/status", |status| status["catching_up"].is_null());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(page::check_page(&program.url));
}

/// The demo's outage begins in the north six simulated minutes after it is live.
#[test]
fn the_page_is_chinese_where_that_is_chosen() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::demo(folder.path(), &["--days", "15", "--speed", "60"]);
    let some = program.wait_for("/api/v1/anomalies?limit=1", |found| found[0].is_object());
    let part = |key: &str| some[0][key].as_str().expect("a name").to_owned();
    let anomaly = ["region", "service", "channel"].map(part).join("/");
    program.wait_for("/api/v1/status", |status| status["catching_up"].is_null());
    let staffing = "/api/v1/staffing?region=north&service=broadband&channel=phone";
    program.wait_for(staffing, |plan| plan["targets"].is_array());
    // Other rules see the same outage; the page shows them in the card of the missing agents.
    program.wait_for("/api/v1/alerts?open=true", |open| {
        let open = open.as_array().into_iter().flatten();
        open.map(|alert| &alert["finding"]["inhibited_by"]).any(|id| id.is_string())
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let check = page::check_chinese(&program.url, "north/broadband/phone", &anomaly);
    runtime.expect("a runtime").block_on(check);
}

#[test]
fn it_stops_cleanly_and_a_second_start_continues() {
    let folder = tempfile::tempdir().expect("a folder");
    let args = ["--days", "1", "--speed", "600"];
    let program = Program::demo(folder.path(), &args);
    let live = program.wait_for("/api/v1/status", |status| status["catching_up"].is_null());
    let (status, said) = program.interrupt();
    assert!(status.success(), "{said}");
    assert!(said.contains("caught up") && said.contains("stopped"), "{said}");
    assert!(said.contains("In six simulated minutes an outage starts"), "{said}");
    let program = Program::demo(folder.path(), &args);
    let again = program.get("/api/v1/status").json();
    assert!(again["now"].as_str() >= live["now"].as_str(), "{again} after {live}");
    program.wait_for("/api/v1/status", |_| program.said().contains("Ctrl-C stops"));
    let (status, said) = program.interrupt();
    assert!(status.success(), "{said}");
    assert!(said.contains("continuing the demo stored in ") && said.contains("--reset"), "{said}");
    assert!(!said.contains("In six simulated minutes"), "{said}");
    let other = crate::program::surgecast(&["--seed", "8", "--listen", "127.0.0.1:0"])
        .arg("--data")
        .arg(folder.path())
        .output()
        .expect("it runs");
    assert_eq!(other.status.code(), Some(64));
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(said.contains("--seed 7") && said.contains("--reset"), "{said}");
}

/// Flags override the environment, which overrides the defaults.
#[test]
fn flags_and_the_environment_set_its_addresses() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = crate::program::surgecast(&["--days", "1", "--admin-listen", "127.0.0.1:0"]);
    command
        .env("SURGECAST__SERVER__LISTEN", "127.0.0.1:0")
        .env("SURGECAST__ADMIN__LISTEN", "127.0.0.1:1")
        .env("SURGECAST__STORE__PATH", "elsewhere")
        .current_dir(folder.path());
    let program = Program::start_command(command);
    assert!(!program.url.ends_with(":8080"), "{}", program.url);
    assert_eq!(program.get("/api/v1/status").status, 200);
    assert!(folder.path().join("elsewhere/state.db").exists());
    program
        .wait_for("/api/v1/status", |_| program.said().contains("probes and metrics on http://"));
    let said = program.said();
    let admin = said.split("probes and metrics on ").nth(1).and_then(|rest| rest.lines().next());
    let answer = reqwest::blocking::get(format!("{}/live", admin.expect("an address")));
    assert_eq!(answer.expect("an answer").status().as_u16(), 200);
}

/// Six hours of a fixed demo: long enough for refits, alerts and their ends.
const FIXED: [&str; 10] = [
    "--live-at",
    "2026-03-10T01:00:00Z",
    "--pause-at",
    "2026-03-10T07:00:00Z",
    "--days",
    "15",
    "--seed",
    "11",
    "--speed",
    "900",
];

/// The end of the last finalized window at the end of the paused clock. The lateness keeps the next window open.
const FINALIZED_UPTO: &str = "2026-03-10T06:45:00Z";

fn run_to_its_end(program: Program) {
    program.wait_for("/api/v1/status", |status| status["settled_upto"] == FINALIZED_UPTO);
    let (status, said) = program.interrupt();
    assert!(status.success(), "{said}");
}

#[test]
fn nothing_differs_after_ten_kills() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    run_to_its_end(Program::demo(&whole, &FIXED));
    // A fixed sequence of times: early kills hit the catch-up, later ones the live hours.
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for round in 0..10 {
        let program = Program::demo(&killed, &FIXED);
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let millis = 100 + (state >> 33) % if round % 2 == 0 { 4_000 } else { 9_000 };
        std::thread::park_timeout(Duration::from_millis(millis));
        program.kill();
    }
    run_to_its_end(Program::demo(&killed, &FIXED));
    same(&whole, &killed);
    the_roster_fits_usual_demand(&whole);
    reports(&whole);
    acknowledge(&whole);
}

/// No window is short of agents while its forecast, and that of the windows before it, is at or below what is usual.
fn the_roster_fits_usual_demand(store: &Path) {
    let live = Timestamp::parse(FIXED[1]).expect("a time");
    let operator = Operator::new(OperatorConfig::demo(11, live.utc_midnight() - DAY * 15));
    let reader = Reader::open(store).expect("a store");
    let mut checked = 0;
    for (series, place) in operator.series() {
        let mut is_usual = false;
        for step in 0..24 {
            let start = live + QUARTER * step;
            let staffed = reader.staffed(start).expect("plans");
            let Some((_, plan)) = staffed.iter().find(|(own, _)| own == series) else { continue };
            let usual = operator.base_rate(*place, start + QUARTER / 2) / 4.0;
            let was_usual = std::mem::replace(&mut is_usual, plan.arrivals <= usual);
            if was_usual && is_usual {
                assert!(plan.scheduled.is_some() && plan.gap <= 0, "{series} at {start}: {plan:?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "only {checked} windows");
}

/// The reports of a store; HTML has the same sections.
fn reports(store: &Path) {
    let report = |args: &[&str]| {
        let args = [&["report"], args, &["--store"]].concat();
        let out = crate::program::surgecast(&args).arg(store).output().expect("it runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("UTF-8")
    };
    let week = report(&["weekly"]);
    assert!(week.starts_with("# Week 2026-W10\n"), "{week}");
    assert_eq!(week, report(&["weekly", "--week", "2026-W10"]));
    let parts = ["Tickets and alarms", "Alerts", "Surges", "Forecast accuracy", "Staffing"];
    for part in parts.into_iter().chain(["Points to check"]) {
        assert!(week.contains(&format!("\n## {part}\n")), "{part}: {week}");
    }
    assert!(week.contains("\n| 3 h | "), "{week}");
    assert!(report(&["weekly", "--format", "html"]).contains("<h2>Staffing</h2>"));
    let reader = Reader::open(store).expect("a store");
    let which = AlertFilter { rule: Some("understaffed"), ..AlertFilter::default() };
    let alerts = reader.alerts_of(&Filter::default(), which, 1, None).expect("alerts");
    let incident = report(&["incident", &alerts[0].id]);
    assert!(incident.contains("## Alarms\n") && incident.contains("| Hour |"), "{incident}");
    let full = report(&["full", "--from", "2026-03-02", "--to", "2026-03-09"]);
    let parts =
        ["Summary", "Demand", "Attained service", "Data quality", "Recommendations", "Risks"];
    for part in parts {
        assert!(full.contains(&format!("\n## {part}\n")), "{part}: {full}");
    }
    let tickets = |text: &str| {
        let line = text.lines().find(|line| line.contains(" tickets. "));
        line.and_then(|line| line.split_once(" tickets. ")).map(|(n, _)| n.to_owned())
    };
    assert!(tickets(&week).is_some() && tickets(&week) == tickets(&full), "{full}");
    let north =
        report(&["full", "--region", "north", "--service", "broadband", "--language", "zh"]);
    assert!(north.starts_with("# 完整报告：north/broadband\n"), "{north}");
    let work = reader.maintenance(Timestamp::MIN, Timestamp::MAX).expect("reads");
    let live = Timestamp::parse(FIXED[1]).expect("a time");
    let over = work.iter().rev().find(|own| own.ends_at < live).expect("work that is over");
    let id = &*over.event_id;
    let brief = report(&["brief", "--maintenance", id]);
    assert!(brief.contains(id) && brief.contains("\n## Actual contacts\n"), "{brief}");
    let args = ["report", "incident", "none", "--store"];
    let out = crate::program::surgecast(&args).arg(store).output().expect("it runs");
    assert_eq!(out.status.code(), Some(64));
    for wrong in [&["brief"][..], &["brief", "--maintenance", "none"], &["full", "--from", "soon"]]
    {
        let args = [&["report"], wrong, &["--store"]].concat();
        let out = crate::program::surgecast(&args).arg(store).output().expect("it runs");
        assert_eq!(out.status.code(), Some(64), "{wrong:?}");
    }
}

/// An alert is acknowledged: the API shows it, reports show the time it took, and both survive a kill.
fn acknowledge(store: &Path) {
    let start = || {
        let program = Program::demo(store, &FIXED);
        program.wait_for("/api/v1/status", |status| status["settled_upto"] == FINALIZED_UPTO);
        program
    };
    let program = start();
    let open = program.get("/api/v1/alerts?open=true&rule=understaffed").json();
    let alerts = open.as_array().expect("a list");
    let firing = alerts.iter().find(|alert| alert["state"] == "firing").expect("one is firing");
    let id = firing["id"].as_str().expect("an id");
    let request = program.request(Method::POST, &format!("/api/v1/alerts/{id}/ack"));
    let request = request.header("content-type", "application/json").body(r#"{"by":"Li Wei"}"#);
    let alert = answer(request).json();
    assert_eq!(alert["state"], "acknowledged");
    let time = |key: &str| alert[key].as_str().and_then(|at| Timestamp::parse(at).ok());
    let [since, taken] = ["since", "acknowledged_at"].map(|key| time(key).expect("a time"));
    program.kill();
    let program = start();
    let again = program.get("/api/v1/alerts?open=true").json();
    assert!(again.as_array().is_some_and(|open| open.contains(&alert)), "{alert} in {again}");
    let minutes = taken.since(since).as_secs() / 60;
    let line = format!("Acknowledged by Li Wei after {minutes} min.");
    let incident = program.get(&format!("/api/v1/reports/incidents/{id}"));
    assert!(incident.text.contains(&line), "{line}: {}", incident.text);
    let week = program.get("/api/v1/reports/weekly?week=2026-W11");
    let line = format!("1 acknowledged. Median time to acknowledge: {minutes} min.");
    assert!(week.text.contains(&line), "{line}: {}", week.text);
    assert!(week.text.contains("The figures go up to Tue 10 Mar"), "{}", week.text);
    assert!(!week.text.contains("Wednesday"), "{}", week.text);
}

/// Compares scores. Sums are added up by transaction, so that their last bits depend on the times of kills.
fn same_scores(key: &SeriesKey, readers: [&Reader; 2]) -> usize {
    let (from, to) = (Timestamp::MIN, Timestamp::MAX);
    let [x, y] = readers.map(|reader| reader.scores(key, from, to).expect("scores"));
    assert_eq!(x.len(), y.len(), "{key}");
    for ((day, lead, x), (other_day, other_lead, y)) in x.iter().zip(&y) {
        assert_eq!((day, lead, x.n, x.inside80), (other_day, other_lead, y.n, y.inside80), "{key}");
        let sums = [(x.actual, y.actual), (x.absolute, y.absolute), (x.pinball, y.pinball)];
        for (x, y) in sums.into_iter().chain([(x.floor, y.floor), (x.bias, y.bias)]) {
            assert!((x - y).abs() < 1e-6, "{key} on {day} at {lead} min: {x} and {y}");
        }
    }
    x.len()
}

/// Compares surges and warnings. Returns their numbers.
fn same_surges([a, b]: [&Reader; 2]) -> (usize, usize) {
    let (all, ever) = (Filter::default(), (Timestamp::MIN, Timestamp::MAX));
    let surges = |reader: &Reader| reader.surges(&all, ever, Timestamp::MIN).expect("surges");
    let warnings = |reader: &Reader| reader.warnings(&all, ever, Timestamp::MIN).expect("calls");
    assert_eq!(surges(a), surges(b));
    assert_eq!(warnings(a), warnings(b));
    (surges(a).len(), warnings(a).len())
}

/// Compares all counts, vintages, anomalies, alerts, notifications and scores of two stores.
fn same(a: &Path, b: &Path) {
    let [a, b] = [a, b].map(|folder| Reader::open(folder).expect("a store"));
    let (from, to) = (Timestamp::MIN, Timestamp::MAX);
    let keys = |reader: &Reader| -> Vec<SeriesKey> {
        let mut keys: Vec<_> =
            reader.series().expect("series").into_iter().map(|info| info.series).collect();
        keys.sort();
        keys
    };
    let series = keys(&a);
    assert_eq!(series, keys(&b));
    assert_eq!(series.len(), 80);
    let (mut windows, mut tickets, mut scores) = (0, 0, 0);
    for key in &series {
        let read = |reader: &Reader| reader.series_windows(key, from, to).expect("windows");
        let (x, y) = (read(&a), read(&b));
        for (x, y) in x.iter().zip(&y).filter(|(x, _)| x.settled) {
            assert_eq!(x, y, "{key}");
            windows += 1;
            tickets += x.tickets;
        }
        scores += same_scores(key, [&a, &b]);
        let read = |reader: &Reader| reader.plan(key).expect("plan");
        assert_eq!(read(&a), read(&b), "{key}");
    }
    let read = |reader: &Reader| reader.vintages_between(from, Timestamp::MAX).expect("vintages");
    let (x, y) = (read(&a), read(&b));
    assert_eq!(x.len(), y.len());
    for (x, y) in x.iter().zip(&y) {
        assert_eq!(x, y);
    }
    let every = Filter::default();
    let read = |reader: &Reader| {
        let anomalies = reader.anomalies(&every, from, to, 100_000, None).expect("anomalies");
        anomalies.into_iter().map(|(_, anomaly)| format!("{anomaly:?}")).collect::<Vec<_>>()
    };
    let anomalies = read(&a);
    assert_eq!(anomalies, read(&b));
    let read = |reader: &Reader| reader.alerts(&every, false, 10_000, None).expect("alerts");
    let alerts = read(&a);
    assert_eq!(alerts, read(&b));
    let read = |reader: &Reader| {
        let rows = reader.outbox(None, None, 10_000, None).expect("outbox");
        rows.into_iter().map(|(_, row)| (row.notice, row.receiver)).collect::<Vec<_>>()
    };
    let notices = read(&a);
    assert_eq!(notices, read(&b));
    let (surges, calls) = same_surges([&a, &b]);
    println!(
        "compared {windows} finalized windows with {tickets} tickets, {} vintages, {scores} scores, \
         {} anomalies, {} alerts, {} notifications, {surges} surges, {calls} warnings",
        x.len(),
        anomalies.len(),
        alerts.len(),
        notices.len()
    );
    assert!(
        tickets > 100_000
            && !alerts.is_empty()
            && !notices.is_empty()
            && !anomalies.is_empty()
            && surges > 0
    );
}

/// On Sunday evening a planner prepares the night. On Monday morning the page says what it brought.
#[test]
fn a_planner_has_only_the_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("demo");
    // In the north it is 21:40. Forecasts reach 03:45 of the next day.
    let args = ["--days", "8", "--live-at", "2026-03-08T13:40:00Z"];
    let program = Program::demo(&data, &[&args[..], &["--speed", "30"]].concat());
    program.wait_for("/api/v1/status", |status| status["catching_up"].is_null());
    let series = "north/broadband/phone";
    let file = folder.path().join("roster.csv");
    let roster = "region,service,channel,start,end,agents\n\
                  north,broadband,phone,2026-03-08T16:00:00Z,2026-03-09T04:00:00Z,1\n";
    std::fs::write(&file, roster).expect("a file");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let id = runtime.block_on(page::planner::check_sunday(&program.url, &file, series));
    let path = "/api/v1/recommendations?state=accepted";
    let accepted = program.get(path).json()[0].clone();
    assert_eq!((&accepted["id"], &accepted["answered_by"]), (&id, &"Li".into()), "{accepted}");
    program.kill();
    let to = ["--speed", "3600", "--pause-at", "2026-03-09T02:00:00Z"];
    let program = Program::demo(&data, &[&args[..], &to].concat());
    program.wait_for("/api/v1/status", |status| status["settled_upto"] == "2026-03-09T01:45:00Z");
    let rows = program.get("/api/v1/recommendations/taken").json();
    let mut rows = rows.as_array().into_iter().flatten().enumerate();
    let (at, own) = rows.find(|(_, row)| row["compared"].as_u64() > Some(0)).expect("a row");
    assert!(own["team"] == accepted["team"] && own["taken"].as_u64() > Some(0), "{own}");
    runtime.block_on(page::planner::check_monday(&program.url, (at, own)));
}
