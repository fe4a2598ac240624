//! The annotations API, and the meaning of its answers.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read as _;
use std::time::Duration;

use reqwest::blocking::Client;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::config::Secret;
use crate::domain::Timestamp;
use crate::output::receivers::chain;
use crate::output::sink::SinkError;
use crate::store::AnnotationKind;

/// Time limit of a whole request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum size of an answer.
const ANSWER_BYTES_MAX: u64 = 256 * 1024;
/// Maximum length of an answer in an error message.
const TEXT_CHARS_MAX: usize = 200;
/// Only annotations with this tag are read or changed.
pub(super) const OUR_TAG: &str = "surgecast";
/// Key of the tag that is different for each annotation.
const KEY_TAG: &str = "surgecast-key";

/// Settings of Grafana.
#[derive(Clone)]
pub struct GrafanaSettings {
    /// Checked: `http://` or `https://` with a host.
    pub url: String,
    /// Token of a service account.
    pub token: Secret,
    /// What is annotated.
    pub kinds: BTreeSet<AnnotationKind>,
    /// Further tags of all annotations.
    pub tags: Vec<String>,
    /// Maximum number of annotations of one kind that begin in one hour.
    pub per_hour: usize,
}

impl fmt::Debug for GrafanaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, kinds, tags, per_hour, .. } = self;
        f.debug_struct("GrafanaSettings")
            .field("url", url)
            .field("kinds", kinds)
            .field("tags", tags)
            .field("per_hour", per_hour)
            .finish_non_exhaustive()
    }
}

/// A client for a thread of its own.
pub struct GrafanaClient {
    http: Client,
    settings: GrafanaSettings,
}

/// What Grafana shows.
pub(super) struct Shown<'a> {
    pub time: Timestamp,
    /// `None` for an episode that has not ended.
    pub time_end: Option<Timestamp>,
    /// `None` leaves the text unchanged.
    pub text: Option<&'a str>,
}

/// The answer to a request that will not be repeated.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Done(Value),
    /// There is no such annotation.
    Missing,
    /// Grafana will never accept it.
    Refused(String),
}

/// The tag of all annotations of a kind, by which boards choose.
pub(super) fn kind_tag(kind: AnnotationKind) -> String {
    format!("{OUR_TAG}-{}", kind.as_str())
}

/// The tag by which an annotation is found again.
pub(super) fn key_tag(key: &str) -> String {
    format!("{KEY_TAG}:{key}")
}

impl GrafanaClient {
    /// # Errors
    /// If the TLS set-up of this machine cannot be used.
    pub fn new(settings: GrafanaSettings) -> Result<Self, reqwest::Error> {
        Self::with_timeout(settings, TIMEOUT)
    }

    /// # Errors
    /// As [`Self::new`].
    pub(super) fn with_timeout(
        settings: GrafanaSettings,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("surgecast/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, settings })
    }

    /// The settings.
    pub fn settings(&self) -> &GrafanaSettings {
        &self.settings
    }

    /// Reads at most one annotation, and writes nothing.
    ///
    /// # Errors
    /// The error that a request gets.
    pub fn probe(&self) -> Result<(), SinkError> {
        self.list(&[("limit", "1"), ("type", "annotation"), ("tags", OUR_TAG)]).map(drop)
    }

    /// The id of the annotation with this key, if it was created before.
    pub(super) fn find(&self, key: &str) -> Result<Option<i64>, SinkError> {
        let tag = key_tag(key);
        let found = self.list(&[("limit", "10"), ("type", "annotation"), ("tags", &tag)])?;
        Ok(found.iter().filter_map(|one| one["id"].as_i64()).min())
    }

    /// Creates an annotation and returns its id.
    pub(super) fn create(&self, shown: &Shown<'_>, tags: &[String]) -> Result<Created, SinkError> {
        let mut body = body(shown);
        body["tags"] = json!(tags);
        match self.send(Method::POST, self.address("")?, Some(&body))? {
            Answer::Done(answer) => match answer["id"].as_i64() {
                Some(id) => Ok(Created::As(id)),
                None => Err(SinkError::Misconfigured(format!(
                    "{}: the answer has no id of an annotation: is grafana.url the address of Grafana?",
                    self.settings.url
                ))),
            },
            Answer::Missing => Err(self.no_api()),
            Answer::Refused(why) => Ok(Created::Refused(why)),
        }
    }

    /// Changes an annotation.
    pub(super) fn change(&self, id: i64, shown: &Shown<'_>) -> Result<Answer, SinkError> {
        let address = self.address(&format!("/{id}"))?;
        self.send(Method::PATCH, address, Some(&body(shown)))
    }

    /// Deletes an annotation.
    pub(super) fn delete(&self, id: i64) -> Result<Answer, SinkError> {
        self.send(Method::DELETE, self.address(&format!("/{id}"))?, None)
    }

    fn address(&self, rest: &str) -> Result<Url, SinkError> {
        let base = self.settings.url.trim_end_matches('/');
        let wrong = |error| SinkError::Misconfigured(format!("grafana.url {base}: {error}"));
        Url::parse(&format!("{base}/api/annotations{rest}")).map_err(wrong)
    }

    fn list(&self, query: &[(&str, &str)]) -> Result<Vec<Value>, SinkError> {
        let mut address = self.address("")?;
        address.query_pairs_mut().extend_pairs(query);
        match self.send(Method::GET, address, None)? {
            Answer::Done(Value::Array(found)) => Ok(found),
            _ => Err(self.no_api()),
        }
    }

    fn no_api(&self) -> SinkError {
        SinkError::Misconfigured(format!(
            "{} has no annotations API: is grafana.url the address of Grafana, with its path?",
            self.settings.url
        ))
    }

    fn send(&self, method: Method, url: Url, body: Option<&Value>) -> Result<Answer, SinkError> {
        let mut request = self.http.request(method, url);
        let token = self.settings.token.expose();
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let address = &self.settings.url;
        let response = request.send().map_err(|error| {
            let why = chain(&error.without_url());
            SinkError::Temporary(format!(
                "no answer from Grafana at {address}: is it running, and is grafana.url right? ({why})"
            ))
        })?;
        let status = response.status();
        let mut bytes = Vec::new();
        let read = response.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes);
        if status.is_success() {
            let answer = serde_json::from_slice(&bytes).ok().filter(|_| read.is_ok());
            return answer.map(Answer::Done).ok_or_else(|| self.no_api());
        }
        let said = message(&bytes);
        match status.as_u16() {
            400 | 413 | 422 => Ok(Answer::Refused(format!("{status}: {said}"))),
            404 => Ok(Answer::Missing),
            300..=399 => Err(SinkError::Misconfigured(format!(
                "Grafana at {address} redirects ({status}): set grafana.url to the address that it leads to"
            ))),
            401 => Err(SinkError::Misconfigured(format!(
                "Grafana at {address} refuses the token: check grafana.token_file ({said})"
            ))),
            403 => Err(SinkError::Misconfigured(format!(
                "Grafana's token may not write annotations: give its service account the role Editor, or the \
                 permissions annotations:read, :create, :write and :delete ({said})"
            ))),
            _ => Err(SinkError::Temporary(format!(
                "Grafana at {address} answered {status} ({said})"
            ))),
        }
    }
}

/// The outcome of [`GrafanaClient::create`].
#[derive(Debug, PartialEq)]
pub(super) enum Created {
    As(i64),
    Refused(String),
}

fn body(shown: &Shown<'_>) -> Value {
    let mut body = json!({ "time": shown.time.millis() });
    if let Some(text) = shown.text {
        body["text"] = text.into();
    }
    if let Some(end) = shown.time_end {
        body["timeEnd"] = end.millis().into();
    }
    body
}

/// The message of an error's body, on one line.
fn message(bytes: &[u8]) -> String {
    let parsed: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let text = match parsed["message"].as_str() {
        Some(message) => message.to_owned(),
        None => String::from_utf8_lossy(bytes).into_owned(),
    };
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    crate::domain::printable(&text).chars().take(TEXT_CHARS_MAX).collect()
}
