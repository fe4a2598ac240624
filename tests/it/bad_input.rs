//! Bad input: the service returns a clear error or stores a dead letter, and continues.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};

use crate::program::{Answer, Program, surgecast};
use crate::serve::serve;

fn ticket(id: &str, ts: &str, region: &str) -> Value {
    json!({"kind": "ticket", "event_id": id, "ts": ts, "region": region, "service": "mobile", "channel": "phone"})
}

/// Asserts a problem of RFC 9457 with `part` in its detail.
fn problem(answer: &Answer, status: u16, part: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.kind.starts_with("application/problem+json"), "{answer:?}");
    let body = answer.json();
    assert_eq!(body["status"], status, "{body}");
    let detail = body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(part), "`{detail}` does not contain `{part}`");
}

#[test]
fn bad_bodies_are_refused_and_good_ones_are_still_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = serve(folder.path(), "", &[]);
    let events = "/api/v1/events";
    let now = program.get("/api/v1/status").json()["now"].as_str().expect("now").to_owned();

    problem(&program.post(events, "{\"kind\": \"ticket\""), 400, "not JSON");
    problem(&program.post(events, ""), 400, "no event");
    problem(&program.post(events, vec![b' '; 10 << 20]), 413, "8388608 bytes");
    let many = vec![r#"{"kind":"ticket"}"#; 100_000].join("\n");
    problem(&program.post(events, many), 413, "50000");
    problem(&program.post("/api/v1/events?kind=banana", "{}"), 400, "kind");
    problem(&program.post("/api/v1/nothing", "{}"), 404, "/docs");
    let wrong = program.request(Method::DELETE, "/api/v1/series").send().expect("an answer");
    assert_eq!(wrong.status().as_u16(), 405);
    problem(&program.get("/api/v1/windows?from=yesterday"), 400, "from");
    problem(&program.get("/api/v1/windows?limit=0"), 400, "limit");
    problem(&program.get("/api/v1/windows?regoin=north"), 400, "regoin");
    problem(&program.get("/api/v1/forecasts?region=no&service=no&channel=no"), 404, "no/no/no");
    problem(&program.get("/api/v1/series?region=a%0Ab"), 400, "region");
    problem(&program.get("/api/v1/outlook?limit=0"), 400, "limit");
    problem(&program.get("/api/v1/outlook?after=north"), 400, "after");

    // The response for a body with good and bad events has the index and reason of each bad one.
    let bad = [
        (ticket("y", "9999-01-01T00:00:00Z", "north"), "ts"),
        (ticket(&"x".repeat(10_000), &now, "north"), "event_id"),
        (ticket("n", &now, "no\nrth"), "region"),
        (ticket("c", &now, &"r".repeat(200)), "region"),
        (json!({"kind": "ticket", "event_id": "t"}), "ts"),
        (json!({"kind": "banana", "event_id": "t", "ts": now}), "kind"),
        (json!(["no", "object"]), "object"),
        (json!(7), "object"),
    ];
    let mut all: Vec<Value> = bad.iter().map(|(event, _)| event.clone()).collect();
    all.push(ticket("good", &now, "north"));
    let answer = program.post(events, Value::from(all).to_string());
    assert_eq!(answer.status, 202, "{answer:?}");
    let answer = answer.json();
    assert_eq!(answer["accepted"], 1, "{answer}");
    let rejected = answer["rejected"].as_array().expect("rejected");
    // Each element of the array within the array is named.
    assert_eq!(rejected.len(), bad.len() + 1, "{answer}");
    for (index, (_, part)) in bad.iter().enumerate() {
        let found = rejected.iter().find(|one| one["index"] == index).expect("it is named");
        let reason = found["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(part), "`{reason}` does not contain `{part}`");
    }
    // Invalid UTF-8 in a line of NDJSON rejects only that line.
    let mut lines = ticket("good-2", &now, "north").to_string().into_bytes();
    lines.extend_from_slice(b"\n{\"kind\":\"ticket\",\"event_id\":\"\xff\xfe\"}\n");
    let answer = program.post(events, lines);
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (202, Some(1)), "{answer:?}");
    // An event time far in the future: a dead letter that does not advance the watermark.
    let answer =
        program.post(events, ticket("future", "2099-01-01T00:00:00Z", "north").to_string());
    assert_eq!(answer.status, 202, "{answer:?}");

    program.wait_for("/api/v1/status", |status| {
        let letters = &status["dead_letters"];
        let sum: u64 =
            letters.as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
        // Each element of the array within the array is one.
        sum == bad.len() as u64 + 3 && letters["future"] == 1
    });
    let path = "/api/v1/windows?region=north&service=mobile&channel=phone&to=2098-01-01T00:00:00Z\
                &from=2097-12-01T00:00:00Z";
    assert_eq!(program.get(path).json(), json!([]));
    program.wait_for("/api/v1/series?region=north&service=mobile&channel=phone", |found| {
        found.as_array().is_some_and(|found| found.len() == 1)
    });
    let names = |query: &str| -> Vec<String> {
        let found = program.get(&format!("/api/v1/series{query}")).json();
        let name = |series: &serde_json::Value| {
            let of = |part: &str| series[part].as_str().expect("a name").to_owned();
            [of("region"), of("service"), of("channel")].join("/")
        };
        found.as_array().expect("series").iter().map(name).collect()
    };
    let all = names("");
    let mut paged = names("?limit=3");
    while let Some(last) = paged.last().filter(|_| paged.len() < all.len()) {
        let more = names(&format!("?limit=3&after={last}"));
        assert!((1..=3).contains(&more.len()), "{more:?}");
        paged.extend(more);
    }
    assert_eq!(paged, all);
    let (status, said) = program.interrupt();
    assert!(status.success() && !said.contains("panicked"), "{said}");
}

/// Runs a command to its end. Returns exit code and standard error.
fn fails(command: &mut Command) -> (Option<i32>, String) {
    let done = command.stdin(Stdio::null()).output().expect("it runs");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!said.contains("panicked"), "{said}");
    (done.status.code(), said)
}

#[test]
fn a_failed_start_names_the_cause() {
    let folder = tempfile::tempdir().expect("a folder");
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = held.local_addr().expect("its address").to_string();
    let config = format!("[server]\nlisten = \"{taken}\"\n[admin]\nlisten = \"127.0.0.1:0\"\n");
    std::fs::write(folder.path().join("taken.toml"), config).expect("config");
    let run = |args: &[&str]| fails(surgecast(args).current_dir(folder.path()));
    let (code, said) = run(&["serve", "--config", "taken.toml"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&taken) && said.contains("--listen"), "{said}");
    let (code, said) = run(&["--listen", &taken, "--data", "demo"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&taken), "{said}");
    drop(held);

    let free = "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(folder.path().join("free.toml"), free).expect("config");
    let with = format!("{free}[lexicon]\nfile = \"words.toml\"\n");
    std::fs::write(folder.path().join("lexicon.toml"), with).expect("config");
    std::fs::write(folder.path().join("words.toml"), "[weather]\nwords = [\"rain\"]\n")
        .expect("words");
    for command in ["serve", "check"] {
        let (code, said) = run(&[command, "--config", "lexicon.toml"]);
        assert_eq!(code, Some(64), "{said}");
        assert!(said.contains("lexicon.file") && said.contains("`weather`"), "{said}");
    }
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    };
    write("log", b"");
    write("log.gz", b"\x1f\x8b\x08\0");
    std::fs::hard_link(folder.path().join("log"), folder.path().join("link")).expect("a link");
    // A missing file may be there in a moment, so that a supervisor may try again.
    let cases: [(&[&str], i32, &str); 4] = [
        (&["--input", "no-such.ndjson"], 1, "no-such.ndjson: there is no such file"),
        (&["--input", "log.gz"], 64, "unpack it with `gunzip`"),
        (&["--input", "log", "--input", "./log"], 64, "is the same file as log"),
        (&["--input", "link", "--input", "log"], 64, "is the same file as link"),
    ];
    for (inputs, exit, text) in cases {
        let (code, said) = run(&[&["serve", "--config", "free.toml"], inputs].concat());
        assert_eq!(code, Some(exit), "{said}");
        assert!(said.contains(text), "{said}");
    }
    std::fs::write(folder.path().join("file"), "not a directory").expect("file");
    let store = format!("{free}[store]\npath = \"file\"\n");
    std::fs::write(folder.path().join("store.toml"), store).expect("config");
    let (code, said) = run(&["serve", "--config", "store.toml"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("file"), "{said}");
}

#[test]
fn a_store_belongs_to_one_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = serve(folder.path(), "", &[]);
    let config = folder.path().join("surgecast.toml");
    let (code, said) = fails(surgecast(&["serve", "--config"]).arg(config));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("in use"), "{said}");
    assert_eq!(program.get("/api/v1/series").status, 200);
}

/// A limit on the size of files simulates a full disk. The shell sets it, and `prlimit` removes it.
#[test]
fn a_full_disk_loses_nothing_that_was_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"store\"\n";
    std::fs::write(folder.path().join("surgecast.toml"), config).expect("config");
    let mut command = Command::new("sh");
    let limited = format!(
        "trap '' XFSZ; ulimit -S -f 2048; exec {} serve --config surgecast.toml",
        env!("CARGO_BIN_EXE_surgecast")
    );
    command.args(["-c", &limited]).current_dir(folder.path()).stdin(Stdio::null());
    let program = Program::start_command(command);
    let mut accepted = 0;
    let mut batch = |program: &Program, n: usize| -> Answer {
        let line = |i: usize| {
            let mut event = ticket(&format!("{n}-{i}"), "2026-03-28T10:00:00Z", "north");
            event["text"] = json!("x".repeat(500));
            event.to_string()
        };
        let answer =
            program.post("/api/v1/events", (0..200).map(line).collect::<Vec<_>>().join("\n"));
        if answer.status == 202 {
            accepted += 200;
        }
        answer
    };
    let refused = (0..200).map(|n| batch(&program, n)).find(|answer| answer.status != 202);
    let refused = refused.expect("two megabytes are not enough for 200 batches");
    assert!([503, 507].contains(&refused.status), "{refused:?}");
    assert!(refused.kind.starts_with("application/problem+json"), "{refused:?}");
    assert_eq!(program.get("/api/v1/status").status, 200);
    let lifted = Command::new("prlimit")
        .args(["--pid", &program.pid().to_string(), "--fsize=unlimited"])
        .status()
        .expect("prlimit runs");
    assert!(lifted.success());
    program.wait_for("/api/v1/status", |_| batch(&program, 1000).status == 202);
    let late = ticket("last", "2026-03-28T12:00:00Z", "north").to_string();
    assert_eq!(program.post("/api/v1/events", late).status, 202);
    let path = "/api/v1/windows?region=north&service=mobile&channel=phone\
                &from=2026-03-28T10:00:00Z&to=2026-03-28T10:15:00Z";
    // The window may be finalized before all events are counted. Then it is revised.
    let whole = |found: &serde_json::Value| {
        let tickets = found[0]["tickets"].as_u64();
        assert!(tickets <= Some(accepted), "{tickets:?} of {accepted}");
        found[0]["settled"] == true && tickets == Some(accepted)
    };
    program.wait_for(path, whole);
}
