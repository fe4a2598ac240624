//! The real program as a child process, and what one asks it over HTTP.
#![allow(clippy::disallowed_methods, reason = "a test waits by the wall's clock, up to a limit")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `surgecast`, killed when dropped.
pub struct Program {
    child: Child,
    /// Such as `http://127.0.0.1:40123`.
    pub url: String,
    said: Arc<Mutex<String>>,
    http: reqwest::blocking::Client,
}

/// An answer: status, and the body as JSON or as text.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
}

/// A command that runs the program.
pub fn surgecast(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surgecast"));
    command.args(args);
    command
}

impl Program {
    /// Starts the program and waits until it says where it listens.
    pub fn start(args: &[&str]) -> Self {
        Self::start_command(surgecast(args))
    }

    pub fn start_command(mut command: Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let said = Arc::new(Mutex::new(String::new()));
        let urls = listen(&mut child, &said);
        let Ok(url) = urls.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            panic!("no address was printed; it said:\n{}", said.lock().expect("said"));
        };
        let http = reqwest::blocking::Client::builder().timeout(PATIENCE).build().expect("client");
        Self { child, url, said, http }
    }

    /// Starts the demo in `folder` on a free port, on the morning of a working day unless `args` say when.
    pub fn demo(folder: &Path, args: &[&str]) -> Self {
        let data = folder.display().to_string();
        let mut own = vec!["--data", &data, "--listen", "127.0.0.1:0"];
        if !args.contains(&"--live-at") {
            own.extend(["--live-at", "2026-03-10T01:00:00Z"]);
        }
        Self::start(&[&own, args].concat())
    }

    pub fn get(&self, path: &str) -> Answer {
        answer(self.http.get(format!("{}{path}", self.url)))
    }

    /// As [`Self::get`], but `None` where the program is gone or does not answer.
    pub fn try_get(&self, path: &str) -> Option<Value> {
        let response = self.http.get(format!("{}{path}", self.url)).send().ok()?;
        response.json().ok()
    }

    pub fn post(&self, path: &str, body: impl Into<reqwest::blocking::Body>) -> Answer {
        answer(self.http.post(format!("{}{path}", self.url)).body(body))
    }

    pub fn request(
        &self,
        method: reqwest::Method,
        path: &str,
    ) -> reqwest::blocking::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Asks until `accepts` the answer, and returns that one.
    pub fn wait_for(&self, path: &str, mut accepts: impl FnMut(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.try_get(path).unwrap_or_default();
            if accepts(&found) {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "{path} still says {found}; the program said:\n{}",
                self.said()
            );
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    /// What it has printed so far, both streams.
    pub fn said(&self) -> String {
        self.said.lock().expect("said").clone()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it is gone");
    }

    /// Ctrl-C.
    pub fn interrupt(mut self) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().expect("kill runs");
        assert!(sent.success());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("its status") {
                return (status, self.said());
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        panic!("it does not stop; it said:\n{}", self.said());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn answer(request: reqwest::blocking::RequestBuilder) -> Answer {
    let response = request.send().expect("an answer");
    let kind = response.headers().get("content-type").and_then(|v| v.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    Answer { status: response.status().as_u16(), kind, text: response.text().expect("text") }
}

/// Collects what the child prints; the first address it names comes through the channel.
fn listen(child: &mut Child, said: &Arc<Mutex<String>>) -> Receiver<String> {
    let (tell, urls) = channel();
    let out = child.stdout.take().expect("stdout");
    let err = child.stderr.take().expect("stderr");
    let to = Arc::clone(said);
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                // Only the first address is waited for.
                let _ = tell.send(url.to_owned());
            }
            to.lock().expect("said").push_str(&(line + "\n"));
        }
    });
    let to = Arc::clone(said);
    std::thread::spawn(move || {
        for line in BufReader::new(err).lines().map_while(Result::ok) {
            to.lock().expect("said").push_str(&(line + "\n"));
        }
    });
    urls
}
