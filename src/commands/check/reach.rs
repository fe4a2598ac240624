//! Whether a server answers: a line for a person, or a problem with its key and what to do.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use reqwest::{StatusCode, Url};

use crate::kafka;
use crate::output::influxdb::InfluxSettings;
use crate::output::receivers::config::ReceiverConfig;

/// Each of name, connection and answer.
const WITHIN: Duration = Duration::from_secs(5);

/// Asks the cluster for its topics. Those that are missing are no fault: the service creates them.
pub(super) fn kafka(settings: &kafka::Settings) -> Result<String, String> {
    let missing =
        kafka::missing(settings).map_err(|problem| format!("kafka.brokers: {problem}"))?;
    Ok(match missing.as_slice() {
        [] => "kafka          answers, every topic is there".into(),
        some => format!("kafka          answers; serve would create {}", some.join(", ")),
    })
}

/// Asks InfluxDB for the bucket, as the token's owner.
pub(super) fn influxdb(settings: &InfluxSettings) -> Result<String, String> {
    let InfluxSettings { url, org, bucket, token } = settings;
    let address = format!("{url}/api/v2/buckets");
    let address = Url::parse_with_params(&address, [("org", org), ("name", bucket)]);
    let address = address.map_err(|error| format!("influxdb.url {url}: {error}"))?;
    let client = reqwest::blocking::Client::builder().timeout(WITHIN).build();
    let client = client.map_err(|error| format!("influxdb.url {url}: {error}"))?;
    let mut request = client.get(address);
    if !token.is_empty() {
        request = request.header("authorization", format!("Token {token}"));
    }
    let answer = request.send().and_then(|answer| Ok((answer.status(), answer.text()?)));
    let (status, text) = answer.map_err(|error| {
        let why = cause(&error.without_url());
        format!("influxdb.url {url}: no answer: is it running, and is the address right? ({why})")
    })?;
    match status {
        StatusCode::OK if holds(&text, bucket) => {
            Ok(format!("influxdb       answers, the token may read {org}/{bucket}"))
        }
        StatusCode::OK | StatusCode::NOT_FOUND => Err(format!(
            "influxdb.bucket {bucket}: InfluxDB at {url} shows this token no such bucket in {org}: run \
             `surgecast setup influxdb`, check influxdb.org and influxdb.bucket, or let the token read it"
        )),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(format!(
            "influxdb.token_file: InfluxDB at {url} refuses the token ({status}): check that it is one of {org}"
        )),
        other => Err(format!("influxdb.url {url}: answered {other}: is this InfluxDB 2?")),
    }
}

/// Whether a list of buckets has one of this name.
fn holds(list: &str, bucket: &str) -> bool {
    let list: serde_json::Value = serde_json::from_str(list).unwrap_or_default();
    let buckets = list["buckets"].as_array();
    buckets.is_some_and(|buckets| buckets.iter().any(|found| found["name"] == bucket))
}

/// Connects to a receiver's host, over TLS where its address says so, and hangs up. `place` counts in the file.
pub(super) fn receiver(place: usize, receiver: &ReceiverConfig) -> Result<String, String> {
    let ReceiverConfig { name, url, .. } = receiver;
    // The address may hold a key: only host and port are told.
    let (host, port, tls) = parts(url).ok_or_else(|| {
        format!("alerts.receivers[{place}].url: `{name}` has no host that can be reached")
    })?;
    let reached = connect(&host, port).and_then(|stream| match tls {
        true => greet(&host, stream),
        false => Ok(()),
    });
    match reached {
        Ok(()) => {
            Ok(format!("pages          {name}: {host}:{port} is reachable, nothing was sent"))
        }
        Err(error) => Err(format!(
            "alerts.receivers[{place}].url: `{name}` at {host}:{port} cannot be reached: {error}; check the \
             address, and that this machine may connect to it"
        )),
    }
}

/// Host, port and whether TLS is spoken there.
fn parts(url: &str) -> Option<(String, u16, bool)> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    Some((host, url.port_or_known_default()?, url.scheme() == "https"))
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, WITHIN) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A TLS handshake: the certificate is one that this machine trusts.
fn greet(host: &str, stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    let connector = native_tls::TlsConnector::new().map_err(io::Error::other)?;
    let greeted = connector.connect(host, stream);
    let mut stream =
        greeted.map_err(|error| io::Error::other(format!("no TLS: {}", cause(&error))))?;
    // Saying goodbye is a courtesy.
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
