//! The life of tickets in a running service: the backlog, and the plan that begins with it, before and after `kill -9`.
#![allow(clippy::disallowed_methods, reason = "the service runs at the real time")]

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::page::heat::{Shown, check_heat};
use crate::program::{Program, answer, surgecast};

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[windows]
lateness = "1m"
max_future_skew = "1m"
"#;
const BACKLOG: &str = "/api/v1/backlog?region=north&service=tv&channel=email";

fn service(folder: &Path) -> Program {
    service_with(folder, CONFIG)
}

fn service_with(folder: &Path, config: &str) -> Program {
    std::fs::write(folder.join("surgecast.toml"), config).expect("config");
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    command.current_dir(folder);
    Program::start_command(command)
}

/// Events of the hours up to three quarters of an hour ago, so that their windows are final.
fn events() -> Value {
    let begin = chrono::Utc::now() - chrono::TimeDelta::hours(4);
    let event = |minute: i64, id: &str, fields: Value| {
        let ts = (begin + chrono::TimeDelta::minutes(minute)).to_rfc3339();
        let mut event = json!({"kind": "ticket", "event_id": format!("{id}-{minute}"), "ts": ts,
            "region": "north", "service": "tv", "channel": "email"});
        event.as_object_mut().expect("one").extend(fields.as_object().expect("one").clone());
        (minute, event)
    };
    let mut all = Vec::new();
    for n in 0..40 {
        let (at, id) = (n * 4, format!("T-{n}"));
        let of = |action: &str| json!({"ticket_id": id, "action": action, "handled_seconds": 240});
        all.push(event(at, &id, of("create")));
        all.push(event(at + 2, &id, of("respond")));
        if n % 4 != 0 {
            all.push(event(at + 10, &id, of("resolve")));
        }
    }
    // After the snapshot a ticket is opened, and one ends that was opened before the stream began.
    all.push(event(180, "s", json!({"action": "snapshot", "open": 50})));
    all.push(event(181, "new", json!({"ticket_id": "new"})));
    all.push(event(182, "old", json!({"ticket_id": "old", "action": "resolve"})));
    all.push(event(183, "T-0", json!({"ticket_id": "T-0", "action": "resolve"})));
    all.sort_by_key(|(minute, _)| *minute);
    all.into_iter().map(|(_, event)| event).collect()
}

fn check(program: &Program) {
    let own = program.wait_for(BACKLOG, |own| own["open"] == 49);
    // Of 40 tickets ten were left open; one was opened and one resolved.
    assert_eq!(own["known"], 10, "{own}");
    assert!(own["anchored_at"].is_string() && own["oldest"].is_string(), "{own}");
    assert_eq!(own["first_response"]["mean_seconds"], 120.0, "{own}");
    let handling = &own["handling"];
    assert_eq!(
        (&handling["mean_seconds"], &handling["configured_seconds"]),
        (&json!(240.0), &json!(480.0))
    );
    // As many tickets as weigh as much as the configured time, or fewer after a midnight.
    let learned = handling["learned_seconds"].as_f64().expect("a number");
    assert!((358.0..366.0).contains(&learned), "{own}");
    let all = program.get("/api/v1/backlog?region=north").json();
    assert_eq!(all, json!([own]));
    let csv = program.get("/api/v1/backlog?channel=phone").json();
    assert_eq!(csv, json!([]));
    assert_eq!(program.get("/api/v1/backlog?region=a&service=b&channel=c").status, 404);
}

/// Of 41 e-mails 31 were resolved within four hours, 40 were answered after two minutes.
fn check_service(program: &Program) {
    let one = "/api/v1/service?region=north&service=tv&channel=email";
    let sum = |own: &Value, key: &str| {
        let windows = own["windows"].as_array().map_or(&[][..], Vec::as_slice);
        windows.iter().filter_map(|window| window[key].as_u64()).sum::<u64>()
    };
    let own = program.wait_for(one, |own| own["offered"] == 41 && sum(own, "in_time") == 31);
    assert_eq!((&own["target"], &own["served_by"]), (&json!("90/14400"), &json!("end")), "{own}");
    assert_eq!((&own["answered"], &own["abandoned"]), (&json!(40), &json!(0)), "{own}");
    // The four hours are not over for most of them.
    let open =
        own["windows"].as_array().into_iter().flatten().filter(|own| own["settled"] == false);
    let open: u64 = open.filter_map(|window| window["judged"].as_u64()).sum();
    assert_eq!(own["judged"], 41 - open, "{own}");
    assert_eq!(own["first_response_p50_seconds"], 120, "{own}");
    assert_eq!(sum(&own, "offered"), 41, "{own}");
    let whole = program.get("/api/v1/service?region=_all&service=_all&channel=email").json();
    assert_eq!(sum(&whole, "in_time"), 31, "{whole}");
    let all = program.get("/api/v1/service?channel=email").json();
    let rows: Vec<&Value> =
        all.as_array().expect("rows").iter().map(|row| &row["offered"]).collect();
    assert_eq!(rows, [41; 4], "three roll-ups and the series");
    assert_eq!(program.get("/api/v1/service?region=a&service=b&channel=c").status, 404);
    assert_eq!(program.get("/api/v1/service?team=nobody").status, 404);
}

#[test]
fn open_tickets_are_known_and_planned() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = service(folder.path());
    let sent = program.post("/api/v1/events", events().to_string());
    assert_eq!((sent.status, &sent.json()["rejected"]), (202, &json!([])));
    check(&program);
    check_service(&program);
    program.kill();
    let program = service(folder.path());
    check(&program);
    check_service(&program);
    let plan = "/api/v1/staffing?region=north&service=tv&channel=email";
    program.wait_for(plan, |plan| {
        plan["basis"].as_str().is_some_and(|text| text.contains("open tickets at the start: 49"))
    });
}

const CALLS: &str = "region=north&service=tv&channel=phone";
/// Minutes of calls, and since when they came.
const MINUTES: i64 = 300;
const BEGAN: i64 = 360;

/// A call a minute: of ten, six are answered after 10 s and resolved, two after 90 s, one gives up, one waits. Another service has
/// as many calls without ids.
fn calls() -> Value {
    let begin = chrono::Utc::now() - chrono::TimeDelta::minutes(BEGAN);
    let mut all = Vec::new();
    let mut event = |second: i64, id: &str, service: &str, fields: Value| {
        let ts = (begin + chrono::TimeDelta::seconds(second)).to_rfc3339();
        let mut event = json!({"kind": "ticket", "event_id": format!("{id}-{second}"), "ts": ts,
            "region": "north", "service": service, "channel": "phone"});
        event.as_object_mut().expect("one").extend(fields.as_object().expect("one").clone());
        all.push((second, event));
    };
    for n in 0..MINUTES {
        let (at, id) = (n * 60, format!("C-{n}"));
        let of = |action: &str| json!({"ticket_id": id, "action": action});
        event(at, &id, "tv", of("create"));
        event(at, &format!("b{n}"), "broadband", json!({}));
        let answered_after = match n % 10 {
            0..6 => 10,
            6..8 => 90,
            8 => {
                event(at + 40, &id, "tv", of("abandon"));
                continue;
            }
            _ => continue,
        };
        event(at + answered_after, &id, "tv", of("respond"));
        event(at + answered_after + 300, &id, "tv", of("resolve"));
    }
    all.sort_by_key(|(second, _)| *second);
    all.into_iter().map(|(_, event)| event).collect()
}

/// A time, so many hours from now.
fn hour(hours: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z").to_string()
}

/// The rows of the heat map: that of the team, and that of the service without ids.
fn map(program: &Program) -> (Value, Value) {
    let path = format!("/api/v1/staffing/windows?from={}&to={}", hour(-7), hour(2));
    let rows = program.get(&path).json();
    let row = |wanted: &dyn Fn(&Value) -> bool| {
        let found = rows.as_array().into_iter().flatten().find(|row| wanted(row));
        found.unwrap_or_else(|| panic!("no row: {rows}")).clone()
    };
    (row(&|row| row["team"] == "calls"), row(&|row| row["service"] == "broadband"))
}

fn targets(row: &Value) -> impl Iterator<Item = &Value> {
    row["targets"].as_array().into_iter().flatten()
}

/// What the map says is what `GET /service` and `GET /backlog` say.
fn check_map(program: &Program) -> (Value, Value) {
    let status = program.wait_for("/api/v1/status", |status| {
        status["settled_upto"].as_str() >= Some(hour(-1).as_str())
    });
    let (calls, others) = map(program);
    let span = format!("from={}&to={}", hour(-7), hour(2));
    let service = program.get(&format!("/api/v1/service?team=calls&{span}")).json();
    let of = |start: &Value| {
        let windows = service["windows"].as_array().into_iter().flatten();
        windows.clone().find(|window| &window["start"] == start)
    };
    let mut attained = 0;
    for target in targets(&calls) {
        let window = of(&target["start"]);
        match target["attained_missing"].as_str() {
            None => {
                let window = window.expect("a window");
                assert_eq!(target["attained_service_level"], window["service_level"], "{target}");
                assert_eq!(target["judged"], window["judged"], "{target}");
                assert_eq!(target["abandonment"], window["abandonment"], "{target}");
                attained += 1;
            }
            Some("no_contacts") => assert!(window.is_none(), "{target}"),
            Some("not_over") => {
                let is_open = window.is_none_or(|window| window["settled"] == false);
                assert!(is_open && target["start"].as_str() > Some(hour(-2).as_str()), "{target}");
            }
            other => panic!("{other:?}: {target}"),
        }
    }
    assert!(attained >= 15, "{attained} windows of five hours: {calls}");
    assert_eq!(calls["target_service_level"], 0.8, "{calls}");
    // Each tenth call waits, so the number of open tickets grows up to the one that is known now.
    let backlog = program.get(&format!("/api/v1/backlog?{CALLS}")).json();
    let open: Vec<u64> = targets(&calls).filter_map(|target| target["backlog"].as_u64()).collect();
    assert_eq!(open.last().copied(), backlog["open"].as_u64(), "{calls}");
    assert!(backlog["open"] == 30 && open.first() < open.last(), "{backlog}: {open:?}");
    let settled = status["settled_upto"].as_str();
    for target in targets(&others) {
        let is_over = target["start"].as_str() < settled;
        let why = if is_over { "no_ids" } else { "not_over" };
        let is_last = target["start"].as_str() >= Some(hour(-1).as_str());
        assert!(target["attained_missing"] == why || is_last, "{settled:?}: {target}");
        assert!(target["attained_service_level"].is_null() && target["backlog"].is_null());
    }
    let all = program.get("/api/v1/service/calibration").json();
    let (own, whole) = (&all[0], &service["calibration"]);
    assert_eq!((all.as_array().map(Vec::len), &own["team"]), (Some(1), &json!("calls")), "{all}");
    for key in ["contacts", "expected_service_level", "service_level", "factor", "days"] {
        assert_eq!(own[key], whole[key], "{key}: {all} {service}");
    }
    assert_eq!(program.get("/api/v1/service/calibration?region=south").json(), json!([]));
    (calls, own.clone())
}

/// A half hour of which both windows are attained: day, time of the day, percentage.
fn half_hour(calls: &Value) -> (String, String, i64) {
    let known: Vec<&Value> =
        targets(calls).filter(|target| target["judged"].as_u64() > Some(0)).collect();
    for pair in known.windows(2) {
        let [first, second] = [0, 1].map(|at| pair[at]["start"].as_str().expect("a time"));
        let is_half = matches!(&first[14..16], "00" | "30") && first[..14] == second[..14];
        if !is_half {
            continue;
        }
        let part = |target: &Value| {
            let (level, judged) = (&target["attained_service_level"], &target["judged"]);
            let judged = judged.as_f64().expect("a number");
            (level.as_f64().expect("a share") * judged, judged)
        };
        let ((a, n), (b, m)) = (part(pair[0]), part(pair[1]));
        let percent = ((a + b) / (n + m) * 100.0).round() as i64;
        return (first[..10].to_owned(), first[11..16].to_owned(), percent);
    }
    panic!("no half hour is over: {calls}");
}

#[test]
fn planners_see_what_contacts_got() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!("{CONFIG}[teams.calls]\nseries = [\"north/tv/phone\"]\n");
    let program = service_with(folder.path(), &config);
    let roster = json!([{"team": "calls", "start": hour(-12), "end": hour(30), "agents": 9}]);
    let put = answer(program.request(Method::PUT, "/api/v1/roster").json(&roster));
    assert_eq!(put.status, 204, "{}", put.text);
    let sent = program.post("/api/v1/events", calls().to_string());
    assert_eq!((sent.status, &sent.json()["rejected"]), (202, &json!([])));
    program.wait_for(&format!("/api/v1/backlog?{CALLS}"), |own| own["open"] == 30);
    check_map(&program);
    program.kill();
    let program = service_with(folder.path(), &config);
    let (calls, calibration) = check_map(&program);
    let (day, time, percent) = half_hour(&calls);
    let shown =
        Shown { day: &day, half_hour: (&time, percent), open: 30, calibration: &calibration };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(check_heat(&program.url, &shown));
}
