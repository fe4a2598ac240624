//! A server for tests that keeps annotations like Grafana, and refuses what Grafana refuses.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

/// The token that it accepts.
pub const TOKEN: &str = "glsa_stand-in";
/// Grafana's limit of the tags of an annotation, as a list of JSON.
const TAGS_BYTES_MAX: usize = 500;
/// Smaller numbers are seconds, not milliseconds: 2001.
const MILLIS_MIN: i64 = 1_000_000_000_000;

/// How a request is answered, if not as the contract says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScriptedAnswer {
    /// With this status code.
    Status(u16),
    /// With a web page that is not Grafana's.
    OtherPage,
    /// Never answered.
    Hang,
    /// The request is carried out, but never answered.
    DoneThenHang,
}

#[derive(Default)]
struct State {
    annotations: BTreeMap<i64, Value>,
    last: i64,
    /// How the next requests of a method are answered.
    scripted: Vec<(&'static str, ScriptedAnswer)>,
    requests: Vec<String>,
    /// Requests that violate the contract.
    breaches: Vec<String>,
    /// Connections that never get an answer.
    hanging: Vec<TcpStream>,
}

/// The server. Its thread ends with the test.
#[derive(Clone)]
pub struct StandIn {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let here = Self { url, state: Arc::default() };
        let server = here.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let server = server.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        here
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how the next request of a method is answered.
    pub fn next(&self, method: &'static str, scripted: ScriptedAnswer) {
        self.state().scripted.push((method, scripted));
    }

    /// The annotations, by id.
    pub fn annotations(&self) -> Vec<Value> {
        self.state().annotations.values().cloned().collect()
    }

    /// Methods and paths of the requests since the last call.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    /// Deletes an annotation, as a person would do.
    pub fn delete(&self, id: i64) {
        self.state().annotations.remove(&id);
    }

    /// Requests that violated the contract.
    pub fn breaches(&self) -> Vec<String> {
        self.state().breaches.clone()
    }

    fn serve(&self, mut stream: TcpStream) {
        let Some((head, body)) = read(&stream) else { return };
        let mut words = head[0].split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let path = words.next().unwrap_or_default().to_owned();
        let scripted = {
            let mut state = self.state();
            state.requests.push(format!("{method} {path}"));
            let at = state.scripted.iter().position(|(of, _)| *of == method);
            at.map(|at| state.scripted.remove(at).1)
        };
        let (status, answer) = match scripted {
            Some(ScriptedAnswer::Status(status)) => {
                (status, json!({ "message": "stand-in" }).to_string())
            }
            Some(ScriptedAnswer::OtherPage) => (200, "<html>hello</html>".to_owned()),
            Some(ScriptedAnswer::Hang) => return self.state().hanging.push(stream),
            Some(ScriptedAnswer::DoneThenHang) => {
                self.answer(&head, &method, &path, &body);
                return self.state().hanging.push(stream);
            }
            None => {
                let (status, answer) = self.answer(&head, &method, &path, &body);
                (status, answer.to_string())
            }
        };
        // The client may be gone.
        let _ = write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
            answer.len()
        );
    }

    fn answer(&self, head: &[String], method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let header = |name: &str| {
            let found = head.iter().filter_map(|line| line.split_once(": "));
            found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
        };
        if header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return (401, json!({ "message": "Invalid API key" }));
        }
        let Some(rest) = path.strip_prefix("/api/annotations") else {
            return (404, json!({ "message": "Not found" }));
        };
        let mut state = self.state();
        let id = rest.strip_prefix('/').and_then(|id| id.parse::<i64>().ok());
        if let Some(id) = id.filter(|id| !state.annotations.contains_key(id)) {
            return (404, json!({ "message": format!("Annotation {id} not found") }));
        }
        let checked = match method {
            "POST" | "PATCH" if header("content-type") != Some("application/json") => {
                Err("the content type is not JSON".to_owned())
            }
            "POST" | "PATCH" => check(body, method == "POST"),
            _ => Ok(Value::Null),
        };
        let body = match checked {
            Ok(body) => body,
            Err(why) => {
                state.breaches.push(format!("{method} {path}: {why}"));
                return (400, json!({ "message": why }));
            }
        };
        match (method, id) {
            ("GET", None) => (200, state.found(rest)),
            ("POST", None) => (200, state.create(body)),
            ("PATCH", Some(id)) => {
                if let (Some(Value::Object(known)), Value::Object(new)) =
                    (state.annotations.get_mut(&id), body)
                {
                    known.extend(new);
                }
                (200, json!({ "message": "Annotation patched" }))
            }
            ("DELETE", Some(id)) => {
                state.annotations.remove(&id);
                (200, json!({ "message": "Annotation deleted" }))
            }
            _ => (404, json!({ "message": "Not found" })),
        }
    }
}

impl State {
    fn create(&mut self, mut body: Value) -> Value {
        self.last += 1;
        body["id"] = self.last.into();
        if body["timeEnd"].is_null() {
            body["timeEnd"] = body["time"].clone();
        }
        self.annotations.insert(self.last, body);
        json!({ "message": "Annotation added", "id": self.last })
    }

    /// Annotations that have all tags of a query. A tag without a value stands for all tags with its key, as in Grafana.
    fn found(&self, query: &str) -> Value {
        let query =
            query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
        let wanted: Vec<String> = query
            .filter(|(key, _)| *key == "tags")
            .map(|(_, value)| value.replace("%3A", ":"))
            .collect();
        let has = |annotation: &&Value| {
            let tags: Vec<&str> = annotation["tags"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let fits = |tag: &&&str| {
                wanted.iter().any(|wanted| match wanted.contains(':') {
                    true => **tag == wanted.as_str(),
                    false => tag.split(':').next() == Some(wanted.as_str()),
                })
            };
            tags.iter().filter(fits).count() == wanted.len()
        };
        self.annotations.values().filter(has).take(100).cloned().collect()
    }
}

/// A request's head, by line, and its body.
fn read(stream: &TcpStream) -> Option<(Vec<String>, Vec<u8>)> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length = head.iter().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    (!head.is_empty()).then_some((head, body))
}

/// Checks types, units and limits.
fn check(body: &[u8], is_new: bool) -> Result<Value, String> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| format!("bad request data: {error}"))?;
    let fields = body.as_object().ok_or("bad request data: no object")?;
    for (key, value) in fields {
        let is_good = match key.as_str() {
            "time" | "timeEnd" => value.as_i64().is_some_and(|time| time >= MILLIS_MIN),
            "text" => value.as_str().is_some_and(|text| !text.is_empty()),
            "tags" => value.as_array().is_some_and(|tags| {
                tags.iter().all(Value::is_string) && value.to_string().len() <= TAGS_BYTES_MAX
            }),
            _ => false,
        };
        if !is_good {
            return Err(format!("{key}: {value}"));
        }
    }
    if is_new && !(fields.contains_key("text") && fields.contains_key("time")) {
        return Err("text field should not be empty, and this test asks for a time".into());
    }
    if let (Some(from), Some(to)) = (body["time"].as_i64(), body["timeEnd"].as_i64())
        && to < from
    {
        return Err(format!("it ends at {to}, before it begins at {from}"));
    }
    Ok(body)
}
