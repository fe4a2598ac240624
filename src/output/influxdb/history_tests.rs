use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;

const HEADER: &str = ",result,table,_time,_value,channel,region,service\r\n";

/// What a server sends: a status, a body, and whether it says how long the whole body is although it ends earlier.
type Sent = (u16, String, bool);

/// Answers one request after the other, and returns the head and the body of each.
fn server(answers: Vec<Sent>) -> (InfluxHistory, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let serve = move |(code, body, is_cut): Sent| {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("text");
            if line.trim().is_empty() {
                break;
            }
            if let Some(found) = line.to_lowercase().strip_prefix("content-length:") {
                length = found.trim().parse().expect("a length");
            }
            head += &line;
        }
        let mut asked = vec![0; length];
        reader.read_exact(&mut asked).expect("a body");
        let told = body.len() + if is_cut { 100 } else { 0 };
        let top =
            format!("HTTP/1.1 {code} X\r\ncontent-length: {told}\r\nconnection: close\r\n\r\n");
        stream.write_all(format!("{top}{body}").as_bytes()).expect("writes");
        format!("{head}{}", String::from_utf8(asked).expect("text"))
    };
    let settings = InfluxSettings {
        url,
        org: "noc".into(),
        bucket: "su\"rge".into(),
        token: Secret::new("writes"),
        warm_start: None,
    };
    let history = InfluxHistory::new(settings, Secret::new("hunter2")).expect("a client");
    (history, std::thread::spawn(move || answers.into_iter().map(serve).collect()))
}

fn span() -> (Timestamp, Timestamp) {
    let from = Timestamp::from_secs(1_767_225_600);
    (from, from + Duration::from_secs(86_400))
}

fn answers(body: &str) -> (InfluxHistory, JoinHandle<Vec<String>>) {
    server(vec![(200, body.into(), false)])
}

#[test]
fn names_of_all_kinds_are_read() {
    let body = format!(
        "{HEADER},_result,0,2026-01-01T00:00:00Z,7,phone,north,\"fibre, 1 Gb\"\r\n\
         ,_result,0,2026-01-01T00:15:00Z,0,phone,north,\"fibre, 1 Gb\"\r\n\
         ,_result,1,2026-01-01T00:00:00Z,300,电话,华北,\"\"\"宽带\"\"\"\r\n\
         ,_result,2,2026-01-01T00:00:00Z,9,phone,a/b,tv\r\n\
         ,_result,3,2026-01-01T00:00:00Z,2,phone,_other,tv\r\n\r\n"
    );
    let (history, server) = answers(&body);
    let found = history.tickets(span()).expect("windows");
    let text: Vec<String> =
        found.iter().map(|(series, windows)| format!("{series} {windows:?}")).collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    _other/tv/phone {Timestamp(1767225600000): 2}
    north/fibre, 1 Gb/phone {Timestamp(1767225600000): 7, Timestamp(1767226500000): 0}
    华北/"宽带"/电话 {Timestamp(1767225600000): 300}
    "#);
    let asked = server.join().expect("it serves").remove(0);
    assert!(asked.starts_with("POST /api/v2/query?org=noc "), "{asked}");
    assert!(asked.to_lowercase().contains("authorization: token hunter2"), "{asked}");
    let (_, body) = asked.split_at(asked.find('{').expect("a body"));
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    insta::assert_snapshot!(body["query"].as_str().expect("a query"), @r#"from(bucket: "su\"rge") |> range(start: 2026-01-01T00:00:00Z, stop: 2026-01-02T00:00:00Z) |> filter(fn: (r) => r._measurement == "tickets" and r._field == "count" and r.region != "_all" and r.service != "_all" and r.channel != "_all") |> keep(columns: ["_time", "_value", "region", "service", "channel"])"#);
}

#[test]
fn an_open_window_is_told_from_a_finalized_one() {
    let body = format!(
        "{HEADER},_result,0,2026-01-01T00:00:00Z,0,_all,_all,_all\r\n\
         ,_result,0,2026-01-01T00:15:00Z,41,_all,_all,_all\r\n\r\n"
    );
    let (history, _server) = answers(&body);
    let starts = history.starts(span()).expect("windows");
    let at = |minutes: u64| span().0 + Duration::from_secs(minutes * 60);
    assert_eq!(starts, BTreeMap::from([(at(0), false), (at(15), true)]));
}

#[test]
fn no_windows_are_an_answer_too() {
    let (history, _server) = answers("\r\n");
    assert_eq!(history.tickets(span()), Ok(BTreeMap::new()));
    let problem = answers("").0.tickets(span());
    assert!(matches!(problem, Err(HistoryProblem::Unavailable(_))), "{problem:?}");
}

#[test]
fn a_part_of_an_answer_is_not_taken_for_the_whole() {
    let row = ",_result,0,2026-01-01T00:00:00Z,7,phone,north,tv\r\n";
    for (body, why) in [
        (format!("{HEADER}{row}"), "it has no end"),
        (format!("{HEADER}{row},_result,0,2026-01"), "other columns than its table"),
        (
            format!("{HEADER}{row}\r\n,error,reference\r\n,memory limit exceeded,897\r\n"),
            "memory limit",
        ),
        (format!("{HEADER}{row}\r\n,error,reference\r\n"), "it has no end"),
    ] {
        let found = answers(&body).0.tickets(span());
        let is_cut = |told: &str| told.contains("is not complete") && told.contains(why);
        assert!(
            matches!(&found, Err(HistoryProblem::Unavailable(told)) if is_cut(told)),
            "{found:?}"
        );
    }
    // The connection ends after a row.
    let (history, _server) = server(vec![(200, format!("{HEADER}{row}\r\n"), true)]);
    let found = history.tickets(span());
    assert!(matches!(&found, Err(HistoryProblem::Unavailable(_))), "{found:?}");
}

#[test]
fn an_answer_of_another_kind_is_invalid() {
    for (row, why) in [
        (",_result,0,yesterday,7,phone,north,tv\r\n\r\n", "is no time"),
        (",_result,0,2026-01-01T00:00:00Z,many,phone,north,tv\r\n\r\n", "is no number"),
        (",_result,0,2026-01-01T00:00:00Z,-1,phone,north,tv\r\n\r\n", "is no number of tickets"),
    ] {
        let found = answers(&format!("{HEADER}{row}")).0.tickets(span());
        assert!(
            matches!(&found, Err(HistoryProblem::Invalid(told)) if told.contains(why)),
            "{found:?}"
        );
    }
    let found = answers(",result,table,_time,_value\r\n\r\n").0.tickets(span());
    assert!(
        matches!(&found, Err(HistoryProblem::Invalid(told)) if told.contains("no column region")),
        "{found:?}"
    );
}

#[test]
fn a_token_that_may_not_read_is_refused() {
    for code in [401, 403, 404] {
        let body = r#"{"code":"not found","message":"could not find bucket"}"#;
        let (history, _server) = server(vec![(code, body.into(), false)]);
        let found = history.series(span());
        let is_told =
            |told: &str| told.contains("may not read bucket") && told.contains("could not find");
        assert!(
            matches!(&found, Err(HistoryProblem::Refused(told)) if is_told(told) && !told.contains("hunter2")),
            "{found:?}"
        );
    }
    let (history, server) = server(vec![(503, "busy".into(), false)]);
    let is_down = |found: Result<_, HistoryProblem>, why: &str| matches!(&found, Err(HistoryProblem::Unavailable(told)) if told.contains(why));
    assert!(is_down(history.series(span()), "answered 503 (busy)"));
    server.join().expect("it serves");
    assert!(is_down(history.series(span()), "no answer from InfluxDB"));
}
