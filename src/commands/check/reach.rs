//! Tests whether a server answers. The result is a line for a person, or a problem: the config key and what to do.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;

use reqwest::{StatusCode, Url};

use crate::kafka;
use crate::output::SinkError;
use crate::output::grafana::{GrafanaClient, GrafanaSettings};
use crate::output::influxdb::InfluxSettings;
use crate::output::receivers::config::ReceiverConfig;
use crate::output::receivers::smtp_port;
use crate::telemetry::OtlpClient;
use crate::telemetry::config::OtlpSettings;

/// Time limit of each step: connection, handshake and answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the cluster for its topics. Missing topics are no problem: the service creates them.
pub(super) fn kafka(settings: &kafka::Settings) -> Result<String, String> {
    let missing =
        kafka::missing(settings).map_err(|problem| format!("kafka.brokers: {problem}"))?;
    Ok(match missing.as_slice() {
        [] => "kafka          answers, all topics exist".into(),
        some => format!("kafka          answers; serve would create {}", some.join(", ")),
    })
}

/// Asks InfluxDB for the bucket, with the configured token.
pub(super) fn influxdb(settings: &InfluxSettings) -> Result<String, String> {
    let InfluxSettings { url, org, bucket, token, .. } = settings;
    let address = format!("{url}/api/v2/buckets");
    let address = Url::parse_with_params(&address, [("org", org), ("name", bucket)]);
    let address = address.map_err(|error| format!("influxdb.url {url}: {error}"))?;
    let client = reqwest::blocking::Client::builder().timeout(TIMEOUT).build();
    let client = client.map_err(|error| format!("influxdb.url {url}: {error}"))?;
    let mut request = client.get(address);
    let token = token.expose();
    if !token.is_empty() {
        request = request.header("authorization", format!("Token {token}"));
    }
    let answer = request.send().and_then(|answer| Ok((answer.status(), answer.text()?)));
    let (status, text) = answer.map_err(|error| {
        let why = cause(&error.without_url());
        format!(
            "influxdb.url {url}: no answer ({why}): check that InfluxDB is running, and the address"
        )
    })?;
    match status {
        StatusCode::OK if holds(&text, bucket) => Ok(format!(
            "influxdb       answers, the token can read {org}/{bucket}; {}",
            influxql(&client, settings)
        )),
        StatusCode::OK | StatusCode::NOT_FOUND if may_write(&client, settings) => Ok(format!(
            "influxdb       answers, the token may write to {org}/{bucket} and may not read it: whether InfluxQL finds it is not known"
        )),
        StatusCode::OK | StatusCode::NOT_FOUND => Err(format!(
            "influxdb.bucket {bucket}: InfluxDB at {url} has no such bucket in {org}, or the token may neither read nor write it: run \
             `surgecast setup influxdb`, or check influxdb.org, influxdb.bucket and the token's permissions"
        )),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(format!(
            "influxdb.token_file: InfluxDB at {url} refuses the token ({status}): use a token of {org}"
        )),
        other => {
            Err(format!("influxdb.url {url}: answered {other}: check that this is InfluxDB 2"))
        }
    }
}

/// Whether the token may write to the bucket: writes nothing. InfluxDB looks at token and bucket before it calls an empty body bad.
fn may_write(client: &reqwest::blocking::Client, settings: &InfluxSettings) -> bool {
    let InfluxSettings { url, org, bucket, token, .. } = settings;
    let address =
        Url::parse_with_params(&format!("{url}/api/v2/write"), [("org", org), ("bucket", bucket)]);
    let Ok(address) = address else { return false };
    let request = client.post(address).body("");
    let request = request.header("authorization", format!("Token {}", token.expose()));
    let allowed = [StatusCode::NO_CONTENT, StatusCode::BAD_REQUEST];
    request.send().is_ok_and(|answer| allowed.contains(&answer.status()))
}

/// Asks for the bucket in InfluxQL, like a data source of Grafana. Only boards in InfluxQL need an answer.
fn influxql(client: &reqwest::blocking::Client, settings: &InfluxSettings) -> String {
    let InfluxSettings { url, bucket, token, .. } = settings;
    let query = [("db", bucket.as_str()), ("q", "SHOW MEASUREMENTS LIMIT 1")];
    let answer = Url::parse_with_params(&format!("{url}/query"), query)
        .map_err(|error| error.to_string())
        .and_then(|address| {
            let request = client.get(address);
            let request = request.header("authorization", format!("Token {}", token.expose()));
            let answer = request.send().and_then(|answer| Ok((answer.status(), answer.text()?)));
            answer.map_err(|error| cause(&error.without_url()))
        });
    let problem = match answer {
        Ok((status, text)) => influxql_problem(status, &text),
        Err(why) => Some(why),
    };
    match problem {
        None => format!("InfluxQL finds it as database {bucket}"),
        Some(why) => format!(
            "InfluxQL does not find it as database {bucket} ({why}): for boards in InfluxQL, run `surgecast setup influxdb`"
        ),
    }
}

/// Why the InfluxQL API did not return a result.
fn influxql_problem(status: StatusCode, text: &str) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let told = [&answer["results"][0]["error"], &answer["error"], &answer["message"]];
    let told = told.iter().find_map(|told| told.as_str()).map(str::to_owned);
    match (status.is_success() && answer["results"].is_array(), told) {
        (_, Some(why)) => Some(why),
        (true, None) => None,
        (false, None) => Some(status.to_string()),
    }
}

/// Asks Grafana for annotations, with the configured token. It does not test whether the token may write annotations.
pub(super) fn grafana(settings: &GrafanaSettings) -> Result<String, String> {
    let client = GrafanaClient::new(settings.clone());
    let client = client.map_err(|error| format!("grafana.url {}: {error}", settings.url))?;
    match client.probe() {
        Ok(()) => Ok("grafana        answers, the token can read annotations".into()),
        Err(SinkError::Temporary(why) | SinkError::Misconfigured(why)) => Err(why),
    }
}

/// Sends a request without traces to the collector.
pub(super) fn otlp(settings: &OtlpSettings) -> Result<String, String> {
    let client = OtlpClient::new(settings.clone());
    let client = client.map_err(|error| format!("telemetry.otlp {}: {error}", settings.url))?;
    client.probe()?;
    Ok("otlp           answers, takes traces".into())
}

/// Whether a list of buckets contains one of this name.
fn holds(list: &str, bucket: &str) -> bool {
    let list: serde_json::Value = serde_json::from_str(list).unwrap_or_default();
    let buckets = list["buckets"].as_array();
    buckets.is_some_and(|buckets| buckets.iter().any(|found| found["name"] == bucket))
}

/// Connects to a receiver's host, with a TLS handshake for https, and closes the connection. `index` is the receiver's
/// position in the config.
pub(super) fn receiver(index: usize, receiver: &ReceiverConfig) -> Result<String, String> {
    let ReceiverConfig { name, url, signed, ca_file, .. } = receiver;
    if url.is_empty() {
        return Ok(format!("pages          {name}: has no address, nothing was sent"));
    }
    // Only host and port are shown, because the URL may contain a key.
    let (host, port, tls) = parts(url, *signed).ok_or_else(|| {
        format!(
            "alerts.receivers[{index}].url: the URL of `{name}` has no host: use https://HOST/…"
        )
    })?;
    let reached = connect(&host, port).and_then(|stream| match tls {
        true => tls_handshake(&host, stream, ca_file.as_deref()),
        false => Ok(()),
    });
    match reached {
        Ok(()) => {
            Ok(format!("pages          {name}: {host}:{port} is reachable, nothing was sent"))
        }
        Err(error) => Err(format!(
            "alerts.receivers[{index}].url: `{name}` at {host}:{port} cannot be reached: {error}; check the \
             address and the firewall"
        )),
    }
}

/// Host and port of a URL, and whether it uses TLS.
fn parts(url: &str, signed: bool) -> Option<(String, u16, bool)> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().or_else(|| smtp_port(url.scheme(), signed));
    Some((host, port?, matches!(url.scheme(), "https" | "smtps")))
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A TLS handshake. Fails unless this machine, or the receiver's file of certificates, trusts the certificate.
fn tls_handshake(host: &str, stream: TcpStream, ca_file: Option<&Path>) -> io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut builder = native_tls::TlsConnector::builder();
    if let Some(file) = ca_file {
        let certs = native_tls::Certificate::stack_from_pem(&std::fs::read(file)?);
        for cert in certs.map_err(io::Error::other)? {
            builder.add_root_certificate(cert);
        }
    }
    let connector = builder.build().map_err(io::Error::other)?;
    let connected = connector.connect(host, stream);
    let mut stream =
        connected.map_err(|error| io::Error::other(format!("no TLS: {}", cause(&error))))?;
    // The handshake succeeded: an error while closing does not matter.
    let _ = stream.shutdown();
    Ok(())
}

fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_influxql_says_what_is_wrong() {
        let check = |status, text: &str, problem: Option<&str>| {
            assert_eq!(influxql_problem(status, text).as_deref(), problem, "{text}");
        };
        let (ok, missing) = (StatusCode::OK, StatusCode::NOT_FOUND);
        check(ok, r#"{"results":[{"statement_id":0}]}"#, None);
        check(ok, r#"{"results":[{"statement_id":0,"series":[]}]}"#, None);
        check(
            ok,
            r#"{"results":[{"error":"database not found: surge"}]}"#,
            Some("database not found: surge"),
        );
        check(
            missing,
            r#"{"code":"not found","message":"no dbrp mapping found"}"#,
            Some("no dbrp mapping found"),
        );
        check(missing, r#"{"error":"unauthorized"}"#, Some("unauthorized"));
        check(missing, "", Some("404 Not Found"));
        check(ok, "<html>", Some("200 OK"));
    }
}
