//! A collector of traces for tests. What it gets is read by programs that are not ours: `tests/otlp/read.py`.

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::program::cached;
use crate::receivers::read_head_and_body;

#[derive(Default)]
struct State {
    heads: Vec<String>,
    bodies: Vec<Vec<u8>>,
    /// The status of its answers; 0 for 200.
    status: u16,
}

/// The collector. Its thread ends with the test.
#[derive(Clone)]
pub struct Collector {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let here = Self { address, state: Arc::default() };
        let server = here.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                server.take(stream);
            }
        });
        here
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a lock")
    }

    fn take(&self, mut stream: TcpStream) {
        let (head, body) = read_head_and_body(&mut BufReader::new(&stream));
        let status = {
            let mut state = self.state();
            state.heads.push(head);
            if state.status == 0 {
                state.bodies.push(body);
            }
            state.status
        };
        let status = if status == 0 { 200 } else { status };
        let answer =
            format!("HTTP/1.1 {status} -\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        // The client may be gone.
        let _ = stream.write_all(answer.as_bytes());
    }

    /// From now on it answers with this status, and takes nothing; 0: it takes everything.
    pub fn answers(&self, status: u16) {
        self.state().status = status;
    }

    /// The heads of all requests.
    pub fn heads(&self) -> Vec<String> {
        self.state().heads.clone()
    }

    /// All spans that it took.
    pub fn spans(&self) -> Vec<Value> {
        let bodies = self.state().bodies.clone();
        let (spans, problems) = read(&bodies);
        assert!(problems.is_empty(), "{problems:?}");
        spans
    }

    /// The spans of this name.
    pub fn named(&self, name: &str) -> Vec<Value> {
        let mut spans = self.spans();
        spans.retain(|span| span["name"] == name);
        spans
    }
}

/// Spans and problems in the bodies of requests.
pub fn read(bodies: &[Vec<u8>]) -> (Vec<Value>, Vec<Value>) {
    let bodies: Vec<String> = bodies.iter().map(|body| BASE64.encode(body)).collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/otlp/read.py");
    let mut python = Command::new(cached("otlp-venv/bin/python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tests/run installs tests/otlp/requirements.txt into the cache");
    let mut stdin = python.stdin.take().expect("a pipe");
    stdin.write_all(json!(bodies).to_string().as_bytes()).expect("it reads");
    drop(stdin);
    let done = python.wait_with_output().expect("it ends");
    assert!(done.status.success());
    let found: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    let list = |key: &str| found[key].as_array().expect("a list").clone();
    (list("spans"), list("problems"))
}
