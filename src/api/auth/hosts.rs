//! Host names under which this service answers, and origins from which it accepts changes.
//!
//! A browser sends requests for any page that is open in it. With DNS rebinding the page's own name leads to this service:
//! then `Host` is a foreign name. A plain cross-site request has a foreign `Origin`, or says so in `Sec-Fetch-Site`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};

use crate::api::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Reads an entry of `server.allowed_hosts`: a host name or an IP address, without a port.
///
/// # Errors
/// What is allowed.
pub fn parse_host(text: &str) -> Result<String, String> {
    let allowed = "use a host name or an IP address, without scheme, port and path";
    let text = text.trim();
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(ip.to_string());
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if text.is_empty() || text.len() > 253 || !text.chars().all(is_name) {
        return Err(format!("found `{}`: {allowed}", text.escape_debug()));
    }
    Ok(plain(text))
}

/// The host name without brackets, without a final dot, in lower case.
fn plain(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_string(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// A scheme, a host and a port, as in the `Origin` header.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of a URL; `None` unless it is an `http` or `https` URL with a host.
    fn of(url: &str) -> Option<Self> {
        let url: Uri = url.parse().ok()?;
        let (scheme, host) = (url.scheme_str()?, url.host()?);
        let usual = usual_port(scheme)?;
        let port = url.port_u16().unwrap_or(usual);
        Some(Self { scheme: scheme.to_owned(), host: plain(host), port })
    }
}

fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// The names under which this service may be reached.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// `server.allowed_hosts`.
    allowed: BTreeSet<String>,
    /// The hosts of `server.public_url` and `server.advertise`.
    own: BTreeSet<String>,
    public: Option<Origin>,
    /// Whether `Host` is checked.
    is_checked: bool,
}

impl Hosts {
    /// `Host` is checked where there are no tokens, and where `allowed` has names.
    pub fn new(
        allowed: &[String],
        public_url: &str,
        advertise: Option<&str>,
        has_tokens: bool,
    ) -> Self {
        let public = Origin::of(public_url);
        let own = [public.clone(), advertise.and_then(Origin::of)].into_iter().flatten();
        Self {
            allowed: allowed.iter().cloned().collect(),
            own: own.map(|origin| origin.host).collect(),
            public,
            is_checked: !has_tokens || !allowed.is_empty(),
        }
    }

    /// Refuses a request that was meant for another host.
    ///
    /// # Errors
    /// 421; the detail names the key to set.
    pub fn check_host(&self, request: &Request) -> Result<(), Problem> {
        if !self.is_checked {
            return Ok(());
        }
        let named = request.headers().get_all(header::HOST).iter();
        let named = named.map(|value| value.to_str().ok().and_then(host_of));
        let target = request.uri().authority().map(|authority| Some(plain(authority.host())));
        let all: Vec<Option<String>> = named.chain(target).collect();
        let known = |host: &Option<String>| host.as_deref().is_some_and(|host| self.knows(host));
        if !all.is_empty() && all.iter().all(known) {
            return Ok(());
        }
        let detail = "the host of this request is unknown: add it to server.allowed_hosts, or set \
                      server.public_url";
        Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail))
    }

    fn knows(&self, host: &str) -> bool {
        is_loopback(host) || self.own.contains(host) || self.allowed.contains(host)
    }

    /// Refuses a request that changes something and comes from a page of another site.
    ///
    /// # Errors
    /// 403; the detail names the key to set.
    pub fn check_origin(&self, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        let site = headers.get_all(SEC_FETCH_SITE).iter();
        let crosses =
            site.into_iter().any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"));
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
        let mut origins = headers.get_all(header::ORIGIN).iter();
        if !crosses && origins.all(|origin| origin.to_str().is_ok_and(|o| self.is_ours(o, host))) {
            return Ok(());
        }
        let detail = "this request comes from a page of another site: if that site is yours, set \
                      server.public_url to its address, or add its host to server.allowed_hosts";
        Err(Problem::new(StatusCode::FORBIDDEN, detail))
    }

    /// Whether an `Origin` is this service's: the one of the request's `Host`, of `public_url`, or of an allowed host.
    fn is_ours(&self, origin: &str, host: Option<&str>) -> bool {
        let Some(origin) = Origin::of(origin) else { return false };
        if self.public.as_ref() == Some(&origin) || self.allowed.contains(&origin.host) {
            return true;
        }
        let Some(host) = host.and_then(|host| host.parse::<Authority>().ok()) else { return false };
        let port = host.port_u16().or_else(|| usual_port(&origin.scheme));
        plain(host.host()) == origin.host && port == Some(origin.port)
    }
}

fn host_of(authority: &str) -> Option<String> {
    let authority: Authority = authority.parse().ok()?;
    (!authority.as_str().contains('@')).then(|| plain(authority.host()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn request(host: &[&str], uri: &str) -> Request {
        let mut request = axum::http::Request::builder().uri(uri);
        for host in host {
            request = request.header(header::HOST, *host);
        }
        request.body(Body::empty()).expect("a request")
    }

    #[test]
    fn hosts_are_loopback_own_or_allowed() {
        let allowed = ["noc.example".to_owned()];
        let hosts =
            Hosts::new(&allowed, "https://surge.example/x", Some("http://10.0.0.7:80"), false);
        let cases: [(&[&str], &str, bool); 20] = [
            (&["127.0.0.1:8080"], "/", true),
            (&["127.9.0.1"], "/", true),
            (&["localhost"], "/", true),
            (&["LocalHost.:8080"], "/", true),
            (&["[::1]:8080"], "/", true),
            (&["[::ffff:127.0.0.1]"], "/", true),
            (&["surge.example"], "/", true),
            (&["10.0.0.7:8080"], "/", true),
            (&["NOC.example:1"], "/", true),
            (&["noc.example"], "http://noc.example/", true),
            (&["evil.example"], "/", false),
            (&["localhost.evil.example"], "/", false),
            (&["evil-localhost"], "/", false),
            (&["127.0.0.1.evil.example"], "/", false),
            (&["127.0.0.1@evil.example"], "/", false),
            (&["10.0.0.8"], "/", false),
            (&["127.0.0.1", "evil.example"], "/", false),
            (&["127.0.0.1"], "http://evil.example/", false),
            (&[""], "/", false),
            (&[], "/", false),
        ];
        for (host, uri, is_known) in cases {
            assert_eq!(hosts.check_host(&request(host, uri)).is_ok(), is_known, "{host:?} {uri}");
        }
        let open = Hosts::new(&[], "http://127.0.0.1:8080", None, true);
        assert!(open.check_host(&request(&["evil.example"], "/")).is_ok());
        let strict = Hosts::new(&allowed, "http://127.0.0.1:8080", None, true);
        assert!(strict.check_host(&request(&["evil.example"], "/")).is_err());
    }

    #[test]
    fn changes_come_from_own_pages_only() {
        let allowed = ["noc.example".to_owned()];
        let hosts = Hosts::new(&allowed, "https://surge.example/x", None, true);
        let cases: [(&[(HeaderName, &str)], bool); 14] = [
            (&[], true),
            (&[(header::ORIGIN, "http://127.0.0.1:8080")], true),
            (&[(header::ORIGIN, "https://surge.example")], true),
            (&[(header::ORIGIN, "https://noc.example:8443")], true),
            (&[(SEC_FETCH_SITE, "same-origin")], true),
            (&[(SEC_FETCH_SITE, "none")], true),
            (&[(SEC_FETCH_SITE, "cross-site")], false),
            (&[(SEC_FETCH_SITE, "Cross-Site")], false),
            (&[(header::ORIGIN, "null")], false),
            (&[(header::ORIGIN, "http://127.0.0.1:3000")], false),
            (&[(header::ORIGIN, "http://surge.example")], false),
            (&[(header::ORIGIN, "https://evil.example")], false),
            (&[(header::ORIGIN, "http://127.0.0.1:8080"), (SEC_FETCH_SITE, "cross-site")], false),
            (&[(header::ORIGIN, "http://127.0.0.1:8080.evil.example")], false),
        ];
        for (given, is_ours) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "127.0.0.1:8080".parse().expect("a value"));
            for (name, value) in given {
                headers.append(name, value.parse().expect("a value"));
            }
            for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
                let found = hosts.check_origin(&method, &headers).is_ok();
                assert_eq!(found, is_ours, "{method} {given:?}");
            }
            assert!(hosts.check_origin(&Method::GET, &headers).is_ok());
        }
    }

    #[test]
    fn an_allowed_host_is_a_host() {
        for (text, host) in
            [("NOC.Example.", "noc.example"), ("[::1]", "::1"), ("::1", "::1"), (" a_b ", "a_b")]
        {
            assert_eq!(parse_host(text).as_deref(), Ok(host));
        }
        for text in ["", "http://noc", "noc:8080", "noc/x", "*", "a b", "a\nb"] {
            assert!(parse_host(text).is_err(), "{text}");
        }
    }
}
