//! Attacks on the running program: rebinding, cross-site requests, forged texts, floods of bad sign-ins, connections that
//! are never finished.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::{COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};

use crate::program::{Program, answer, surgecast};
use crate::serve::serve;

const LEAD: &str = "lead-0123456789abcdef";
const BOARD: &str = "read-0123456789abcdef";
const FEED: &str = "feed-0123456789abcdef";

fn tokens(names: &[(&str, &str, &str)]) -> String {
    let entry = |(name, scopes, token): &(&str, &str, &str)| {
        format!("[[tokens]]\nname = \"{name}\"\nscopes = [{scopes}]\ntoken = \"{token}\"\n")
    };
    names.iter().map(entry).collect()
}

/// Starts `serve` with tokens and further keys of `[server]`.
fn guarded(folder: &Path, server: &str) -> Program {
    let all = [
        ("Li", "\"read\", \"operate\"", LEAD),
        ("board", "\"read\"", BOARD),
        ("feed", "\"ingest\"", FEED),
    ];
    std::fs::write(folder.join("tokens.toml"), tokens(&all)).expect("tokens");
    start(folder, &format!("tokens_file = \"tokens.toml\"\n{server}"))
}

fn start(folder: &Path, server: &str) -> Program {
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n{server}\n[admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"store\"\n"
    );
    std::fs::write(folder.join("surgecast.toml"), text).expect("config");
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    command.current_dir(folder).stdin(Stdio::null());
    Program::start_command(command)
}

fn ticket(id: &str) -> Value {
    json!({"kind": "ticket", "event_id": id, "ts": "2026-03-28T10:00:00Z", "region": "north",
        "service": "mobile", "channel": "phone"})
}

fn metric(program: &Program, name: &str) -> f64 {
    let said = program.said();
    let admin = said.split_whitespace().filter(|word| word.starts_with("http://")).nth(1);
    let text = reqwest::blocking::get(format!("{}/metrics", admin.expect("an admin address")));
    let text = text.and_then(|answer| answer.text()).expect("metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0.0, |value| value.trim().parse().expect("a number"))
}

#[test]
fn a_rebound_name_reaches_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = start(
        folder.path(),
        "public_url = \"http://surge.example\"\nallowed_hosts = [\"noc.example\"]\n",
    );
    let paths = ["/", "/docs", "/openapi.json", "/assets/app.js", "/api/v1/status", "/nothing"];
    for host in
        ["evil.example", "127.0.0.1.evil.example:8080", "localhost.evil.example", "10.1.2.3"]
    {
        for path in paths {
            let refused = answer(program.request(Method::GET, path).header(HOST, host));
            assert_eq!(refused.status, 421, "{host} {path}: {refused:?}");
            let detail = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
            assert!(detail.contains("server.allowed_hosts"), "{detail}");
        }
        let body = ticket("rebound").to_string();
        let refused =
            answer(program.request(Method::POST, "/api/v1/events").header(HOST, host).body(body));
        assert_eq!(refused.status, 421, "{refused:?}");
    }
    for host in ["localhost:1", "127.0.0.1", "[::1]:9", "surge.example", "NOC.example:8443"] {
        let found = answer(program.request(Method::GET, "/api/v1/status").header(HOST, host));
        assert_eq!(found.status, 200, "{host}: {found:?}");
    }
    // The admin listener only reads.
    let said = program.said();
    let admin = said.split_whitespace().filter(|word| word.starts_with("http://")).nth(1);
    let client = reqwest::blocking::Client::new();
    let live = client.get(format!("{}/live", admin.expect("admin"))).header(HOST, "evil.example");
    assert_eq!(live.send().expect("an answer").status().as_u16(), 200);
    assert!(metric(&program, "surgecast_http_refused_total{reason=\"host\"} ") >= 28.0);
    assert!(program.said().contains("server.allowed_hosts"), "{}", program.said());

    // With tokens, the list is checked where it is set.
    let folder = tempfile::tempdir().expect("a folder");
    let status = |program: &Program| {
        let asked = program.request(Method::GET, "/api/v1/status").header(HOST, "evil.example");
        answer(asked.bearer_auth(BOARD)).status
    };
    let open = guarded(folder.path(), "");
    assert_eq!(status(&open), 200);
    drop(open);
    let listed = guarded(folder.path(), "allowed_hosts = [\"noc.example\"]\n");
    assert_eq!(status(&listed), 421);
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = serve(folder.path(), "", &[]);
    let own = program.url.clone();
    let adjustment = json!({"id": "x", "label": "x", "kind": "campaign", "starts_at": "2026-12-01T01:00:00Z",
        "ends_at": "2026-12-01T02:00:00Z", "factor": 0.0, "by": "x"});
    let work =
        json!({"id": "x", "starts_at": "2026-12-01T01:00:00Z", "ends_at": "2026-12-01T02:00:00Z"});
    let writes = [
        (Method::POST, "/api/v1/events", ticket("crossed")),
        (Method::POST, "/api/v1/adjustments", adjustment),
        (Method::DELETE, "/api/v1/adjustments/x", json!({})),
        (Method::POST, "/api/v1/maintenance", work),
        (Method::DELETE, "/api/v1/maintenance/x", json!({})),
        (Method::PUT, "/api/v1/roster", json!([])),
        (Method::POST, "/api/v1/alerts/x/ack", json!({"by": "x"})),
        (Method::POST, "/api/v1/alerts/x/feedback", json!({"useful": true})),
        (Method::POST, "/api/v1/forget", json!({"customer": "x"})),
        (Method::POST, "/login", json!({})),
        (Method::POST, "/logout", json!({})),
    ];
    let site = |value| ("sec-fetch-site", value);
    let foreign = [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        site("cross-site"),
    ];
    for (method, path, body) in &writes {
        for (name, value) in foreign {
            let request = program.request(method.clone(), path).header(name, value);
            // What a page can send without asking first.
            let request = request.header("content-type", "text/plain").body(body.to_string());
            let refused = answer(request);
            assert_eq!(refused.status, 403, "{method} {path} {value}: {refused:?}");
            assert!(refused.kind.starts_with("application/problem+json"), "{refused:?}");
        }
    }
    let (method, path, body) = &writes[3];
    for (name, value) in [("origin", own.as_str()), site("same-origin"), site("none")] {
        let request = program.request(method.clone(), path).header(name, value);
        let request = request.header("content-type", "application/json").body(body.to_string());
        assert_eq!(answer(request).status, 201, "{name}: {value}");
    }
    assert_eq!(program.get("/api/v1/adjustments").json(), json!([]));
    // Reading is left to the browser's rules: no answer allows another origin.
    let read =
        program.request(Method::GET, "/api/v1/status").header(ORIGIN, "https://evil.example");
    let read = read.send().expect("an answer");
    assert!(read.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
}

#[test]
fn a_browser_signs_in_and_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = guarded(folder.path(), "public_url = \"https://noc.example/surge\"\n");
    let http = reqwest::blocking::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("client");
    let url = |path: &str| format!("{}{path}", program.url);
    for path in ["/login", "/surge/login"] {
        let page = http.get(url(path)).send().and_then(|page| page.text()).expect("a page");
        for part in ["action=\"/surge/login\"", "href=\"/surge/assets/app.css\"", "Sign in"] {
            assert!(page.contains(part), "{path}: {page}");
        }
    }
    let index = http.get(url("/surge/")).send().and_then(|page| page.text()).expect("a page");
    assert!(
        index.contains("src=\"/surge/assets/app.js\"") && !index.contains("\"/assets"),
        "{index}"
    );
    assert!(index.contains("data-sign-out>"), "{index}");
    assert_eq!(http.get(url("/surge/assets/app.js")).send().expect("an answer").status(), 200);
    let moved = http.get(url("/surge")).send().expect("an answer");
    assert_eq!(moved.headers()[LOCATION], "/surge/");

    let sign_in = |token: &str| {
        let form = format!("token={token}");
        let request = http.post(url("/surge/login")).header("accept", "text/html").body(form);
        request.header("content-type", "application/x-www-form-urlencoded").send().expect("answer")
    };
    let failed = sign_in("not-a-token-0123456789");
    assert_eq!(failed.status(), 401);
    assert!(failed.headers().get(SET_COOKIE).is_none());
    assert!(failed.text().expect("text").contains("This token is not known."));
    let signed = sign_in(LEAD);
    assert_eq!(
        (signed.status().as_u16(), &signed.headers()[LOCATION]),
        (303, &"/surge/".parse().expect("a value"))
    );
    let cookie = signed.headers()[SET_COOKIE].to_str().expect("text").to_owned();
    for part in ["; Path=/surge/", "; HttpOnly", "; SameSite=Strict", "; Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    let status = |cookie: &str| {
        let request = http.get(url("/surge/api/v1/status")).header(COOKIE, cookie);
        request.send().expect("an answer").status().as_u16()
    };
    assert_eq!((status(&cookie), status("surgecast_token=x")), (200, 401));
    assert_eq!(
        http.get(url("/logout")).send().expect("an answer").status(),
        405,
        "a GET changes nothing"
    );
    let out = http.post(url("/surge/logout")).header(COOKIE, &cookie).send().expect("an answer");
    assert_eq!(out.status(), 303);
    let removed = out.headers()[SET_COOKIE].to_str().expect("text").to_owned();
    assert!(removed.starts_with("surgecast_token=;") && removed.contains("Max-Age=0"), "{removed}");
    assert!(!program.said().contains(LEAD));
}

#[test]
fn a_flood_of_bad_sign_ins_locks_nobody_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = guarded(folder.path(), "");
    let results = std::thread::scope(|scope| {
        let flood = (0..150).map(|n| {
            let program = &program;
            scope.spawn(move || {
                let wrong = format!("wrong-{n}-0123456789abcdef");
                let request = program.request(Method::GET, "/api/v1/status").bearer_auth(wrong);
                request.send().expect("an answer").status().as_u16()
            })
        });
        let flood: Vec<_> = flood.collect();
        let good = program.request(Method::GET, "/api/v1/status").bearer_auth(BOARD);
        assert_eq!(answer(good).status, 200);
        flood.into_iter().map(|one| one.join().expect("it ends")).collect::<Vec<u16>>()
    });
    assert!(results.iter().all(|status| [401, 429].contains(status)), "{results:?}");
    assert!(results.contains(&401), "{results:?}");
    assert_eq!(metric(&program, "surgecast_http_refused_total{reason=\"token\"} "), 150.0);
    let said = program.said();
    assert_eq!(said.matches("sign-in with an unknown token").count(), 1, "{said}");
    assert!(said.contains("127.0.0.1") && !said.contains("wrong-"), "{said}");
}

#[test]
fn tokens_are_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = guarded(folder.path(), "");
    let file = folder.path().join("tokens.toml");
    let status = |token: &str| {
        answer(program.request(Method::GET, "/api/v1/series").bearer_auth(token)).status
    };
    assert_eq!(status(BOARD), 200);
    std::fs::write(&file, tokens(&[("new", "\"read\"", "new-0123456789abcdef")])).expect("tokens");
    program.wait_for("/login", |_| status("new-0123456789abcdef") == 200);
    assert_eq!(status(BOARD), 401);
    // A file that cannot be used changes nothing, and SIGHUP does not end the service.
    std::fs::write(&file, "[[tokens]]\n").expect("tokens");
    let pid = program.pid().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().expect("kill runs").success());
    program.wait_for("/login", |_| program.said().contains("cannot be read again"));
    assert_eq!(status("new-0123456789abcdef"), 200);
}

#[test]
fn half_open_connections_keep_nobody_out_and_do_not_delay_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = start(folder.path(), "connections = 128\n");
    let address = program.url.trim_start_matches("http://").to_owned();
    let open = |text: &str| {
        let mut stream = TcpStream::connect(&address).expect("a connection");
        stream.write_all(text.as_bytes()).expect("written");
        stream
    };
    let mut half: Vec<TcpStream> =
        (0..50).map(|_| open("GET /api/v1/status HTTP/1.1\r\nHost: x")).collect();
    half.extend((0..50).map(|_| open("")));
    let head = "POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{";
    let slow = open(head);
    assert_eq!(program.get("/api/v1/status").status, 200);
    assert_eq!(program.post("/api/v1/events", ticket("t").to_string()).status, 202);
    // Each is closed by the service: reading ends.
    for stream in &mut half {
        stream.set_read_timeout(Some(Duration::from_secs(100))).expect("a limit");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("it is closed");
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&rest));
    }
    let _stream = program.request(Method::GET, "/api/v1/stream").send().expect("a stream");
    #[allow(clippy::disallowed_methods, reason = "the end has a time limit")]
    let begun = Instant::now();
    let (status, said) = program.interrupt();
    assert!(status.success(), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{said}");
    drop(slow);
}

#[test]
fn packed_bodies_are_unpacked_within_the_limit() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().expect("a folder");
    let program = serve(folder.path(), "[limits]\nbody_bytes = 65536\n", &[]);
    let gzip = |bytes: &[u8]| {
        let mut child = Command::new("gzip")
            .arg("-c")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("gzip runs");
        let mut input = child.stdin.take().expect("its input");
        let bytes = bytes.to_vec();
        let writer = std::thread::spawn(move || input.write_all(&bytes));
        let packed = child.wait_with_output().expect("packed").stdout;
        writer.join().expect("it ends").expect("written");
        packed
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 3).expect("packed");
    let post = |encoding: &str, body: Vec<u8>| {
        let request = program.request(Method::POST, "/api/v1/events");
        answer(request.header("content-encoding", encoding).body(body))
    };
    let event = ticket("packed").to_string();
    let bomb = vec![b' '; 64 << 20];
    // Two members, as from `cat a.gz b.gz`: both events count.
    let members = [gzip(event.as_bytes()), gzip(ticket("second").to_string().as_bytes())].concat();
    let found = post("gzip", members);
    assert_eq!((found.status, &found.json()["accepted"]), (202, &json!(2)), "{found:?}");
    let cases: [(&str, Vec<u8>, u16); 10] = [
        ("gzip", gzip(event.as_bytes()), 202),
        ("zstd", zstd(event.as_bytes()), 202),
        ("identity", event.clone().into_bytes(), 202),
        ("gzip", gzip(&bomb), 413),
        ("zstd", zstd(&bomb), 413),
        ("gzip", event.clone().into_bytes(), 400),
        ("zstd", event.clone().into_bytes(), 400),
        ("br", event.clone().into_bytes(), 415),
        ("gzip, gzip", gzip(&gzip(event.as_bytes())), 415),
        ("deflate", event.clone().into_bytes(), 415),
    ];
    for (encoding, body, status) in cases {
        let found = post(encoding, body);
        assert_eq!(found.status, status, "{encoding}: {found:?}");
        let is_problem = found.kind.starts_with("application/problem+json");
        assert_eq!(is_problem, status != 202, "{encoding}: {found:?}");
    }
}

#[test]
fn a_body_that_is_refused_as_a_whole_gets_422() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = serve(folder.path(), "", &[]);
    let bad = json!({"kind": "ticket", "event_id": "t"});
    let good = ticket("good");
    let nothing = json!({"kind": "ticket", "event_id": "u", "ts": "2026-03-28T10:00:00Z", "action": "update"});
    let cases: [(String, u16, u64, usize); 8] = [
        (bad.to_string(), 422, 0, 1),
        (json!([bad, bad]).to_string(), 422, 0, 2),
        (format!("{bad}\nno json\n"), 422, 0, 2),
        (json!([bad, good]).to_string(), 202, 1, 1),
        (good.to_string(), 202, 1, 0),
        // A duplicate, and events that are known to be no arrival.
        (good.to_string(), 202, 1, 0),
        (nothing.to_string(), 202, 1, 0),
        (json!([nothing, bad]).to_string(), 202, 1, 1),
    ];
    let mut rejected_all = 0;
    for (body, status, accepted, rejected) in cases {
        let found = program.post("/api/v1/events", body.clone());
        assert_eq!(found.status, status, "{body}: {found:?}");
        let said = found.json();
        assert_eq!(said["accepted"], accepted, "{body}: {said}");
        assert_eq!(said["rejected"].as_array().map(Vec::len), Some(rejected), "{body}: {said}");
        rejected_all += rejected;
        if status == 422 {
            assert!(found.kind.starts_with("application/problem+json"), "{found:?}");
            assert_eq!(said["status"], 422, "{said}");
        }
    }
    program.wait_for("/api/v1/status", |status| {
        let letters = status["dead_letters"].as_object();
        let sum: u64 = letters.into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
        sum == rejected_all as u64
    });
}

#[test]
fn names_and_lists_of_alarms_cannot_forge_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = serve(folder.path(), "", &[]);
    let odd = [
        "x\nDo: call 555",
        "x\u{202e}y",
        "x\u{2028}y",
        "x\u{1b}[2J",
        "x\u{9b}y",
        "x\u{7f}",
        "x\u{2066}y",
    ];
    for text in odd {
        let adjustment = json!({"id": "a", "label": "billing", "kind": "billing", "factor": 1.5, "by": text,
            "starts_at": "2026-12-01T01:00:00Z", "ends_at": "2026-12-01T02:00:00Z"});
        for key in ["by", "label", "id"] {
            let mut given = adjustment.clone();
            given["by"] = json!("Li");
            given[key] = json!(text);
            let request = program.request(Method::POST, "/api/v1/adjustments").json(&given);
            let refused = answer(request);
            assert_eq!(refused.status, 400, "{key} {text:?}: {refused:?}");
            let detail = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
            assert!(detail.starts_with(&format!("{key}: ")), "{detail}");
        }
        let by = program.request(Method::POST, "/api/v1/alerts/x/ack").json(&json!({"by": text}));
        assert_eq!(answer(by).status, 400, "{text:?}");
        let mut event = ticket("t");
        event["region"] = json!(text);
        let refused = program.post("/api/v1/events", event.to_string());
        assert_eq!(refused.status, 422, "{text:?}: {refused:?}");
        assert!(
            !refused.json()["detail"].as_str().unwrap_or_default().contains(text),
            "{refused:?}"
        );
        let alarm = json!({"kind": "alarm", "event_id": text.len().to_string(), "alarm_id": "a1", "action": "raise",
            "ts": "2026-03-28T10:00:00Z", "severity": "critical", "region": "north", "service": "mobile",
            "device": text, "alarm_type": text});
        assert_eq!(program.post("/api/v1/events", alarm.to_string()).status, 202);
    }
    let (status, said) = program.interrupt();
    assert!(status.success(), "{said}");
    assert!(!said.lines().any(|line| line.starts_with("Do:")), "{said}");
}

#[test]
fn the_audit_trail_names_the_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = guarded(folder.path(), "");
    let send = |method: Method, path: &str, body: Value| {
        answer(program.request(method, path).bearer_auth(LEAD).json(&body))
    };
    let entry = |by: Value| {
        json!({"id": "bill", "label": "billing", "kind": "billing", "factor": 1.5, "by": by,
            "starts_at": "2026-12-01T01:00:00Z", "ends_at": "2026-12-01T02:00:00Z"})
    };
    let entered = send(Method::POST, "/api/v1/adjustments", entry(json!("someone else")));
    assert_eq!((entered.status, &entered.json()["by"]), (201, &json!("Li")), "{entered:?}");
    assert_eq!(send(Method::DELETE, "/api/v1/adjustments/bill", json!({})).status, 204);
    let work =
        json!({"id": "w", "starts_at": "2026-12-01T01:00:00Z", "ends_at": "2026-12-01T02:00:00Z"});
    assert_eq!(send(Method::POST, "/api/v1/maintenance", work).status, 201);
    assert_eq!(send(Method::DELETE, "/api/v1/maintenance/w", json!({})).status, 204);
    assert_eq!(send(Method::DELETE, "/api/v1/maintenance/unknown", json!({})).status, 404);
    assert_eq!(send(Method::PUT, "/api/v1/roster", json!([])).status, 204);
    let read =
        |token: &str, path: &str| answer(program.request(Method::GET, path).bearer_auth(token));
    assert_eq!(read(BOARD, "/api/v1/audit").status, 403);
    let trail = read(LEAD, "/api/v1/audit").json();
    let acts: Vec<(&str, &str)> = trail
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| {
            assert_eq!(
                (&entry["who"], &entry["signed_in"]),
                (&json!("Li"), &json!(true)),
                "{entry}"
            );
            (entry["act"].as_str().expect("act"), entry["subject"].as_str().expect("subject"))
        })
        .collect();
    let expected = [
        ("roster_replaced", "roster"),
        ("work_cancelled", "w"),
        ("work_planned", "w"),
        ("adjustment_removed", "bill"),
        ("adjustment_entered", "bill"),
    ];
    assert_eq!(acts, expected);
    assert_eq!(trail[4]["detail"], "name given: someone else");
    let page = answer(program.request(Method::GET, "/api/v1/audit?limit=2").bearer_auth(LEAD));
    assert_eq!(page.json().as_array().map(Vec::len), Some(2));
    let done =
        surgecast(&["audit", "--config", "surgecast.toml"]).current_dir(folder.path()).output();
    let printed = String::from_utf8(done.expect("it runs").stdout).expect("UTF-8");
    assert_eq!(printed.lines().count(), 5, "{printed}");
    assert!(printed.contains("Li") && printed.contains("adjustment_entered"), "{printed}");
}

#[test]
fn lists_are_given_in_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = serve(folder.path(), "", &[]);
    // 30 hours of quarters and one series: 120 windows, times 8 with roll-ups; and a second series.
    let mut lines = String::new();
    for quarter in 0..120 {
        let ts =
            chrono::DateTime::from_timestamp(1_774_692_000 + quarter * 900, 0).expect("a time");
        for region in ["north", "south"] {
            let mut event = ticket(&format!("{region}-{quarter}"));
            (event["ts"], event["region"]) = (json!(ts.to_rfc3339()), json!(region));
            lines += &format!("{event}\n");
        }
    }
    assert_eq!(program.post("/api/v1/events", lines).status, 202);
    let span = "/api/v1/windows?from=2026-03-28T00:00:00Z&to=2026-03-30T00:00:00Z";
    let one = format!("{span}&region=south&service=mobile&channel=phone");
    program.wait_for(&one, |found| {
        let found = found.as_array().into_iter().flatten();
        found.filter_map(|window| window["tickets"].as_u64()).sum::<u64>() == 120
    });
    // Both regions end at the same window: then nothing changes any more.
    program.wait_for("/api/v1/series?limit=100", |found| {
        let found = found.as_array().into_iter().flatten();
        let ends: std::collections::BTreeSet<_> =
            found.map(|row| row["last_window"].to_string()).collect();
        ends.len() == 1
    });
    let first = program.request(Method::GET, span).send().expect("an answer");
    let link = first.headers()["link"].to_str().expect("text").to_owned();
    assert!(link.starts_with("</api/v1/windows?from=") && link.ends_with("rel=\"next\""), "{link}");
    let count = |page: &[Value]| -> usize {
        page.iter().map(|row| row["windows"].as_array().map_or(0, Vec::len)).sum()
    };
    let page: Vec<Value> = first.json().expect("a list");
    assert_eq!(count(&page), 1000);
    let all = program.all(span);
    let mut seen = std::collections::BTreeSet::new();
    for row in &all {
        let key = format!("{}/{}/{}", row["region"], row["service"], row["channel"]);
        for window in row["windows"].as_array().expect("windows") {
            assert!(
                seen.insert((key.clone(), window["start"].to_string())),
                "twice: {key} {window}"
            );
        }
    }
    let south = "\"south\"/\"mobile\"/\"phone\"";
    let wanted = program.all(&one).len();
    assert!(wanted >= 120, "{wanted}");
    assert_eq!(seen.iter().filter(|(key, _)| key == south).count(), wanted);
    assert!(seen.len() > 1000, "{}", seen.len());
    let limited = program.all(&format!("{span}&limit=50"));
    assert!(limited.iter().all(|row| row["windows"].as_array().map_or(0, Vec::len) <= 50));
    // Windows may be finalized between two requests: only the names are the same.
    let names = |path: &str| {
        let name = |row: &Value| ["region", "service", "channel"].map(|part| row[part].to_string());
        program.all(path).iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names("/api/v1/series?limit=5"), names("/api/v1/series"));
    assert_eq!(names("/api/v1/outlook?limit=5"), names("/api/v1/outlook"));
}

#[test]
fn the_api_speaks_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let config = "[server]\nlisten = \"127.0.0.1:0\"\ntls_cert_file = \"cert.pem\"\ntls_key_file = \"key.pem\"\n\
                  [admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"store\"\n";
    std::fs::write(folder.path().join("surgecast.toml"), config).expect("config");
    let checked =
        surgecast(&["check", "--config", "surgecast.toml"]).current_dir(folder.path()).output();
    assert!(checked.expect("it runs").status.success());
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    command.current_dir(folder.path()).stdin(Stdio::null());
    // The first address without TLS is the admin's.
    let program = Program::start_command(command);
    let said = program.said();
    let url = said.split_whitespace().find(|word| word.starts_with("https://"));
    let url = format!("{}/api/v1/status", url.expect("an address"));
    let pem = std::fs::read(folder.path().join("cert.pem")).expect("the certificate");
    let trusted = reqwest::Certificate::from_pem(&pem).expect("a certificate");
    let http =
        reqwest::blocking::Client::builder().tls_certs_merge([trusted]).build().expect("client");
    assert_eq!(http.get(&url).send().expect("an answer").status().as_u16(), 200);
    let plain = reqwest::blocking::get(url.replace("https", "http"));
    assert!(plain.is_err(), "{plain:?}");
}

/// A limit on the size of files simulates a full disk.
#[test]
fn a_full_disk_answers_507_to_every_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"store\"\n";
    std::fs::write(folder.path().join("surgecast.toml"), config).expect("config");
    let program = env!("CARGO_BIN_EXE_surgecast");
    let script = format!("trap '' XFSZ; exec {program} serve --config surgecast.toml");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder.path()).stdin(Stdio::null());
    let program = Program::start_command(command);
    let limited = Command::new("prlimit")
        .args(["--pid", &program.pid().to_string(), "--fsize=4096"])
        .status()
        .expect("prlimit runs");
    assert!(limited.success());
    let long = "x".repeat(900);
    let changes = [
        (Method::POST, "/api/v1/events", ticket("full")),
        (
            Method::POST,
            "/api/v1/adjustments",
            json!({"id": "x", "label": "x", "kind": "campaign", "starts_at": "2026-12-01T01:00:00Z",
                "ends_at": "2026-12-01T02:00:00Z", "factor": 1.0, "by": "x", "note": long}),
        ),
        (
            Method::POST,
            "/api/v1/maintenance",
            json!({"id": "x", "starts_at": "2026-12-01T01:00:00Z", "ends_at": "2026-12-01T02:00:00Z"}),
        ),
        (
            Method::PUT,
            "/api/v1/roster",
            json!([{"region": "north", "service": "mobile", "channel": "phone", "start": "2026-12-01T01:00:00Z",
                "end": "2026-12-01T02:00:00Z", "agents": 3}]),
        ),
    ];
    for (method, path, body) in changes {
        let refused = answer(program.request(method.clone(), path).json(&body));
        assert_eq!(refused.status, 507, "{method} {path}: {refused:?}");
        assert!(refused.kind.starts_with("application/problem+json"), "{refused:?}");
    }
    assert_eq!(program.get("/api/v1/status").status, 200);
}

#[test]
fn files_of_the_store_belong_to_their_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let program = serve(folder.path(), "", &[]);
    assert_eq!(program.post("/api/v1/events", ticket("t").to_string()).status, 202);
    let files = std::fs::read_dir(folder.path().join("store")).expect("the store");
    for file in files.map(|file| file.expect("a file")) {
        let mode = file.metadata().expect("its mode").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
    let tokens_are_open = guarded(tempfile::tempdir().expect("a folder").path(), "");
    assert!(tokens_are_open.said().contains("chmod"), "{}", tokens_are_open.said());
}
