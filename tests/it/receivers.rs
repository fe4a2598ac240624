//! Receivers of every kind against servers that answer as they should not, and pages that were given up.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Inbox, channel};
use std::thread;
use std::time::Duration;

use native_tls::{Identity, TlsAcceptor};
use surgecast::alert::{Notification, NotificationKind, test_page};
use surgecast::app::Settings;
use surgecast::clock::WallClock;
use surgecast::config::Flags;
use surgecast::domain::{Clock as _, Name, Scope, Timestamp, WindowWidth};
use surgecast::output::receivers::{Attempt, Fault, Receiver};
use surgecast::store::{DeliveryOutcome, Store};

use super::program::{Program, surgecast};

/// Kinds over HTTP, with the body of an answer that means success, and of one that means failure in spite of its status.
const KINDS: [(&str, &str, Option<&str>); 8] = [
    // Their answers have no meaning beyond the status.
    ("webhook", "", None),
    ("alertmanager", "", None),
    (
        "pagerduty",
        r#"{"status":"success","message":"Event processed","dedup_key":"k"}"#,
        Some(r#"{"status":"invalid event","errors":["error 310000"]}"#),
    ),
    ("slack", "ok", Some("no_service: error 310000")),
    (
        "teams",
        "",
        Some("delivery failed: error 310000, Microsoft Teams endpoint returned HTTP error 400"),
    ),
    (
        "dingtalk",
        r#"{"errcode":0,"errmsg":"ok"}"#,
        Some(r#"{"errcode":310000,"errmsg":"sign not match"}"#),
    ),
    ("feishu", r#"{"code":0,"msg":"success"}"#, Some(r#"{"code":310000,"msg":"sign match fail"}"#)),
    ("wecom", r#"{"errcode":0,"errmsg":"ok"}"#, Some(r#"{"errcode":310000,"errmsg":"invalid"}"#)),
];

fn scope() -> Scope {
    let name = |name| Name::new(name).expect("a name");
    Scope { region: name("华东"), service: name("broadband") }
}

/// The receiver of a config with these keys.
fn receiver(folder: &Path, kind: &str, url: &str, keys: &str) -> Box<dyn Receiver> {
    receiver_with("a-secret", folder, kind, url, keys)
}

/// The receiver of a config with these keys and this secret.
pub fn receiver_with(
    secret: &str,
    folder: &Path,
    kind: &str,
    url: &str,
    keys: &str,
) -> Box<dyn Receiver> {
    std::fs::write(folder.join("key"), secret).expect("a file");
    let text = format!(
        "[[alerts.receivers]]\nname = \"it\"\ntype = \"{kind}\"\nurl = \"{url}\"\nsecret_file = \"key\"\n{keys}\n"
    );
    let file = folder.join(format!("{kind}.toml"));
    std::fs::write(&file, text).expect("a file");
    let mut settings = Settings::load(&file, &Flags::default()).expect("a config");
    settings.alerts.receivers.remove(0).receiver
}

pub fn read_request(stream: impl Read) -> String {
    let (head, body) = read_head_and_body(&mut BufReader::new(stream));
    head + &String::from_utf8(body).expect("UTF-8")
}

/// The head of a request and the bytes of its body.
pub fn read_head_and_body(reader: &mut impl BufRead) -> (String, Vec<u8>) {
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return (head, Vec::new());
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a number");
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    (head, body)
}

/// A server on a free port that handles each connection by `handle`.
fn server(handle: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || listener.incoming().flatten().for_each(handle));
    address
}

pub fn answer(mut stream: impl Read + Write, head: &str, body: &str) -> String {
    let request = read_request(&mut stream);
    let length = body.len();
    let text =
        format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    let _ = stream.write_all(text.as_bytes());
    request
}

fn deliver(receiver: &dyn Receiver) -> Attempt {
    let now = WallClock.now();
    receiver.deliver(&test_page(&scope(), NotificationKind::Firing, now), now)
}

#[test]
fn every_kind_reports_what_a_server_did() {
    let folder = tempfile::tempdir().expect("a folder");
    thread::scope(|scope| {
        for (kind, success, failure) in KINDS {
            let folder = folder.path().join(kind);
            scope.spawn(move || {
                std::fs::create_dir(&folder).expect("a folder");
                let told = |handle: Box<dyn Fn(TcpStream) + Send>| {
                    let url = format!("http://{}/hook?token=k3y", server(handle));
                    deliver(&*receiver(&folder, kind, &url, ""))
                };
                let of = |head: &'static str, body: &'static str| {
                    told(Box::new(move |stream| _ = answer(stream, head, body)))
                };
                assert_eq!(of("200 OK", success).result, Ok(()), "{kind}");
                let refusal = |attempt: Attempt| attempt.result.expect_err(kind);
                if let Some(failure) = failure {
                    let why = refusal(of("200 OK", failure)).why;
                    assert!(why.contains("error 310000"), "{kind}: {why}");
                }
                let cases = [
                    (refusal(of("500 Internal Server Error", "oops")), "500"),
                    (refusal(of("503 Service Unavailable", "")), "503"),
                    (refusal(of("302 Found\r\nlocation: http://127.0.0.1:1/", "")), "redirects"),
                    (refusal(told(Box::new(drop))), "error sending request"),
                    // It holds the connection until the test ends.
                    (
                        refusal(told(Box::new(|stream| {
                            thread::spawn(move || hold(stream)).join().unwrap_or(())
                        }))),
                        "timed out",
                    ),
                ];
                for (refusal, part) in cases {
                    assert_eq!(refusal.fault, Fault::Receiver, "{kind}: {refusal:?}");
                    assert!(refusal.why.contains(part), "{kind}: {refusal:?}");
                    assert!(!refusal.why.contains("k3y"), "{kind}: {refusal:?}");
                }
                let busy = refusal(of("429 Too Many Requests\r\nretry-after: 7", ""));
                assert_eq!(busy.retry_after, Some(Duration::from_secs(7)), "{kind}");
                assert_eq!(busy.fault, Fault::Receiver, "{kind}");
            });
        }
    });
}

/// Reads until the other side gives up.
pub fn hold(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn a_certificate_is_trusted_only_by_the_file_that_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(path)
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |file: &str| std::fs::read(path.join(file)).expect("a file");
    let identity = Identity::from_pkcs8(&read("cert.pem"), &read("key.pem")).expect("an identity");
    let acceptor = TlsAcceptor::new(identity).expect("an acceptor");
    let acceptor = Arc::new(acceptor);
    for (kind, success, _) in KINDS {
        let acceptor = acceptor.clone();
        let address = server(move |stream| {
            if let Ok(stream) = acceptor.accept(stream) {
                answer(stream, "200 OK", success);
            }
        });
        let url = format!("https://{address}/hook?token=k3y");
        let refusal = deliver(&*receiver(path, kind, &url, "")).result.expect_err("untrusted");
        assert_eq!(refusal.fault, Fault::Receiver, "{kind}: {refusal:?}");
        let why = refusal.why;
        assert!(why.contains("certificate verify failed") && !why.contains("k3y"), "{kind}: {why}");
        let trusted = receiver(path, kind, &url, "ca_file = \"cert.pem\"");
        assert_eq!(deliver(&*trusted).result, Ok(()), "{kind}");
    }
}

/// A mail server that greets, and gives these answers to the commands in turn. Then it closes the connection.
fn mail_server(answers: &'static [&'static str]) -> SocketAddr {
    server(move |mut stream| {
        let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
        for answer in answers {
            if stream.write_all(format!("{answer}\r\n").as_bytes()).is_err() {
                return;
            }
            if lines.next().is_none() {
                return;
            }
        }
    })
}

#[test]
fn errors_of_a_mail_server_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = "from = \"noc@noc.example\"\nto = [\"lead@noc.example\"]\nusername = \"noc\"";
    let refusal = |address: SocketAddr| {
        let url = format!("smtp://{address}");
        deliver(&*receiver(folder.path(), "email", &url, keys)).result.expect_err("refused")
    };
    const HELLO: &str = "250-noc\r\n250 AUTH PLAIN";
    let cases: [(&'static [&'static str], Fault, &str); 6] = [
        (&[], Fault::Receiver, ""),
        (&["421 too busy"], Fault::Receiver, "421"),
        (&["521 no service"], Fault::Receiver, "521"),
        (&["220 noc", HELLO, "535 wrong password"], Fault::Receiver, "535"),
        (&["220 noc", HELLO, "235 in", "250 ok", "451 try later"], Fault::Receiver, "451"),
        (&["220 noc", HELLO, "235 in", "250 ok", "550 no such user"], Fault::Page, "550"),
    ];
    for (answers, fault, part) in cases {
        let refusal = refusal(mail_server(answers));
        assert_eq!(refusal.fault, fault, "{answers:?}: {refusal:?}");
        assert!(refusal.why.contains(part) && !refusal.why.contains("a-secret"), "{refusal:?}");
    }
    let hangs = refusal(server(|stream| _ = thread::spawn(move || hold(stream)).join()));
    assert_eq!(hangs.fault, Fault::Receiver, "{hangs:?}");
}

fn run(folder: &Path, args: &[&str]) -> Output {
    surgecast(args).current_dir(folder).stdin(Stdio::null()).output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server that takes everything; the requests that it got.
fn taker() -> (SocketAddr, Inbox<String>) {
    let (send, inbox) = channel();
    let address = server(move |stream| _ = send.send(answer(stream, "200 OK", "")));
    (address, inbox)
}

fn config(folder: &Path, address: SocketAddr) {
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"store\"\n\
         [[alerts.receivers]]\nname = \"lead\"\ntype = \"webhook\"\nurl = \"http://{address}/hook?token=k3y\"\n"
    );
    std::fs::write(folder.join("c.toml"), text).expect("config");
}

#[test]
fn a_test_page_shows_whether_a_receiver_is_reached() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, inbox) = taker();
    config(folder.path(), address);
    let done = run(folder.path(), &["page-test", "lead", "--config", "c.toml"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stdout).starts_with("lead (webhook) took a test page"), "{done:?}");
    let bodies: Vec<String> = inbox.try_iter().collect();
    assert_eq!(bodies.len(), 2);
    assert!(bodies[0].contains("\"type\":\"alert.firing\"") && bodies[0].contains("TEST: "));
    assert!(bodies[1].contains("\"type\":\"alert.resolved\"") && bodies[1].contains("is over"));

    let unknown = run(folder.path(), &["page-test", "boss", "--config", "c.toml"]);
    assert_eq!(unknown.status.code(), Some(64));
    assert!(text(&unknown.stderr).contains("no receiver is called `boss`: use lead"));
    config(folder.path(), server(|stream| _ = answer(stream, "403 Forbidden", "")));
    let refused = run(folder.path(), &["page-test", "lead", "--config", "c.toml"]);
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("403 Forbidden") && !said.contains("k3y"), "{said}");
}

/// A page that was given up, in the store of a service that has not run yet.
fn given_up(folder: &Path, now: Timestamp) -> Notification {
    let mut store = Store::open(&folder.join("store"), WindowWidth::QUARTER).expect("a store");
    let page = test_page(&scope(), NotificationKind::Firing, now);
    let mut tx = store.begin().expect("begins");
    tx.put_notification(&page, &["lead"], now).expect("stored");
    let dead = DeliveryOutcome::Dead { at: now, error: "no answer".into() };
    tx.mark_delivery(&page.id, "lead", &dead).expect("stored");
    tx.commit().expect("committed");
    page
}

#[test]
fn a_page_that_was_given_up_is_seen_and_sent_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, inbox) = taker();
    config(folder.path(), address);
    let page = given_up(folder.path(), WallClock.now());
    let listed = |args: &[&str]| {
        let args = [&["pages", "list", "--config", "c.toml"], args].concat();
        let done = run(folder.path(), &args);
        assert!(done.status.success(), "{}", text(&done.stderr));
        text(&done.stdout)
    };
    let dead = listed(&["--state", "dead"]);
    assert!(
        dead.contains(&page.id) && dead.contains("lead") && dead.contains("no answer"),
        "{dead}"
    );
    assert_eq!(listed(&["--state", "delivered"]), "no pages\n");
    assert_eq!(listed(&["--receiver", "boss"]), "no pages\n");
    let shown = run(folder.path(), &["pages", "show", &page.id, "--config", "c.toml"]);
    assert!(text(&shown.stdout).contains("dead at"), "{shown:?}");

    let mut command = surgecast(&["serve", "--config", "c.toml"]);
    command.current_dir(folder.path()).stdin(Stdio::null());
    let program = Program::start_command(command);
    let rows = program.get("/api/v1/pages?state=dead").json();
    assert_eq!(
        (rows[0]["id"].as_str(), &rows[0]["error"]),
        (Some(page.id.as_str()), &"no answer".into())
    );
    assert_eq!(program.get("/api/v1/pages?state=lost").status, 400);
    assert_eq!(program.get("/api/v1/pages/nothing").status, 404);
    let listen = program.url.trim_start_matches("http://").to_owned();
    let resend = |id: &str| {
        run(folder.path(), &["pages", "resend", id, "--config", "c.toml", "--listen", &listen])
    };
    let unknown = resend("nothing");
    assert_eq!(unknown.status.code(), Some(64), "{unknown:?}");
    let sent = resend(&page.id);
    assert!(sent.status.success(), "{}", text(&sent.stderr));
    let request = inbox.recv_timeout(Duration::from_secs(60)).expect("the page");
    assert!(request.contains(&format!("webhook-id: {}", page.id)), "{request}");
    let path = format!("/api/v1/pages/{}", page.id);
    program.wait_for(&path, |rows| rows[0]["state"] == "delivered");
    let audit = program.get("/api/v1/audit").json();
    assert_eq!(audit[0]["act"], "page_resent");
}

#[test]
fn a_receiver_that_hangs_holds_up_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, inbox) = taker();
    config(folder.path(), address);
    let slow = format!(
        "[[alerts.receivers]]\nname = \"slow\"\ntype = \"webhook\"\nurl = \"http://{}/\"\n",
        server(|stream| _ = thread::spawn(move || hold(stream)))
    );
    let file = folder.path().join("c.toml");
    let text = std::fs::read_to_string(&file).expect("config");
    std::fs::write(&file, text + &slow).expect("config");
    let now = WallClock.now();
    let mut store =
        Store::open(&folder.path().join("store"), WindowWidth::QUARTER).expect("a store");
    let mut tx = store.begin().expect("begins");
    let pages: Vec<Notification> = (0..5)
        .map(|n| test_page(&scope(), NotificationKind::Firing, now - Duration::from_secs(n)))
        .collect();
    for page in &pages {
        tx.put_notification(page, &["slow", "lead"], now).expect("stored");
    }
    tx.commit().expect("committed");
    drop(store);

    let mut command = surgecast(&["serve", "--config", "c.toml"]);
    command.current_dir(folder.path()).stdin(Stdio::null());
    let program = Program::start_command(command);
    for page in &pages {
        let request = inbox.recv_timeout(Duration::from_secs(60)).expect("a page");
        assert!(request.contains(&format!("webhook-id: {}\r\n", page.id)), "{request}");
    }
    let waiting = program.get("/api/v1/pages?receiver=slow&state=pending").json();
    assert_eq!(waiting.as_array().map(Vec::len), Some(5), "{waiting}");
}
