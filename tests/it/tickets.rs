//! Service of tickets in a running service: priorities, agreements, duplicates and the outreach list, before and after `kill -9`.
#![allow(clippy::disallowed_methods, reason = "the service runs at the real time")]

use std::path::Path;

use serde_json::{Value, json};

use crate::program::{Program, surgecast};

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[windows]
lateness = "1m"
max_future_skew = "1m"
[sla.usual]
first_response = "30m"
resolution = "48h"
[sla.urgent]
priorities = ["P1"]
first_response = "10m"
[sla.slow]
priorities = ["P2"]
resolution = "100h"
warn_percent = 1
"#;
const CUSTOMER: &str = "C-4711-1234";

fn service(folder: &Path) -> Program {
    std::fs::write(folder.join("surgecast.toml"), CONFIG).expect("config");
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    command.current_dir(folder);
    Program::start_command(command)
}

/// A customer's three tickets, two of them about the same; an urgent one that nobody answers; a critical alarm.
fn events() -> Vec<Value> {
    let begin = chrono::Utc::now() - chrono::TimeDelta::hours(4);
    let ts = |minute: i64| (begin + chrono::TimeDelta::minutes(minute)).to_rfc3339();
    let ticket = |minute: i64, id: &str, fields: Value| {
        let mut event = json!({"kind": "ticket", "event_id": format!("{id}-{minute}"), "ts": ts(minute),
            "ticket_id": id, "region": "north", "service": "tv", "channel": "email"});
        event.as_object_mut().expect("one").extend(fields.as_object().expect("one").clone());
        event
    };
    let of = |text: &str| json!({"customer_id": CUSTOMER, "text": text});
    vec![
        json!({"kind": "alarm", "event_id": "a", "alarm_id": "a", "action": "raise", "severity": "critical",
            "ts": ts(1), "region": "south", "service": "tv"}),
        ticket(2, "T-1", of("The picture is slow, this is ridiculous")),
        ticket(4, "T-1", json!({"action": "respond"})),
        ticket(20, "T-2", of("Still slow! I am angry")),
        ticket(22, "T-2", json!({"action": "respond"})),
        ticket(25, "T-3", of("How do I read my bill?")),
        ticket(26, "T-3", json!({"action": "respond"})),
        ticket(30, "T-3", json!({"action": "resolve"})),
        ticket(40, "T-4", json!({"customer_id": "C-2", "priority": "1 - Critical"})),
        ticket(41, "T-5", json!({"region": "south", "text": "No internet, everything is dead"})),
        ticket(43, "T-5", json!({"action": "respond"})),
        ticket(50, "T-6", json!({"priority": "Low"})),
        ticket(52, "T-6", json!({"action": "respond"})),
        // An hour later its clock is at risk, and stays so for days.
        ticket(60, "T-8", json!({"region": "west", "priority": "High"})),
        // The end of the span, so that earlier windows are final.
        ticket(200, "T-7", json!({"priority": "Low"})),
        // Within the last hour.
        ticket(215, "T-9", json!({"region": "east", "text": "This is a disgrace"})),
        ticket(216, "T-9", json!({"region": "east", "action": "respond"})),
    ]
}

fn check(program: &Program) {
    let open = "/api/v1/tickets?language=en";
    let row_of = |rows: &Value, id: &str| {
        let rows = rows.as_array().into_iter().flatten();
        let mut rows = rows.filter(|row| row["ticket_id"] == id);
        rows.next().cloned().unwrap_or_default()
    };
    let found = program.wait_for(open, |rows| {
        row_of(rows, "T-4")["first_response"]["state"] == "breached"
            && row_of(rows, "T-8")["resolution"]["state"] == "at_risk"
    });
    let rows = found.as_array().expect("rows").iter();
    let rows = rows.filter(|row| row["ticket_id"] != "T-7").map(|row| {
        let text = |key: &str| row[key].as_str().unwrap_or("-");
        (text("ticket_id"), text("priority"), text("reason"))
    });
    let expected = [
        ("T-4", "P1", "The sender's priority is 1 - Critical."),
        ("T-5", "P1", "about outage; a critical network alarm is active in its region and service"),
        ("T-8", "P2", "The sender's priority is High."),
        ("T-1", "P3", "negative text"),
        ("T-2", "P3", "negative text"),
        ("T-9", "P3", "negative text"),
        ("T-6", "P4", "The sender's priority is Low."),
    ];
    assert_eq!(rows.collect::<Vec<_>>(), expected);
    let of = |id: &str| row_of(&found, id);
    assert_eq!(of("T-2")["duplicate_of"], "T-1");
    assert_eq!((&of("T-4")["sla"], &of("T-1")["sla"]), (&json!("urgent"), &json!("usual")));
    assert_eq!(of("T-4")["first_response"]["state"], "breached");
    assert_eq!(of("T-1")["resolution"]["state"], "running");
    let alerts = program.wait_for("/api/v1/alerts?rule=ticket_deadline&language=en", |rows| {
        rows.as_array().is_some_and(|rows| rows.iter().any(|row| row["region"] == "west"))
    });
    let alert = alerts.as_array().into_iter().flatten().find(|row| row["region"] == "west");
    let title = alert.and_then(|row| row["title"].as_str()).unwrap_or_default();
    assert!(title.contains("a ticket is about to miss its deadline"), "{alerts}");
    check_week(program);
    check_outreach(program);
    check_sentiments(program);
}

/// Texts of the tickets that `events` sends, by window, whatever was read twice.
fn check_sentiments(program: &Program) {
    let of = |place: &str| program.get(&format!("/api/v1/service?{place}")).json();
    let counts = |own: &Value| {
        ["positive", "neutral", "negative"].map(|key| own[key].as_u64().expect("a count"))
    };
    let north = of("region=north&service=tv&channel=email");
    assert_eq!(counts(&north), [0, 1, 2], "{north}");
    let windows = north["windows"].as_array().expect("windows").iter().map(counts);
    let sums = windows.fold([0; 3], |sum, own| [0, 1, 2].map(|at| sum[at] + own[at]));
    assert_eq!(sums, [0, 1, 2], "{north}");
    assert_eq!(counts(&of("region=south&service=tv&channel=email")), [0, 1, 0]);
    assert_eq!(counts(&of("region=west&service=tv&channel=email")), [0, 0, 0], "without a text");
    assert_eq!(counts(&of("region=_all&service=_all&channel=_all")), [0, 2, 3]);
    // Only one text is not older than an hour, and nothing is usual yet.
    let rows = program.wait_for("/api/v1/tickets/sentiment", |rows| rows[0].is_object());
    let [row] = rows.as_array().expect("rows").as_slice() else { panic!("{rows}") };
    assert_eq!(
        (&row["region"], &row["texts"], counts(row)),
        (&json!("east"), &json!(1), [0, 0, 1])
    );
    assert_eq!((&row["usual_negative"], &row["weeks"]), (&Value::Null, &json!(0)), "{row}");
    assert_eq!(program.get("/api/v1/tickets/sentiment?region=west").json(), json!([]));
    assert_eq!(program.get("/api/v1/tickets/sentiment?after=x").status, 400);
}

/// Sums over the weeks: the events may lie on both sides of a midnight between Sunday and Monday.
fn check_week(program: &Program) {
    let weeks = program.get("/api/v1/sla").json();
    let sum = |region: &str, sla: &str, pick: &dyn Fn(&Value) -> u64| {
        let rows = weeks.as_array().expect("rows").iter();
        rows.filter(|row| row["region"] == region && row["sla"] == sla).map(pick).sum::<u64>()
    };
    let first = |key: &'static str| {
        move |row: &Value| row["first_response"][key].as_u64().expect("a count")
    };
    assert_eq!(sum("north", "usual", &first("met")), 4, "{weeks}");
    assert_eq!(sum("north", "urgent", &first("breached")), 1, "{weeks}");
    assert_eq!(sum("south", "urgent", &first("met")), 1, "{weeks}");
    assert_eq!(sum("north", "usual", &|row| row["duplicates"].as_u64().expect("a count")), 1);
    let resolved = |row: &Value| row["resolution"]["met"].as_u64().expect("a count");
    assert_eq!(sum("north", "usual", &resolved), 1, "{weeks}");
    let south = program.get("/api/v1/sla?region=south&weeks=1").json();
    assert!(south.as_array().expect("rows").iter().all(|row| row["region"] == "south"));
    assert_eq!(program.get("/api/v1/sla?weeks=0").status, 400);
}

fn check_outreach(program: &Program) {
    let rows = program.get("/api/v1/outreach?language=en").json();
    let [breached, several] = rows.as_array().expect("rows").as_slice() else { panic!("{rows}") };
    assert_eq!(breached["reasons"], json!(["A ticket missed its deadline."]));
    assert_eq!((&several["tickets"], &several["open"]), (&json!(3), &json!(2)), "{rows}");
    let reasons = [
        "3 tickets within 7 days.",
        "One of them repeats an earlier one.",
        "2 texts are negative.",
    ];
    assert_eq!(several["reasons"], json!(reasons));
    assert_eq!(several["ticket_ids"], json!(["T-3", "T-2", "T-1"]));
    assert!(!rows.to_string().contains("C-4711"), "ids are hashed: {rows}");
    let chinese = program.get("/api/v1/outreach?language=zh").json();
    assert_eq!(chinese[0]["reasons"], json!(["有 1 张工单超时。"]));
    let first = program.get("/api/v1/outreach?limit=1");
    assert_eq!(first.json()[0]["customer"], rows[0]["customer"]);
    let csv = program.request(reqwest::Method::GET, "/api/v1/outreach?language=en");
    let csv = csv.header("accept", "text/csv").send().expect("an answer").text().expect("text");
    assert!(csv.starts_with("customer,region,service,channel,tickets,open,duplicates,"), "{csv}");
    assert_eq!(csv.lines().count(), 3, "{csv}");
}

#[test]
fn tickets_are_assessed_and_customers_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = service(folder.path());
    let sent = program.post("/api/v1/events", json!(events()).to_string());
    assert_eq!((sent.status, &sent.json()["rejected"]), (202, &json!([])));
    // They are stored, and may be counted or not.
    program.kill();
    let program = service(folder.path());
    check(&program);
    let before = program.get("/api/v1/outreach").json();
    program.kill();
    let program = service(folder.path());
    check(&program);
    assert_eq!(program.get("/api/v1/outreach").json(), before, "with the same hashes");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(crate::page::tickets::check_tickets(&program.url));
    program.kill();
    // A customer is forgotten, the tickets are not.
    let done = surgecast(&["forget", "--config", "surgecast.toml", "--customer", CUSTOMER])
        .current_dir(folder.path())
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains("removed the customer of 3 tickets"), "{said}");
    let program = service(folder.path());
    let left = program
        .wait_for("/api/v1/outreach", |rows| rows.as_array().is_some_and(|rows| rows.len() == 1));
    assert_eq!(left[0]["customer"], before[0]["customer"]);
    check_week(&program);
}
