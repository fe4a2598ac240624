//! What receivers send, read by programs that are not ours: `tests/receivers/check.py`.

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver as Inbox, channel};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use surgecast::alert::{AlertSeverity, Cause, Notification, NotificationKind, test_page};
use surgecast::clock::WallClock;
use surgecast::domain::{Clock as _, Name, Scope};
use surgecast::output::receivers::{Address, KINDS};
use surgecast::text::Stored;

use crate::program::cached;
use crate::receivers::{read_head_and_body, receiver_with};

/// A kind, its secret, the path and further keys of its config, and the answer that means success. Alertmanager and mail
/// servers are real ones in `real::pages`.
const CASES: [(&str, &str, &str, &str, &str); 7] = [
    ("webhook", "whsec_c3VyZ2VjYXN0IHRlc3RzIG9mIHBhZ2U=", "/hook", "", ""),
    ("pagerduty", "R0UT1NGKEY", "/v2/enqueue", "", r#"{"status":"success"}"#),
    ("slack", "unused", "/services/T/B/x", "", "ok"),
    ("teams", "unused", "/workflows/x", "", ""),
    (
        "dingtalk",
        "SEC-一个 secret+/=",
        "/robot/send?access_token=k3y",
        "mention = [\"13800000000\"]\nkeyword = \"预警\"",
        r#"{"errcode":0}"#,
    ),
    ("feishu", "SEC-一个 secret+/=", "/open-apis/bot/v2/hook/x", "", r#"{"code":0}"#),
    (
        "wecom",
        "unused",
        "/cgi-bin/webhook/send?key=k3y",
        "mention = [\"13800000000\", \"all\"]",
        r#"{"errcode":0}"#,
    ),
];

/// A request that a receiver sent.
#[derive(Clone)]
struct Sent {
    kind: &'static str,
    secret: &'static str,
    path: String,
    headers: Value,
    body: Vec<u8>,
}

impl Sent {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The same request with another body.
    fn with_body(&self, body: impl Into<Vec<u8>>) -> Self {
        let mut changed = self.clone();
        changed.body = body.into();
        changed.headers["content-length"] = changed.body.len().to_string().into();
        changed
    }

    /// The same request without a field, or with another value in it.
    fn with_field(&self, pointer: &str, value: Option<Value>) -> Self {
        let mut body = self.json();
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        let parent = body.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
        assert!(parent.remove(field).is_some(), "{}: {pointer}", self.kind);
        if let Some(value) = value {
            parent.insert(field.into(), value);
        }
        self.with_body(body.to_string())
    }
}

/// Takes requests and gives each the same answer.
fn taker(answer: &'static str) -> (SocketAddr, Inbox<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let (send, inbox) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let request = read_head_and_body(&mut BufReader::new(&stream));
            let length = answer.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
            );
            let _ = stream.write_all(answer.as_bytes());
            if send.send(request).is_err() {
                return;
            }
        }
    });
    (address, inbox)
}

/// A page that begins, a long one whose names look like mark-up, one that is worse, and one that is over.
fn pages() -> Vec<Notification> {
    let now = WallClock.now();
    let scope = Scope {
        region: Name::new("华东 <b> & co").expect("a name"),
        service: Name::new("broadband").expect("a name"),
    };
    let page = |kind, causes: usize| {
        let mut page = test_page(&scope, kind, now);
        page.alert.rule = "understaffed".into();
        page.alert.to = now + Duration::from_secs(3600);
        page.alert.agents_short = 7;
        let cause = |n| Cause::Adjustment {
            label: format!("华东骨干网第 {n} 段割接 <at id=all></at> *😀* \\ \"\n_"),
            tickets: 3.0,
        };
        page.alert.because = (0..causes).map(|n| Stored::Value(cause(n))).collect();
        page
    };
    let mut worse = page(NotificationKind::Escalated, 1);
    worse.alert.severity = AlertSeverity::Critical;
    vec![
        test_page(&scope, NotificationKind::Firing, now),
        page(NotificationKind::Firing, 500),
        worse,
        page(NotificationKind::Resolved, 0),
    ]
}

/// The requests of all kinds for all pages, in both languages.
fn all_sent() -> Vec<Sent> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut all = Vec::new();
    for (kind, secret, path, keys, answer) in CASES {
        let (address, inbox) = taker(answer);
        for language in ["en", "zh"] {
            let keys = format!("language = \"{language}\"\n{keys}");
            let url = format!("http://{address}{path}");
            let receiver = receiver_with(secret, folder.path(), kind, &url, &keys);
            for page in pages() {
                assert_eq!(receiver.deliver(&page, WallClock.now()).result, Ok(()), "{kind}");
                let (head, body) = inbox.recv().expect("a request");
                let mut lines = head.lines();
                let path = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a path");
                let headers = lines.filter_map(|line| line.split_once(": "));
                let headers: serde_json::Map<String, Value> =
                    headers.map(|(name, value)| (name.to_lowercase(), value.into())).collect();
                let (path, headers) = (path.to_owned(), headers.into());
                all.push(Sent { kind, secret, path, headers, body });
            }
        }
    }
    all
}

/// The problems that the script finds with each request.
fn problems(requests: &[Sent]) -> Vec<Vec<String>> {
    let own_url = KINDS.iter().find_map(|kind| match kind.address {
        Address::HttpOrOwn(url) => Some(url),
        _ => None,
    });
    let requests: Vec<Value> = requests
        .iter()
        .map(|sent| {
            json!({
                "kind": sent.kind, "secret": sent.secret, "path": sent.path, "headers": sent.headers,
                "body": BASE64.encode(&sent.body), "own_url": own_url,
            })
        })
        .collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/receivers/check.py");
    let mut python = Command::new(cached("receivers-venv/bin/python"))
        .arg(script)
        .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tests/run installs tests/receivers/requirements.txt into the cache");
    let mut stdin = python.stdin.take().expect("a pipe");
    stdin.write_all(json!(requests).to_string().as_bytes()).expect("it reads");
    drop(stdin);
    let done = python.wait_with_output().expect("it ends");
    assert!(done.status.success());
    serde_json::from_slice(&done.stdout).expect("a list")
}

#[test]
fn programs_that_are_not_ours_accept_every_page_of_every_kind() {
    let sent = all_sent();
    assert_eq!(sent.len(), CASES.len() * 2 * 4);
    let found = problems(&sent);
    assert_eq!(found.len(), sent.len());
    for (sent, problems) in sent.iter().zip(found) {
        let body = String::from_utf8_lossy(&sent.body);
        assert!(problems.is_empty(), "{}: {problems:?}\n{body:.2000}", sent.kind);
    }
}

/// The body up to the middle of its last character of several bytes.
fn cut_in_a_character(body: &[u8]) -> &[u8] {
    let at = body.iter().rposition(|byte| *byte >= 0xc0).expect("a character of several bytes");
    &body[..=at]
}

/// Faults that each service would refuse, or show wrongly.
fn faults(sent: &Sent) -> Vec<(&'static str, Sent)> {
    let signed = |change: &dyn Fn(&mut Sent)| {
        let mut changed = sent.clone();
        change(&mut changed);
        ("a wrong signature", changed)
    };
    let without = |pointer| ("a missing field", sent.with_field(pointer, None));
    let with =
        |pointer, text: String| ("a wrong value", sent.with_field(pointer, Some(text.into())));
    let mut faults = match sent.kind {
        "webhook" => vec![
            signed(&|sent| sent.headers["webhook-signature"] = "v1,AAAA".into()),
            signed(&|sent| sent.headers["webhook-timestamp"] = "1700000000".into()),
            signed(&|sent| sent.headers["webhook-id"] = "another".into()),
            without("/timestamp"),
        ],
        "pagerduty" => vec![
            ("a wrong key", Sent { secret: "another", ..sent.clone() }),
            without("/payload/source"),
            without("/event_action"),
            without("/links/0/href"),
            with("/payload/severity", "bad".into()),
            with("/payload/summary", "长".repeat(1025)),
        ],
        "slack" => vec![
            without("/blocks/0/text"),
            without("/text"),
            with("/blocks/0/type", "paragraph".into()),
            with("/blocks/0/text/text", "长".repeat(3001)),
        ],
        "teams" => vec![
            without("/attachments/0/content/type"),
            without("/attachments/0/contentType"),
            without("/attachments/0/content/body/0/inlines/0/text"),
            with("/attachments/0/content/body/0/inlines/0/weight", "Fat".into()),
            with("/attachments/0/content/body/0/inlines/0/text", "长".repeat(10_000)),
        ],
        "dingtalk" => vec![
            signed(&|sent| sent.path = sent.path.replace("sign=", "sign=A")),
            ("a wrong key", Sent { secret: "SEC-another", ..sent.clone() }),
            without("/at/atMobiles"),
            without("/msgtype"),
            with("/text/content", "长".repeat(7000)),
        ],
        "feishu" => vec![
            signed(&|sent| *sent = sent.with_field("/sign", Some("AAAA".into()))),
            without("/timestamp"),
            without("/msg_type"),
            with("/content/text", "长".repeat(7000)),
        ],
        _ => vec![
            without("/msgtype"),
            without("/text/content"),
            with("/text/content", "长".repeat(683)),
        ],
    };
    faults.push(("a cut character", sent.with_body(cut_in_a_character(&sent.body))));
    faults
}

#[test]
fn the_programs_find_faults_of_every_kind() {
    let sent = all_sent();
    // The long page.
    let of = |kind| sent.iter().filter(move |sent| sent.kind == kind).nth(1);
    let long = CASES.iter().filter_map(|case| of(case.0));
    let (names, faulty): (Vec<_>, Vec<_>) = long.flat_map(faults).unzip();
    assert!(faulty.len() > 35, "{}", faulty.len());
    for ((name, sent), problems) in names.iter().zip(&faulty).zip(problems(&faulty)) {
        assert!(!problems.is_empty(), "{}: {name} was not found: {}", sent.kind, sent.path);
    }
}
