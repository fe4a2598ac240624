//! Requests to receivers over HTTP, and the meaning of their answers.

use std::error::Error;
use std::io::Read as _;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use reqwest::blocking::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;

use super::receiver::{Attempt, Fault, Refusal, Settings};
use crate::domain::Timestamp;

/// Time limit of a whole try: connection, handshake, request and answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Maximum size of an answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// If a receiver asks for a longer wait, it is tried again after this time.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// A key of the config and what is wrong with it.
pub type Problem = (&'static str, String);

/// A client for one receiver.
pub struct Http(Client);

/// An answer.
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<Duration>,
    /// The beginning of the body, as text.
    pub body: String,
}

impl Http {
    /// # Errors
    /// If the URL or the file of certificates cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, Problem> {
        check_url(settings)?;
        let mut builder = Client::builder()
            .timeout(TIMEOUT)
            // A redirect means that the receiver is misconfigured, not that it was notified.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("surgecast/", env!("CARGO_PKG_VERSION")));
        if !settings.allow_link_local {
            builder = builder.dns_resolver(Arc::new(NoLinkLocal));
        }
        if let Some(file) = &settings.ca_file {
            let problem = |why: String| ("ca_file", format!("{}: {why}", file.display()));
            let pem = std::fs::read(file).map_err(|error| problem(error.to_string()))?;
            let certs = reqwest::Certificate::from_pem_bundle(&pem);
            let certs = certs.map_err(|error| problem(chain(&error)))?;
            if certs.is_empty() {
                return Err(problem("contains no certificate: use a file in PEM format".into()));
            }
            builder = builder.tls_certs_merge(certs);
        }
        let client = builder.build();
        client.map(Self).map_err(|error| ("url", format!("cannot set up HTTPS: {}", chain(&error))))
    }

    /// Posts a body.
    ///
    /// # Errors
    /// A failed attempt if there was no answer.
    pub fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: String,
        now: Timestamp,
    ) -> Result<Answer, Attempt> {
        let request = self.0.post(url).headers(headers).body(body);
        let response = request.send().map_err(|error| {
            let why = chain(&error.without_url());
            Attempt::failed(Some(0), Refusal::new(Fault::Receiver, why))
        })?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), now);
        let mut bytes = Vec::new();
        // An answer that breaks off has a status all the same.
        let _ = response.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes);
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Answer { status, retry_after, body })
    }

    /// Posts JSON. The status alone decides whether it was delivered, unless `reads` finds an error in the body of an answer
    /// with a successful status.
    pub fn post_json(
        &self,
        url: &str,
        body: String,
        now: Timestamp,
        reads: impl FnOnce(&Answer) -> Result<(), Refusal>,
    ) -> Attempt {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", JSON);
        match self.post(url, headers, body, now) {
            Ok(answer) => {
                let result = answer.by_status().and_then(|()| reads(&answer));
                Attempt { status: Some(answer.status), result }
            }
            Err(attempt) => attempt,
        }
    }
}

/// The content type of JSON in UTF-8.
pub const JSON: reqwest::header::HeaderValue =
    reqwest::header::HeaderValue::from_static("application/json; charset=utf-8");

impl Answer {
    /// The outcome according to the status.
    ///
    /// # Errors
    /// A refusal unless it is from 200 to 299.
    pub fn by_status(&self) -> Result<(), Refusal> {
        let fault = match self.status {
            200..300 => return Ok(()),
            410 => Fault::Gone,
            400 | 406 | 409 | 411 | 413 | 414 | 415 | 422 | 431 => Fault::Page,
            _ => Fault::Receiver,
        };
        let status = reqwest::StatusCode::from_u16(self.status);
        let why = status.map_or_else(|_| self.status.to_string(), |status| status.to_string());
        let help = match self.status {
            300..=399 => ": redirects are not followed: use the address that it leads to",
            401 | 403 => ": check the secret and the address",
            404 => ": check the address",
            410 => ": the receiver does not want this page again",
            _ => "",
        };
        let said = self.excerpt();
        let why =
            if said.is_empty() { format!("{why}{help}") } else { format!("{why}{help} ({said})") };
        Err(Refusal { why, fault, retry_after: self.retry_after })
    }

    /// The beginning of the body on one line.
    pub fn excerpt(&self) -> String {
        let text: String = self.body.chars().take(200).collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The body as JSON; null if it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// An error with all its causes. It must not hold an address: see `reqwest::Error::without_url`.
pub fn chain(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(source) = cause {
        let text = source.to_string();
        // Some errors repeat their cause.
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        cause = source.source();
    }
    texts.join(": ")
}

/// The value of `Retry-After`, in seconds or as a date. Some gateways use another name for the header.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let names = ["retry-after", "x-ogw-ratelimit-reset"];
    let value = names.iter().find_map(|name| headers.get(*name)?.to_str().ok())?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = DateTime::parse_from_rfc2822(value).ok()?.timestamp();
            Duration::from_secs(u64::try_from(at - now.secs()).unwrap_or_default())
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// Refuses a forbidden IP address in a URL. Host names are checked whenever they are resolved.
fn check_url(settings: &Settings) -> Result<(), Problem> {
    let url = reqwest::Url::parse(&settings.url.0);
    let url = url.map_err(|error| ("url", format!("is not a URL: {error}")))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(address) if !settings.allow_link_local && is_link_local(address) => {
            Err(("url", link_local(address)))
        }
        _ => Ok(()),
    }
}

fn link_local(address: IpAddr) -> String {
    format!(
        "{address} is a link-local or metadata address, which no receiver should have: use another one, or \
         set allow_link_local = true"
    )
}

/// Whether an address is link-local, or an address at which a cloud provides metadata about its machines.
pub fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_link_local() || v4.is_unspecified() || v4.octets() == [100, 100, 100, 200]
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_link_local(IpAddr::V4(v4)),
            None => {
                v6.is_unicast_link_local()
                    || v6.is_unspecified()
                    || v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
            }
        },
    }
}

/// Resolves names, but not to link-local addresses.
struct NoLinkLocal;

impl Resolve for NoLinkLocal {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let refused = found.iter().find(|address| is_link_local(address.ip())).copied();
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| !is_link_local(address.ip())).collect();
            match (allowed.is_empty(), refused) {
                (true, Some(address)) => Err(link_local(address.ip()).into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_machines_and_clouds_are_link_local() {
        let link_local = [
            "169.254.169.254",
            "100.100.100.200",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.1.1",
            "0.0.0.0",
        ];
        for address in link_local {
            assert!(is_link_local(address.parse().expect("an address")), "{address}");
        }
        for address in ["127.0.0.1", "10.0.0.7", "::1", "fd00::1", "192.0.2.7"] {
            assert!(!is_link_local(address.parse().expect("an address")), "{address}");
        }
    }

    #[test]
    fn the_time_to_wait_is_read_in_both_forms_and_bounded() {
        let now = Timestamp::from_secs(1_445_412_470);
        let read = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a value"));
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(read("retry-after", "7"), Some(7));
        assert_eq!(read("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"), Some(10));
        assert_eq!(read("retry-after", "Wed, 21 Oct 2015 07:27:00 GMT"), Some(0));
        assert_eq!(read("retry-after", "999999999"), Some(3600));
        assert_eq!(read("x-ogw-ratelimit-reset", "30"), Some(30));
        assert_eq!(read("retry-after", "soon"), None);
    }

    #[test]
    fn a_status_says_whether_the_receiver_or_the_page_is_at_fault() {
        let fault = |status| {
            let answer = Answer { status, retry_after: None, body: String::new() };
            answer.by_status().err().map(|refusal| refusal.fault)
        };
        assert_eq!((fault(200), fault(204)), (None, None));
        assert_eq!((fault(410), fault(413)), (Some(Fault::Gone), Some(Fault::Page)));
        for status in [302, 401, 404, 408, 429, 500, 503] {
            assert_eq!(fault(status), Some(Fault::Receiver), "{status}");
        }
    }
}
