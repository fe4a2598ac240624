//! `deploy/kubernetes` without a cluster: the pods' commands, variables, configuration and probes, run directly with a real
//! Kafka.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::servers::{Kafka, free_port, until};
use crate::deploy::{root, variables, workloads};
use crate::program::{Program, surgecast};

const TOKEN: &str = "replace-me-all-0123456789";

#[test]
fn the_pods_of_kubernetes_work_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let secrets = folder.path().join("secrets");
    std::fs::create_dir_all(&secrets).expect("a folder");
    let tokens = format!(
        "[[tokens]]\nname = \"all\"\nscopes = [\"read\", \"operate\", \"ingest\"]\ntoken = \"{TOKEN}\"\n"
    );
    std::fs::write(secrets.join("tokens.toml"), tokens).expect("tokens");
    std::fs::write(secrets.join("influx.token"), "a-token").expect("a token");
    let config = std::fs::read_to_string(root().join("deploy/kubernetes/surgecast.toml"));
    let config = config.expect("the config");
    let mut pods = BTreeMap::new();
    for (set, container) in workloads() {
        let name = set["metadata"]["name"].as_str().expect("a name");
        let own = folder.path().join(name);
        std::fs::create_dir_all(&own).expect("a folder");
        let (api, admin) = (free_port(), free_port());
        let pod = format!("{name}-0");
        // The pod's name in the network of the cluster.
        let in_cluster = format!("{pod}.{name}:8080");
        let places = [
            ("kafka:9092", kafka.brokers()),
            ("0.0.0.0:8080", format!("127.0.0.1:{api}")),
            ("0.0.0.0:9464", format!("127.0.0.1:{admin}")),
            ("http://influxdb:8086", "http://127.0.0.1:9".into()),
            ("/etc/surgecast/secrets", secrets.display().to_string()),
            ("/etc/surgecast/config", own.display().to_string()),
            ("/var/lib/surgecast", own.join("data").display().to_string()),
            (&in_cluster, format!("127.0.0.1:{api}")),
        ];
        let here = |text: &str| {
            places.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
        };
        std::fs::write(own.join("surgecast.toml"), here(&config)).expect("config");
        let args = container["args"].as_vec().expect("arguments").iter();
        let args: Vec<String> = args.map(|arg| here(arg.as_str().expect("text"))).collect();
        let mut command = surgecast(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let vars = variables(&container, &pod);
        assert!(vars.contains_key("SURGECAST__SERVER__ADVERTISE"), "{vars:?}");
        command.envs(vars.iter().map(|(name, value)| (name, here(value))));
        let program = Program::start_command(command);
        let probes = ["startupProbe", "livenessProbe", "readinessProbe"].map(|probe| {
            let path = container[probe]["httpGet"]["path"].as_str().expect("a path");
            format!("http://127.0.0.1:{admin}{path}")
        });
        pods.insert(name.to_owned(), (program, probes));
    }
    let client = reqwest::blocking::Client::new();
    for (name, (_, probes)) in &pods {
        for probe in probes {
            until(&format!("{name} to answer {probe}"), || {
                client.get(probe).send().is_ok_and(|answer| answer.status().is_success())
            });
        }
    }
    // An event that is sent to a counting instance shows at both: the forecasting one leads.
    let event = json!({"kind": "ticket", "event_id": "a", "ts": "2026-03-28T10:00:00Z",
        "region": "north", "service": "tv", "channel": "phone"});
    let (count, _) = &pods["surgecast-count"];
    let sent = count.request(reqwest::Method::POST, "/api/v1/events").bearer_auth(TOKEN);
    let answer = sent.body(event.to_string()).send().expect("an answer");
    assert_eq!(answer.status(), 202, "{answer:?}");
    let later = event.to_string().replace("\"a\"", "\"b\"").replace("T10:", "T12:");
    let sent = count.request(reqwest::Method::POST, "/api/v1/events").bearer_auth(TOKEN);
    assert_eq!(sent.body(later).send().expect("an answer").status(), 202);
    for (name, (program, _)) in &pods {
        until(&format!("{name} to show the finalized window"), || {
            let asked = program.request(reqwest::Method::GET, "/api/v1/status").bearer_auth(TOKEN);
            let status: Option<serde_json::Value> =
                asked.send().ok().and_then(|answer| answer.json().ok());
            status.is_some_and(|status| status["settled_upto"].is_string())
        });
        let refused = program.get("/api/v1/status");
        assert_eq!(refused.status, 401, "{name} answers without a token");
    }
    assert!(Path::new(&folder.path().join("surgecast-forecast/data/data/state.db")).exists());
}
