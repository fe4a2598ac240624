//! The name under which InfluxQL finds the bucket: InfluxDB 2 maps a database and a retention policy to it (DBRP mapping).

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use super::client::{InfluxSettings, SetupProblem};

/// InfluxQL requires a name; this is the one that clients expect.
const RETENTION_POLICY: &str = "autogen";

/// The bucket to which the database with the bucket's name is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mapped {
    ThisBucket,
    AnotherBucket,
    Nothing,
}

/// The bucket to map.
pub(super) struct Target<'a> {
    pub(super) http: &'a Client,
    pub(super) settings: &'a InfluxSettings,
    pub(super) token: &'a str,
    pub(super) org_id: &'a str,
    pub(super) bucket_id: &'a str,
}

impl Target<'_> {
    /// Maps the database with the bucket's name to the bucket, if there is no such mapping. Returns what was found or done. A
    /// mapping that the token may not create is no problem: only boards in InfluxQL need it.
    ///
    /// # Errors
    /// [`SetupProblem`] if InfluxDB does not answer.
    pub(super) fn map(&self) -> Result<String, SetupProblem> {
        let InfluxSettings { url, bucket, .. } = self.settings;
        let address = format!("{url}/api/v2/dbrps");
        let listed = Url::parse_with_params(&address, [("orgID", self.org_id), ("db", bucket)]);
        let listed = listed.map_err(|error| SetupProblem(format!("influxdb.url: {error}")))?;
        let (status, list) = self.ask(self.http.get(listed))?;
        if status == StatusCode::NOT_FOUND {
            return Ok(format!("InfluxDB at {url} keeps no mappings for InfluxQL: nothing to do"));
        }
        match mapped(&list, bucket, self.bucket_id) {
            Mapped::ThisBucket => {
                return Ok(format!("database {bucket} of InfluxQL is mapped to it already"));
            }
            Mapped::AnotherBucket => {
                return Ok(format!(
                    "database {bucket} of InfluxQL is mapped to another bucket: boards in InfluxQL need a mapping of their own"
                ));
            }
            Mapped::Nothing => {}
        }
        let body = json!({
            "orgID": self.org_id, "bucketID": self.bucket_id, "database": bucket,
            "retention_policy": RETENTION_POLICY, "default": true,
        });
        let request = self.http.post(address).header("content-type", "application/json");
        let (status, answer) = self.ask(request.body(body.to_string()))?;
        if status.is_success() {
            return Ok(format!("mapped database {bucket} of InfluxQL to it"));
        }
        let why = answer["message"].as_str().unwrap_or_default();
        Ok(format!(
            "database {bucket} of InfluxQL is not mapped to it: InfluxDB answered {status} ({why}); boards in InfluxQL need this, \
             those in Flux do not"
        ))
    }

    pub(super) fn ask(&self, request: RequestBuilder) -> Result<(StatusCode, Value), SetupProblem> {
        let request = request.header("authorization", format!("Token {}", self.token));
        let answer = request.send().and_then(|answer| Ok((answer.status(), answer.text()?)));
        let (status, text) = answer.map_err(|error| {
            let why = error.without_url();
            SetupProblem(format!("no answer from InfluxDB at {}: {why}", self.settings.url))
        })?;
        Ok((status, serde_json::from_str(&text).unwrap_or_default()))
    }
}

/// The meaning of a list of mappings for the database. InfluxDB also lists mappings that every bucket has by its name.
fn mapped(list: &Value, database: &str, bucket_id: &str) -> Mapped {
    let mappings = list["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    let default = |mapping: &&Value| mapping["database"] == database && mapping["default"] == true;
    let defaults: Vec<&Value> = mappings.iter().filter(default).collect();
    if defaults.iter().any(|mapping| mapping["bucketID"] == bucket_id) {
        Mapped::ThisBucket
    } else if defaults.is_empty() {
        Mapped::Nothing
    } else {
        Mapped::AnotherBucket
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;
    use crate::config::Secret;

    /// Answers one request after the other, and returns the first line and the body of each.
    fn server(answers: Vec<(u16, &'static str)>) -> (String, JoinHandle<Vec<(String, String)>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serve = move |(code, answer): (u16, &str)| {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
            let (mut first, mut bytes) = (String::new(), 0);
            reader.read_line(&mut first).expect("text");
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("text");
                if let Some(length) = line.to_lowercase().strip_prefix("content-length:") {
                    bytes = length.trim().parse().expect("a length");
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; bytes];
            reader.read_exact(&mut body).expect("a body");
            let length = answer.len();
            write!(
                stream,
                "HTTP/1.1 {code} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
            )
            .expect("writes");
            (first, String::from_utf8(body).expect("UTF-8"))
        };
        (url, std::thread::spawn(move || answers.into_iter().map(serve).collect()))
    }

    /// The message about the mapping, and the requests.
    fn map(answers: Vec<(u16, &'static str)>) -> (String, Vec<(String, String)>) {
        let (url, server) = server(answers);
        let settings = InfluxSettings {
            url,
            org: "noc".into(),
            bucket: "surge".into(),
            token: Secret::new("hunter2"),
            warm_start: None,
        };
        let (http, settings) = (&Client::new(), &settings);
        let target = Target { http, settings, token: "hunter2", org_id: "o1", bucket_id: "b1" };
        let said = target.map().expect("it answers");
        assert!(!said.contains("hunter2"), "{said}");
        (said, server.join().expect("it serves"))
    }

    #[test]
    fn a_mapping_is_made_once() {
        let there =
            r#"{"content":[{"database":"surge","default":true,"bucketID":"b1","virtual":true}]}"#;
        let (said, requests) = map(vec![(200, there)]);
        assert!(said.contains("is mapped to it already"), "{said}");
        assert!(requests[0].0.starts_with("GET /api/v2/dbrps?orgID=o1&db=surge "), "{requests:?}");

        let (said, requests) = map(vec![(200, r#"{"content":[]}"#), (201, "{}")]);
        assert!(said.contains("mapped database surge of InfluxQL to it"), "{said}");
        assert!(requests[1].0.starts_with("POST /api/v2/dbrps "), "{requests:?}");
        let body: Value = serde_json::from_str(&requests[1].1).expect("JSON");
        let expected = json!({
            "orgID": "o1", "bucketID": "b1", "database": "surge", "retention_policy": "autogen", "default": true,
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn boards_in_flux_need_no_mapping() {
        let refused = r#"{"code":"unauthorized","message":"write:orgs/o1/dbrp is unauthorized"}"#;
        let (said, _) = map(vec![(200, r#"{"content":[]}"#), (401, refused)]);
        assert!(
            said.contains("dbrp is unauthorized") && said.contains("those in Flux do not"),
            "{said}"
        );
        let (said, requests) = map(vec![(404, "")]);
        assert!(said.contains("nothing to do") && requests.len() == 1, "{said}");
        let another = r#"{"content":[{"database":"surge","default":true,"bucketID":"b2"}]}"#;
        let (said, requests) = map(vec![(200, another)]);
        assert!(said.contains("to another bucket") && requests.len() == 1, "{said}");
    }

    #[test]
    fn a_list_of_mappings_says_whether_the_bucket_has_one() {
        let mapping = |database: &str, bucket: &str, default: bool| {
            json!({
                "id": "1", "database": database, "retention_policy": "autogen", "default": default, "bucketID": bucket,
            })
        };
        let check = |mappings: Vec<Value>, expected| {
            let list = json!({ "content": mappings });
            assert_eq!(mapped(&list, "surge", "b1"), expected, "{list}");
        };
        check(vec![], Mapped::Nothing);
        check(vec![mapping("surge", "b1", true)], Mapped::ThisBucket);
        check(vec![mapping("surge", "b2", true)], Mapped::AnotherBucket);
        check(vec![mapping("other", "b1", true)], Mapped::Nothing);
        // A query that names no retention policy does not find this one.
        check(vec![mapping("surge", "b1", false)], Mapped::Nothing);
        check(
            vec![mapping("surge", "b2", false), mapping("surge", "b1", true)],
            Mapped::ThisBucket,
        );
        assert_eq!(mapped(&Value::Null, "surge", "b1"), Mapped::Nothing);
    }
}
