//! `deploy/compose.yaml` without a container engine: the same commands and environment, run directly with the same
//! servers.
//!
//! This does not test that the images build, and that the engine sets up network and volumes.
#![allow(clippy::disallowed_methods, reason = "a shell finds the program through PATH")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command};

use yaml_rust2::{Yaml, YamlLoader};

use super::grafana::{Choice, check_boards};
use super::prometheus::Prometheus;
use super::servers::{Influx, Kafka, ORG, TOKEN, free_port, until};
use crate::program::Program;

/// A process that runs until the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn compose() -> Yaml {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/compose.yaml");
    let text = std::fs::read_to_string(path).expect("the compose file");
    YamlLoader::load_from_str(&text).expect("YAML").remove(0)
}

/// The strings of a list.
fn list(yaml: &Yaml) -> Vec<String> {
    yaml.as_vec().expect("a list").iter().map(|item| item.as_str().expect("text").into()).collect()
}

/// Fills in `${NAME:-default}`, and replaces addresses and paths of the containers by those of this test.
fn here(text: &str, places: &[(&str, &str)]) -> String {
    let mut text = text.replace("$$", "$");
    while let Some(start) = text.find("${") {
        let end = start + text[start..].find('}').expect("a closing brace");
        let default = text[start + 2..end].split_once(":-").map_or("", |(_, default)| default);
        text = format!("{}{default}{}", &text[..start], &text[end + 1..]);
    }
    for (there, here) in places {
        text = text.replace(there, here);
    }
    text
}

fn environment(service: &Yaml, places: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = service["environment"].as_hash().into_iter().flatten();
    let pairs = pairs.map(|(key, value)| {
        let value = value.as_str().expect("text");
        (key.as_str().expect("text").to_owned(), here(value, places))
    });
    pairs.collect()
}

/// Its command with its files reads the metrics and evaluates the rules; Grafana has its address.
fn check_prometheus(folder: &Path, service: &Yaml, admin: &str) {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus");
    let etc = folder.join("prometheus");
    std::fs::create_dir_all(&etc).expect("a folder");
    for name in ["prometheus.yml", "rules.yml"] {
        let text = std::fs::read_to_string(files.join(name)).expect(name);
        // The service's name and its admin port.
        std::fs::write(etc.join(name), text.replace("surgecast:9464", admin)).expect(name);
    }
    let (etc, data) = (etc.display().to_string(), folder.join("tsdb").display().to_string());
    let places = [("/etc/prometheus", etc.as_str()), ("=/prometheus", &format!("={data}"))];
    let args: Vec<String> =
        list(&service["command"]).iter().map(|word| here(word, &places)).collect();
    let prometheus = Prometheus::run(&args);
    until("Prometheus to read the metrics", || {
        let found = prometheus.ask("up{job=\"surgecast\"} == 1 and on () surgecast_build_info");
        found.is_some_and(|found| !found.is_empty())
    });
    assert_eq!(
        compose()["services"]["grafana"]["environment"]["PROMETHEUS_URL"].as_str(),
        Some("http://prometheus:9090")
    );
}

#[test]
fn the_commands_of_the_compose_file_work_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let influx = Influx::start(folder.path());
    let compose = compose();
    let services = &compose["services"];
    let env = |service: &str, key: &str| {
        here(services[service]["environment"][key].as_str().expect(key), &[])
    };
    // The image of InfluxDB does this with its environment.
    let bucket = env("influxdb", "DOCKER_INFLUXDB_INIT_BUCKET");
    influx.create_bucket(&bucket);
    assert_eq!(env("influxdb", "DOCKER_INFLUXDB_INIT_ORG"), ORG);
    for service in ["surgecast", "grafana"] {
        let keys = ["SURGECAST__INFLUXDB__TOKEN", "INFLUX_TOKEN"];
        let key =
            keys.into_iter().find(|key| !services[service]["environment"][*key].is_badvalue());
        let token = env(service, key.expect("a token"));
        assert_eq!(token, env("influxdb", "DOCKER_INFLUXDB_INIT_ADMIN_TOKEN"));
    }
    let (sim, data) = (folder.path().join("sim"), folder.path().join("data"));
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/surgecast.toml");
    let ports = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let (brokers, url) = (kafka.brokers(), influx.url());
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (sim, data, config) = (text(&sim), text(&data), text(&config));
    let places = [
        ("kafka:9092", brokers.as_str()),
        ("http://influxdb:8086", &url),
        ("0.0.0.0:8080", &ports[0]),
        ("0.0.0.0:9464", &ports[1]),
        ("127.0.0.1:9464", &ports[1]),
        ("/etc/surgecast/surgecast.toml", &config),
        ("/var/lib/surgecast", &data),
        ("/sim", &sim),
        ("for-trial-only", TOKEN),
    ];

    std::fs::create_dir_all(&sim).expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_surgecast")).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("PATH"));
    let operator = &services["operator"];
    let entry = list(&operator["entrypoint"]);
    let mut command = Command::new(&entry[0]);
    command.args(&entry[1..]).env("PATH", &path);
    command.args(list(&operator["command"]).iter().map(|word| here(word, &places)));
    let mut operator = Running(command.spawn().expect("the operator starts"));
    let sent = Path::new(&sim).join("sent");
    until("the operator to have sent its history", || {
        assert!(operator.0.try_wait().expect("status").is_none(), "the operator ended");
        sent.exists()
    });

    let service = &services["surgecast"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_surgecast"));
    command.args(list(&service["command"]).iter().map(|word| here(word, &places)));
    command.envs(environment(service, &places));
    let program = Program::start_command(command);
    // The container's health check.
    let check: Vec<String> = list(&service["healthcheck"]["test"]);
    let check: Vec<String> = check.iter().skip(1).map(|word| here(word, &places)).collect();
    until("the health check to pass", || {
        Command::new(&check[0]).args(&check[1..]).status().expect("it runs").success()
    });
    program.wait_for("/api/v1/outlook?region=north&service=broadband&channel=phone", |outlook| {
        outlook["peak"].as_f64().is_some_and(|peak| peak > 0.0)
    });
    // Windows are written in several requests, the oldest first, each with its forecasts, staffing and alarms.
    let newest = [
        ("forecast", "mean", "_all", "_all", "now()"),
        ("forecast", "mean", "north", "broadband", "now()"),
        ("staffing", "agents", "north", "broadband", "now()"),
        // There may be no alarm for an hour in one region and service.
        ("alarms", "active", "_all", "_all", "-1h"),
        ("alarms", "active", "north", "broadband", "-1d"),
    ];
    for (measurement, field, region, service, from) in newest {
        until(&format!("InfluxDB to have the newest {measurement} of {region}"), || {
            let rows = influx.query(&format!(
                "from(bucket: \"{bucket}\") |> range(start: {from}, stop: 7h)
                 |> filter(fn: (r) => r._measurement == \"{measurement}\" and r._field == \"{field}\")
                 |> filter(fn: (r) => r.region == \"{region}\" and r.service == \"{service}\") |> limit(n: 1)"
            ));
            !rows.is_empty()
        });
    }
    // The state of the sources is written once a minute, apart from the windows.
    until("InfluxDB to have the state of the sources", || {
        let rows = influx.query(&format!(
            "from(bucket: \"{bucket}\") |> range(start: -1d)
             |> filter(fn: (r) => r._measurement == \"feed\" and r._field == \"silent_for\") |> limit(n: 1)"
        ));
        !rows.is_empty()
    });
    check_prometheus(folder.path(), &services["prometheus"], &ports[1]);
    use Choice::{All, These};
    check_boards(&influx, &bucket, &[All, All, All], false);
    let one = [These(&["north"]), These(&["broadband"]), These(&["phone"])];
    check_boards(&influx, &bucket, &one, false);
    check_boards(&influx, &bucket, &[These(&["north", "east"]), All, All], false);
}
