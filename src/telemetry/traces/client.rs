//! OTLP over HTTP with protobuf, and the meaning of its answers.

use std::io::Read as _;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};

use crate::config::Secret;
use crate::domain::printable;
use crate::telemetry::config::OtlpSettings;

/// Time limit of a whole request. It is shorter than the time that the service waits for its threads when it stops.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of an answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// Maximum length of an answer in a message.
const TEXT_CHARS_MAX: usize = 200;
/// If a collector asks for a longer wait, it is asked again after this time.
const WAIT_MAX_S: u64 = 60;
/// The path for traces, below the address of the collector.
const PATH: &str = "/v1/traces";

/// A client for a thread of its own.
pub struct OtlpClient {
    http: Client,
    settings: OtlpSettings,
}

/// A collector's answer to spans that it accepted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Number of spans that it will never accept.
    pub(super) refused: u64,
    /// Its explanation.
    pub(super) why: String,
}

/// Why spans were not accepted, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ExportError {
    /// The same request may be sent again, but not before this time has passed, if the collector gives one.
    Temporary(String, Option<Duration>),
    /// According to the protocol, the same request must not be sent again.
    Refused(String),
}

/// The header in a line such as `Authorization: Bearer …`. `None` if the line is not a header.
pub fn parse_header(line: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let line = line.expose();
    let (name, value) = line.split_once(':')?;
    let mut value = HeaderValue::from_str(value.trim()).ok().filter(|value| !value.is_empty())?;
    value.set_sensitive(true);
    Some((name.trim().parse().ok()?, value))
}

impl OtlpClient {
    /// # Errors
    /// If the TLS set-up of this machine cannot be used.
    pub fn new(settings: OtlpSettings) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("surgecast/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, settings })
    }

    /// Sends a request without spans, which a collector answers like any other.
    ///
    /// # Errors Why traces would not be accepted, and what to do.
    pub fn probe(&self) -> Result<(), String> {
        match self.send(&ExportTraceServiceRequest::default()) {
            Ok(_) => Ok(()),
            Err(ExportError::Temporary(why, _) | ExportError::Refused(why)) => Err(why),
        }
    }

    pub(super) fn send(&self, spans: &ExportTraceServiceRequest) -> Result<Taken, ExportError> {
        let base = &self.settings.url;
        let address = if base.ends_with(PATH) { base.clone() } else { format!("{base}{PATH}") };
        let mut request = self.http.post(address).header(CONTENT_TYPE, "application/x-protobuf");
        if let Some(header) = &self.settings.header {
            let (name, value) = parse_header(header).ok_or_else(|| {
                ExportError::Refused("the file of telemetry.otlp_header_file has no header: write one line such as `Authorization: Bearer …`".into())
            })?;
            request = request.header(name, value);
        }
        let response = request.body(spans.encode_to_vec()).send().map_err(|error| {
            let why = cause(&error.without_url());
            let text = format!(
                "no answer from the OTLP collector at {base}: is it running, and is telemetry.otlp right? ({why})"
            );
            ExportError::Temporary(text, None)
        })?;
        self.understood(response)
    }

    fn understood(&self, response: Response) -> Result<Taken, ExportError> {
        let (base, status) = (&self.settings.url, response.status());
        let wait =
            response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
        let wait = wait.map(|wait: u64| Duration::from_secs(wait.min(WAIT_MAX_S)));
        let mut bytes = Vec::new();
        let read = response.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes);
        if status.is_success() {
            let answer = ExportTraceServiceResponse::decode(&*bytes).ok().filter(|_| read.is_ok());
            let partial = answer.and_then(|answer| answer.partial_success).unwrap_or_default();
            let refused = u64::try_from(partial.rejected_spans).unwrap_or(0);
            return Ok(Taken { refused, why: shown(partial.error_message.as_bytes()) });
        }
        let said = shown(&bytes);
        match status.as_u16() {
            429 | 502..=504 => Err(ExportError::Temporary(
                format!("the OTLP collector at {base} takes nothing now ({status}: {said})"),
                wait,
            )),
            300..=399 => Err(ExportError::Refused(format!(
                "the OTLP collector at {base} redirects ({status}): set telemetry.otlp to the address that it leads to"
            ))),
            401 | 403 => Err(ExportError::Refused(format!(
                "the OTLP collector at {base} refuses the sender ({status}): check telemetry.otlp_header_file ({said})"
            ))),
            404 | 405 => Err(ExportError::Refused(format!(
                "{base} takes no traces over OTLP at {PATH} ({status}): set telemetry.otlp to the collector's HTTP address, \
                 usually port 4318"
            ))),
            _ => Err(ExportError::Refused(format!(
                "the OTLP collector at {base} refuses spans ({status}: {said})"
            ))),
        }
    }
}

/// The start of an answer, on one line. Answers in protobuf contain their message as readable bytes.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    printable(&words.join(" ")).chars().take(TEXT_CHARS_MAX).collect()
}

fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
