//! `surgecast replay` against a small HTTP server that sometimes refuses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

struct Request {
    head: String,
    body: String,
}

/// A server that sends `answers` in order. Returns its URL and, when the thread ends, the requests.
fn serve(answers: Vec<(&'static str, &'static str)>) -> (String, thread::JoinHandle<Vec<Request>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let server = thread::spawn(move || {
        let answer = |(status, body): (&str, &str)| {
            let (stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a header");
                if line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                head.push_str(&line);
            }
            let mut bytes = vec![0; length];
            reader.read_exact(&mut bytes).expect("a body");
            let reply = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nretry-after: 0\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            reader.get_mut().write_all(reply.as_bytes()).expect("answered");
            Request { head, body: String::from_utf8(bytes).expect("UTF-8") }
        };
        answers.into_iter().map(answer).collect()
    });
    (url, server)
}

/// Replays two files. Returns exit code, standard output and standard error.
fn replay(url: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    let ticket = r#"{"kind":"ticket","event_id":"t1","ts":"2026-01-01T10:00:00Z"}"#;
    let alarm = r#"{"kind":"alarm","event_id":"a1","ts":"2026-01-01T09:00:00Z"}"#;
    let work = r#"{"kind":"maintenance","event_id":"m1","ts":"2026-01-01T11:00:00Z","starts_at":1767312000,"ends_at":"2026-01-02T02:00:00Z"}"#;
    write("tickets.ndjson", &format!("{ticket}\nbroken\n")).expect("written");
    write("others.ndjson", &format!("{alarm}\n{work}\n")).expect("written");
    write("token", "t0ken\n").expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_surgecast"));
    command.current_dir(folder.path()).args(["replay", "tickets.ndjson", "others.ndjson"]);
    let output = command.args(["--url", url]).args(more).output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_batch_is_sent_until_it_is_accepted() {
    let accepted =
        r#"{"accepted":2,"rejected":[{"index":1,"reason":"late: its window had closed"}]}"#;
    let (url, server) = serve(vec![("503 Busy", ""), ("429 Slow", ""), ("202 Accepted", accepted)]);
    let (code, out, err) = replay(&url, &["--token-file", "token"]);
    let requests = server.join().expect("the server");
    assert_eq!(code, Some(0), "{err}");
    let [first, _, last] = &requests[..] else { panic!("{} requests", requests.len()) };
    assert_eq!(first.body, last.body);
    assert!(last.head.starts_with("POST /api/v1/events "), "{}", last.head);
    assert!(last.head.to_lowercase().contains("authorization: bearer t0ken"), "{}", last.head);
    let ids: Vec<&str> = last.body.lines().map(|line| &line[10..]).collect();
    assert!(ids[0].contains("a1") && ids[1].contains("t1") && ids[2].contains("m1"), "{ids:?}");
    assert!(err.contains("tickets.ndjson:1: rejected: late: its window had closed"), "{err}");
    assert!(err.contains("tickets.ndjson:2: rejected: not JSON"), "{err}");
    assert!(!err.contains("t0ken"), "{err}");
    insta::assert_snapshot!(out, @"4 events read, 2026-01-01T09:00:00Z to 2026-01-01T11:00:00Z: 2 accepted, 2 rejected, 2 retries");
}

#[test]
fn rebase_shifts_all_times_by_the_same_whole_days() {
    let (url, server) = serve(vec![("202 Accepted", r#"{"accepted":3,"rejected":[]}"#)]);
    let (code, _, err) = replay(&url, &["--rebase", "now"]);
    let requests = server.join().expect("the server");
    assert_eq!(code, Some(0), "{err}");
    let events: Vec<serde_json::Value> =
        requests[0].body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ts = |i: usize| events[i]["ts"].as_str().expect("text").to_owned();
    for (i, clock) in ["T09:00:00Z", "T10:00:00Z", "T11:00:00Z"].iter().enumerate() {
        assert!(ts(i).ends_with(clock) && ts(i)[..10] == ts(0)[..10], "{}", ts(i));
    }
    let starts = events[2]["starts_at"].as_i64().expect("a number");
    assert_eq!(starts % 86_400_000, 0, "midnight stays midnight");
}

#[test]
fn a_refusal_names_the_fix() {
    let (url, server) = serve(vec![("401 Unauthorized", "{}")]);
    let (code, _, err) = replay(&url, &[]);
    server.join().expect("the server");
    assert_eq!(code, Some(1));
    assert!(err.contains("--token-file") && err.contains("stopped at others.ndjson:1"), "{err}");
}
