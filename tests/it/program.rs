//! Runs the real program as a child process, with requests over HTTP.
#![allow(clippy::disallowed_methods, reason = "a test waits in real time, up to a limit")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Time limit of waits in which nothing changes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Time limit of waits while something changes: a busy machine catches up slowly.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(480);

/// A running `surgecast`, killed when dropped.
pub struct Program {
    child: Child,
    /// URL of the API, such as `http://127.0.0.1:40123`.
    pub url: String,
    said: Arc<Mutex<String>>,
    http: reqwest::blocking::Client,
}

/// A response: status, content type and body.
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
    /// Starts the program and waits until it prints its address.
    pub fn start(args: &[&str]) -> Self {
        Self::start_command(surgecast(args))
    }

    pub fn start_command(mut command: Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let said = Arc::new(Mutex::new(String::new()));
        let urls = collect_output(&mut child, &said);
        let Ok(url) = urls.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            panic!("no address was printed; output:\n{}", said.lock().expect("said"));
        };
        let http = reqwest::blocking::Client::builder().timeout(PATIENCE).build().expect("client");
        Self { child, url, said, http }
    }

    /// Starts the demo in `folder` on a free port. It goes live on the morning of a working day, unless `args` have
    /// `--live-at`.
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

    /// All rows of a list: follows the links to its next pages.
    pub fn all(&self, path: &str) -> Vec<Value> {
        let (mut rows, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let response = self.http.get(format!("{}{path}", self.url)).send().expect("an answer");
            let link = response.headers().get("link").map(|link| link.to_str().expect("text"));
            next = link.map(|link| link.split(['<', '>']).nth(1).expect("a target").to_owned());
            let page: Vec<Value> = response.json().expect("a list");
            rows.extend(page);
        }
        rows
    }

    /// Like [`Self::get`], but `None` if the program does not answer.
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

    /// Repeats a request until `accepts` returns true for the response, and returns that response. The time limit starts
    /// again whenever the response changes, up to a limit of all.
    pub fn wait_for(&self, path: &str, mut accepts: impl FnMut(&Value) -> bool) -> Value {
        let last = Instant::now() + PATIENCE_IN_ALL;
        let (mut deadline, mut before) = (Instant::now() + PATIENCE, Value::Null);
        loop {
            let found = self.try_get(path).unwrap_or_default();
            if accepts(&found) {
                return found;
            }
            if found != before {
                deadline = last.min(Instant::now() + PATIENCE);
                before.clone_from(&found);
            }
            assert!(
                Instant::now() < deadline,
                "{path} still returns {found}; output of the program:\n{}",
                self.said()
            );
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    /// The output so far: standard output and standard error.
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
        panic!("the program does not stop; output:\n{}", self.said());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request and reads the response.
pub fn answer(request: reqwest::blocking::RequestBuilder) -> Answer {
    let response = request.send().expect("an answer");
    let kind = response.headers().get("content-type").and_then(|v| v.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    Answer { status: response.status().as_u16(), kind, text: response.text().expect("text") }
}

/// What `tests/run` fetches under this name.
#[allow(
    clippy::disallowed_methods,
    reason = "the cache of the tests is where the environment says"
)]
pub fn cached(name: &str) -> PathBuf {
    let of = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let given = of("SURGECAST_CACHE");
    let cache = || of("XDG_CACHE_HOME").map(|cache| cache.join("surgecast"));
    let home = || of("HOME").map(|home| home.join(".cache/surgecast"));
    given.or_else(cache).or_else(home).expect("HOME is set").join(name)
}

/// Collects the output of the child. Sends the first URL in it through the channel.
fn collect_output(child: &mut Child, said: &Arc<Mutex<String>>) -> Receiver<String> {
    let (sender, urls) = channel();
    let out = child.stdout.take().expect("stdout");
    let err = child.stderr.take().expect("stderr");
    let to = Arc::clone(said);
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                // The caller receives the first URL only.
                let _ = sender.send(url.to_owned());
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
