//! Each kind of receiver against a server that records requests and gives scripted answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver as Inbox, channel};
use std::thread;

use serde_json::Value;

use super::*;
use crate::alert::{AlertSeverity, NotificationKind};
use crate::domain::Timestamp;
use crate::output::pages::test_page;
use crate::text::Language;

/// A request that the server got.
struct Request {
    path: String,
    headers: Vec<(String, String)>,
    body: Value,
    bytes: usize,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

/// Answers each request with the next of these answers: a status line with further lines, and a body.
fn server(answers: Vec<(&'static str, &'static str)>) -> (SocketAddr, Inbox<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = listener.local_addr().expect("an address");
    let (send, inbox) = channel();
    thread::spawn(move || {
        for (head, body) in answers {
            let Ok((stream, _)) = listener.accept() else { return };
            let mut reader = BufReader::new(stream);
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a line");
                if line.trim().is_empty() {
                    break;
                }
                lines.push(line.trim().to_owned());
            }
            let headers: Vec<(String, String)> = lines[1..]
                .iter()
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let bytes = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
            let mut content = vec![0; bytes];
            reader.read_exact(&mut content).expect("a body");
            let path = lines[0].split(' ').nth(1).unwrap_or_default().to_owned();
            let content = serde_json::from_slice(&content).expect("JSON");
            let _ = send.send(Request { path, headers, body: content, bytes });
            let answer = format!(
                "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = reader.get_mut().write_all(answer.as_bytes());
        }
    });
    (address, inbox)
}

fn settings(url: String) -> Settings {
    Settings {
        url: Url(url),
        secret: None,
        public_url: "https://surge.example/cast".into(),
        language: Language::En,
        ca_file: None,
        allow_link_local: false,
        mention: Vec::new(),
        keyword: None,
        from: None,
        to: Vec::new(),
        username: None,
    }
}

fn made(kind: &str, settings: Settings) -> Box<dyn Receiver> {
    let kind = KINDS.iter().find(|known| known.word == kind).expect("a kind");
    (kind.make)(settings).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_767_225_660)
}

/// Delivers a page to a server that gives this answer. Returns the request and the result.
fn deliver(
    kind: &str,
    change: impl FnOnce(&mut Settings),
    answer: (&'static str, &'static str),
) -> (Request, Attempt) {
    let (address, inbox) = server(vec![answer]);
    let mut settings = settings(format!("http://{address}/hook?key=k"));
    change(&mut settings);
    let attempt = made(kind, settings).deliver(&test_page("a", NotificationKind::Firing), now());
    (inbox.recv().expect("a request"), attempt)
}

#[test]
fn a_webhook_has_an_id_of_ascii_and_a_signature_of_what_was_sent() {
    let (request, attempt) =
        deliver("webhook", |s| s.secret = Some(Secret::new("whsec_AAAA")), ("204 No Content", ""));
    assert_eq!(attempt, Attempt::done(Some(204)));
    assert_eq!(request.header("webhook-id"), "a.firing.1");
    assert!(request.header("webhook-signature").starts_with("v1,"));
    assert_eq!(request.body["type"], "alert.firing");
    assert_eq!(request.body["data"]["url"], "https://surge.example/cast/#/alerts/a");
}

#[test]
fn alertmanager_gets_stable_labels_and_an_end() {
    let (address, inbox) = server(vec![("200 OK", ""), ("200 OK", ""), ("200 OK", "")]);
    let receiver = made("alertmanager", settings(format!("http://{address}/am/")));
    let mut page = test_page("a", NotificationKind::Firing);
    assert_eq!(receiver.deliver(&page, now()), Attempt::done(Some(200)));
    let first = inbox.recv().expect("a request");
    assert_eq!(first.path, "/am/api/v2/alerts");
    let alert = &first.body[0];
    assert_eq!(alert["labels"]["region"], "华东");
    assert_eq!(alert["startsAt"], "2026-01-01T00:00:00Z");
    assert_eq!(alert["endsAt"], "2026-01-01T00:11:00Z");

    page = test_page("a", NotificationKind::Escalated);
    page.alert.severity = AlertSeverity::Critical;
    receiver.deliver(&page, now());
    let worse = inbox.recv().expect("a request").body;
    let pairs: Vec<_> = worse
        .as_array()
        .expect("alerts")
        .iter()
        .map(|alert| (alert["labels"]["severity"].clone(), alert["endsAt"].clone()))
        .collect();
    let ends = |severity: &str, at: &str| (Value::from(severity), Value::from(at));
    assert_eq!(
        pairs,
        [ends("critical", "2026-01-01T00:11:00Z"), ends("warning", "2026-01-01T00:01:00Z")]
    );

    receiver.deliver(&test_page("a", NotificationKind::Resolved), now());
    let over = inbox.recv().expect("a request").body;
    assert_eq!(over[0]["endsAt"], "2026-01-01T00:00:00Z");
    assert_eq!(over[0]["labels"], alert["labels"], "the same identity");
}

#[test]
fn pagerduty_is_triggered_and_resolved_under_one_key() {
    let key = |s: &mut Settings| s.secret = Some(Secret::new("R0UTING"));
    let (request, attempt) = deliver("pagerduty", key, ("202 Accepted", r#"{"status":"success"}"#));
    assert_eq!(attempt, Attempt::done(Some(202)));
    let body = &request.body;
    assert_eq!((&body["event_action"], &body["dedup_key"]), (&"trigger".into(), &"a".into()));
    assert_eq!(body["payload"]["severity"], "warning");
    assert_eq!(body["payload"]["source"], "华东/broadband");
    let (_, attempt) = deliver("pagerduty", key, ("400 Bad Request", "{}"));
    assert_eq!(attempt.result.map_err(|refusal| refusal.fault), Err(Fault::Page));
    let problems = (KINDS[2].make)(settings(String::new())).err().expect("a problem");
    assert_eq!(problems[0].0, "secret_file");
}

#[test]
fn slack_and_teams_are_read_beyond_their_status() {
    let fault = |kind, status, body| {
        let (_, attempt) = deliver(kind, |_| (), (status, body));
        attempt.result.map_err(|refusal| refusal.fault)
    };
    assert_eq!(fault("slack", "200 OK", "ok"), Ok(()));
    assert_eq!(fault("slack", "200 OK", "no_text"), Err(Fault::Page));
    assert_eq!(fault("slack", "429 Too Many Requests\r\nretry-after: 7", ""), Err(Fault::Receiver));
    assert_eq!(fault("teams", "202 Accepted", ""), Ok(()));
    let said = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429";
    assert_eq!(fault("teams", "200 OK", said), Err(Fault::Receiver));
    assert_eq!(fault("teams", "200 OK", r#"{"error":{"code":"x"}}"#), Err(Fault::Page));
}

#[test]
fn robots_are_read_by_their_code_and_mention_people() {
    let phone = |s: &mut Settings| s.mention = vec!["13800000000".into()];
    let (request, attempt) =
        deliver("dingtalk", phone, ("200 OK", r#"{"errcode":0,"errmsg":"ok"}"#));
    assert_eq!(attempt, Attempt::done(Some(200)));
    let text = request.body["text"]["content"].as_str().expect("a text");
    assert!(text.ends_with("\n@13800000000"), "{text}");
    assert_eq!(request.body["at"]["atMobiles"][0], "13800000000");
    let busy = r#"{"errcode":130101,"errmsg":"send too fast"}"#;
    let (_, attempt) = deliver("dingtalk", |_| (), ("200 OK", busy));
    let wait = attempt.result.err().and_then(|refusal| refusal.retry_after);
    assert_eq!(wait.map(|wait| wait.as_secs()), Some(600));

    let signed = |s: &mut Settings| {
        s.secret = Some(Secret::new("SEC-test-secret"));
        s.keyword = Some("预警".into());
        s.mention = vec!["all".into()];
    };
    let (request, _) = deliver("dingtalk", signed, ("200 OK", r#"{"errcode":0}"#));
    assert!(request.path.contains("key=k&timestamp=1767225660000&sign="), "{}", request.path);
    assert!(request.body["text"]["content"].as_str().is_some_and(|text| text.contains("预警")));
    assert_eq!(request.body["at"]["isAtAll"], true);
    let (request, attempt) = deliver("feishu", signed, ("200 OK", r#"{"code":0,"msg":"ok"}"#));
    assert_eq!(attempt.result, Ok(()));
    assert_eq!(request.body["timestamp"], "1767225660");
    let text = request.body["content"]["text"].as_str().expect("a text");
    assert!(text.ends_with("<at user_id=\"all\"></at>"), "{text}");
    let busy = ("400 Bad Request\r\nx-ogw-ratelimit-reset: 9", r#"{"code":99991400,"msg":"busy"}"#);
    let (_, attempt) = deliver("feishu", |_| (), busy);
    let refusal = attempt.result.expect_err("refused");
    assert_eq!(
        (refusal.fault, refusal.retry_after.map(|wait| wait.as_secs())),
        (Fault::Receiver, Some(9))
    );

    let (request, attempt) = deliver("wecom", phone, ("200 OK", r#"{"errcode":0}"#));
    assert_eq!(attempt.result, Ok(()));
    assert_eq!(request.body["text"]["mentioned_mobile_list"][0], "13800000000");
    let (_, attempt) =
        deliver("wecom", |_| (), ("200 OK", r#"{"errcode":93000,"errmsg":"invalid"}"#));
    let why = attempt.result.expect_err("refused").why;
    assert_eq!(why, "WeCom answered with the error 93000: invalid");
    assert!(
        (KINDS[6].make)(Settings {
            mention: vec!["1".into()],
            ..settings("http://127.0.0.1/".into())
        })
        .is_err()
    );
}

#[test]
fn long_pages_are_cut_within_each_limit() {
    let mut page = test_page("a", NotificationKind::Firing);
    page.alert.because = (0..400)
        .map(|n| {
            crate::text::Stored::Value(crate::alert::Cause::Adjustment {
                label: format!("华东骨干网第 {n} 段割接，预计影响宽带业务"),
                tickets: 3.0,
            })
        })
        .collect();
    for (kind, answer, max) in [
        ("wecom", r#"{"errcode":0}"#, 2048 + 200),
        ("dingtalk", r#"{"errcode":0}"#, 20_000),
        ("feishu", r#"{"code":0}"#, 20_000),
        ("teams", "", 28_000),
    ] {
        let (address, inbox) = server(vec![("200 OK", answer)]);
        let receiver = made(kind, settings(format!("http://{address}/")));
        assert_eq!(receiver.deliver(&page, now()).result, Ok(()), "{kind}");
        let request = inbox.recv().expect("a request");
        assert!(request.bytes <= max, "{kind}: {} bytes", request.bytes);
        let text = request.body.to_string();
        assert!(text.contains("more lines: follow the link"), "{kind}: {text}");
    }
}

#[test]
fn failures_are_reported_with_their_cause_and_without_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let receiver = made("webhook", settings(format!("http://{address}/secret-key")));
    let attempt = receiver.deliver(&test_page("a", NotificationKind::Firing), now());
    let why = attempt.result.expect_err("refused").why;
    assert!(why.contains("Connection refused"), "{why}");
    assert!(!why.contains("secret-key"), "{why}");
    let (_, attempt) = deliver("webhook", |_| (), ("302 Found\r\nlocation: http://127.0.0.1/", ""));
    let why = attempt.result.expect_err("refused").why;
    assert!(why.contains("redirects are not followed"), "{why}");
    let problems =
        (KINDS[0].make)(settings("http://169.254.169.254/latest".into())).err().expect("a problem");
    assert!(problems[0].1.contains("allow_link_local"), "{problems:?}");
}
