//! The tokens that `surgecast setup influxdb --tokens` creates in a real InfluxDB.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::servers::{Influx, ORG, TOKEN};
use crate::program::surgecast;

/// What the command says.
fn set_up(folder: &Path) -> String {
    let mut command =
        surgecast(&["setup", "influxdb", "--config", "surgecast.toml", "--tokens", "."]);
    let done = command.current_dir(folder).output().expect("it runs");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    said
}

#[test]
fn each_token_may_do_one_thing_with_the_bucket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let influx = Influx::start(path);
    influx.create_bucket("others");
    let config = format!(
        "[influxdb]\nurl = \"{}\"\norg = \"{ORG}\"\nbucket = \"surges\"\ntoken_file = \"operator.token\"\n",
        influx.url()
    );
    std::fs::write(path.join("surgecast.toml"), config).expect("config");
    std::fs::write(path.join("operator.token"), TOKEN).expect("token");
    let said = set_up(path);
    let names = ["influxdb-write.token", "influxdb-read.token"];
    let [writes, reads] = names.map(|name| {
        let file = path.join(name);
        let mode = std::fs::metadata(&file).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        let token = std::fs::read_to_string(&file).expect("a token");
        assert!(token.len() > 20 && !said.contains(&token), "{said}");
        token
    });
    let http = reqwest::blocking::Client::new();
    let sent = |token: &str, request: reqwest::blocking::RequestBuilder| {
        let request = request.header("authorization", format!("Token {token}"));
        request.send().expect("an answer").status().is_success()
    };
    let may_write = |token: &str, bucket: &str| {
        let url = format!("{}/api/v2/write?org={ORG}&bucket={bucket}", influx.url());
        sent(token, http.post(url).body("tickets count=1i"))
    };
    let may_read = |token: &str, bucket: &str| {
        let url = format!("{}/api/v2/query?org={ORG}", influx.url());
        let query = format!("from(bucket: \"{bucket}\") |> range(start: -1h)");
        let request = http.post(url).header("content-type", "application/vnd.flux");
        sent(token, request.body(query))
    };
    let of = |token: &str| {
        let buckets = ["surges", "others"];
        (
            buckets.map(|bucket| may_write(token, bucket)),
            buckets.map(|bucket| may_read(token, bucket)),
        )
    };
    assert_eq!(of(TOKEN), ([true, true], [true, true]));
    assert_eq!(of(&writes), ([true, false], [false, false]));
    assert_eq!(of(&reads), ([false, false], [true, false]));
    // The token that may only write is enough for the service.
    std::fs::write(path.join("operator.token"), &writes).expect("token");
    let mut check = surgecast(&["check", "--config", "surgecast.toml", "--connect"]);
    let checked = check.current_dir(path).output().expect("it runs");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        checked.status.success() && said.contains("the token may write to noc/surges"),
        "{said}"
    );
    // A second run creates nothing.
    std::fs::write(path.join("operator.token"), TOKEN).expect("token");
    assert_eq!(set_up(path).matches("is there already: no token").count(), 2);
    assert_eq!(std::fs::read_to_string(path.join(names[0])).expect("a token"), writes);
}
