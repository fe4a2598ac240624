//! The name under which InfluxQL finds the bucket: InfluxDB 2 maps a database and a retention policy to it (DBRP mapping).

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use super::client::{InfluxSettings, SetupProblem};

/// InfluxQL has to name one; this is what clients expect.
const RETENTION_POLICY: &str = "autogen";

/// Which bucket the database with the bucket's name stands for.
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
    /// Maps the database with the bucket's name to the bucket, if nothing does. Returns what was found or done. A mapping that
    /// the token may not create is no problem: only boards in InfluxQL need it.
    ///
    /// # Errors
    /// [`SetupProblem`] if InfluxDB does not answer.
    pub(super) fn map(&self) -> Result<String, SetupProblem> {
        let InfluxSettings { url, bucket, .. } = self.settings;
        let address = format!("{url}/api/v2/dbrps");
        let listed = Url::parse_with_params(&address, [("orgID", self.org_id), ("db", bucket)]);
        let listed = listed.map_err(|error| SetupProblem(format!("influxdb.url: {error}")))?;
        let (status, list) = self.ask(self.settings, self.http.get(listed))?;
        if status == StatusCode::NOT_FOUND {
            return Ok(format!(
                "InfluxDB at {url} has no mappings: InfluxQL finds {bucket} without one"
            ));
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
        let (status, answer) = self.ask(self.settings, request.body(body.to_string()))?;
        if status.is_success() {
            return Ok(format!("mapped database {bucket} of InfluxQL to it"));
        }
        let why = answer["message"].as_str().unwrap_or_default();
        Ok(format!(
            "database {bucket} of InfluxQL is not mapped to it: InfluxDB answered {status} ({why}); boards in InfluxQL need this, \
             those in Flux do not"
        ))
    }

    fn ask(
        &self,
        settings: &InfluxSettings,
        request: RequestBuilder,
    ) -> Result<(StatusCode, Value), SetupProblem> {
        let request = request.header("authorization", format!("Token {}", self.token));
        let answer = request.send().and_then(|answer| Ok((answer.status(), answer.text()?)));
        let (status, text) = answer.map_err(|error| {
            let why = error.without_url();
            SetupProblem(format!("no answer from InfluxDB at {}: {why}", settings.url))
        })?;
        Ok((status, serde_json::from_str(&text).unwrap_or_default()))
    }
}

/// What a list of mappings says about the database. InfluxDB also lists mappings that every bucket has by its name.
fn mapped(list: &Value, database: &str, bucket_id: &str) -> Mapped {
    let mappings = list["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    let default = |mapping: &&Value| mapping["database"] == database && mapping["default"] == true;
    let mut defaults = mappings.iter().filter(default).peekable();
    match defaults.peek() {
        None => Mapped::Nothing,
        Some(_) if defaults.any(|mapping| mapping["bucketID"] == bucket_id) => Mapped::ThisBucket,
        Some(_) => Mapped::AnotherBucket,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
