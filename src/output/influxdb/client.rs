//! The write API, and the meaning of its answers.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::Path;
use std::time::Duration;

use influxdb2::api::buckets::ListBucketsRequest;
use influxdb2::api::organization::ListOrganizationRequest;
use influxdb2::api::write::TimestampPrecision;
use influxdb2::models::{PostBucketRequest, RetentionRule};
use influxdb2::{Client, ClientBuilder, RequestError};
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};

use super::batches::{Progress, hash};
use super::fields::Line;
use super::mapping::Target;
use crate::config::Secret;
use crate::output::sink::{SinkError, Written};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Maximum length of an answer in an error message.
const TEXT_CHARS_MAX: usize = 300;
/// Retention of the bucket: a year and a month.
const RETENTION_S: i32 = 400 * 86_400;

/// Settings of InfluxDB.
#[derive(Clone)]
pub struct InfluxSettings {
    /// Checked: `http://` or `https://` with a host.
    pub url: String,
    pub org: String,
    pub bucket: String,
    pub token: Secret,
    /// The token with which an empty store is filled at the start; `None` if it stays empty.
    pub warm_start: Option<Secret>,
}

impl fmt::Debug for InfluxSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, org, bucket, .. } = self;
        f.debug_struct("InfluxSettings")
            .field("url", url)
            .field("org", org)
            .field("bucket", bucket)
            .finish_non_exhaustive()
    }
}

/// Why `setup` did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SetupProblem(pub String);

/// A client with a runtime of its own, for a thread of its own.
pub struct InfluxClient {
    /// The client, and the token with which it was created.
    client: RefCell<(String, Client)>,
    runtime: Runtime,
    settings: InfluxSettings,
    answer_within: Duration,
    /// A write that has failed, by the hash of its lines: the next attempt continues it.
    unfinished: Cell<Option<(u64, Progress)>>,
}

/// One request's answer.
enum Answer {
    Taken,
    /// Nothing was written, because a line is invalid.
    Bad(String),
    /// Some lines were refused, all others were written. With their number, if InfluxDB gives it.
    Partly(String, usize),
    TooLarge,
    Later(String),
    Misconfigured(String),
}

impl InfluxClient {
    /// # Errors
    /// [`SetupProblem`] if TLS or threads of this machine cannot be used.
    pub fn new(settings: InfluxSettings) -> Result<Self, SetupProblem> {
        let problem = |error: &dyn fmt::Display| SetupProblem(format!("InfluxDB client: {error}"));
        let token = settings.token.expose();
        let client = client(&settings, &token, ANSWER_WITHIN).map_err(|error| problem(&error))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| problem(&error))?;
        let client = RefCell::new((token, client));
        let unfinished = Cell::new(None);
        Ok(Self { client, runtime, settings, answer_within: ANSWER_WITHIN, unfinished })
    }

    /// The same client, which waits for an answer for this long instead of 30 s.
    pub(super) fn answered_within(mut self, limit: Duration) -> Self {
        self.answer_within = limit;
        // An empty token is never that of the present client, so the next request creates one with this limit.
        self.client.get_mut().0.clear();
        self
    }

    /// A client with the current token.
    fn client(&self) -> Client {
        let token = self.settings.token.expose();
        let mut current = self.client.borrow_mut();
        if current.0 != token
            && let Ok(client) = client(&self.settings, &token, self.answer_within)
        {
            *current = (token, client);
        }
        current.1.clone()
    }

    /// Writes lines in batches, in order. Lines that are written twice change nothing. If the write before failed and had the same
    /// lines, continues it: an InfluxDB that fails often could otherwise never take a large write, or finish a search for a refused
    /// line.
    pub fn write(&self, lines: &[Line]) -> Written {
        let unfinished = self.unfinished.take().filter(|(of, _)| *of == hash(lines));
        let mut progress = unfinished.map(|(_, progress)| progress).unwrap_or_default();
        match self.write_rest(lines, &mut progress) {
            Ok(()) => Ok(progress.refused),
            Err(error) => {
                self.unfinished.set(Some((hash(lines), progress)));
                Err(error)
            }
        }
    }

    /// The same for lines between the attempts of another write.
    pub(super) fn write_beside(&self, lines: &[Line]) -> Written {
        let mut progress = Progress::default();
        self.write_rest(lines, &mut progress)?;
        Ok(progress.refused)
    }

    /// A request without success is repeated once at once, if InfluxDB has answered the one before it: the back-off is for an InfluxDB
    /// that is down.
    fn write_rest(&self, lines: &[Line], progress: &mut Progress) -> Result<(), SinkError> {
        let mut has_answered = false;
        loop {
            let batch = progress.next(lines);
            if batch.is_empty() {
                return Ok(());
            }
            match self.send(batch) {
                Answer::Taken => progress.taken(batch),
                Answer::Bad(why) => progress.not_taken(batch, &why),
                Answer::Partly(why, dropped) => progress.partly_taken(batch, &why, dropped),
                Answer::TooLarge => progress.not_taken(batch, "one line is too large"),
                Answer::Later(_) if has_answered => {
                    has_answered = false;
                    continue;
                }
                Answer::Later(why) => return Err(SinkError::Temporary(why)),
                Answer::Misconfigured(why) => return Err(SinkError::Misconfigured(why)),
            }
            has_answered = true;
        }
    }

    /// Writes no line. InfluxDB checks token, organisation and bucket as for any other write, so the token only needs the right
    /// to write.
    ///
    /// # Errors
    /// The error that a write would get.
    pub fn probe(&self) -> Result<(), SinkError> {
        match self.send(&[]) {
            Answer::Later(why) => Err(SinkError::Temporary(why)),
            Answer::Misconfigured(why) => Err(SinkError::Misconfigured(why)),
            // Servers that call an empty body bad have looked at token and bucket before.
            Answer::Taken | Answer::Bad(_) | Answer::Partly(..) | Answer::TooLarge => Ok(()),
        }
    }

    fn send(&self, lines: &[Line]) -> Answer {
        let InfluxSettings { org, bucket, .. } = &self.settings;
        let client = self.client();
        let body = lines.join(&b'\n');
        let precision = TimestampPrecision::Nanoseconds;
        let sent = client.write_line_protocol_with_precision(org, bucket, body, precision);
        match self.runtime.block_on(sent) {
            Ok(()) => Answer::Taken,
            Err(error) => self.answer(&error),
        }
    }

    fn answer(&self, error: &RequestError) -> Answer {
        let InfluxSettings { url, org, bucket, .. } = &self.settings;
        let RequestError::Http { status, text } = error else {
            return Answer::Later(format!(
                "no answer from InfluxDB at {url}: is it running, and is influxdb.url right? ({})",
                root_cause(error)
            ));
        };
        let message = message(text);
        let text = short(&message);
        match status.as_u16() {
            400 => Answer::Bad(text),
            413 => Answer::TooLarge,
            422 => Answer::Partly(text, dropped(&message)),
            401 => Answer::Misconfigured(format!(
                "InfluxDB at {url} refuses the token: check influxdb.token_file, and that the token may write \
                 to bucket {bucket} of {org} ({text})"
            )),
            403 => Answer::Misconfigured(format!(
                "InfluxDB's token may not write to bucket {bucket} of {org}: give it that right ({text})"
            )),
            404 => Answer::Misconfigured(format!(
                "InfluxDB at {url} has no bucket {bucket} in {org}: run `surgecast setup influxdb`, or check \
                 influxdb.org and influxdb.bucket ({text})"
            )),
            code => Answer::Later(format!("InfluxDB at {url} answered {code} ({text})")),
        }
    }

    /// Creates the bucket if it does not exist, and the mapping that InfluxQL needs. Returns what was found or done.
    ///
    /// # Errors
    /// [`SetupProblem`] with what to do about it.
    pub fn set_up(&self) -> Result<String, SetupProblem> {
        let InfluxSettings { url, org, bucket, .. } = &self.settings;
        let problem = |error: RequestError| self.problem(&error);
        let client = self.client();
        let found = self.runtime.block_on(client.is_onboarding_allowed()).map_err(problem)?;
        if found {
            let text = format!(
                "InfluxDB at {url} has not been set up yet: give it its first user with `influx setup`, then run \
                 this again"
            );
            return Err(SetupProblem(text));
        }
        let id = self.org_id(&client)?;
        if let Some(bucket_id) = self.bucket_id(&client).map_err(problem)? {
            let mapping = self.map(&id, &bucket_id)?;
            return Ok(format!("bucket {bucket} of {org} is there already\n{mapping}"));
        }
        let request = PostBucketRequest {
            retention_rules: vec![RetentionRule::new(
                influxdb2::models::retention_rule::Type::Expire,
                RETENTION_S,
            )],
            ..PostBucketRequest::new(id.clone(), bucket.clone())
        };
        self.runtime.block_on(client.create_bucket(Some(request))).map_err(problem)?;
        let done = format!("created bucket {bucket} of {org}, which keeps points for 400 days");
        match self.bucket_id(&client).map_err(problem)? {
            Some(bucket_id) => Ok(format!("{done}\n{}", self.map(&id, &bucket_id)?)),
            None => Ok(done),
        }
    }

    /// Creates a token that may only write to the bucket and one that may only read it, each in a file of the folder. Files that are
    /// there stay. Returns what was done.
    ///
    /// # Errors
    /// [`SetupProblem`] with what to do about it.
    pub fn make_tokens(&self, folder: &Path) -> Result<String, SetupProblem> {
        let client = self.client();
        let org_id = self.org_id(&client)?;
        let bucket_id = self.bucket_id(&client).map_err(|error| self.problem(&error))?;
        let InfluxSettings { url, bucket, .. } = &self.settings;
        let missing = || SetupProblem(format!("InfluxDB at {url} has no bucket {bucket}"));
        let bucket_id = bucket_id.ok_or_else(missing)?;
        self.with_target(&org_id, &bucket_id, |target| target.tokens(folder))
    }

    fn problem(&self, error: &RequestError) -> SetupProblem {
        match self.answer(error) {
            Answer::Misconfigured(why) | Answer::Later(why) => SetupProblem(why),
            _ => SetupProblem(format!("InfluxDB at {}: {error}", self.settings.url)),
        }
    }

    fn org_id(&self, client: &Client) -> Result<String, SetupProblem> {
        let InfluxSettings { url, org, .. } = &self.settings;
        let request =
            ListOrganizationRequest { org: Some(org.clone()), ..ListOrganizationRequest::new() };
        let orgs = self.runtime.block_on(client.list_organizations(request));
        let orgs = orgs.map_err(|error| self.problem(&error))?.orgs;
        let id = orgs.into_iter().find(|found| found.name == *org).and_then(|found| found.id);
        id.ok_or_else(|| {
            SetupProblem(format!("InfluxDB at {url} shows this token no organisation {org}"))
        })
    }

    /// The id of the bucket; `None` if there is none.
    fn bucket_id(&self, client: &Client) -> Result<Option<String>, RequestError> {
        let InfluxSettings { org, bucket, .. } = &self.settings;
        let request = ListBucketsRequest {
            name: Some(bucket.clone()),
            org: Some(org.clone()),
            ..ListBucketsRequest::default()
        };
        // A bucket that is not there is answered with an empty list, or with 404.
        match self.runtime.block_on(client.list_buckets(Some(request))) {
            Ok(found) => Ok(found
                .buckets
                .into_iter()
                .find(|found| found.name == *bucket)
                .and_then(|found| found.id)),
            Err(RequestError::Http { status, .. }) if status.as_u16() == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The mapping that InfluxQL needs.
    fn map(&self, org_id: &str, bucket_id: &str) -> Result<String, SetupProblem> {
        self.with_target(org_id, bucket_id, |target| target.map())
    }

    /// Does something with the bucket that the library of InfluxDB does not know.
    fn with_target<T>(
        &self,
        org_id: &str,
        bucket_id: &str,
        act: impl FnOnce(&Target<'_>) -> Result<T, SetupProblem>,
    ) -> Result<T, SetupProblem> {
        let http = reqwest::blocking::Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(|error| SetupProblem(format!("InfluxDB client: {error}")))?;
        let token = self.settings.token.expose();
        let settings = &self.settings;
        act(&Target { http: &http, settings, token: &token, org_id, bucket_id })
    }
}

fn client(
    settings: &InfluxSettings,
    token: &str,
    answer_within: Duration,
) -> Result<Client, influxdb2::BuildError> {
    let http = reqwest_influx::ClientBuilder::new()
        .connect_timeout(CONNECT_WITHIN)
        .timeout(answer_within)
        .user_agent(concat!("surgecast/", env!("CARGO_PKG_VERSION")));
    let InfluxSettings { url, org, .. } = settings;
    ClientBuilder::with_builder(http, url, org, token).build()
}

/// The `message` of InfluxDB's JSON errors.
pub(super) fn message(text: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let message = json.as_ref().and_then(|json| json["message"].as_str());
    message.unwrap_or(text).to_owned()
}

/// The number of refused lines in a message such as `partial write: … dropped=3`; 0 if it names none.
fn dropped(message: &str) -> usize {
    let number = message.rsplit_once("dropped=").map(|(_, number)| number);
    let digits = number.and_then(|number| number.split(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect()
}

pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    /// Answers one request after the other, and returns each one's head.
    fn server(answers: Vec<(u16, &'static str)>) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serve = move |(code, message)| {
            let (mut stream, _) = listener.accept().expect("a connection");
            let lines = BufReader::new(stream.try_clone().expect("a copy")).lines();
            let lines = lines.map(|line| line.expect("text")).take_while(|line| !line.is_empty());
            let head = lines.collect::<Vec<_>>().join("\n");
            let body = format!(r#"{{"message":"{message}"}}"#);
            let body = if code == 204 { "" } else { body.as_str() };
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {code} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .expect("writes");
            head
        };
        (url, std::thread::spawn(move || answers.into_iter().map(serve).collect()))
    }

    fn client(url: String) -> InfluxClient {
        let (org, bucket, token) = ("noc".into(), "surge".into(), Secret::new("hunter2"));
        InfluxClient::new(InfluxSettings { url, org, bucket, token, warm_start: None })
            .expect("a client")
    }

    #[test]
    fn a_probe_finds_what_a_write_would_and_writes_nothing() {
        let (url, server) = server(vec![
            (401, "unauthorized access"),
            (404, "bucket not found"),
            (403, "insufficient permissions for write"),
            (503, "starting"),
            (400, "writing requires points"),
            (204, ""),
        ]);
        let client = client(url);
        let found = [
            "refuses the token: check influxdb.token_file",
            "has no bucket surge in noc: run `surgecast setup influxdb`",
            "may not write to bucket surge of noc",
        ];
        for text in found {
            let probed = client.probe();
            assert!(
                matches!(&probed, Err(SinkError::Misconfigured(why)) if why.contains(text)),
                "{probed:?}"
            );
            assert!(!format!("{probed:?}").contains("hunter2"));
        }
        let probed = client.probe();
        assert!(
            matches!(&probed, Err(SinkError::Temporary(why)) if why.contains("503 (starting)")),
            "{probed:?}"
        );
        assert_eq!(client.probe(), Ok(()), "token and bucket were looked at before the body");
        assert_eq!(client.probe(), Ok(()));
        for head in server.join().expect("it serves") {
            let head = head.to_lowercase();
            assert!(head.starts_with("post /api/v2/write?bucket=surge&org=noc"), "{head}");
            assert!(head.contains("authorization: token"), "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            assert!(length.is_none_or(|length| length.trim() == "0"), "{head}");
            assert!(!head.contains("transfer-encoding"), "{head}");
        }
        let probed = client.probe();
        let silent = |why: &str| why.contains("no answer from InfluxDB");
        assert!(matches!(&probed, Err(SinkError::Temporary(why)) if silent(why)), "{probed:?}");
    }

    const BUSY: (u16, &str) = (503, "busy");
    const PARTLY: (u16, &str) = (422, "partial write: field type conflict dropped=1");

    fn lines(number: usize) -> Vec<Line> {
        (0..number).map(|n| format!("tickets count={n}i {n}").into_bytes()).collect()
    }

    #[test]
    fn a_search_for_a_refused_line_goes_on_after_a_failure() {
        // Four lines; the front half, after a failure; its first line. Then its second line, after failures; then the rest.
        let (url, server) = server(vec![
            PARTLY,
            BUSY,
            PARTLY,
            (204, ""),
            BUSY,
            BUSY,
            PARTLY,
            BUSY,
            PARTLY,
            (204, ""),
        ]);
        let client = client(url);
        let failed = client.write(&lines(4));
        assert!(matches!(failed, Err(SinkError::Temporary(_))), "two failures: {failed:?}");
        let refused = client.write(&lines(4)).expect("everything else is written");
        assert_eq!(server.join().expect("it serves").len(), 10);
        let [found] = refused.as_slice() else { panic!("{refused:?}") };
        assert_eq!((found.lines, found.point.as_deref()), (1, Some(&b"tickets count=1i 1"[..])));
        assert!(found.why.ends_with("dropped=1: tickets count=1i 1"), "{found:?}");
    }

    #[test]
    fn other_lines_are_written_from_their_beginning() {
        let (url, server) =
            server(vec![(400, "invalid"), (204, ""), BUSY, BUSY, (204, ""), (204, "")]);
        let client = client(url);
        assert!(client.write(&lines(2)).is_err(), "after its first line");
        assert_eq!(client.write_beside(&lines(1)), Ok(Vec::new()));
        assert_eq!(client.write(&lines(3)), Ok(Vec::new()), "one request with all three");
        assert_eq!(server.join().expect("it serves").len(), 6);
    }

    #[test]
    fn the_number_of_dropped_lines_is_read_from_a_message() {
        let cases = [("partial write: x dropped=12", 12), ("dropped=7 for database: y", 7)];
        for (message, number) in cases {
            assert_eq!(dropped(message), number);
        }
        assert_eq!((dropped("no number"), dropped("dropped=many")), (0, 0));
    }
}
