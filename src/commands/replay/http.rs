//! Posts batches to `/api/v1/events`.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde::Deserialize;

use super::play::{Answer, Target};
use crate::commands::usage::UsageError;

const TIMEOUT: Duration = Duration::from_secs(60);

/// The API of a running system.
pub struct HttpTarget {
    client: Client,
    url: reqwest::Url,
    authorization: Option<HeaderValue>,
}

#[derive(Deserialize)]
struct AcceptedBody {
    /// Only read to check that the answer is from surgecast and not from another server.
    #[serde(rename = "accepted")]
    _accepted: u64,
    #[serde(default)]
    rejected: Vec<Rejected>,
}

#[derive(Deserialize)]
struct Rejected {
    index: usize,
    reason: String,
}

impl HttpTarget {
    /// A target at the base address `url`, with a bearer token if one is given.
    ///
    /// # Errors
    /// [`UsageError`] for an invalid address or token.
    pub fn new(url: &str, token: Option<String>) -> anyhow::Result<Self> {
        let wrong =
            || UsageError(format!("--url {url}: use an address such as http://127.0.0.1:8080"));
        let base = reqwest::Url::parse(url).map_err(|_| wrong())?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(wrong().into());
        }
        let path = format!("{}/api/v1/events", base.path().trim_end_matches('/'));
        let mut url = base;
        url.set_path(&path);
        let authorization = match token {
            None => None,
            Some(token) => {
                let mut value =
                    HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
                        UsageError(
                            "--token-file: the token contains a line break: remove it".into(),
                        )
                    })?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let client = Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { client, url, authorization })
    }
}

impl Target for HttpTarget {
    fn post(&mut self, body: &[u8]) -> Answer {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/x-ndjson")
            .body(body.to_vec());
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value.clone());
        }
        match request.send() {
            Ok(response) => answer(response),
            // Refused, reset or timed out: the server may come back. Sending twice is harmless, because events have ids.
            Err(error) => Answer::Later { after: None, why: root_cause(&error) },
        }
    }
}

fn answer(response: Response) -> Answer {
    let status = response.status();
    if status.is_success() || status == StatusCode::UNPROCESSABLE_ENTITY {
        // The connection may break while the answer is read.
        let text = match response.text() {
            Ok(text) => text,
            Err(error) => return Answer::Later { after: None, why: root_cause(&error) },
        };
        return match serde_json::from_str::<AcceptedBody>(&text) {
            Ok(AcceptedBody { rejected, .. }) => {
                let mut rejected: Vec<_> =
                    rejected.into_iter().map(|r| (r.index, r.reason)).collect();
                // A batch names each of its events that cannot be read. The line of the file is one.
                rejected.dedup_by_key(|(index, _)| *index);
                Answer::Accepted { rejected }
            }
            Err(_) => Answer::Refused("the answer is not surgecast's: check --url".into()),
        };
    }
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return Answer::TooLarge;
    }
    let retry = status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || status.is_server_error();
    if retry {
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| text.parse().ok()).map(Duration::from_secs);
        return Answer::Later { after, why: format!("server answered {status}") };
    }
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            ", use a token of scope ingest with --token-file"
        }
        StatusCode::NOT_FOUND => ", check --url",
        _ => "",
    };
    let text: String = response.text().unwrap_or_default().chars().take(300).collect();
    Answer::Refused(format!("server answered {status}{hint} {text}").trim_end().to_owned())
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    format!("no answer: {cause}")
}
