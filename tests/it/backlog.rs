//! The life of tickets in a running service: the backlog, and the plan that begins with it, before and after `kill -9`.
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
"#;
const BACKLOG: &str = "/api/v1/backlog?region=north&service=tv&channel=email";

fn service(folder: &Path) -> Program {
    std::fs::write(folder.join("surgecast.toml"), CONFIG).expect("config");
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
