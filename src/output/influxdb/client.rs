//! The write API, with what each answer means.

use std::fmt;
use std::time::Duration;

use influxdb2::api::buckets::ListBucketsRequest;
use influxdb2::api::organization::ListOrganizationRequest;
use influxdb2::api::write::TimestampPrecision;
use influxdb2::models::{PostBucketRequest, RetentionRule};
use influxdb2::{Client, ClientBuilder, RequestError};
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};

use super::points::Line;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Of a batch: what InfluxDB takes well in one request.
const LINES_MAX: usize = 5_000;
const BYTES_MAX: usize = 1 << 20;
/// Of an answer that is shown.
const TEXT_CHARS_MAX: usize = 300;
/// Windows and flags are of use for a year and a month.
const RETENTION_S: i32 = 400 * 86_400;

/// Where points go.
#[derive(Clone)]
pub struct InfluxSettings {
    /// Checked: `http://` or `https://` with a host.
    pub url: String,
    pub org: String,
    pub bucket: String,
    pub token: String,
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

/// What became of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// All that can ever be written is; what cannot is named.
    Done { refused: Vec<Refused> },
    /// Nothing can be said: write them again later.
    Later(String),
    /// A person has to put something right first; write them again then.
    Misconfigured(String),
}

/// Lines that InfluxDB will not take however often they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub lines: usize,
    pub why: String,
}

/// Why `setup` did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SetupProblem(pub String);

/// A client with a runtime of its own, for a thread of its own.
pub struct InfluxClient {
    client: Client,
    runtime: Runtime,
    settings: InfluxSettings,
}

/// One request's answer.
enum Answer {
    Taken,
    /// Nothing was written: a line is bad.
    Bad(String),
    /// The rest was written.
    Partly(String),
    TooLarge,
    Later(String),
    Misconfigured(String),
}

impl InfluxClient {
    /// # Errors
    /// [`SetupProblem`] if TLS or threads of this machine cannot be used.
    pub fn new(settings: InfluxSettings) -> Result<Self, SetupProblem> {
        let problem = |error: &dyn fmt::Display| SetupProblem(format!("InfluxDB client: {error}"));
        let http = reqwest_influx::ClientBuilder::new()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .user_agent(concat!("surgecast/", env!("CARGO_PKG_VERSION")));
        let InfluxSettings { url, org, token, .. } = &settings;
        let client = ClientBuilder::with_builder(http, url, org, token).build();
        let client = client.map_err(|error| problem(&error))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| problem(&error))?;
        Ok(Self { client, runtime, settings })
    }

    /// Writes lines in batches, in order. Lines that are written twice change nothing.
    pub fn write(&self, lines: &[Line]) -> Written {
        let mut refused = Vec::new();
        let mut rest = lines;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take(LINES_MAX).take_while(|line| {
                bytes += line.len() + 1;
                bytes <= BYTES_MAX
            });
            let (batch, after) = rest.split_at(fits.count().max(1));
            if let Some(stop) = self.batch(batch, &mut refused) {
                return stop;
            }
            rest = after;
        }
        Written::Done { refused }
    }

    /// Writes one batch, in halves where a line of it is bad. `Some` ends the whole.
    fn batch(&self, lines: &[Line], refused: &mut Vec<Refused>) -> Option<Written> {
        match self.send(lines) {
            Answer::Taken => None,
            Answer::Partly(why) => {
                refused.push(Refused { lines: 0, why });
                None
            }
            Answer::Bad(why) if lines.len() == 1 => {
                let line = String::from_utf8_lossy(&lines[0]);
                refused.push(Refused { lines: 1, why: format!("{why}: {}", short(&line)) });
                None
            }
            Answer::TooLarge if lines.len() == 1 => {
                refused.push(Refused { lines: 1, why: "one line is too large".into() });
                None
            }
            Answer::Bad(_) | Answer::TooLarge => {
                let (front, back) = lines.split_at(lines.len() / 2);
                self.batch(front, refused).or_else(|| self.batch(back, refused))
            }
            Answer::Later(why) => Some(Written::Later(why)),
            Answer::Misconfigured(why) => Some(Written::Misconfigured(why)),
        }
    }

    fn send(&self, lines: &[Line]) -> Answer {
        let InfluxSettings { org, bucket, .. } = &self.settings;
        let body = lines.join(&b'\n');
        let precision = TimestampPrecision::Nanoseconds;
        let sent = self.client.write_line_protocol_with_precision(org, bucket, body, precision);
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
        let text = short(&message(text));
        match status.as_u16() {
            400 => Answer::Bad(text),
            413 => Answer::TooLarge,
            422 => Answer::Partly(text),
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

    /// Creates the bucket if it is not there. Returns what was found or done.
    ///
    /// # Errors
    /// [`SetupProblem`] with what to do about it.
    pub fn set_up(&self) -> Result<String, SetupProblem> {
        let InfluxSettings { url, org, bucket, .. } = &self.settings;
        let problem = |error: RequestError| match self.answer(&error) {
            Answer::Misconfigured(why) | Answer::Later(why) => SetupProblem(why),
            _ => SetupProblem(format!("InfluxDB at {url}: {error}")),
        };
        let found = self.runtime.block_on(self.client.is_onboarding_allowed()).map_err(problem)?;
        if found {
            let text = format!(
                "InfluxDB at {url} has not been set up yet: give it its first user with `influx setup`, then run \
                 this again"
            );
            return Err(SetupProblem(text));
        }
        let request =
            ListOrganizationRequest { org: Some(org.clone()), ..ListOrganizationRequest::new() };
        let orgs = self.runtime.block_on(self.client.list_organizations(request));
        let orgs = orgs.map_err(problem)?.orgs;
        let id = orgs.into_iter().find(|found| found.name == *org).and_then(|found| found.id);
        let id = id.ok_or_else(|| {
            SetupProblem(format!("InfluxDB at {url} shows this token no organisation {org}"))
        })?;
        let request = ListBucketsRequest {
            name: Some(bucket.clone()),
            org: Some(org.clone()),
            ..ListBucketsRequest::default()
        };
        // A bucket that is not there is answered with an empty list, or with 404.
        let known = match self.runtime.block_on(self.client.list_buckets(Some(request))) {
            Ok(found) => found.buckets.iter().any(|found| found.name == *bucket),
            Err(RequestError::Http { status, .. }) if status.as_u16() == 404 => false,
            Err(error) => return Err(problem(error)),
        };
        if known {
            return Ok(format!("bucket {bucket} of {org} is there already"));
        }
        let request = PostBucketRequest {
            retention_rules: vec![RetentionRule::new(
                influxdb2::models::retention_rule::Type::Expire,
                RETENTION_S,
            )],
            ..PostBucketRequest::new(id, bucket.clone())
        };
        self.runtime.block_on(self.client.create_bucket(Some(request))).map_err(problem)?;
        Ok(format!("created bucket {bucket} of {org}, which keeps points for 400 days"))
    }
}

/// The `message` of InfluxDB's JSON errors.
fn message(text: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let message = json.as_ref().and_then(|json| json["message"].as_str());
    message.unwrap_or(text).to_owned()
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect()
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
