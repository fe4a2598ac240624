//! Pages to a real Alertmanager and to a real mail server.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver as Inbox, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use surgecast::alert::{NotificationKind, test_page};
use surgecast::app::Settings;
use surgecast::clock::WallClock;
use surgecast::config::Flags;
use surgecast::domain::{Clock as _, Name, Scope};

use super::super::program::surgecast;
use super::servers::{free_port, until};

/// A server that is killed when dropped.
struct Server(Child);

impl Server {
    fn start(program: &str, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let package = "tests/run fetches Debian's packages prometheus-alertmanager and chasquid";
        Self(command.spawn().unwrap_or_else(|error| panic!("{program}: {error}: {package}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Takes what Alertmanager sends on.
fn hook() -> (SocketAddr, Inbox<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let (send, inbox) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&mut stream);
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = value.trim().parse().expect("a number");
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = send.send(serde_json::from_slice(&body).expect("JSON"));
        }
    });
    (address, inbox)
}

#[test]
fn alertmanager_notifies_each_alert_once_and_when_it_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let (hook, inbox) = hook();
    let rules = format!(
        "route: {{receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s}}\n\
         receivers: [{{name: hook, webhook_configs: [{{url: 'http://{hook}/'}}]}}]\n"
    );
    fs::write(path.join("alertmanager.yml"), rules).expect("config");
    let listen = format!("127.0.0.1:{}", free_port());
    let (rules, data) = (path.join("alertmanager.yml"), path.join("data"));
    let _server = Server::start(
        "prometheus-alertmanager",
        &[
            &format!("--config.file={}", rules.display()),
            &format!("--storage.path={}", data.display()),
            &format!("--web.listen-address={listen}"),
            "--cluster.listen-address=",
        ],
    );
    let get = |path: &str| {
        let answer = reqwest::blocking::get(format!("http://{listen}{path}")).ok()?;
        answer.status().is_success().then(|| answer.text().unwrap_or_default())
    };
    until("Alertmanager", || get("/-/ready").is_some());
    let config = format!(
        "[[alerts.receivers]]\nname = \"am\"\ntype = \"alertmanager\"\nurl = \"http://{listen}\"\n"
    );
    fs::write(path.join("surgecast.toml"), config).expect("config");
    let settings = Settings::load(&path.join("surgecast.toml"), &Flags::default());
    let receiver = settings.expect("a config").alerts.receivers.remove(0).receiver;
    let name = |name| Name::new(name).expect("a name");
    let scope = Scope { region: name("华东"), service: name("broadband") };
    let now = WallClock.now();
    let firing = test_page(&scope, NotificationKind::Firing, now);
    // A retry, and what is sent every minute, change nothing.
    for _ in 0..2 {
        assert_eq!(receiver.deliver(&firing, WallClock.now()).result, Ok(()));
        assert_eq!(
            receiver.refresh(std::slice::from_ref(&firing.alert), WallClock.now()).result,
            Ok(())
        );
    }
    let alerts: Value =
        serde_json::from_str(&get("/api/v2/alerts").expect("an answer")).expect("JSON");
    let alerts = alerts.as_array().expect("alerts");
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["labels"]["region"], "华东");
    assert_eq!(alerts[0]["annotations"]["alert_id"], firing.alert.id);
    let next = || inbox.recv_timeout(Duration::from_secs(60)).expect("a message");
    assert_eq!(next()["status"], "firing");
    let over = test_page(&scope, NotificationKind::Resolved, now);
    assert_eq!(receiver.deliver(&over, WallClock.now()).result, Ok(()));
    assert_eq!(next()["status"], "resolved");
    let list: Value =
        serde_json::from_str(&get("/api/v2/alerts").expect("an answer")).expect("JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(0), "{list}");
    assert!(inbox.try_recv().is_err(), "nothing is told twice");
}

/// chasquid, with a user, a certificate of its own, and a folder into which it delivers. Returns the port.
fn mail_server(path: &Path) -> (Server, u16) {
    let port = free_port();
    let certs = path.join("certs/127.0.0.1");
    for folder in
        [&certs, &path.join("domains/noc.example"), &path.join("data"), &path.join("mail")]
    {
        fs::create_dir_all(folder).expect("a folder");
    }
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mail"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-keyout", "privkey.pem", "-out", "fullchain.pem"])
        .current_dir(&certs)
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let agent = path.join("deliver");
    let mail = path.join("mail");
    // A mail is complete when its name ends in `.eml`.
    let script = format!(
        "#!/bin/sh\nf=$(mktemp {0}/XXXXXX) && cat > \"$f\" && mv \"$f\" \"$f.eml\"\n",
        mail.display()
    );
    fs::write(&agent, script).expect("a script");
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o700)).expect("a mode");
    let config = format!(
        "hostname: \"127.0.0.1\"\nsmtp_address: \"127.0.0.1:{}\"\nsubmission_address: \"127.0.0.1:{port}\"\n\
         mail_delivery_agent_bin: \"{}\"\nmail_delivery_agent_args: \"%to%\"\ndata_dir: \"{}\"\nmail_log_path: \"<stderr>\"\n",
        free_port(),
        agent.display(),
        path.join("data").display(),
    );
    fs::write(path.join("chasquid.conf"), config).expect("config");
    let folder = path.display().to_string();
    let added = Command::new("chasquid-util")
        .args([
            &format!("--configdir={folder}"),
            "user-add",
            "lead@noc.example",
            "--password=s3cret",
        ])
        .output()
        .expect("chasquid-util runs: tests/run fetches Debian's package chasquid");
    assert!(added.status.success(), "{added:?}");
    let server = Server::start("chasquid", &["-config_dir", &folder]);
    until("the mail server", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    (server, port)
}

#[test]
fn a_mail_server_delivers_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let (_server, port) = mail_server(path);
    let test = |password: &str, keys: &str| {
        fs::write(path.join("password"), password).expect("a file");
        let config = format!(
            "[[alerts.receivers]]\nname = \"mail\"\ntype = \"email\"\nurl = \"smtp://127.0.0.1:{port}\"\n\
             from = \"surgecast <lead@noc.example>\"\nto = [\"Lead <lead@noc.example>\"]\n\
             username = \"lead@noc.example\"\nsecret_file = \"password\"\n{keys}\n"
        );
        fs::write(path.join("surgecast.toml"), config).expect("config");
        let mut command = surgecast(&["page-test", "mail", "--config", "surgecast.toml"]);
        let done = command.current_dir(path).output().expect("it runs");
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let ca = "ca_file = \"certs/127.0.0.1/fullchain.pem\"";
    let (code, said) = test("s3cret", "");
    assert!(code == Some(1) && said.contains("certificate verify failed"), "{said}");
    let (code, said) = test("wrong", ca);
    assert!(code == Some(1) && said.contains("535") && !said.contains("wrong"), "{said}");
    let (code, said) = test("s3cret", ca);
    assert_eq!(code, Some(0), "{said}");
    let mails = || -> Vec<String> {
        let files = fs::read_dir(path.join("mail")).expect("a folder").flatten();
        let done = files.filter(|file| file.path().extension().is_some_and(|end| end == "eml"));
        done.map(|file| fs::read_to_string(file.path()).expect("a mail")).collect()
    };
    until("both mails", || mails().len() == 2);
    let mut mails = mails();
    mails.sort_by_key(|mail| mail.contains("is over"));
    let header = |mail: &str, name: &str| {
        let found = mail.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.map(str::to_owned).unwrap_or_else(|| panic!("{name}: {mail}"))
    };
    assert_eq!(header(&mails[0], "Subject"), "TEST: pages of surgecast reach this receiver");
    assert_eq!(header(&mails[0], "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&mails[0], "To"), "Lead <lead@noc.example>");
    assert_eq!(header(&mails[0], "References"), header(&mails[1], "References"));
    assert_ne!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"));
    assert!(mails[0].contains("#/alerts/page-test."), "{}", mails[0]);
}
