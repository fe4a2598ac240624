//! `surgecast serve` with files, standard input and HTTP: compares all counts with independent ones.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Program, surgecast};

const QUARTER: i64 = 900;

/// Simulates three days into `folder`.
fn simulate(folder: &Path) {
    let out = folder.display().to_string();
    let args = ["simulate", "--out", &out, "--days", "3", "--start", "2026-03-28", "--seed", "3"];
    let done = surgecast(&args).output().expect("it runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Tickets by series and window start (Unix seconds), counted directly from the file.
fn count(file: &Path) -> BTreeMap<(String, i64), u64> {
    let text = std::fs::read_to_string(file).expect("the file");
    let mut counts = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let at = chrono::DateTime::parse_from_rfc3339(event["ts"].as_str().expect("ts"));
        let at = at.expect("RFC 3339").timestamp();
        let name = |key: &str| event[key].as_str().unwrap_or("unknown").to_owned();
        let is_new = seen.insert(name("event_id"));
        if is_new && event["action"].as_str().is_none_or(|action| action == "create") {
            let series = format!("{}/{}/{}", name("region"), name("service"), name("channel"));
            *counts.entry((series, at - at.rem_euclid(QUARTER))).or_default() += 1;
        }
    }
    counts
}

/// The same counts from the API, without roll-ups.
fn served(program: &Program) -> BTreeMap<(String, i64), u64> {
    let span = "/api/v1/windows?from=2026-03-20T00:00:00Z&to=2026-04-10T00:00:00Z";
    let mut counts = BTreeMap::new();
    for entry in program.all(span) {
        let name = |key: &str| entry[key].as_str().expect("a name").to_owned();
        let parts = [name("region"), name("service"), name("channel")];
        if parts.iter().any(|part| part == "_all") {
            continue;
        }
        for window in entry["windows"].as_array().expect("windows") {
            let start = window["start"].as_str().expect("a start");
            let start = chrono::DateTime::parse_from_rfc3339(start).expect("RFC 3339").timestamp();
            let tickets = window["tickets"].as_u64().unwrap_or(0);
            if tickets > 0 {
                counts.insert((parts.join("/"), start), tickets);
            }
        }
    }
    counts
}

/// Starts `serve` with its store in `folder` and on free ports.
pub fn serve(folder: &Path, config: &str, inputs: &[&str]) -> Program {
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"{}\"\n{config}",
        folder.join("store").display()
    );
    let file = folder.join("surgecast.toml");
    std::fs::write(&file, text).expect("config");
    let mut command = surgecast(&["serve", "--config"]);
    command.arg(&file).current_dir(folder).stdin(Stdio::null());
    for input in inputs {
        command.args(["--input", input]);
    }
    Program::start_command(command)
}

/// Waits until all tickets are counted, then compares all windows.
fn equal(program: &Program, truth: &BTreeMap<(String, i64), u64>) {
    let sum: u64 = truth.values().sum();
    assert!(sum > 5_000, "{sum} tickets are too few to prove anything");
    let mut found = BTreeMap::new();
    program.wait_for("/api/v1/status", |_| {
        found = served(program);
        found.values().sum::<u64>() >= sum
    });
    let differs = found.iter().filter(|(key, n)| truth.get(key) != Some(n)).collect::<Vec<_>>();
    assert!(differs.is_empty(), "wrong: {differs:?}");
    assert_eq!(found.len(), truth.len());
}

#[test]
fn files_are_counted_once_through_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    simulate(folder.path());
    let truth = count(&folder.path().join("tickets.ndjson"));
    let inputs = ["tickets.ndjson", "alarms.ndjson", "maintenance.ndjson"];
    for millis in [30, 300, 900] {
        let program = serve(folder.path(), "", &inputs);
        std::thread::park_timeout(std::time::Duration::from_millis(millis));
        program.kill();
    }
    // Another spelling of a path is the same file.
    let absolute = folder.path().join("alarms.ndjson");
    let inputs = ["./tickets.ndjson", absolute.to_str().expect("text"), "maintenance.ndjson"];
    let program = serve(folder.path(), "", &inputs);
    equal(&program, &truth);
    let status = program.get("/api/v1/status").json();
    assert_eq!(status["dead_letters"], json!({}), "{status}");
}

#[test]
fn a_second_replay_over_http_counts_nothing_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    simulate(folder.path());
    let truth = count(&folder.path().join("tickets.ndjson"));
    let program = serve(folder.path(), "", &[]);
    let replay = || {
        let url = program.url.clone();
        let done = surgecast(&["replay", "tickets.ndjson", "alarms.ndjson", "--url", &url])
            .args(["--speed", "max"])
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    replay();
    equal(&program, &truth);
    // All events of the second replay are late for their closed windows: they become dead letters.
    replay();
    // The last window is still open in its source, so that its events are duplicates.
    let open = truth.iter().filter(|((_, start), _)| *start >= 1_774_913_400);
    let late = truth.values().sum::<u64>() - open.map(|(_, n)| n).sum::<u64>();
    program.wait_for("/api/v1/status", |s| s["dead_letters"]["late"].as_u64() >= Some(late));
    equal(&program, &truth);
}

#[test]
fn standard_input_is_stored_before_it_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("surgecast.toml");
    let text = "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"store\"\n";
    std::fs::write(&config, text).expect("config");
    let mut command = surgecast(&["serve", "--config", "surgecast.toml", "--input", "-"]);
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    command.current_dir(folder.path()).stdin(reader);
    let program = Program::start_command(command);
    for minute in 0..40 {
        let ts = format!("2026-03-28T10:{minute:02}:00Z");
        let ticket = json!({"kind": "ticket", "event_id": format!("t{minute}"), "ts": ts,
            "region": "north", "service": "mobile", "channel": "phone"});
        writeln!(writer, "{ticket}").expect("written");
    }
    // The last line has no line break.
    write!(writer, "not json").expect("written");
    drop(writer);
    let path = "/api/v1/windows?region=north&service=mobile&channel=phone\
                &from=2026-03-28T00:00:00Z&to=2026-03-29T00:00:00Z";
    let windows = program.wait_for(path, |found| {
        let tickets = found.as_array().into_iter().flatten();
        tickets.filter_map(|w| w["tickets"].as_u64()).sum::<u64>() == 40
    });
    assert_eq!(windows[0]["tickets"], 15, "{windows}");
    program.wait_for("/api/v1/status", |s| s["dead_letters"]["malformed"] == 1);
}

#[test]
fn the_stream_sends_new_windows() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = serve(folder.path(), "", &[]);
    let response = program.request(reqwest::Method::GET, "/api/v1/stream").send().expect("stream");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let ticket = |id: &str, ts: &str| json!({"kind": "ticket", "event_id": id, "ts": ts, "region": "r", "service": "s", "channel": "c"});
    let body = json!([ticket("a", "2026-03-28T10:00:00Z"), ticket("b", "2026-03-28T12:00:00Z")]);
    let answer = program.post("/api/v1/events", body.to_string());
    assert_eq!((answer.status, answer.json()), (202, json!({"accepted": 2, "rejected": []})));
    let mut lines = BufReader::new(response).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "event: windows"), "the stream ended without windows");
    let data = lines.next().expect("data");
    assert!(data.starts_with("data: {\"settled_upto\":\"2026-03-28T1"), "{data}");
}

#[test]
fn tokens_limit_access_by_scope() {
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = "[[tokens]]\nname = \"noc\"\nscopes = [\"ingest\"]\ntoken = \"ingest-0123456789abcdef\"\n\
                  [[tokens]]\nname = \"board\"\nscopes = [\"read\"]\ntoken = \"read-0123456789abcdef\"\n";
    std::fs::write(folder.path().join("tokens.toml"), tokens).expect("tokens");
    let text = "[server]\nlisten = \"127.0.0.1:0\"\ntokens_file = \"tokens.toml\"\n\
                [admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"store\"\n";
    std::fs::write(folder.path().join("surgecast.toml"), text).expect("config");
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    command.current_dir(folder.path()).stdin(Stdio::null());
    let program = Program::start_command(command);
    let status = |method: reqwest::Method, path: &str, token: &str| {
        let mut request = program.request(method, path).body("{}");
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        request.send().expect("an answer").status().as_u16()
    };
    use reqwest::Method;
    let (noc, board) = ("ingest-0123456789abcdef", "read-0123456789abcdef");
    assert_eq!(status(Method::GET, "/api/v1/series", ""), 401);
    assert_eq!(status(Method::GET, "/api/v1/series", "read-0123456789abcdeX"), 401);
    assert_eq!(status(Method::GET, "/api/v1/series", noc), 403);
    assert_eq!(status(Method::GET, "/api/v1/series", board), 200);
    assert_eq!(status(Method::POST, "/api/v1/events", board), 403);
    // The token is accepted; the event is not.
    assert_eq!(status(Method::POST, "/api/v1/events", noc), 422);
    assert_eq!(status(Method::POST, "/api/v1/alerts/x/ack", board), 403);
    assert!(!program.said().contains(noc) && !program.said().contains(board));
}

/// Configurations with all sections that need no server: `serve` starts with all of them, and `check` accepts them.
#[test]
fn configs_that_check_accepts_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("regions.csv", "match,pattern,value\nprefix,gNB1,north\n").expect("table");
    write("key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").expect("secret");
    let nowhere = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("its address").port()
    };
    let configs = [
        String::new(),
        "[staffing.phone]\nshrinkage = 0.3\ntarget = \"80/20\"\n\
         [staffing.kiosk]\naht = \"5m\"\ntarget = \"90/60\"\nmodel = \"erlang-c\"\n"
            .to_owned(),
        format!(
            "[[alerts.receivers]]\nname = \"noc\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:{nowhere}/\"\n\
             secret_file = \"key\"\n[[mapping]]\ntarget = \"region\"\nattribute = \"device\"\n\
             table = \"regions.csv\"\n[regions.north]\nholidays = \"cn\"\n"
        ),
        format!(
            "[kafka]\nbrokers = \"127.0.0.1:{nowhere}\"\nproperties = {{ \"security.protocol\" = \"SASL_SSL\", \
             \"sasl.mechanism\" = \"SCRAM-SHA-512\", \"sasl.username\" = \"noc\", \"sasl.password\" = \"x\" }}\n\
             [influxdb]\nurl = \"http://127.0.0.1:{nowhere}\"\norg = \"noc\"\n"
        ),
    ];
    for config in configs {
        let program = serve(folder.path(), &config, &[]);
        // Without a broker there is no leader, and the API returns 503.
        let expected = if config.contains("[kafka]") { 503 } else { 200 };
        assert_eq!(program.get("/api/v1/status").status, expected, "{config}");
        drop(program);
        let checked = surgecast(&["check", "--config", "surgecast.toml"])
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(checked.status.success(), "{config}: {said}");
    }
}

#[test]
fn the_same_seed_simulates_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
    simulate(&a);
    simulate(&b);
    let mut files = 0;
    for entry in std::fs::read_dir(&a).expect("files") {
        let path = entry.expect("an entry").path();
        let other = b.join(path.file_name().expect("a name"));
        let same = std::fs::read(&path).expect("a") == std::fs::read(&other).expect("b");
        assert!(same, "{} differs", path.display());
        files += 1;
    }
    assert_eq!(files, 6);
}

/// Look-up tables map events in formats of standards, and a changed table is read again.
#[test]
fn events_of_standards_are_mapped_by_tables_that_may_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("regions.csv");
    std::fs::write(&table, "match,pattern,value\nprefix,gNB1,north\n").expect("table");
    std::fs::write(folder.path().join("services.csv"), "match,pattern,value\nregex,.,mobile\n")
        .expect("table");
    let mapping = "[[mapping]]\ntarget = \"region\"\nattribute = \"device\"\ntable = \"regions.csv\"\n\
                   [[mapping]]\ntarget = \"service\"\nattribute = \"device\"\ntable = \"services.csv\"\n";
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"store\"\n{mapping}"
    );
    let path = folder.path().join("surgecast.toml");
    std::fs::write(&path, config).expect("config");
    let program = Program::start(&["serve", "--config", path.to_str().expect("UTF-8")]);
    let fault = |id: &str, source: &str| {
        serde_json::json!({"event": {"commonEventHeader": {"domain": "fault", "eventId": id,
            "eventName": "Fault_gNB_LinkDown", "startEpochMicrosec": 1_767_232_990_000_000_i64,
            "lastEpochMicrosec": 1_767_233_000_000_000_i64, "priority": "High", "sequence": 0,
            "reportingEntityName": "EMS1", "sourceName": source, "version": "4.1",
            "vesEventListenerVersion": "7.2.1"},
            "faultFields": {"faultFieldsVersion": "4.0", "alarmCondition": "linkDown",
            "eventSeverity": "MAJOR", "eventSourceType": "gNB", "specificProblem": "S1 link down",
            "vfStatus": "Active"}}})
    };
    let raised = |region: &str| {
        let query = format!(
            "/api/v1/windows?region={region}&service=mobile&from=2026-01-01T02:00:00Z&to=2026-01-01T02:30:00Z"
        );
        // The API has windows of ticket series only, so that the series needs a ticket.
        let ticket = serde_json::json!({"kind": "ticket", "event_id": format!("T-{region}"),
            "ts": "2026-01-01T02:03:20Z", "region": region, "service": "mobile", "channel": "phone"});
        assert_eq!(program.post("/api/v1/events", ticket.to_string()).status, 202);
        let found = program.wait_for(&format!("{query}&channel=phone"), |found| {
            found[0]["alarms"]["major"].as_u64().is_some_and(|n| n > 0)
        });
        found[0]["alarms"]["major"].as_u64()
    };
    assert_eq!(program.post("/api/v1/events", fault("f1", "gNB17").to_string()).status, 202);
    assert_eq!(raised("north"), Some(1));
    std::fs::write(&table, "match,pattern,value\nprefix,gNB1,south\n").expect("table");
    let deadline = "look-up tables and lexicon reloaded";
    program.wait_for("/api/v1/status", |_| program.said().contains(deadline));
    // The decoder changes with the next report of the source.
    std::thread::park_timeout(std::time::Duration::from_secs(2));
    let wrapped = serde_json::json!({"specversion": "1.0", "id": "c-1", "source": "/ems", "type": "fault",
        "time": "2026-01-01T02:03:21Z", "data": fault("f2", "gNB18")});
    assert_eq!(program.post("/api/v1/events", wrapped.to_string()).status, 202);
    assert_eq!(raised("south"), Some(1));
}

/// The lexicon of the config classifies texts. It may change, and counts of the past stay.
#[test]
fn texts_are_classified_by_a_lexicon_that_may_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let lexicon = folder.path().join("words.toml");
    std::fs::write(&lexicon, "[slow]\nwords = [\"snail\"]\n").expect("lexicon");
    let program = serve(folder.path(), "[lexicon]\nfile = \"words.toml\"\n", &[]);
    let mut sent = 0;
    let mut send = |text: &str| {
        sent += 1;
        let ticket = json!({"kind": "ticket", "event_id": format!("T-{sent}"), "text": text,
            "ts": "2026-01-01T02:03:20Z", "region": "north", "service": "mobile", "channel": "phone"});
        // Sent twice, counted once.
        for _ in 0..2 {
            assert_eq!(program.post("/api/v1/events", ticket.to_string()).status, 202);
        }
    };
    let query = "/api/v1/topics?service=_all&from=2026-01-01T02:00:00Z&to=2026-01-01T02:30:00Z";
    let topics = |name: &str, n: u64| {
        program.wait_for(query, |found| found[0]["topics"][name].as_u64() == Some(n))
    };
    send("a SNAIL at the portal");
    send("my portal works");
    send("");
    topics("slow", 1);
    topics("other", 1);
    std::fs::write(&lexicon, "[outage]\nwords = [\"snail\"]\n").expect("lexicon");
    program.wait_for("/api/v1/status", |_| program.said().contains("lexicon reloaded"));
    // The lexicon changes with the next report of the source: until then, tickets count by the former one.
    let mut slow = 1;
    let found = loop {
        send("a snail at the portal");
        let of = |found: &Value, name: &str| found[0]["topics"][name].as_u64().unwrap_or(0);
        let found =
            program.wait_for(query, |found| of(found, "slow") + of(found, "outage") == slow + 1);
        if of(&found, "outage") == 1 {
            break found;
        }
        slow += 1;
        assert!(slow < 1000, "the lexicon does not change: {found}");
    };
    let row = &found[0];
    assert_eq!((&row["region"], &row["service"]), (&json!("north"), &json!("_all")));
    assert_eq!(row["start"], "2026-01-01T02:00:00Z");
    let wanted =
        json!({"outage": 1, "coverage": 0, "slow": slow, "billing": 0, "device": 0, "other": 1});
    assert_eq!(row["topics"], wanted);
    assert_eq!(row["usual"], Value::Null);
    assert_eq!(program.get("/api/v1/topics?region=no/name").status, 400);
    assert_eq!(program.get("/api/v1/topics?channel=phone").status, 400);
}
